from project_o.agent import Agent, MemorySpec, recall, remember

secretary = Agent("secretary", "You keep things.", memory=MemorySpec("diary", capacity=50, embedding="hash"))


@secretary.body
def answer(message):
    found = recall(message, top=2)
    remember(message)
    return "; ".join(found or ["nothing yet"])

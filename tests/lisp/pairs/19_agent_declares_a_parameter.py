from project_o.agent import Agent

louder = Agent("louder", "You are loud.")


@louder.body
def answer(message):
    signs = 3  # o: 1 2 3
    return message + "!" * signs

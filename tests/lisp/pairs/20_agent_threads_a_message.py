from project_o.agent import Agent, pipe

cleaner = Agent("cleaner", "You clean.")


@cleaner.body
def answer(message):
    return pipe(message, lambda text: text.strip(), lambda text: text.lower(), lambda text: text.replace("  ", " "))

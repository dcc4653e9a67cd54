from project_o.agent import Agent, param

mark = param("mark", "!", domain=["!", "?", "."])
marker = Agent("marker", "You mark.")


@marker.body
def answer(message):
    return message + mark

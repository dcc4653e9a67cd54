from project_o.agent import Agent

greeter = Agent("greeter", "You greet.")


@greeter.body
def answer(message):
    return "Hello, " + message

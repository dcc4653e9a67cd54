from project_o.agent import Agent, get_arg, tool, use


@tool
def add(a: int, b: int):
    """Add."""
    return a + b


calculator = Agent("calculator", "You add.", tools=[add])


@calculator.body
def answer():
    return str(use("add", a=get_arg("a", 0), b=get_arg("b", 0)))

from project_o.agent import Agent, tool


@tool
def double(n: int):
    """Twice."""
    return 2 * n


@tool(timeout=2)
def half(n: int):
    """Half."""
    return n // 2


number = Agent("number", "You count.", tools=[double, half], version="0.1")


@number.body
def answer(message):
    n = int(message)
    return str(double(n)) if n % 2 else str(half(n))

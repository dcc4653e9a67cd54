from project_o.agent import tool


@tool
def add(a: int, b: int):
    """Add two numbers."""
    return a + b

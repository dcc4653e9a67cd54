from project_o.agent import tool


@tool
def fibonacci(n: int):
    """The n-th number."""
    a = 0
    b = 1
    for _ in range(n):
        [a, b] = [b, a + b]
    return a

from project_o.agent import tool


@tool
def grade(points: int):
    """A word for points."""
    return "low" if points < 10 else ("middle" if points < 20 else ("high" if True else None))

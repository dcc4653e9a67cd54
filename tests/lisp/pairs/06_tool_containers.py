from project_o.agent import tool


@tool
def total_of(rows: list, key: str = "n"):
    """The sum of one column."""
    return sum([row[key] for row in rows if key in row])

from project_o.agent import pipe, tool


@tool
def initials(name: str):
    """The initials."""
    return pipe(name, lambda it: it.strip(), lambda it: it.title(), lambda it: it[0], lambda it: it + ".")

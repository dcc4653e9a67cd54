from project_o.agent import step, tool, workflow


@tool
def shaky(n: int):
    """Fails at times."""
    return 1 / 0 if n % 2 else n


@workflow
def stubborn(n: int):
    """Tries again."""
    value = step("value", lambda: shaky(n), retries=3, pause=0.01)
    return value + 1

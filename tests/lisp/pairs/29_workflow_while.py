from project_o.agent import step, workflow


@workflow
def halve(n: int):
    """Half until it is one."""
    while n > 1:
        n = step("n", lambda: n // 2)
    return n

from project_o.agent import step, workflow


@workflow
def careful(n: int, limit=10):
    """Only what is small."""
    if n < limit:
        small = step("small", lambda: n * n)
    else:
        large = step("large", lambda: n // 2)

from project_o.agent import parallel, step, workflow


@workflow
def both_ways(text: str):
    """Two branches at once."""
    [up, down] = parallel(lambda: step("up", lambda: text.upper()), lambda: step("down", lambda: text.lower()))
    joined = step("joined", lambda: up + down)

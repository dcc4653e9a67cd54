from project_o.agent import tool


@tool(timeout=1.5)
def wait_for(seconds: float):
    """Wait."""
    import time

    time.sleep(seconds)
    return seconds

from project_o.agent import tool


@tool(unsafe=True, effects=["files"])
def remove(path: str):
    """Remove a file."""
    import os

    os.remove(path)
    return "removed"

from project_o.agent import tool


@tool(effects=["files", "network"], timeout=10, unsafe=True)
def fetch_page(url: str, headers: dict = None):
    """Fetch a page."""
    return url + str(headers or {})

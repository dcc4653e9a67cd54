from project_o.agent import tool


@tool
def repeat_it(text: str, times: int = 2, mark="-"):
    """Repeat a text."""
    return mark.join([text] * times)

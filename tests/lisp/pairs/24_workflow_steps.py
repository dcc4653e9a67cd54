from project_o.agent import step, workflow


@workflow
def tidy(text: str):
    """Tidy a text."""
    trimmed = step("trimmed", lambda: text.strip())
    title = step("title", lambda: trimmed.title())
    return title

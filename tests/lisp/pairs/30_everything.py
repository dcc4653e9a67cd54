from project_o.agent import (
    Agent,
    MemorySpec,
    param,
    pipe,
    recall,
    remember,
    step,
    tool,
    workflow,
)

width = param("width", 20, "Characters of a summary.", domain="10..40")


@tool(timeout=3, effects=["notebook"])
def shorten(text: str, characters: int = 20):
    """Shorten a text."""
    return text[:characters]


@workflow
def summarise(text: str):
    """A summary in steps."""
    clean = step("clean", lambda: pipe(text, lambda given: given.strip()))
    short = step("short", lambda: shorten(clean, width), retries=1)
    return short


researcher = Agent(
    "researcher",
    "You sum up.",
    version="3.0",
    tools=[shorten],
    memory=MemorySpec("findings", capacity=100, top=2),
)


@researcher.body
def answer(message):
    short = summarise(message)
    remember(short)
    return f"{short} ({len(recall(short))})"

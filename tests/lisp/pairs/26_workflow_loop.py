from project_o.agent import step, workflow


@workflow
def gather(words: list):
    """Each word by itself."""
    found = []
    for word in words:
        found.append(step("upper", lambda: word.upper()))
    return found

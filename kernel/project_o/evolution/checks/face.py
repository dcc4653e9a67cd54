"""Whether a build can stand where what serves now stands; and what one of another language leaves to it.

A translation of a Python function answers the calls that its types fit. Where Python goes further than 64 bits or a
float do, it declines by an error of a name of its own, and the Python function answers that call. That is no
difference; but who declines much is of no use.
"""

from __future__ import annotations

from ... import limits
from ...languages.translating.prelude import DECLINED
from ..infer import takes_any
from ..task import Answer
from .seam import Subject


def another_face(subject: Subject, name: str) -> str:
    """Why this build cannot take the place of what serves; "" where its signature is the same."""
    wanted = subject.baseline.interface.function(name)
    try:
        found = subject.artifact.interface.function(name)
    except KeyError:
        return f"it has no function {name}"
    if subject.task.crosses(subject.program):  # it has types besides
        names = [item for item, _ in found.parameters] == [item for item, _ in wanted.parameters]
        return "" if names else f"{name} has other parameters"
    same = [kind for _, kind in found.parameters] == [kind for _, kind in wanted.parameters]
    if takes_any(wanted):  # Python's arguments can be given by their names
        same = found.parameters == wanted.parameters
    return "" if same and found.result == wanted.result else f"{name} has another signature now"


def declines(subject: Subject, answer: Answer) -> bool:
    """Whether a translation leaves this call to the function that it was made from."""
    return answer.error_name == DECLINED and subject.task.crosses(subject.program)


def too_many(declined: int, asked: int) -> str:
    """Why this is too often; "" where it is not."""
    if declined <= limits.DECLINED_SHARE_MAX * asked:
        return ""
    return f"it leaves {declined} of {asked} calls to the Python function: it is of no use"

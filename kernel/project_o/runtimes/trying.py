"""Many texts in one warm sandboxed process: see ``sandbox.tried``, which is its other side."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .. import limits
from ..errors import EvolutionError
from ..languages.tried import Called
from ..sandbox import wire
from ..sandbox.tried import AT, RAISED, SET, STEPS, TRY
from ..values import Program

TRIED = "project_o.sandbox.tried"
_NAME = "_o_tried"
_TEXT = """
_o_texts = _o_tried_texts({name!r}, globals())
def _o_tried(what, given):
    return _o_texts(what, given)
"""
_LISP_TEXT = """
import sys
from project_o.lisp.candidate import Opened
from project_o.sandbox.tried import Tried
_files = {files!r}
def _make(text):
    opened = Opened({name!r}, {{**_files, {path!r}: text}})
    sys.modules.pop(opened.module.__name__, None)
    return opened
_texts = Tried(_make, "<{name}>")
def {asked}(what, given):
    return _texts(what, given)
"""
_UNTRUSTED = (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError)


@dataclass(frozen=True)
class _Dead:
    """How a process ended, and at which of the texts that it was sent last."""

    at: int
    ended: str


class Batches:
    """See ``languages.tried.Trying``. ``opened`` starts a process, ``ask`` puts it a question.

    A process that dies of a text is replaced, and the texts that were sent with it are sent again without that one.
    Raises SandboxError where no process can be had.
    """

    def __init__(self, opened: Callable[[], Any], calls: Sequence[Sequence[Any]]) -> None:
        self._opened, self._calls = opened, [list(call) for call in calls]
        self._job: Any = None
        self._lock = threading.Lock()

    def attempt(self, texts: Sequence[str], places: Sequence[int], most_lines: int) -> list[list[Called]]:
        """See ``Trying``."""
        if not texts or not places:
            return [[] for _ in texts]
        with self._lock:
            return self._all(list(texts), list(places), most_lines)

    def _all(self, texts: list[str], places: list[int], most_lines: int) -> list[list[Called]]:
        found: dict[int, list[Called]] = {}
        left = list(range(len(texts)))
        while left:
            rows = self._asked([texts[number] for number in left], places, most_lines)
            if isinstance(rows, list):
                found.update(zip(left, rows, strict=True))
                break
            dead = left.pop(min(rows.at, len(left) - 1))
            found[dead] = [Called(ok=False, error=rows.ended, ended=rows.ended)] * len(places)
        return [found[number] for number in range(len(texts))]

    def _asked(self, texts: list[str], places: list[int], most_lines: int) -> list[list[Called]] | _Dead:
        """The calls of each text, or of which one the process died."""
        if self._job is None:
            self._job = self._opened()
            answer = self._job.ask(_NAME, [SET, self._calls], seconds=limits.TRIAL_WALL_SECONDS)
            if not answer.ok:
                return self._ended(answer)
        question = json.dumps([texts, places, most_lines])
        answer = self._job.ask(_NAME, [TRY, question], seconds=limits.REPAIR_BATCH_SECONDS)
        if not answer.ok:
            return self._ended(answer)
        try:
            rows = [[_called(item) for item in row] for row in json.loads(answer.value)]
            if [len(row) for row in rows] != [len(places)] * len(texts):
                raise ValueError("another number of answers")
        except _UNTRUSTED as error:
            return self._ended(error)
        return rows

    def _ended(self, why: Any) -> _Dead:
        self.close()
        told = str(getattr(why, "ended", "") or getattr(why, "error", "") or type(why).__name__)
        at = [line[len(AT) :] for line in str(getattr(why, "log", "")).splitlines() if line.startswith(AT)]
        return _Dead(int(at[-1]) if at and at[-1].isdigit() else 0, told)

    def close(self) -> None:
        """See ``Trying``."""
        job, self._job = self._job, None
        if job is not None:
            job.close()


def python_question(question: dict[str, Any], name: str) -> dict[str, Any]:
    """What a process is sent in place of a function. Raises EvolutionError for an agent, which has several texts."""
    if "name" not in question or "agent" in question:
        raise EvolutionError(f"{name} is an agent in Python: repair one of its functions, or an agent in Lisp")
    text = _TEXT.format(name=question["name"])
    names = [*question["names"], ("_o_tried_texts", TRIED, "python_function")]
    return {**question, "name": _NAME, "text": text, "first_line": 1, "names": names}


def lisp_source(program: Program) -> str:
    """What a process runs to try texts of an agent."""
    return _LISP_TEXT.format(name=program.name, files=dict(program.files), path=program.files[0][0], asked=_NAME)


def _called(row: Any) -> Called:
    """One call as the process tells it. Raises what decoding raises."""
    how, body, changed, steps, lines = row
    count, reached = int(steps), frozenset(int(line) for line in lines)
    if how == STEPS:
        return Called(ok=False, error=f"ran more than {count:,} lines", steps=count, lines=reached)
    if how == RAISED:
        return Called(ok=False, error_name=str(body), error=f"raised {body}", steps=count, lines=reached)
    written = tuple((int(place), wire.decode(one, _no_arena)) for place, one in changed)
    return Called(ok=True, value=wire.decode(body, _no_arena), written=written, steps=count, lines=reached)


def _no_arena(_: int, __: int) -> Any:
    raise ValueError("it points to memory")

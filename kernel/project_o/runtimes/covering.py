"""Candidates in processes that count their lines: coverage.py for Python, and for Lisp, which became Python.

The calls are made as always; the last question to such a process is which lines it reached.
"""

from __future__ import annotations

import importlib.util
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..languages.covered import Covered, NotMeasured

if TYPE_CHECKING:
    from ..sandbox import Answer, Asking
    from ..values import Artifact

COUNTER = "project_o.observe.lines"
WORD = "which lines were reached?"
_TELL_SECONDS = 2.0


def check_installed() -> None:
    """Raises NotMeasured where coverage.py is not there."""
    if importlib.util.find_spec("coverage") is None:
        raise NotMeasured("coverage is not installed (the extra project-o[checks] brings it)")


class Counting:
    """A job that is asked, when it is closed, what it reached. ``ask_lines`` is that question."""

    def __init__(self, job: Any, ask_lines: Callable[[Any], Answer], tell: Callable[[Any], None]) -> None:
        self._job, self._ask_lines, self._tell = job, ask_lines, tell
        self._asking = threading.Lock()
        self._closed = False

    def ask(self, name: str, args: Sequence[Any], **how: Any) -> Answer:
        """As the job's own."""
        with self._asking:
            answer: Answer = self._job.ask(name, args, **how)
            return answer

    def ask_each(self, name: str, calls: Sequence[Sequence[Any]], **how: Any) -> Any:
        """As the job's own."""
        with self._asking:
            return self._job.ask_each(name, calls, **how)

    def close(self) -> None:
        """Who is in the middle of a call, or is gone, tells nothing."""
        if not self._closed and self._asking.acquire(blocking=False):
            self._closed = True
            try:
                answer = self._ask_lines(self._job)
                if answer.ok:
                    self._tell(answer.value)
            finally:
                self._asking.release()
        self._closed = True
        self._job.close()


@dataclass(frozen=True)
class Counted:
    """A text whose lines are counted: the name of its file there, its own, and its statements.

    The statements are None where the process says itself on which lines it has code.
    """

    file: str
    name: str
    statements: frozenset[int] | None


class LinesOf:
    """What the processes of one candidate told: see ``languages.covered.Covering``.

    ``opened`` opens a process that counts, ``ask_lines`` asks it for the lines.
    """

    def __init__(
        self, opened: Callable[[Artifact], Any], ask_lines: Callable[[Any], Answer], texts: Sequence[Counted]
    ) -> None:
        self._opened, self._ask_lines, self._texts = opened, ask_lines, tuple(texts)
        self._lock = threading.Lock()
        self._reached: dict[str, set[int]] = {}
        self._lines: dict[str, set[int]] = {}
        self._told = False

    def open(self, artifact: Artifact) -> Asking:
        """A process that counts."""
        return Counting(self._opened(artifact), self._ask_lines, self._take)

    def _take(self, told: Any) -> None:
        """What a process says. It comes from where the candidate ran: anything else than lines is nothing."""
        try:
            parts = [
                (kept, file, {line for line in lines if type(line) is int and line > 0})
                for kept, key in ((self._reached, "reached"), (self._lines, "lines"))
                for file, lines in told[key].items()
                if any(text.file == file for text in self._texts)
            ]
        except (TypeError, KeyError, AttributeError):
            return
        with self._lock:
            self._told = True
            for kept, file, lines in parts:
                kept.setdefault(file, set()).update(lines)

    def found(self) -> tuple[Covered, ...]:
        """Of each text; nothing where no process told."""
        return tuple(self._of(text) for text in self._texts) if self._told else ()

    def _of(self, text: Counted) -> Covered:
        own = frozenset(self._lines.get(text.file, ())) if text.statements is None else text.statements
        name = text.name if len(self._texts) > 1 else ""
        return Covered(name, own, own & frozenset(self._reached.get(text.file, ())))


def statements_of(shown: str) -> frozenset[int]:
    """The lines of a Python text on which coverage.py expects something to run. Docstrings and comments are none."""
    from coverage import Coverage

    with tempfile.TemporaryDirectory(prefix="project-o-lines-") as folder:
        path = Path(folder) / "cell.py"
        path.write_text(shown, "utf-8", errors="replace")
        counter = Coverage(data_file=None, config_file=False)
        counter.clear_exclude()
        counter.get_data().add_lines({str(path): []})
        _, statements, _, _, _ = counter.analysis2(str(path))
    return frozenset(statements)

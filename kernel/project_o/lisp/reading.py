"""Text to forms, with true lines. This module loads Hy."""

from __future__ import annotations

import io
import threading
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import hy
from hy.errors import HyLanguageError
from hy.reader.hy_reader import HyReader

from ..errors import LispError
from ..limits import LISP_NESTING_FORMS_MAX
from . import quicker

_INSIDE: AbstractContextManager[None] = nullcontext()
_CLOSERS = {"(": ")", "[": "]", "{": "}"}


class _Reader(HyReader):  # type: ignore[misc]  # Hy has no type hints
    """Hy's reader, which also knows which forms are open. Reader macros of the cell's own are not known to it."""

    def __init__(self) -> None:
        super().__init__(use_current_readers=False)
        self.opened: list[tuple[int, int, str]] = []
        self.too_deep = False

    def try_parse_one_form(self) -> Any:
        self.slurp_space()
        line, column = self.pos
        self.opened.append((line, column + 1, self.peekc()))
        if len(self.opened) > LISP_NESTING_FORMS_MAX:
            self.too_deep = True
            raise RecursionError
        model = super().try_parse_one_form()
        self.opened.pop()
        return model

    def as_current_reader(self) -> AbstractContextManager[None]:
        return _INSIDE if HyReader._current_reader is self else super().as_current_reader()

    def fill_pos(self, model: Any, start: tuple[int, int]) -> Any:
        if not quicker.known_to_fill(model):
            return super().fill_pos(model, start)
        quicker.fill_places(model, start, self.pos)
        return model


class _Seen(threading.local):
    """The forms that Hy is converting, by id, as its ``models._seen`` wants them: those of this thread, which can go.

    Hy's own is one set for all threads, and where recursion ends in the middle it keeps ids (Python 3.11), so that
    some later form in the same place of memory would be called "self-referential".
    """

    def __init__(self) -> None:
        self.clear = (ids := set[int]()).clear
        self.add = ids.add
        self.remove = ids.discard
        self._ids = ids

    def __contains__(self, item: object) -> bool:
        return item in self._ids

    def __len__(self) -> int:
        return len(self._ids)


hy.models._seen = seen = _Seen()
quicker.install()


def read(text: str, filename: str) -> list[Any]:
    """The forms of a text. Raises LispError with the line of what cannot be read; an unclosed form by its first line.

    ``text`` is the cell with everything above it, so that its lines are the cell's own.
    """
    reader = _Reader()
    forms = []
    try:
        for form in hy.read_many(io.StringIO(text), filename=filename, reader=reader):
            # Without these two the frames of what runs say <string>, and no line of the cell.
            form.filename, form.source = filename, text
            forms.append(form)
    except hy.PrematureEndOfInput as error:
        raise _unclosed(reader, text) from error
    except HyLanguageError as error:
        raise _unreadable(reader, error) from error
    except RecursionError as error:
        raise _too_deep(reader) from error
    return forms


class UnclosedError(LispError):
    """The text ends inside a form: more may follow."""


def _unclosed(reader: _Reader, text: str) -> LispError:
    line, column, sign = next((item for item in reversed(reader.opened) if item[2]), (1, 1, ""))
    if sign in _CLOSERS:
        what = (
            f"the form that begins with '{_begin(text, line, column)}' is not closed: a '{_CLOSERS[sign]}' is missing"
        )
    elif sign == '"' or (sign not in "'`~#" and '"' in _begin(text, line, column)):
        what = "the string that begins here is not closed: a '\"' is missing"
    elif sign == "#":
        what = f"'{_begin(text, line, column)}' is not closed, or nothing follows it"
    else:
        what = f"nothing follows the '{sign}'"
    return UnclosedError(f"line {line}: {what}", line=line, column=column)


def _begin(text: str, line: int, column: int) -> str:
    rest = text.split("\n")[line - 1][column - 1 :]
    return rest if len(rest) <= 24 else rest[:23] + "…"


def _unreadable(reader: _Reader, error: HyLanguageError) -> LispError:
    if reader.too_deep or "recursion depth" in str(error.msg):
        return _too_deep(reader)
    line, column = error.lineno, error.offset
    message = str(error.msg).rstrip(".")
    closing = message.startswith("Ran into a '")
    if closing and len(reader.opened) > 1:
        opened = reader.opened[-2]
        if opened[2] in _CLOSERS:
            message = (
                f"a '{message[12]}' where the '{opened[2]}' of line {opened[0]} must be closed "
                f"with '{_CLOSERS[opened[2]]}' first"
            )
    elif closing:
        message = f"a '{message[12]}' that closes nothing: remove it, or open its form"
    elif message.startswith("reader macro"):
        message += ": a cell can use Hy's own '#' forms only"
    return LispError(f"line {line}: {message}", line=line, column=column)


def _too_deep(reader: _Reader) -> LispError:
    line, column = reader.opened[-1][:2] if reader.opened else (1, 1)
    return LispError(
        f"line {line}: forms are nested deeper than {LISP_NESTING_FORMS_MAX}: give inner parts names of their own",
        line=line,
        column=column,
    )

"""A compiler server's errors -> the words that the compiler would have printed.

One reader for both ways of building: what a server reports in numbers is spelled out as ``zig build-lib`` spells it,
and read by ``diagnostics``. The layout is ``std.zig.ErrorBundle``'s of the pinned version.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_LENGTHS = struct.Struct("<II")
_DEPTH_MAX = 16
_MESSAGES_MAX = 10_000
_WIDTH_MAX = 10_000


class BundleError(ValueError):
    """The bytes are no error bundle."""


def text(body: bytes) -> str:
    """The errors as text; "" where there are none. Raises BundleError."""
    try:
        words, strings = _LENGTHS.unpack_from(body)
        if _LENGTHS.size + 4 * words + strings != len(body):
            raise BundleError(f"{len(body)} bytes are not {words} words and {strings} characters")
        if words == 0:
            return ""
        bundle = _Bundle(struct.unpack_from(f"<{words}I", body, _LENGTHS.size), body[_LENGTHS.size + 4 * words :])
        return "".join(line + "\n" for line in bundle.lines())
    except (struct.error, IndexError, OverflowError, MemoryError) as error:
        raise BundleError(str(error)) from None


@dataclass(frozen=True, slots=True)
class _Place:
    """A source location; ``traces`` are its references, as pairs of a name and an index."""

    path: str
    line: int
    column: int
    before: int
    after: int
    source: str
    traces: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        return f"{self.path}:{self.line + 1}:{self.column + 1}"


class _Bundle:
    def __init__(self, extra: tuple[int, ...], strings: bytes) -> None:
        self._extra = extra
        self._strings = strings
        self._messages = 0

    def lines(self) -> Iterator[str]:
        count, start, log = self._extra[:3]
        for k in range(count):
            yield from self._message(self._extra[start + k], "error", _DEPTH_MAX)
        if log:
            yield from ("", "Compile Log Output:", *self._string(log).splitlines())

    def _message(self, at: int, kind: str, depth: int) -> Iterator[str]:
        self._messages += 1
        if depth == 0 or self._messages > _MESSAGES_MAX:
            raise BundleError("messages without end")
        message, count, where, notes = self._extra[at : at + 4]
        place = self._place(where) if where else None
        intro = f"{place}: {kind}: " if place else f"{kind}: "
        words = self._string(message).replace("\n", "\n" + " " * len(intro))
        yield f"{intro}{words}" + (f" ({count} times)" if count != 1 else "")
        if place and place.source:
            yield place.source.replace("\t", " ")
            yield " " * (place.column - place.before) + "~" * place.before + "^" + "~" * place.after
        for k in range(notes):
            yield from self._message(self._extra[at + 4 + k], "note", depth - 1)
        if place and place.traces:
            yield "referenced by:"
            yield from (f"    {self._string(name)}: {self._place(other)}" for name, other in place.traces if other)

    def _place(self, at: int) -> _Place:
        path, line, column, start, main, end, source, count = self._extra[at : at + 8]
        pairs = tuple((self._extra[at + 8 + 2 * k], self._extra[at + 9 + 2 * k]) for k in range(count))
        return _Place(
            path=self._string(path),
            line=line,
            column=min(column, _WIDTH_MAX),
            before=max(0, min(main - start, column, _WIDTH_MAX)),
            after=max(0, min(end - main - 1, _WIDTH_MAX)),
            source=self._string(source) if source else "",
            traces=pairs,
        )

    def _string(self, at: int) -> str:
        end = self._strings.find(b"\0", at)
        if end < 0:
            raise BundleError("a text without an end")
        return self._strings[at:end].decode("utf-8", "replace")

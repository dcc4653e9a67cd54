"""Counterexamples that are kept: inputs on which an earlier candidate of a program failed, asked first of later ones.

They are stored with the program in the history, as JSON: the arguments in the coding in which values cross the
sandbox, and the digest of that. A text that was redacted on its way to the disk has another digest: it is another
input, and is left out.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable
from typing import Any

from .. import limits

FORMAT = 1
Args = tuple[Any, ...]


class Counterexamples:
    """The counterexamples of one program, the newest last; the oldest give way. Safe to share between threads."""

    def __init__(self, text: str = "") -> None:
        """From what ``to_json`` gave; whatever cannot be read is left out."""
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[str, str]] = {}
        for function, body, digest in _read(text):
            if _digest(function, body) == digest:
                self._kept[digest] = (function, body)

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, function: str) -> list[tuple[str, Args]]:
        """Digest and arguments of those for this function, the newest first; each time fresh arguments."""
        from ..sandbox import wire

        with self._lock:
            rows = [(digest, body) for digest, (name, body) in reversed(self._kept.items()) if name == function]
        found = []
        for digest, body in rows:
            try:
                found.append((digest, tuple(wire.decode(json.loads(body), _no_arena))))
            except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
                continue  # it was written by another version
        return found

    def keep(self, function: str, args: Args) -> bool:
        """Keep these arguments; whether they are new, can be written and are small enough."""
        from ..sandbox import wire

        try:
            body = json.dumps([wire.encode_exactly(item, _too_large) for item in args], allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            return False
        digest = _digest(function, body)
        with self._lock:
            if len(body) > limits.COUNTEREXAMPLE_BYTES_MAX or digest in self._kept:
                return False
            self._kept[digest] = (function, body)
            while len(self._kept) > limits.COUNTEREXAMPLES_KEPT_MAX:
                del self._kept[next(iter(self._kept))]
        return True

    def to_json(self) -> str:
        """A JSON document, one line for each."""
        with self._lock:
            rows = [
                json.dumps({"function": function, "args": body, "digest": digest}, ensure_ascii=False)
                for digest, (function, body) in self._kept.items()
            ]
        return f'{{"format": {FORMAT}, "kept": [\n' + ",\n".join(rows) + "\n]}\n"


def _read(text: str) -> Iterable[tuple[str, str, str]]:
    try:
        if not text:
            return []
        body = json.loads(text)
        if body["format"] > FORMAT:
            return []
        return [(str(row["function"]), str(row["args"]), str(row["digest"])) for row in body["kept"]]
    except (ValueError, KeyError, TypeError):
        return []


def _digest(function: str, body: str) -> str:
    return hashlib.sha256(f"{function}\0{body}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _too_large(_: Any) -> int:
    raise ValueError("an array that large is not kept")


def _no_arena(_: int, __: int) -> Any:
    raise ValueError("it points to memory")

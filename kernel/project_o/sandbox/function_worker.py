"""A Python function with its surroundings, on the sandboxed side: arrays are looked at where they lie, not copied."""

from __future__ import annotations

import ctypes
import importlib
import json
import linecache
from typing import Any

from . import wire
from .construct import compiled, construct

FILE = "<cell>"


class FunctionWorker:
    """One function, made from its text in a namespace that holds what was sent with it."""

    def __init__(self, arena: int, snapshot: int, program: dict[str, Any]) -> None:
        self.arena = arena
        self.snapshot = snapshot
        namespace: dict[str, Any] = {"__name__": "candidate", "__builtins__": __builtins__}
        for name, module in program["modules"]:
            namespace[name] = importlib.import_module(module)
        for name, module, path in program["names"]:
            namespace[name] = _follow(importlib.import_module(module), path)
        at, size = program["values"]
        values = json.loads(bytes(self._kept(at, size)), parse_constant=wire.refuse_constant) if size else {}
        for name, body in values.items():
            namespace[name] = wire.decode(body, self._kept)
        self._alias(program, namespace)
        for name, own_name, text, line in program["sources"]:
            namespace[name] = self._made(text, own_name, line, f"<{own_name}>", namespace)
            self._alias(program, namespace)  # at once: the next text may need it when it is run
        self.function = self._made(program["text"], program["name"], program["first_line"], FILE, namespace)
        namespace[program["name"]] = self.function  # for helpers that call it in their turn

    def call(self, question: dict[str, Any]) -> Any:
        """The last of ``repeat`` results. Arrays among the arguments are the shared memory itself."""
        args = [wire.decode(item, self._given) for item in question["args"]]
        function = self.function
        for _ in range(question["repeat"] - 1):
            function(*args)
        return function(*args)

    @staticmethod
    def _alias(program: dict[str, Any], namespace: dict[str, Any]) -> None:
        for name, same in program["aliases"]:
            if same in namespace:
                namespace[name] = namespace[same]

    def _made(self, text: str, name: str, line: int, file: str, namespace: dict[str, Any]) -> Any:
        shown = "\n" * (line - 1) + text
        linecache.cache[file] = (len(shown), None, shown.splitlines(keepends=True), file)
        return construct(compiled(text, name, line, file), name, namespace)

    def _kept(self, offset: int, size: int) -> Any:
        # SAFETY: the kernel's side made the snapshot and says what is where in it; it stays mapped.
        return (ctypes.c_char * size).from_address(self.snapshot + offset)

    def _given(self, offset: int, size: int) -> Any:
        # SAFETY: the kernel's side has written ``size`` bytes there before it asked; the memory stays mapped.
        return (ctypes.c_char * size).from_address(self.arena + offset)


def _follow(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = getattr(value, part)
    return value


def told_line(error: BaseException) -> str:
    """Where in the cell it was raised, as words for the end of a message; "" if it was not there."""
    line = 0
    frames = error.__traceback__
    while frames is not None:
        if frames.tb_frame.f_code.co_filename == FILE:
            line = frames.tb_lineno
        frames = frames.tb_next
    if isinstance(error, SyntaxError) and error.filename == FILE:
        line = error.lineno or 0
    return f" (line {line})" if line else ""

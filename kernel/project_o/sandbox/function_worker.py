"""A Python function with its surroundings, on the sandboxed side: arrays are looked at where they lie, not copied."""

from __future__ import annotations

import copy
import ctypes
import dis
import importlib
import json
import linecache
import sys
from typing import Any

from . import parts, wire
from .construct import by_place, compiled, construct
from .near import Near
from .process_state import Names, settings, surroundings

FILE = "<cell>"
_RAISE = dis.opmap["RAISE_VARARGS"]
_NOT_MEANT = AssertionError


class FunctionWorker:
    """One function, made from its text in a namespace that holds what was sent with it."""

    def __init__(self, arena: int, snapshot: int, program: dict[str, Any]) -> None:
        self.arena = arena
        self.snapshot = snapshot
        self.files: set[str] = set()
        self.last: tuple[list[Any], Any] = ([], None)
        self.raised: Exception | None = None
        reseed()
        self._found = settings()
        self._around = surroundings()
        namespace: dict[str, Any] = {"__name__": "candidate", "__builtins__": __builtins__}
        for name, module in program["modules"]:
            namespace[name] = importlib.import_module(module)
        self._names = Names(module for _, module in program["modules"])
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
        self.function = by_place(self.function)

    def answer(self, question: dict[str, Any]) -> Any:
        """The value that one question asks for. What the function raises is kept in ``raised`` as well."""
        if question["op"] == "left":
            return self.left(question["places"])
        self.raised = None
        return self.each(question) if question["op"] == "each" else self.call(question)

    def touched(self) -> list[str]:
        """The settings of the whole process that are not what they were before the text was run."""
        return [name for name, value in settings().items() if value != self._found[name]]

    def changed(self) -> list[str]:
        """The same of all that other code in the process meets. It takes longer."""
        now = surroundings()
        return [name for name, value in now.items() if value != self._around.get(name)] + self._names.changed()

    def call(self, question: dict[str, Any]) -> Any:
        """The last of ``repeat`` results. Arrays among the arguments are the shared memory itself."""
        self.last = ([], None)  # what the last call used is free for this one
        args = [wire.decode(item, self._given) for item in question["args"]]
        function = self.function
        try:
            for _ in range(question["repeat"] - 1):
                function(*args)
            value = function(*args)
        except Exception as error:
            self.raised = error
            raise
        self.last = args, value
        return value

    def each(self, question: dict[str, Any]) -> list[Any]:
        """The results of one call with each of several sets of arguments, which are read before it.

        Where a call has ``places``, a pair of its result and its arguments there, as it left them.
        """
        calls = [[wire.decode(item, self._given) for item in args] for args in question["calls"]]
        near = Near(self.arena, question["spans"])
        function = self.function
        found = []
        for number, args in enumerate(calls):
            near.read(number)
            found.append(function(*args))
        for number, places in enumerate(question["places"]):
            if places:
                found[number] = [found[number], [calls[number][place] for place in places]]
        return found

    def told(self, error: BaseException) -> dict[str, Any]:
        """Of what the function raised its class, and whether it was meant; nothing of any other error.

        Meant is what a ``raise`` in its own text raised: an answer, as another function returns an error value. What
        came out of an operation on an input that nobody thought of is none, nor is an assertion.
        """
        if error is not self.raised:
            return {}
        frames = error.__traceback__
        while frames is not None and frames.tb_next is not None:
            frames = frames.tb_next
        code = frames.tb_frame.f_code if frames is not None else None
        own = code is not None and code.co_filename in self.files
        stated = own and frames is not None and code is not None and code.co_code[frames.tb_lasti] == _RAISE
        return {"name": type(error).__name__, "meant": stated and not isinstance(error, _NOT_MEANT)}

    def left(self, places: list[int]) -> list[Any]:
        """The last call's arguments at these places as they are now, how its result is held (see ``parts``), what it
        changed around it, and its result after the arguments were emptied."""
        (args, *held), self.last = self.last, ([], None)
        now = [copy.deepcopy(args[place]) for place in places]
        marks = parts.marks(held)
        for place in places:
            _empty(args[place])
        return [now, marks, self.changed(), held[0]]

    @staticmethod
    def _alias(program: dict[str, Any], namespace: dict[str, Any]) -> None:
        for name, same in program["aliases"]:
            if same in namespace:
                namespace[name] = namespace[same]

    def _made(self, text: str, name: str, line: int, file: str, namespace: dict[str, Any]) -> Any:
        shown = "\n" * (line - 1) + text
        self.files.add(file)
        linecache.cache[file] = (len(shown), None, shown.splitlines(keepends=True), file)
        return construct(compiled(text, name, line, file), name, namespace)

    def _kept(self, offset: int, size: int) -> Any:
        # SAFETY: the kernel's side made the snapshot and says what is where in it; it stays mapped.
        return (ctypes.c_char * size).from_address(self.snapshot + offset)

    def _given(self, offset: int, size: int) -> Any:
        # SAFETY: the kernel's side has written ``size`` bytes there before it asked; the memory stays mapped.
        return (ctypes.c_char * size).from_address(self.arena + offset)


_seeded = False


def reseed() -> None:
    """Chance of its own for this process: else all have that of the one they were forked from, and luck seems sure.

    Once: a job that was forked beforehand has it already, since that takes a twentieth of a trial.
    """
    global _seeded
    if _seeded:
        return
    _seeded = True
    if (standard := sys.modules.get("random")) is not None:
        standard.seed()
    if (numbers := sys.modules.get("numpy.random")) is not None:
        numbers.seed()


def _empty(value: Any) -> None:
    """Take everything out of a container, and of those in it."""
    if isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            _empty(item)
    if isinstance(value, (list, dict, set)):
        value.clear()


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

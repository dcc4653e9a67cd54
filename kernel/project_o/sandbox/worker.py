"""The sandboxed side of a job: one question a line, one answer a line, in a process that is locked already.

Nothing here is trusted by the kernel: the code under trial shares this process and may rewrite it. It gives
data, and the kernel keeps the clock, the expected answers and the verdict.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import linecache
import os
import sys
import time
import traceback
import types
from typing import Any

from .. import limits
from . import evaluator_worker, function_worker, guarded, lint, locks, modules, wire
from .arena import aligned
from .function_worker import FunctionWorker, reseed, told_line
from .native import NativeWorker
from .profiles import PROFILES
from .quick import MARK

EXIT_SETUP, EXIT_MEMORY = 71, 72
_DENIED = (errno.EPERM, errno.EACCES, errno.EROFS)
_OUR_FILES = (__file__, function_worker.__file__, evaluator_worker.__file__)
_HIDDEN = _OPEN = False
"""Whether this process is in a mount namespace, where files outside seem to be missing; whether it finds modules."""
_DENIED_TEXTS = tuple(os.strerror(number) for number in _DENIED)


class Worker:
    """Answers questions until their pipe is closed."""

    def __init__(self, arena: int, snapshot: int = 0) -> None:
        self.arena = arena
        self.snapshot = snapshot
        self.function: FunctionWorker | None = None
        self.namespace: dict[str, Any] = {"__name__": "candidate", "__builtins__": __builtins__}
        self.native: NativeWorker | None = None
        self.pending: tuple[list[Any], dict[str, Any], int] = ([], {}, 0)
        self.candidates = 0

    def serve(self) -> None:
        """The loop. Returns when the kernel's side has closed the pipe."""
        with open(locks.FD_QUESTIONS, "rb", buffering=1 << 16, closefd=False) as questions:
            for line in questions:
                if line.startswith(MARK):
                    assert self.native is not None
                    self.native.quick.serve(write_line)
                    continue
                question = json.loads(line.decode("ascii"))
                reply = self.answer(question)
                reply["id"] = question["id"]
                write_line(reply)

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """What to say to one question; whatever it raises is said, not raised."""
        try:
            match question["op"]:
                case "ask":
                    return self._ask(question)
                case "run" | "each" | "left" if self.function is not None:
                    value = self.function.answer(question)
                    reply = {"ok": True, "touched": self.function.touched()}
                    return self._deliver(reply, value, question["room"], question["tail"])
                case "call" | "each" as how:
                    assert self.native is not None
                    return self.native.call(question) if how == "call" else self.native.each(question)
                case "program":
                    self.function = FunctionWorker(self.arena, self.snapshot, question["program"])
                    return {"ok": True, "value": None}
                case "fetch":
                    return self._fetch(question)
                case "source" | "lisp" | "evaluator":
                    self._load(question)
                    return {"ok": True, "value": None}
                case "lint":
                    return {"ok": True, "value": [list(item) for item in _linted(question)]}
                case "surroundings":
                    return self._surroundings(question)
                case "guard":
                    guarded.prepare(question["path"])
                    return {"ok": True, "value": None}
                case "native":
                    self.native = NativeWorker(self.arena, question)
                    return {"ok": True, "value": None}
                case "evaluate":
                    self.candidates += 1
                    value = evaluator_worker.evaluate(self.namespace, question, self.candidates)
                    return self._deliver({"ok": True}, value, question["room"])
                case "probe":
                    from .level import try_everything

                    return {"ok": True, "value": try_everything(question["canary"], question["port"], question["pid"])}
            raise ValueError(f"no such question: {question['op']}")
        except BaseException as error:  # noqa: BLE001 - the candidate's error, whatever it is, is the answer
            described = describe(error)
            return described | (self.function.told(error) if self.function and not described["denied"] else {})

    def _load(self, question: dict[str, Any]) -> None:
        reseed()
        match question["op"]:
            case "source":
                source = question["source"]
                if files := question.get("files"):
                    modules.Texts(files).install()
                lines = source.splitlines(keepends=True)
                linecache.cache["<candidate>"] = (len(source), None, lines, "<candidate>")
                exec(compile(source, "<candidate>", "exec", dont_inherit=True), self.namespace)
            case "lisp":
                from . import lisp_worker  # loaded beforehand, in the warm process of Lisp jobs alone

                lisp_worker.load(question["source"], self.namespace)
            case "evaluator":
                self.namespace = evaluator_worker.load(question["files"])

    def _surroundings(self, question: dict[str, Any]) -> dict[str, Any]:
        """The ``isolate`` profile: the user's own code finds what it finds in the kernel."""
        os.environ.clear()
        os.environ.update(question["environment"])
        sys.path[:] = question["path"]
        os.chdir(question["folder"])
        return {"ok": True, "value": None}

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        args = [wire.decode(item, self._read) for item in question["args"]]
        name = question["fn"]
        if name not in self.namespace:
            name = name.replace("-", "_")  # as Lisp spells it
        if name not in self.namespace:
            raise NameError(f"the source defines no {question['fn']}")
        value = self.namespace[name](*args)
        return self._deliver({"ok": True}, value, question["room"])

    def _deliver(self, reply: dict[str, Any], value: Any, room: int, tail: int = 0) -> dict[str, Any]:
        """Small values go into the answer; arrays into the arena from ``tail`` on, where room may have to be asked."""
        arrays: list[Any] = []
        offset = 0

        def store(array: Any) -> int:
            nonlocal offset
            arrays.append(array)
            at = tail + offset
            offset += aligned(array.nbytes)
            return at

        reply["value"] = wire.encode(value, store)
        if offset > room:
            self.pending = (arrays, reply, tail)
            return {"ok": True, "need": offset}
        return self._copy(arrays, reply, tail)

    def _fetch(self, question: dict[str, Any]) -> dict[str, Any]:
        if self.native is not None:
            return self.native.fetch(question)
        (arrays, reply, tail), self.pending = self.pending, ([], {}, 0)
        return self._copy(arrays, reply, tail)

    def _copy(self, arrays: list[Any], reply: dict[str, Any], tail: int) -> dict[str, Any]:
        at = self.arena + tail
        for array in arrays:
            # SAFETY: the array is C-contiguous and lives in this frame; the kernel's side made room for all of them.
            ctypes.memmove(at, array.ctypes.data, array.nbytes)
            at += aligned(array.nbytes)
        return reply

    def _read(self, offset: int, size: int) -> bytearray:
        # SAFETY: the kernel's side has written ``size`` bytes there before it asked.
        return bytearray((ctypes.c_char * size).from_address(self.arena + offset))


def _linted(question: dict[str, Any]) -> tuple[lint.Denied, ...]:
    rules = question["rules"]
    allowed = rules["allow"]
    return lint.lint(question["source"], "lisp", lint.LintRules.of(allow=allowed, deny=rules["deny"]))


_REHEARSED = "import math\ndef f(xs):\n    return [math.sqrt(x) for x in xs]\n"
_REHEARSED_ARRAYS = "import numpy as np\ndef f(xs):\n    return np.sort(np.asarray(xs) * 2.0).tolist()\n"


def rehearse() -> None:
    """Do what each job does first, but change nothing: each page that is written to is copied now, and not in its time.

    Every strict job has gone through it, and through all of it: what it maps is in the peak memory of all of them, or
    one of two equal programs would need a tenth more.
    """
    pretended = Worker(0)
    question = {"op": "ask", "fn": "f", "args": [[1, 2.5]], "room": 0}
    with contextlib.suppress(Exception):  # whatever it is, a job that meets it says so
        reseed()
        locks.rehearse()
        for source in (_REHEARSED_ARRAYS, _REHEARSED) if "numpy" in sys.modules else (_REHEARSED,):
            exec(compile(source, "<rehearsal>", "exec"), pretended.namespace)
            pretended.answer(question)
        wire.line_of({**pretended.answer(json.loads(wire.line_of(question))), "id": "", "error": "é"})


def write_line(reply: dict[str, Any]) -> None:
    """One line on the answers' pipe, whole."""
    data = memoryview(wire.line_of(reply))
    while data:
        data = data[os.write(locks.FD_ANSWERS, data) :]


def describe(error: BaseException) -> dict[str, Any]:
    """An error as an answer; its traceback goes to the log. ``denied`` where the sandbox refused something."""
    name = type(error).__name__
    try:
        text = f"{name}: {error}".removesuffix(": ")[: limits.ERROR_TEXT_CHARACTERS_MAX]
    except Exception as second:  # noqa: BLE001 - a hostile __str__ must not cost us the answer
        text = f"{name} (its text failed: {type(second).__name__})"
    if isinstance(error, ModuleNotFoundError) and not _OPEN:
        text += " (in the sandbox only modules loaded beforehand can be imported: numpy and common standard modules)"
    text += told_line(error)
    try:
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename in _OUR_FILES:
            frames = frames.tb_next  # our own frames tell the reader nothing
        traceback.print_exception(type(error), error, frames, file=sys.stderr)
    except Exception as second:  # noqa: BLE001 - as above
        text += f" (its traceback failed: {type(second).__name__})"
    return {"ok": False, "error": text, "denied": was_denied(error)}


def was_denied(error: BaseException) -> bool:
    """Whether the sandbox, rather than the code, is the reason: a refused system call, a module not loaded."""
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return False
        unknown = isinstance(seen, ModuleNotFoundError) and not _OPEN
        if unknown or (isinstance(seen, OSError) and seen.errno in _DENIED):
            return True
        if _HIDDEN and isinstance(seen, FileNotFoundError) and str(seen.filename).startswith("/"):
            return True  # in a namespace what lies outside is not there: whether it is really missing cannot be said
        if isinstance(seen, OSError) and seen.errno is None and any(said in str(seen) for said in _DENIED_TEXTS):
            return True  # from the dynamic loader, which gives only text
        seen = seen.__cause__ or seen.__context__
    return False


def run(config: dict[str, Any]) -> None:
    """The whole life of a job's process after the fork, descriptors in place. Does not return."""
    global _HIDDEN, _OPEN
    _HIDDEN, _OPEN = config["namespaces"], config["profile"] == "evaluator"
    try:
        profile = PROFILES[config["profile"]]
        arena = locks.map_arena(config["arena_bytes"])
        snapshot = locks.map_snapshot(config["snapshot_bytes"]) if "snapshot_bytes" in config else 0
        profile.lock(config)
        if _OPEN:
            evaluator_worker.settle(config)
        # Written before the first question is read, so no candidate can have written it.
        write_line({"id": config["hello"], "arena": arena, "at": time.perf_counter(), "cpu": time.process_time()})
    except BaseException as error:  # noqa: BLE001 - fail closed: whatever went wrong, nothing is run
        os.write(2, f"{type(error).__name__}: {error}".encode("utf-8", "replace"))
        os._exit(EXIT_SETUP)
    try:
        if profile.run is not None:
            profile.run(config)
        worker = Worker(arena, snapshot)
        # What is defined is found by its name, as data classes and values between processes need it.
        sys.modules["candidate"] = module = types.ModuleType("candidate")
        worker.namespace = vars(module)
        worker.serve()
    except MemoryError:
        os._exit(EXIT_MEMORY)
    except BaseException as error:  # noqa: BLE001 - the kernel's side sees the end of the pipe and this line
        os.write(2, f"{type(error).__name__}: {error}".encode("utf-8", "replace")[:4096])
        os._exit(1)
    os._exit(0)

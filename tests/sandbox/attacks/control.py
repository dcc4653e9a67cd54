"""The control: an evaluator as many are. Each attack must succeed here, or it shows nothing.

It runs the candidate in a child of the user's own process, with the environment, descriptors, terminal and rights
that the user has. The clock, the comparison and the expected answer are in the candidate's process; the result comes
back as a pickle, or is the last line that was printed, or the exit code; limits are soft, and what takes too long is
asked to end. The child serves one candidate after the other, as the workers of a pool do.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import json
import os
import pickle
import resource
import select
import signal
import sys
import tempfile
import time
import traceback
import types
from typing import Any

from .case import Case, Outcome

GRACE_SECONDS = 0.2


class Naive:
    """One worker of such a pool."""

    def __init__(self, case: Case, world: Any, memory_bytes: int) -> None:
        self.case = case
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close
        ask_out, self.ask_in = os.pipe()
        self.got, tell_in = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                self._terminal(world)
                os.dup2(self.log.fileno(), 1)
                os.dup2(self.log.fileno(), 2)
                sys.stdout = sys.stderr = os.fdopen(1, "w", closefd=False, buffering=1, errors="surrogatepass")
                if case.soft_limit:
                    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, -1))
                os.chdir(tempfile.gettempdir())
                self._serve(ask_out, tell_in)
            except SystemExit as error:
                code = error.code if isinstance(error.code, int) else int(error.code is not None)
            except BaseException:  # noqa: BLE001 - the worker of a naive evaluator dies with what it was told
                traceback.print_exc()
            finally:
                if case.result == "exit":
                    atexit._run_exitfuncs()
                os._exit(code)
        os.close(ask_out)
        os.close(tell_in)

    def _terminal(self, world: Any) -> None:
        if "terminal" in self.case.needs:
            import fcntl
            import termios

            os.setsid()
            fcntl.ioctl(world.terminal, termios.TIOCSCTTY, 0)
            os.dup2(world.terminal, 0)

    def _serve(self, ask_out: int, tell_in: int) -> None:
        questions = os.fdopen(ask_out, "rb")
        while True:
            source, function, args, expected = pickle.load(questions)
            began = time.perf_counter()
            value, verdict = self._evaluate(source, function, args, expected)
            seconds = time.perf_counter() - began
            if self.case.result == "exit":
                sys.exit(0 if verdict else 1)
            if self.case.result == "printed":
                print(json.dumps({"value": value, "verdict": verdict, "seconds": seconds}), flush=True)
                value = verdict = None
            data = pickle.dumps((value, verdict, seconds))
            os.write(tell_in, len(data).to_bytes(8, "little"))
            with open(tell_in, "wb", closefd=False) as tell:
                tell.write(data)

    def _evaluate(self, source: str, function: str, args: list[Any], expected: Any) -> tuple[Any, bool]:
        tolerance = TOLERANCE
        if self.case.language == "native":
            value = call_native(source, function, args)
        elif self.case.language == "lisp":
            value = evaluate_lisp(source, function, args)
        else:
            namespace = POOL_NAMESPACE
            exec(compile(source, "<candidate>", "exec"), namespace)
            value = namespace[function](*args)
        if expected is None:
            return value, False
        return value, bool(value == expected or not abs(value - expected) > tolerance[0])

    # The parent's side -------------------------------------------------------------------------------------------

    def run(self, source: str, function: str, args: list[Any], expected: Any = None) -> Outcome:
        began = time.monotonic()
        outcome = Outcome()
        with contextlib.suppress(BrokenPipeError):
            os.write(self.ask_in, pickle.dumps((source, function, args, expected)))
        try:
            outcome.value, verdict, outcome.claimed_seconds = self._read(began)
            outcome.verdict = verdict is True
            str(outcome.value)
        except TimeoutError:
            outcome.ended = "wall-time"
            os.kill(self.pid, signal.SIGTERM)
            time.sleep(GRACE_SECONDS)
        except (EOFError, OSError) as error:
            outcome.ended, outcome.error = self._status(), str(error)
            outcome.verdict = self.case.result == "exit" and outcome.ended == "exit 0"
        except BaseException as error:  # noqa: BLE001 - what the candidate's answer does to its reader is the finding
            outcome.failed = f"{type(error).__name__}: {error}"[:200]
        outcome.seconds = time.monotonic() - began
        self.log.seek(0)
        outcome.told = self.log.read().decode("utf-8", "surrogateescape")
        if self.case.result == "printed":
            self._printed(outcome)
        return outcome

    def _read(self, began: float) -> Any:
        return pickle.loads(self._exactly(int.from_bytes(self._exactly(8, began), "little"), began))

    def _exactly(self, size: int, began: float) -> bytearray:
        """So many bytes, as ``multiprocessing`` reads them: what comes after them is the next answer."""
        data = bytearray()
        while len(data) < size:
            left = began + self.case.wall_seconds - time.monotonic()
            if left <= 0 or not select.select([self.got], [], [], left)[0]:
                raise TimeoutError
            part = os.read(self.got, min(1 << 20, size - len(data)))
            if not part:
                raise EOFError("the worker is gone")
            data += part
        return data

    def _printed(self, outcome: Outcome) -> None:
        """The last line that looks like a result is the result."""
        for line in reversed(outcome.told.splitlines()):
            with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
                result = json.loads(line)
                outcome.value, outcome.verdict = result["value"], result["verdict"] is True
                outcome.claimed_seconds = result["seconds"]
                return

    def _status(self) -> str:
        for _ in range(50):
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.pid = 0
                    code = os.waitstatus_to_exitcode(status)
                    return f"exit {code}" if code >= 0 else f"signal {-code}"
            time.sleep(0.01)
        return "unknown"

    def alive(self) -> bool:
        """Whether the worker lives, stopped or not."""
        if not self.pid:
            return False
        try:
            with open(f"/proc/{self.pid}/stat") as f:
                return f.read().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    def close(self) -> None:
        for fd in (self.ask_in, self.got):
            os.close(fd)
        self.log.close()
        if self.pid:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)


TOLERANCE = [1e-9]
"""What the checker allows, in the memory of the process that it checks."""
POOL_NAMESPACE: dict[str, Any] = {"__name__": "candidate"}
"""What one candidate defines the next one finds."""
TYPES = {int: ctypes.c_uint64, float: ctypes.c_double}


def call_native(path: str, function: str, args: list[Any]) -> int:
    """A function of the shim ABI, called as everybody would."""
    library = ctypes.CDLL(path)
    first, second, text = args
    blob = text.encode() + b"\0"
    buffer = ctypes.create_string_buffer(blob)
    cells = (ctypes.c_uint64 * 4)(first, second, ctypes.addressof(buffer), len(blob) - 1)
    results = (ctypes.c_uint64 * 4)()
    getattr(library, "o_cell_" + function)(cells, results)
    return results[0]


def evaluate_lisp(source: str, function: str, args: list[Any]) -> Any:
    import hy

    module = sys.modules["candidate"] = types.ModuleType("candidate")
    for form in hy.read_many(source):
        hy.eval(form, globals=vars(module), module=module)
    return getattr(module, function)(*args)

"""Runs cases in settings, as the user it is started as, and prints one JSON line for each run.

    python -m attacks.runner SPEC        SPEC: JSON with settings, libraries, dedicated, no_namespaces

Each line of its input is [case, [setting, ...]]; "done" follows the reports of each.
After every run it looks for what was left behind: processes, files, shared memory, descriptors.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import platform
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from . import builder, every  # noqa: F401 - the latter registers the cases
from .case import CASES, Case, Outcome
from .control import Naive
from .left import belongings, left_behind, sweep
from .refusing import refuse_namespaces
from .settings import reason_against
from .sources import whole
from .world import World

MEMORY_BYTES = 128 << 20
SCRATCH_BYTES = 8 << 20
VACUOUS = (
    *("SyntaxError", "NameError", "ModuleNotFoundError", "ImportError", "AttributeError", "UnboundLocalError"),
    *("SandboxError", "UsageError"),
)
"""An attack that fails so was not tried."""


class Boxed:
    """The sandbox, asked as the naive evaluator is."""

    def __init__(self, case: Case, options: dict[str, Any], library: str) -> None:
        from project_o.sandbox import Sandbox

        self.case, self.library = case, library
        bounds = {"wall_seconds": case.wall_seconds, "cpu_seconds": case.cpu_seconds, "memory_bytes": MEMORY_BYTES}
        self.box = Sandbox(**{**bounds, **options})
        self.level = self.box.level

    def run(self, source: str, function: str, args: list[Any], expected: Any = None) -> Outcome:
        began = time.monotonic()
        job = self._job(source)
        self.last = job
        try:
            answer = job.ask(function, args) if job.loaded.ok else job.loaded
            failed = ""
        except Exception as error:  # noqa: BLE001 - an evaluator that fails over an answer is the finding
            answer, failed = job.loaded, f"{type(error).__name__}: {error}"[:200]
        outcome = Outcome(
            value=answer.value,
            told=job.loaded.log + answer.log if answer is not job.loaded else answer.log,
            ended=answer.ended,
            error=answer.error,
            verdict=answer.ok and type(answer.value) in (int, float) and answer.value == expected,
            claimed_seconds=answer.wall_seconds,
            seconds=time.monotonic() - began,
            failed=failed,
        )
        outcome.facts["folder"] = job._channel.folder
        return outcome

    def _job(self, source: str) -> Any:
        if self.case.language == "native":
            return self.box.native(source, interface(self.case.function))
        return self.box.lisp(source) if self.case.language == "lisp" else self.box.python(source)

    def alive(self) -> bool:
        return not self.last.ended and Path(f"/proc/{self.last.pid}").exists()

    def close(self) -> None:
        self.box.close()


def interface(function: str) -> Any:
    """What every native attack is: numbers and a text in, a number out."""
    from project_o.values import Interface, NativeFunction, NativeType

    number = NativeType("int", bits=64)
    text = NativeType("slice", child=NativeType("int", bits=8), const=True)
    return Interface((NativeFunction(function, (("a", number), ("b", number), ("text", text)), number),))


def evaluator(case: Case, world: World, options: dict[str, Any] | None, source: str) -> Any:
    """Who is asked: the naive one without options."""
    if case.language == "build":
        return builder.Naive(case) if options is None else builder.Boxed(case, options)
    return Naive(case, world, MEMORY_BYTES) if options is None else Boxed(case, options, source)


# One run -----------------------------------------------------------------------------------------------------------


def run(
    case: Case, setting: str, options: dict[str, Any] | None, spec: dict[str, Any], keep: Any = None
) -> dict[str, Any]:
    """One attack in one setting: whether it succeeded, by the oracle, and what it left.

    ``keep`` is a box of this setting that is not closed, and holds the warm processes.
    """
    world = World(spec["libraries"], spec["compilers"])
    if keep is not None:
        warm(keep, case, world)
    before = belongings()
    report: dict[str, Any] = {"case": case.name, "class": case.kind, "setting": setting, "breached": False, "left": []}
    host: Any = None
    try:
        try:
            args: list[Any] = [world.facts(case.needs)]
        except OSError as error:
            report["lacks"] = f"{type(error).__name__}: {error}"
            return report
        source, function = whole(case), "attack"
        if case.language == "native":
            assert case.numbers is not None
            source, function, args = spec["libraries"][case.library], case.function, list(case.numbers(world))
        host = evaluator(case, world, options, source)
        report["level"] = getattr(host, "level", "none")
        expected = getattr(world, "expected", None) if "expected" in case.needs else None
        if case.order is not None:
            order = case.order(world)
            outcome = watched(case, world, lambda: host.build(order))
        else:
            outcome = watched(case, world, lambda: host.run(source, function, args, expected))
        if case.later:
            outcome.facts["later"] = host.build(order) if case.order is not None else again(case, host, options)
        outcome.facts["host"] = host
        report["breached"] = bool(outcome.facts.get("watched")) or bool(case.oracle(world, outcome))
        report["why"] = (
            outcome.failed or outcome.error or outcome.ended or outcome.told[-160:] or repr(outcome.value)[:160]
        )[:160]
        tried = outcome.failed if case.order is not None else outcome.error
        report["vacuous"] = options is not None and not report["breached"] and tried.startswith(VACUOUS)
        report["seconds"] = round(outcome.seconds, 3)
    except Exception as error:  # noqa: BLE001 - the suite goes on, and whoever reads the report fails over it
        report["broken"] = "".join(traceback.format_exception(error))[-1500:]
    finally:
        if host is not None:
            host.close()
        world.close()
    host = outcome = None
    if options is None:
        sweep(before)
    else:
        report["left"] = left_behind(before)
    return report


def again(case: Case, host: Any, options: dict[str, Any] | None) -> Outcome:
    """The next candidate of the same evaluator, which is an honest one."""
    if options is None and not host.alive():
        return Outcome(error="the worker is gone")
    return host.run(whole(case, case.later), "attack", [{}])


def watched(case: Case, world: World, ask: Any) -> Outcome:
    """The outcome; where the case looks at the world while the attack runs, what it saw is in the facts."""
    if case.watch is None:
        return ask()
    got: list[Any] = []

    def work() -> None:
        try:
            got.append(ask())
        except BaseException as error:  # noqa: BLE001 - raised below, where the case is reported
            got.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    seen = False
    while thread.is_alive() and not seen:
        seen = case.watch(world, Outcome())
        time.sleep(0.003)
    thread.join()
    if isinstance(got[0], BaseException):
        raise got[0]
    got[0].facts["watched"] = seen
    return got[0]


def main(spec: dict[str, Any]) -> None:
    # SAFETY: prctl(PR_SET_CHILD_SUBREAPER, 1) takes integers: whatever a candidate lets go of falls to this process.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    with contextlib.suppress(ImportError):
        import hy  # noqa: F401 - the control's children find it imported
        import numpy  # noqa: F401 - as above
    from project_o.sandbox import Sandbox

    if spec["no_namespaces"]:
        refuse_namespaces()
    kept = {name: Sandbox(**options) for name, options in spec["settings"].items() if options is not None}
    for line in sys.stdin:
        name, settings = json.loads(line)
        case = CASES[name]
        for setting in settings:
            options = spec["settings"][setting]
            began = time.monotonic()
            report = skip(case, setting, spec) or judged(case, setting, options, spec, kept.get(setting))
            report["took"] = round(time.monotonic() - began, 3)
            print(json.dumps(report), flush=True)
        print("done", flush=True)
    for box in kept.values():
        box.close()


def warm(box: Any, case: Case, world: World) -> None:
    """Have the warm process for this case started, and kept, also after a control that has ended all of this user's."""
    if case.order is not None:
        order = case.order(world)
        box.build(**{**order, "argv": [order["argv"][0], "--version"], "files": {}, "outputs": ()})
    elif case.language == "lisp":
        box.lisp("").close()
    else:
        box.python("").close()


def judged(case: Case, setting: str, options: dict[str, Any] | None, spec: dict[str, Any], keep: Any) -> dict[str, Any]:
    """One report; where others may have made the figures, what succeeds in the sandbox must do so three times."""
    for _ in range(3 if case.whole_machine and options is not None else 1):
        report = run(case, setting, options, spec, keep)
        if not report["breached"]:
            break
    return report


def skip(case: Case, setting: str, spec: dict[str, Any]) -> dict[str, Any] | None:
    """Why a case is not for this setting or this machine; None where it is."""
    base = {"case": case.name, "class": case.kind, "setting": setting}
    if case.machines and platform.machine() not in case.machines:
        return {**base, "lacks": f"written for {', '.join(case.machines)}"}
    if case.alone and not spec["dedicated"]:
        return {**base, "lacks": "it would hit other processes of this user"}
    if case.library and case.library not in spec["libraries"]:
        return {**base, "lacks": f"there is no {case.library}: it could not be built"}
    if case.compiler and case.compiler not in spec["compilers"]:
        return {**base, "lacks": f"there is no {case.compiler} here"}
    if reason := reason_against(case, setting):
        return {**base, "not": reason}
    return None


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

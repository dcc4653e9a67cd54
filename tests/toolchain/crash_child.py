"""Run faulty cells in this interpreter, one after the other, and report on each: python crash_child.py < table.json"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from project_o import toolchain
from project_o.values import Artifact, Program

ARGUMENTS = {
    "f32": lambda n: np.arange(n, dtype=np.float32),
    "i32": lambda n: np.arange(n, dtype=np.int32),
    "u8": lambda n: np.arange(n, dtype=np.uint8),
}
SUFFIXES = {"zig": "zig", "rust": "rs"}
INTERRUPT_AFTER_SECONDS = 0.05


def argument(spec: Any) -> Any:
    return ARGUMENTS[spec[0]](spec[1]) if isinstance(spec, list) else spec


def build(case: dict[str, Any]) -> Artifact | Exception:
    language = case.get("language", "zig")
    program = Program(case["name"], language, ((f"cell.{SUFFIXES[language]}", case["source"]),), mode=case["mode"])
    try:
        return toolchain.build(program, line_offset=1)
    except Exception as error:  # noqa: BLE001 - the parent reports it
        return error


def interrupt_until(done: threading.Event) -> None:
    done.wait(INTERRUPT_AFTER_SECONDS)
    if not done.is_set():
        os.kill(os.getpid(), signal.SIGINT)


def called(case: dict[str, Any], library: toolchain.Library) -> dict[str, Any]:
    args = [argument(spec) for spec in case["args"]]
    before = [item.copy() if isinstance(item, np.ndarray) else item for item in args]
    done = threading.Event()
    try:
        if case["how"] == "interrupt":
            threading.Thread(target=interrupt_until, args=(done,)).start()
        value = library.call("f", args)
        return {"type": "", "message": repr(value), "line": 0, "function": ""}
    except BaseException as error:  # noqa: BLE001 - the parent judges it
        done.set()
        time.sleep(0)
        intact = all(
            np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in zip(args, before, strict=True)
        )
        return {
            "type": type(error).__name__,
            "message": str(error),
            "line": getattr(error, "line", 0),
            "function": getattr(error, "function", ""),
            "intact": intact,
        }


def in_thread(case: dict[str, Any], library: toolchain.Library) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: found.append(called(case, library)))
    thread.start()
    thread.join()
    return found[0]


def main() -> None:
    cases = json.load(sys.stdin)
    variable = {"numbers": np.arange(1000), "text": "kept"}
    with ThreadPoolExecutor(2) as pool:
        artifacts = list(pool.map(build, cases))
    for case, artifact in zip(cases, artifacts, strict=True):
        if isinstance(artifact, Exception):
            report = {"type": type(artifact).__name__, "message": f"does not compile: {artifact}", "line": 0}
        else:
            library = toolchain.load(artifact)
            run = in_thread if case["how"] == "thread" else called
            report = run(case, library)
            report["again"] = library.call("well", [20]) if report["type"] else None
        report["variables"] = bool(int(variable["numbers"].sum()) == 499500 and variable["text"] == "kept")
        report["python"] = [str(k) for k in range(100)] == list(map(str, range(100)))
        print(json.dumps({"name": case["name"], **report}), flush=True)
    print("done", flush=True)


if __name__ == "__main__":
    main()

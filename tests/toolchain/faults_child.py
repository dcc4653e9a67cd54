"""Call generated faulty cells in this interpreter, and report on each: python faults_child.py WAY < groups.json

WAY is ``inside``, where those that end their process are called in a fork of it, or ``isolated``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from project_o import toolchain
from project_o.errors import NativeError
from project_o.values import Artifact, Program

SUFFIXES = {"zig": "zig", "rust": "rs"}
INTERRUPT_AFTER_SECONDS = 0.03
AGAIN_AFTER_SECONDS = 1.0  # by then it is known that the first one was seen, also where the machine is slow
DEADLY = "ends the process"


def build(group: dict[str, Any]) -> Artifact:
    files = ((f"cell.{SUFFIXES[group['language']]}", group["source"]),)
    return toolchain.build(Program(group["name"], group["language"], files, mode=group["mode"]))


def interrupt_until(done: threading.Event) -> None:
    after = INTERRUPT_AFTER_SECONDS
    while not done.wait(after):
        os.kill(os.getpid(), signal.SIGINT)
        after = AGAIN_AFTER_SECONDS


def called(cell: dict[str, Any], version: toolchain.Version) -> dict[str, Any]:
    """How a call ended, and that the cell's good function and this interpreter are as they were."""
    array, done = np.arange(cell["length"], dtype=np.uint32), threading.Event()
    report = {"type": "", "message": "", "line": 0}
    try:
        if cell["ends"] == "KeyboardInterrupt":
            threading.Thread(target=interrupt_until, args=(done,)).start()
        try:
            report["message"] = repr(version.call(cell["function"], [array, cell["x"]]))
        finally:
            done.set()
    except (NativeError, KeyboardInterrupt) as error:
        report |= {"type": type(error).__name__, "message": str(error), "line": getattr(error, "line", 0)}
    report["intact"] = bool(array[1:].tolist() == list(range(1, cell["length"])))
    report["again"] = version.call("well", [20])
    return report


def begun(cell: dict[str, Any], version: toolchain.Version) -> tuple[int, Any]:
    """A process for a call that ends it, and where its last words go."""
    words = tempfile.TemporaryFile("w+")  # noqa: SIM115 - read and closed when the process has ended
    child = os.fork()
    if child == 0:
        os.dup2(words.fileno(), 2)
        try:
            called(cell, version)
        finally:
            os._exit(0)
    return child, words


def ended(child: int, words: Any, version: toolchain.Version) -> dict[str, Any]:
    """As ``called``: by which signal the process has ended, and its last words."""
    _, status = os.waitpid(child, 0)
    words.seek(0)
    text = words.read()
    words.close()
    how = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else ""
    return {"type": how, "message": text, "line": 0, "intact": True, "again": version.call("well", [20])}


def main() -> None:
    groups, isolated = json.load(sys.stdin), sys.argv[1] == "isolated"
    variable = np.arange(1000)
    with ThreadPoolExecutor(2) as pool:
        artifacts = list(pool.map(build, groups))
    for group, artifact in zip(groups, artifacts, strict=True):
        version = toolchain.Version(artifact, isolate=isolated)
        apart = {c["function"]: begun(c, version) for c in group["cells"] if c["ends"] == DEADLY and not isolated}
        for cell in group["cells"]:
            name = cell["function"]
            report = ended(*apart[name], version) if name in apart else called(cell, version)
            body = {"name": f"{group['name']}.{name}", "variables": int(variable.sum()) == 499_500, **report}
            print(json.dumps(body), flush=True)
        version.close()
    print("done", flush=True)


if __name__ == "__main__":
    main()

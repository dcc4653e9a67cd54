"""A compiler server ends with its process, however that ends, and belongs to it alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

DOT = "pub fn dot(a: []const f32, b: []const f32) f32 {{\n    var sum: f32 = {number};\n"
DOT += "    for (a, b) |x, y| sum += x * y;\n    return sum;\n}}\n"


def wait_until(what: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


SCRIPT = """
import os, sys, time
import numpy as np
from project_o import zig
from project_o.toolchain.quick.desk import desk
DOT = {dot!r}
a = np.arange(8, dtype=np.float32)
for number in (1, 2, 3):
    number += int(sys.argv[1])
    assert zig(DOT.format(number=number), "cell").dot(a, a) == float(a @ a) + number
    while desk().server is None or not desk().server.updates: time.sleep(0.01)
print(desk().server.pid, desk()._folder, flush=True)
"""


def script(cache: Path, more: str, base: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(dot=DOT) + more, str(base)],
        env={**os.environ, "PROJECT_O_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def told(process: subprocess.Popen[str]) -> tuple[int, Path]:
    assert process.stdout is not None
    pid, folder = process.stdout.readline().split()
    return int(pid), Path(folder)


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_a_script_leaves_no_process_and_no_folder(zig_there: Path, build_cache: Path) -> None:
    process = script(build_cache, "", 1_000_000)
    pid, folder = told(process)

    assert process.wait(60) == 0
    wait_until(lambda: gone(pid) and not folder.exists())  # its keeper collects it


def test_a_process_that_is_killed_takes_its_server_and_its_folder_with_it(zig_there: Path, build_cache: Path) -> None:
    process = script(build_cache, "time.sleep(60)", 2_000_000)
    pid, folder = told(process)
    process.send_signal(signal.SIGKILL)
    process.wait()

    wait_until(lambda: gone(pid) and not folder.exists())


def test_two_processes_at_once_have_servers_of_their_own(zig_there: Path, build_cache: Path) -> None:
    both = [script(build_cache, "", 3_000_000 + 1000 * k) for k in range(2)]
    pids = {told(process)[0] for process in both}

    assert [process.wait(60) for process in both] == [0, 0]
    assert len(pids) == 2


def test_a_forked_child_builds_for_itself_and_leaves_its_parents_server_alone(
    zig_there: Path, build_cache: Path
) -> None:
    more = """
child = os.fork()
if child == 0:
    number = 4 + int(sys.argv[1])
    ok = zig(DOT.format(number=number), "cell").dot(a, a) == float(a @ a) + number
    sys.exit(0 if ok else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
number = 5 + int(sys.argv[1])
pid = desk().server.pid
module = zig(DOT.format(number=number), "cell")
assert module.dot(a, a) == float(a @ a) + number
assert desk().server.pid == pid
"""
    process = script(build_cache, more, 4_000_000)
    told(process)

    assert process.wait(60) == 0

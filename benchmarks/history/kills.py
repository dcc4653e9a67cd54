"""kill -9 at random moments: of a kernel, of its recorder, of both, and in the middle of a release.

A child records states (or releases versions) and says on a pipe what was acknowledged; it is ended at a random moment.
Then everything is opened again as the next kernel does, and Git is the judge. Each function makes one kill and returns
how many acknowledged states were lost, or raises DamagedError where the store, or what serves, is not as it should be.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

SETTLE_SECONDS = 60.0
WRITER = """
import sys, time
from project_o.history import CellRun, open_history
history = open_history(sys.argv[1], "n.ipynb")
number = 0
while True:
    output = {"output_type": "stream", "name": "stdout", "text": "y" * 300}
    cell = CellRun(f"c{number % 5}", f"x = {number}", (output,), number)
    history.begin(cell)
    number = history.record(cell)
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
    if number == 1:
        sys.stdout.write(f"recorder {history.where()['recorder']}\\n")
        sys.stdout.flush()
    time.sleep(0.001)
"""
RELEASER = """
import sys
from project_o.deploy.plan import Plan
from project_o.flow import Flow
from project_o.history import CellRun, open_history
history = open_history(sys.argv[1], "n.ipynb")
flow = Flow(history)
module = flow.cell(sys.argv[2], "zig", "work")
slot = flow.registry.slot("work")
versions = sys.argv[3:]
first = {}
for text in versions:
    flow.cell(text, "zig", "work")
    history.record(CellRun("cell", text))
    history.flush()
    first[text] = history.states(1)[0].id
flow.cell(sys.argv[2], "zig", "work")
history.record(CellRun("cell", sys.argv[2]))
turn = 0
print("ready", flush=True)
while True:
    state = first[versions[turn % len(versions)]]
    flow.releases.canary("work", state, Plan(share=0.5, calls=10_000, seed=turn))
    for _ in range(20):
        assert module.two() == 2
    flow.releases.settle()
    history.record(CellRun("calls", f"{turn}"))
    if turn % 3 == 2:
        flow.releases.rollback("work")
    else:
        flow.releases.promote("work")
        assert module.two() == 2
        flow.releases.rollback("work")
        flow.cell(versions[turn % len(versions)], "zig", "work")
        flow.cell(sys.argv[2], "zig", "work")
    turn += 1
    print(turn, flush=True)
"""
OPENER = """
import sys
from project_o.flow import Flow
from project_o.history import open_history
history = open_history(sys.argv[1], "n.ipynb")
flow = Flow(history)
module = flow.cell(sys.argv[2], "zig", "work")
served = [one for one in flow.registry.serving() if one.name == "work"]
assert module.two() == 2
assert len(served) == 1, served
flow.releases.settle()
assert module.two() == 2
print(served[0].digest[:10], len(flow.releases.canaries.running()), flush=True)
history.close()
"""
CELL = "pub fn two() i32 { return 2; }\n"
VERSIONS = ("pub fn two() i32 { return 1 + 1; }\n", "pub fn two() i32 { const one = 1; return one + one; }\n")


class DamagedError(Exception):
    """What was found after a kill is not what a kernel may find."""


def kill_kernel(folder: Path, chance: random.Random) -> int:
    """The kernel alone: its recorder goes on by itself."""
    writer, _ = _start_writer(folder)
    time.sleep(chance.uniform(0.0, 0.25))
    return _lost(folder, _acknowledged(writer))


def kill_both(folder: Path, chance: random.Random) -> int:
    """The kernel and its recorder, in either order."""
    writer, recorder = _start_writer(folder)
    time.sleep(chance.uniform(0.0, 0.2))
    first, second = (recorder, writer.pid) if chance.random() < 0.5 else (writer.pid, recorder)
    for pid in (first, second):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return _lost(folder, _acknowledged(writer))


def kill_recorder(folder: Path, chance: random.Random) -> int:
    """The recorder alone, under a kernel that goes on and then ends in order."""
    writer, recorder = _start_writer(folder)
    time.sleep(chance.uniform(0.0, 0.2))
    with suppress(ProcessLookupError):
        os.kill(recorder, signal.SIGKILL)
    time.sleep(chance.uniform(0.05, 0.2))
    return _lost(folder, _acknowledged(writer))


def _start_writer(folder: Path) -> tuple[subprocess.Popen[str], int]:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    if writer.stdout.readline() != "1\n":
        raise DamagedError("the writer could not record its first state")
    return writer, int(writer.stdout.readline().split()[1])


def _acknowledged(writer: subprocess.Popen[str]) -> int:
    writer.kill()
    assert writer.stdout is not None
    lines = [line for line in writer.stdout.read().split("\n")[:-1] if line]
    writer.wait()
    return int(lines[-1]) if lines else 1


def _lost(folder: Path, last: int) -> int:
    """How many acknowledged states are missing. One more may be there than was said, and one that had begun."""
    from project_o.history import open_history
    from project_o.history.journal import lanes_with_journal

    history = open_history(folder, "n.ipynb")
    deadline = time.monotonic() + SETTLE_SECONDS
    while any(not journal.done for journal in lanes_with_journal(history.store)):
        history.states(1)
        if time.monotonic() > deadline:
            raise DamagedError("a journal is not replayed")
    newest = history.states(1)[0]
    history.close()
    if newest.sequence > last + 2:
        raise DamagedError(f"{newest.sequence} states, and {last} were recorded")
    return max(0, last - newest.sequence)


def check_store(store: str) -> int:
    """Git's own judgement of a store, and an unbroken sequence on each lane. How many states there are."""
    judge = ["git", f"--git-dir={store}"]
    complaints = ["no answer"]
    for _ in range(5):
        done = subprocess.run([*judge, "fsck", "--full", "--strict"], capture_output=True, text=True, check=False)
        told = (done.stdout + done.stderr).splitlines()
        complaints = [line for line in told if not line.startswith(("dangling", "notice", "Checking"))]
        if not complaints and done.returncode == 0:
            break
        time.sleep(1)  # a recorder that repacks moves objects under fsck's hands; real damage stays
    if complaints:
        raise DamagedError(f"git fsck: {complaints[:3]}")
    form = "%(trailers:key=O-Lane,valueonly,separator=%x20) %(trailers:key=O-Seq,valueonly,separator=%x20)"
    told = subprocess.run(
        [*judge, "log", "--reverse", "--topo-order", f"--format={form}", "--glob=refs/o"],
        capture_output=True, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    lanes: dict[str, list[int]] = {}
    for line in filter(str.strip, told):
        lane, number = line.split()
        lanes.setdefault(lane, []).append(int(number))
    for lane, numbers in lanes.items():
        if numbers != list(range(1, len(numbers) + 1)):
            raise DamagedError(f"{lane} has a gap")
    for _ in range(5):
        if not (locks := _locks(store)):
            break
        time.sleep(1)  # of a recorder that is at work: one that was left behind stays
    else:
        raise DamagedError(f"locks were left behind: {locks[:3]}")
    return sum(map(len, lanes.values()))


def _locks(store: str) -> list[str]:
    """Lock files but for the two that are always there. A folder that a recorder takes away meanwhile has none."""
    found = [os.path.join(base, name) for base, _, names in os.walk(store) for name in names if name.endswith(".lock")]
    return [path for path in found if os.path.basename(path) not in ("o.lock", "lanes.lock")]


def kill_release(folder: Path, chance: random.Random) -> int:
    """In the middle of deployments, canaries, promotions and rollbacks: one valid version serves, in a sound store."""
    from project_o.history import open_history

    command = [sys.executable, "-c", RELEASER, str(folder), CELL, *VERSIONS]
    releaser = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert releaser.stdout is not None
    if releaser.stdout.readline() != "ready\n":
        raise DamagedError("the releaser could not begin")
    time.sleep(chance.uniform(0.0, 0.6))
    releaser.kill()
    releaser.wait()
    done = subprocess.run(
        [sys.executable, "-c", OPENER, str(folder), CELL], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise DamagedError(f"no version serves afterwards: {done.stderr.strip()[-500:]}")
    check_store(open_history(folder, "n.ipynb").store)
    return 0

"""Both builds of an edited cell: who waits for which, which is stopped, and what a cell does without one of them."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from project_o import toolchain
from project_o.deploy.plan import Plan
from project_o.deploy.sampling import Sampled
from project_o.errors import CompileError, DeployError, ToolchainError
from project_o.flow import Flow
from project_o.toolchain import elf
from project_o.toolchain.quick import desk as quick_desk
from project_o.toolchain.quick import later, tiers
from project_o.values import Program

sys.path.insert(0, str(Path(__file__).parent))
from quick_builds import alive
from quick_cells import DOT, NUMBERS, ROW, cell, let_come, ready, tier, wait_until


@pytest.fixture(scope="module")
def flow(zig_there: Path) -> Flow:
    """A flow whose compiler server is at work already."""
    ready()
    return Flow()


def test_who_needs_the_optimised_build_waits_for_the_one_under_way(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[float] = []
    run = later.run
    monkeypatch.setattr(later, "run", lambda job: (runs.append(time.monotonic()), time.sleep(0.3), run(job))[2])
    module = cell(flow, DOT.format(number=next(NUMBERS)))
    program = module.slot.version.artifact.program
    wait_until(lambda: bool(runs))  # the first trial of a process takes a while, and what optimises begins after that
    artifact = toolchain.build(program, lines=False)

    assert len(runs) == 1
    assert "-fno-llvm" not in artifact.flags
    assert artifact.key != ""
    wait_until(lambda: tier(module) == "optimised")
    assert module.slot.version.artifact.key == artifact.key


def test_the_build_of_an_earlier_edit_is_stopped(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[str] = []
    run = later.run

    def slow(job: Any) -> Any:
        try:
            return run(replace(job, argv=("/bin/sleep", "100")) if not stopped else job)
        except ToolchainError as error:
            stopped.append(str(error))
            raise

    monkeypatch.setattr(later, "run", slow)
    began = time.monotonic()
    cell(flow, DOT.format(number=next(NUMBERS)))
    wait_until(lambda: any("sleep" in command for command in commands()))
    module = cell(flow, DOT.format(number=next(NUMBERS)))
    wait_until(lambda: tier(module) == "optimised")

    assert "its cell was edited again" in stopped[0]
    assert time.monotonic() - began < 60


def commands() -> list[str]:
    """What runs for us: the command lines of this process' children."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if int((place / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append((place / "cmdline").read_text())
        except OSError:
            continue
    return found


def test_an_unchanged_cell_comes_optimised_from_the_cache(flow: Flow) -> None:
    source = DOT.format(number=next(NUMBERS))
    module = cell(flow, source)
    wait_until(lambda: tier(module) == "optimised")
    again = cell(flow, source)

    assert tier(again) == "optimised"
    assert again.slot.version.artifact.cached


def test_without_a_server_a_cell_is_built_as_ever(flow: Flow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = quick_desk.Desk()
    monkeypatch.setattr(broken, "_begin", lambda _flags: (_ for _ in ()).throw(quick_desk.ServerTrouble("none")))
    monkeypatch.setattr(quick_desk, "_desk", broken)
    number = next(NUMBERS)
    module = cell(flow, DOT.format(number=number))

    assert tier(module) == "optimised"
    assert module.dot(ROW, ROW) == float(ROW @ ROW) + number
    with pytest.raises(CompileError) as caught:
        cell(flow, DOT.format(number="missing"))
    assert [(item.line, item.column) for item in caught.value.diagnostics] == [(4, 20)]
    broken.close()


def test_where_quick_is_off_the_optimised_build_serves_from_the_start(zig_there: Path) -> None:
    flow = Flow()
    flow.quick = lambda: False
    assert tier(cell(flow, DOT.format(number=next(NUMBERS)))) == "optimised"


def test_a_wait_for_a_cell_can_be_interrupted(
    flow: Flow, interrupted: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "pub fn f() void {\n    comptime {\n        @setEvalBranchQuota(4_000_000_000);\n        var i: u64 = 0;\n"
    source += "        while (i < 1 << 60) i += 1;\n    }\n}\n"
    ready()
    looping = quick_desk.desk().server
    assert looping is not None
    interrupted(1.0, lambda: cell(flow, source))
    number = next(NUMBERS)

    assert cell(flow, DOT.format(number=number)).dot(ROW, ROW) == float(ROW @ ROW) + number
    wait_until(lambda: not alive(looping.pid))
    wait_until(lambda: not any("build-lib" in command and "--listen" not in command for command in commands()))
    ready()


def test_threads_that_run_cells_at_once_each_get_their_own(flow: Flow) -> None:
    numbers = [next(NUMBERS) for _ in range(6)]
    answers: dict[int, float] = {}

    def run(number: int) -> None:
        answers[number] = cell(flow, DOT.format(number=number), f"cell{number}").dot(ROW, ROW)

    threads = [threading.Thread(target=run, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {number: float(ROW @ ROW) + number for number in numbers}


def test_the_artifact_that_serves_is_in_the_ledger_and_again_when_it_has_changed(
    flow: Flow, slow_optimised: threading.Event
) -> None:
    def recorded() -> str:
        return str(json.loads(flow.registry.ledger()["deployments.json"])["names"]["cell"][-1]["library"])

    module = cell(flow, DOT.format(number=next(NUMBERS)))
    assert recorded() == "", "a quick build is no release's library"
    let_come(slow_optimised, lambda: tier(module) == "optimised")

    assert recorded() == elf.Library(Path(module.slot.version.artifact.path).read_bytes()).digest()


def test_a_text_that_was_proposed_is_not_served_quickly(flow: Flow) -> None:
    module = cell(flow, DOT.format(number=next(NUMBERS)))
    evolved = Program("cell", "zig", (("cell.zig", DOT.format(number=next(NUMBERS))),))
    flow.registry.accept(evolved, level="L3")

    assert module.slot.version.artifact.program == evolved
    assert tier(module) == "optimised"


def test_the_calls_of_a_build_that_is_not_optimised_are_not_timed_and_no_canary_is_held_against_it(
    flow: Flow, slow_optimised: threading.Event
) -> None:
    module = cell(flow, DOT.format(number=next(NUMBERS)))
    flow.releases.health.arm()
    assert type(module.slot.version) is tiers.QuickVersion
    other = flow.registry.releases("cell")[-1]
    changed = replace(other, program=Program("cell", "zig", (("cell.zig", DOT.format(number=next(NUMBERS))),)))
    with pytest.raises(DeployError, match=r"not optimised .quick, until .*: begin it when `%o serving cell` says"):
        flow.releases.canaries.begin(changed, Plan())

    let_come(slow_optimised, lambda: tier(module) == "optimised")
    flow.releases.health.arm()
    assert type(module.slot.version) is Sampled

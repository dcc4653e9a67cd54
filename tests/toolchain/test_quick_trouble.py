"""Whatever befalls the compiler server costs the order at most; the next one is served."""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from project_o import limits
from project_o.toolchain.quick.desk import Desk
from project_o.toolchain.quick.server import ServerTrouble
from project_o.toolchain.recipe import recipe

sys.path.insert(0, str(Path(__file__).parent))
from quick_builds import CELL, alive, built, program, value

LOOP = """pub fn f() void {
    comptime {
        @setEvalBranchQuota(4_000_000_000);
        var i: u64 = 0;
        while (i < 1 << 60) i += 1;
    }
}
"""


@pytest.fixture
def desk(zig_there: Path) -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


def refused(desk: Desk, source: str) -> str:
    with pytest.raises(ServerTrouble) as caught:
        built(desk, source)
    return str(caught.value)


def when_busy(desk: Desk, act: Callable[[int], None]) -> threading.Thread:
    """``act`` on the server's process while it compiles a loop without end."""
    assert value(desk, 1) == 1
    server = desk.server
    assert server is not None
    pid = server.pid

    def wait_and_act() -> None:
        before = processor_ticks(pid)
        while processor_ticks(pid) < before + 5:
            time.sleep(0.01)
        act(pid)

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread


def processor_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_server_that_is_killed_while_it_compiles_costs_one_order(desk: Desk) -> None:
    thread = when_busy(desk, lambda pid: os.kill(pid, signal.SIGKILL))

    assert "it is gone" in refused(desk, LOOP)
    thread.join()
    assert value(desk, 2) == 2


def test_a_keeper_that_is_killed_takes_the_server_with_it(desk: Desk) -> None:
    assert value(desk, 1) == 1
    server = desk.server
    assert server is not None
    os.kill(server._process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while alive(server.pid) and time.monotonic() < deadline:
        time.sleep(0.02)

    assert not alive(server.pid)
    assert "it is gone" in refused(desk, CELL.format(number=2))
    assert value(desk, 3) == 3


def test_a_server_that_is_stopped_meets_its_deadline(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert value(desk, 1) == 1
    server = desk.server
    assert server is not None
    monkeypatch.setattr(limits, "SERVER_UPDATE_SECONDS", 0.5)
    os.kill(server.pid, signal.SIGSTOP)

    assert refused(desk, CELL.format(number=2)) == "it did not answer in time"
    assert not alive(server.pid)
    assert value(desk, 3) == 3


def test_an_endless_loop_at_compile_time_meets_the_deadline(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert value(desk, 1) == 1
    monkeypatch.setattr(limits, "SERVER_UPDATE_SECONDS", 0.5)

    assert refused(desk, LOOP) == "it did not answer in time"
    assert value(desk, 2) == 2


def test_nobody_waits_for_an_order_that_was_abandoned(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert value(desk, 1) == 1
    monkeypatch.setattr(limits, "SERVER_GRACE_SECONDS", 0.3)
    order = desk.order(recipe(program(LOOP)), {})
    order.abandon()
    began = time.monotonic()

    assert value(desk, 2) == 2
    assert time.monotonic() - began < 40
    assert isinstance(order.result.exception(), ServerTrouble)


def test_a_bomb_at_compile_time_meets_the_limit_of_memory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SERVER_MEMORY_BYTES", 1024 * limits.MIB)
    assert value(desk, 1) == 1
    source = """const bomb = blk: {
    @setEvalBranchQuota(1_000_000);
    var text: []const u8 = "boom";
    for (0..40) |_| text = text ++ text;
    break :blk text.len;
};
pub fn f() u64 {
    return bomb;
}
"""
    refused(desk, source)
    assert value(desk, 2) == 2


def test_a_server_that_has_grown_is_renewed_and_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert value(desk, 1) == 1
    monkeypatch.setattr(limits, "SERVER_RESIDENT_BYTES_MAX", 1)
    server = desk.server
    assert value(desk, 2) == 2
    assert value(desk, 3) == 3
    assert desk.server is not server


def test_a_server_that_nobody_asks_ends_and_comes_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert value(desk, 1) == 1
    server = desk.server
    assert server is not None
    monkeypatch.setattr(limits, "SERVER_IDLE_SECONDS", 0.2)
    assert value(desk, 2) == 2  # from its end on
    deadline = time.monotonic() + 60
    while alive(server.pid) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert not alive(server.pid)
    assert value(desk, 3) == 3


SPEAKS = {
    "garbage": "say(b'\\x07garbage' * 100)",
    "half a message": "say(pack('<II', 1, 100) + b'half')",
    "a message without end": "say(pack('<II', 2, 0xFFFFFFFF))",
    "errors that are none": "say(pack('<IIIIIIII', 1, 24, 4, 0, 9, 900, 0, 0))",
    "neither library nor error": "say(pack('<II', 1, 8) + bytes(8))",
    "a library that is not there": "say(pack('<II', 2, 17) + bytes(17) + pack('<II', 1, 8) + bytes(8))",
    "nothing, and goes": "sys.exit(3)",
    "nothing, and stays": "time.sleep(60)",
}


@pytest.mark.parametrize("speaks", SPEAKS)
def test_a_server_that_speaks_nonsense_is_not_believed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, speaks: str
) -> None:
    assert value(desk, 1) == 1
    script = tmp_path / "zig"
    script.write_text(
        f"#!{sys.executable} -IS\nimport sys, time\nfrom struct import pack\nsay = sys.stdout.buffer.write\n"
        "if sys.argv[1] == 'version': print('0.17.1'); sys.exit()\n"
        f"sys.stdin.buffer.read(8)\n{SPEAKS[speaks]}\nsys.stdout.flush()\ntime.sleep(60)\n"
    )
    script.chmod(stat.S_IRWXU)
    assert desk.server is not None
    os.kill(desk.server.pid, signal.SIGKILL)
    with monkeypatch.context() as patch:
        patch.setenv("PROJECT_O_ZIG", str(script))
        patch.setattr(limits, "SERVER_START_SECONDS", 1.0)
        refused(desk, CELL.format(number=2))  # the one that was killed
        refused(desk, CELL.format(number=3))  # the one that speaks nonsense
    desk._not_before = 0.0

    assert value(desk, 4) == 4


def test_after_repeated_trouble_it_is_tried_again_only_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PROJECT_O_ZIG", str(tmp_path / "nowhere"))
    refused(desk, CELL.format(number=1))
    refused(desk, CELL.format(number=1))

    assert "tried again later" in refused(desk, CELL.format(number=1))


def test_where_nothing_can_be_written_there_is_trouble_and_no_crash(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    assert "FileNotFoundError" in refused(desk, CELL.format(number=1))
    monkeypatch.undo()

    assert value(desk, 2) == 2

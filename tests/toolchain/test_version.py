"""How a build serves: the trial before the first call, isolation, and what is said when it ends badly."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from project_o import limits, toolchain
from project_o.errors import HistoryWarning, InterfaceError, NativeFault, NativePanic, NativeResultError, SandboxError
from project_o.sandbox import Answer, Sandbox
from project_o.toolchain import Version
from project_o.values import Artifact

Build = Callable[..., Artifact]


class FakeJob:
    """A job whose answers are given; it notes what it was asked."""

    def __init__(self, box: FakeBox) -> None:
        self.box = box

    def ask(self, name: str, args: Sequence[Any], *, seconds: float, fenced: bool) -> Answer:
        self.box.asked.append((name, seconds))
        if isinstance(self.box.answer, Exception):
            raise self.box.answer
        return self.box.answer

    def dismiss(self) -> None:
        self.box.closed += 1


class FakeBox:
    """A sandbox whose answers are given."""

    def __init__(self, answer: Answer | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, float]] = []
        self.closed = 0

    def native(self, path: str, interface: Any, guard_path: str | None = None) -> FakeJob:
        assert guard_path
        assert Path(path).is_file()
        return FakeJob(self)


def version_with(compiled: Build, answer: Answer | Exception, marker: str) -> tuple[Version, Any]:
    box: Any = FakeBox(answer)
    return Version(compiled(f"pub fn f(a: i32) !i32 {{\n    return a + 1;\n}}\n// {marker}\n"), box=box), box


PANIC = {"kind": "panic", "signal": 0, "address": 0, "exact": False, "message": "the words", "frames": []}
FAULT = {"kind": "signal", "signal": 11, "address": 0, "exact": True, "message": "", "frames": []}


@pytest.mark.parametrize(
    "answer", [Answer(ok=True, value=1), Answer(ok=False, error="E", error_name="E")], ids=["value", "error"]
)
def test_a_trial_that_passes_is_remembered(compiled: Build, answer: Answer) -> None:
    version, box = version_with(compiled, answer, f"passes {answer.ok}")
    assert [version.call("f", [k]) for k in range(3)] == [1, 2, 3]
    assert box.asked == [("f", limits.FIRST_CALL_WALL_SECONDS)]
    assert box.closed == 1
    assert toolchain.tried(version.artifact.key, "f")

    again = Version(version.artifact, box=box)
    assert again.call("f", [1]) == 2
    assert len(box.asked) == 1, "another kernel does not try it again"


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (Answer(ok=False, fault=PANIC), NativePanic, "f: the words"),
        (Answer(ok=False, fault=FAULT), NativeFault, "f: SIGSEGV"),
        (Answer(ok=False, ended="signal SIGABRT"), NativeFault, "f was ended by signal SIGABRT"),
        (Answer(ok=False, ended="signal SIGKILL"), NativeFault, "this one and its variables are untouched"),
        (Answer(ok=False, ended="exit 3"), NativeFault, r"f left its process \(exit 3\)"),
        (Answer(ok=False, ended="interrupted"), KeyboardInterrupt, "interrupted"),
    ],
    ids=["panic", "fault", "abort", "kill", "exit", "interrupt"],
)
def test_a_trial_that_ends_badly_is_raised(
    compiled: Build, answer: Answer, error: type[BaseException], says: str
) -> None:
    version, box = version_with(compiled, answer, "badly")
    for _ in range(2):
        with pytest.raises(error, match=says):
            version.call("f", [1])
    assert len(box.asked) == 2, "the next first call is tried again"
    assert not toolchain.tried(version.artifact.key, "f")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(ok=False, denied=True, error_name="AccessDenied"),
        Answer(ok=False, denied=True, ended="signal SIGSYS"),
        Answer(ok=False, ended="wall-time"),
        Answer(ok=False, ended="cpu-time"),
        Answer(ok=False, ended="memory"),
        Answer(ok=False, ended="result-cap"),
        Answer(ok=False, ended="setup"),
        Answer(ok=False, error="something else"),
        SandboxError("no sandbox here"),
    ],
    ids=lambda answer: getattr(answer, "ended", "") or getattr(answer, "error", "") or str(answer)[:20],
)
def test_a_trial_that_says_nothing_leads_to_a_call_here(compiled: Build, answer: Any) -> None:
    version, box = version_with(compiled, answer, "nothing")

    assert [version.call("f", [k]) for k in range(3)] == [1, 2, 3]
    assert len(box.asked) == 1, "this version does not try it again"
    assert not toolchain.tried(version.artifact.key, "f"), "but nothing is remembered"


def test_large_arguments_are_not_tried(compiled: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FIRST_CALL_ARGUMENT_BYTES_MAX", 1000)
    box: Any = FakeBox(Answer(ok=True))
    version = Version(compiled("pub fn f(a: []const u8) usize {\n    return a.len;\n}\n// large\n"), box=box)

    assert version.call("f", [np.zeros(1001, np.uint8)]) == 1001
    assert box.asked == []


def test_without_a_trial(compiled: Build) -> None:
    box: Any = FakeBox(Answer(ok=False, fault=FAULT))
    artifact = compiled("pub fn f() i32 {\n    return 1;\n}\n// no trial\n")

    assert Version(artifact, box=box, trial=False).call("f", []) == 1
    assert Version(artifact).call("f", []) == 1
    assert box.asked == []


def test_unknown_functions_and_bad_arguments(compiled: Build) -> None:
    version, _ = version_with(compiled, Answer(ok=True), "unknown")
    with pytest.raises(InterfaceError, match="no function g: there are f"):
        version.call("g", [])
    with pytest.raises(InterfaceError, match="f: a0 wants an int"):
        version.call("f", ["1"])


# ------------------------------------------------------------------ with the real sandbox

FAULTY = """
var calls: i32 = 0;
extern fn exit(code: c_int) noreturn;
pub fn fine(a: []f32) i32 {
    a[0] += 1;
    calls += 1;
    return calls;
}
pub fn over(a: i32) i32 {
    return a + 1; // line 10 of the source
}
pub fn wild(at: usize) void {
    const p: *allowzero volatile u8 = @ptrFromInt(at);
    p.* = 1; // 14
}
pub fn leave() void {
    exit(3);
}
pub fn fails(a: i32) !i32 {
    return if (a > 0) error.TooLarge else a;
}
pub fn endless() void {
    const p: *volatile i32 = &calls;
    while (true) p.* +%= 1;
}
pub fn who() !i64 {
    return @import("std").os.linux.getpid();
}
"""


@pytest.fixture
def box(zig_there: Path, lacking: Callable[[str, str], None]) -> Any:
    with Sandbox() as box:
        if box.level not in ("L2", "L3"):
            lacking("sandbox", f"no sandbox for native code here: {box.level_reason}")
        yield box


def test_first_calls_in_the_real_sandbox(compiled: Build, box: Any) -> None:
    version = Version(compiled(FAULTY, line_offset=1), box=box)
    array = np.zeros(2, np.float32)

    assert version.call("fine", [array]) == 1, "the trial's call left no trace here"
    assert array.tolist() == [1, 0]
    with pytest.raises(NativePanic, match="over, line 11: integer overflow") as caught:
        version.call("over", [2**31 - 1])
    assert (caught.value.line, caught.value.function) == (11, "over")
    with pytest.raises(NativeFault, match=r"wild, line 15: SIGSEGV.*this one and its variables are untouched"):
        version.call("wild", [0])
    with pytest.raises(NativeFault, match=r"leave left its process \(exit 3\)"):
        version.call("leave", [])
    with pytest.raises(NativeResultError, match=r"error\.TooLarge"):
        version.call("fails", [1])
    assert version.call("who", []) == os.getpid()
    assert version.call("fine", [array]) == 2, "the library here was never harmed"
    assert {
        name for name in ("fine", "over", "wild", "leave", "fails") if toolchain.tried(version.artifact.key, name)
    } == {
        "fine",
        "fails",
    }


def test_an_endless_first_call_is_inconclusive_and_then_interrupted_here(
    compiled: Build, box: Any, monkeypatch: pytest.MonkeyPatch, interrupted: Callable[..., None]
) -> None:
    monkeypatch.setattr(limits, "FIRST_CALL_WALL_SECONDS", 0.2)
    version = Version(compiled(FAULTY), box=box)
    interrupted(1.0, lambda: version.call("endless", []))


@pytest.fixture
def isolated(compiled: Build) -> Any:
    version = Version(compiled(FAULTY, line_offset=1), isolate=True)
    yield version
    version.close()


def test_isolated_calls_keep_their_state_and_write_arrays(isolated: Version) -> None:
    array = np.zeros((2, 2), np.float32)

    assert [isolated.call("fine", [array]) for _ in range(3)] == [1, 2, 3]
    assert array.tolist() == [[3, 0], [0, 0]]
    raw = bytearray(8)
    isolated.call("fine", [memoryview(raw).cast("f")])
    assert np.frombuffer(raw, np.float32).tolist() == [1, 0]
    assert isolated.call("who", []) != os.getpid()


def test_an_isolated_death_is_named_and_the_next_call_starts_anew(isolated: Version) -> None:
    array = np.zeros(1, np.float32)
    assert isolated.call("fine", [array]) == 1
    with pytest.raises(NativeFault, match="wild, line 15: SIGSEGV"):
        isolated.call("wild", [0])
    assert isolated.call("fine", [array]) == 1
    with pytest.raises(NativeFault, match=r"leave left its process \(exit 3\)"):
        isolated.call("leave", [])
    assert isolated.call("fine", [array]) == 1
    with pytest.raises(NativePanic, match="over, line 11"):
        isolated.call("over", [2**31 - 1])
    with pytest.raises(NativeResultError) as caught:
        isolated.call("fails", [1])
    assert caught.value.name == "TooLarge"
    with pytest.raises(InterfaceError):
        isolated.call("fine", [[1.0]])


def test_ctrl_c_in_an_isolated_call(isolated: Version, interrupted: Callable[..., None]) -> None:
    interrupted(0.3, lambda: isolated.call("endless", []))

    assert isolated.call("fine", [np.zeros(1, np.float32)]) >= 1


def test_a_killed_worker(isolated: Version) -> None:
    pid = isolated.call("who", [])
    worker = psutil.Process(pid)
    before = worker.cpu_times().user

    def kill_in_the_loop() -> None:
        while worker.cpu_times().user < before + 0.05:
            time.sleep(0.01)
        os.kill(pid, 9)

    killer = threading.Thread(target=kill_in_the_loop)
    killer.start()
    with pytest.raises(NativeFault, match="signal SIGKILL"):
        isolated.call("endless", [])
    killer.join()
    assert isolated.call("who", []) != pid


def test_a_closed_version_may_be_called_again(compiled: Build) -> None:
    version = Version(compiled("pub fn f() i32 {\n    return 1;\n}\n"))
    assert version.call("f", []) == 1
    version.close()
    version.close()
    assert version.call("f", []) == 1


def test_first_calls_from_many_threads(compiled: Build, box: Any) -> None:
    version = Version(compiled("pub fn f(a: i32) i32 {\n    return a * 2;\n}\n// threads\n"), box=box)
    found: list[int] = []
    threads = [threading.Thread(target=lambda k=k: found.append(version.call("f", [k]))) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == [0, 2, 4, 6, 8, 10]


def test_fault_errors_are_the_same_everywhere(compiled: Build) -> None:
    artifact = compiled("pub fn f() void {}\n")
    cases = {
        "f: SIGFPE, arithmetic": {"kind": "signal", "signal": 8},
        "f: SIGBUS, access to memory that is not there (bus error) at 0x1234": {
            "kind": "signal",
            "signal": 7,
            "address": 0x1234,
        },
        "f: signal 99, a fault": {"kind": "signal", "signal": 99},
        "f: panic": {"kind": "panic", "message": ""},
        "f: signal 0": {},
    }
    for says, fault in cases.items():
        assert str(toolchain.fault_error(artifact, "f", fault)).startswith(says)
    wild = {"kind": "panic", "message": "m", "frames": [2**63, 0, -1, 5], "exact": False}
    assert toolchain.fault_error(artifact, "f", wild).line == 0


def test_lines_of_an_artifact_without_an_offset_can_be_corrected(compiled: Build) -> None:
    source = "pub fn f(a: i32) i32 {\n    return a + 1;\n}\n"
    for built, asked, expected in ((0, 0, 2), (0, 1, 3), (1, 0, 3), (1, 1, 3)):
        version = Version(compiled(source, line_offset=built), line_offset=asked)
        with pytest.raises(NativePanic) as caught:
            version.call("f", [2**31 - 1])
        assert caught.value.line == expected


def test_a_damaged_library_has_no_lines(compiled: Build, tmp_path: Path) -> None:
    from project_o.toolchain.lines import cell_line

    data = Path(compiled("pub fn f(a: i32) i32 {\n    return a + 1;\n}\n").path).read_bytes()
    for name, body in {"empty": b"", "half": data[: len(data) // 2], "text": b"no library"}.items():
        path = tmp_path / name
        path.write_bytes(body)
        with pytest.warns(HistoryWarning, match=f"debug information of {path} cannot be read"):
            assert cell_line(str(path), [0x1000], exact=True) == 0
    assert cell_line(str(tmp_path / "missing"), [1], exact=True) == 0


def test_closing_waits_for_nobody(compiled: Build) -> None:
    """A call under way in another thread ends well after its version was closed."""
    source = (
        "var n: u64 = 0;\npub fn f(rounds: u64) u64 {\n    const p: *volatile u64 = &n;\n    p.* = 0;\n"
        "    while (p.* < rounds) p.* += 1;\n    return p.*;\n}\n"
        "pub fn seen() u64 {\n    const p: *volatile u64 = &n;\n    return p.*;\n}\n"
    )
    version = Version(compiled(source))
    assert version.call("f", [1]) == 1
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(version.call("f", [200_000_000])))
    thread.start()
    deadline = time.monotonic() + 60
    while version.call("seen", []) < 2 and time.monotonic() < deadline:
        time.sleep(0.001)
    version.close()
    thread.join()

    assert found == [200_000_000]

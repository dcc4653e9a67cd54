"""Native code in the sandbox: a library of the shim ABI, written by hand and built with the pinned compiler."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import ziglang

from project_o.errors import InterfaceError, UsageError
from project_o.sandbox import Sandbox
from project_o.values import Interface, NativeFunction, NativeType

U64, F64, F32 = NativeType("int", bits=64), NativeType("float", bits=64), NativeType("float", bits=32)
I64, BYTE, VOID = NativeType("int", bits=64, signed=True), NativeType("int", bits=8), NativeType("void")


def view(child, **more):
    return NativeType("slice", child=child, **{"const": True, **more})


def function(name, parameters, result):
    return NativeFunction(name, tuple((f"a{k}", kind) for k, kind in enumerate(parameters)), result)


FUNCTIONS = Interface(
    (
        function("sum", [view(F64)], F64),
        function("scale", [view(F64, const=False), F64], VOID),
        function("range", [U64], view(I64)),
        function("living", [], U64),
        function("address", [view(BYTE)], U64),
        function("corner", [NativeType("matrix", const=True, child=F32)], F32),
        function("refuse", [], NativeType("error_union", child=VOID)),
        function("maybe", [NativeType("bool")], NativeType("optional", child=view(BYTE))),
        function("wild", [], VOID),
        function("spin", [], VOID),
        function("peek", [view(BYTE, sentinel=True)], NativeType("error_union", child=VOID)),
        function("lie", [], view(I64)),
    )
)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cells")
    zig = Path(ziglang.__file__).parent / "zig"
    source = Path(__file__).parent / "cells.zig"
    command = [zig, "build-lib", "-dynamic", "-OReleaseSmall", "-fstrip", "-fno-compiler-rt", source]
    caches = ["--cache-dir", folder / "cache", "--global-cache-dir", folder / "global"]
    subprocess.run([*command, f"-femit-bin={folder / 'libcells.so'}", *caches], check=True, timeout=120)
    return folder / "libcells.so"


@pytest.fixture(scope="module", params=[(), ("namespaces",)], ids=["in namespaces", "without"])
def box(request):
    with Sandbox(wall_seconds=5, deny=request.param) as box:
        yield box


@pytest.fixture
def job(box, library):
    with box.native(library, FUNCTIONS) as job:
        assert job.loaded.ok, job.loaded
        yield job


def test_numbers_and_arrays(job):
    answer = job.ask("sum", [np.arange(10.0)])
    assert (answer.ok, answer.value, answer.written) == (True, 45.0, ())
    assert 0 < answer.cpu_seconds <= answer.wall_seconds * 1.5 + 0.01
    assert job.ask("sum", [np.empty(0)]).value == 0.0
    assert job.ask("sum", [[1, 2, 3]]).value == 6.0


def test_written_arrays_come_back_by_argument_and_the_callers_stay(job):
    xs = np.arange(4.0)
    answer = job.ask("scale", [xs, 3.0])
    ((index, written),) = answer.written
    assert index == 0
    assert written.tolist() == [0.0, 3.0, 6.0, 9.0]
    assert xs.tolist() == [0.0, 1.0, 2.0, 3.0]
    ((_, again),) = job.ask("scale", [xs, 2.0], repeat=3).written
    assert again.tolist() == [0.0, 8.0, 16.0, 24.0]


@pytest.mark.parametrize("n", [0, 1, 5, 100_000])
def test_returned_slices_are_copied_and_freed(job, n):
    assert job.ask("range", [n], repeat=7).value.tolist() == list(range(n))
    assert job.ask("range", [n]).value.tolist() == list(range(n))
    assert job.ask("living").value == 0


def test_rows_with_gaps_keep_their_stride(job):
    matrix = np.arange(20, dtype=np.float32).reshape(4, 5)[:3, :4]
    assert job.ask("corner", [matrix]).value == 13.0


def test_alignment_is_the_callers_choice(job):
    for offset in (0, 8, 16, 56, 72):
        assert job.ask("address", [b"x" * 100], offset_bytes=offset).value % 64 == offset % 64
        assert job.ask("sum", [np.ones(1000)], offset_bytes=offset).value == 1000.0


def test_large_arrays_make_the_shared_memory_grow(job):
    for n in (10, 1_000_000, 10, 3_000_000):
        assert job.ask("sum", [np.ones(n)]).value == n


def test_errors_and_optionals(job):
    answer = job.ask("refuse")
    assert (answer.ok, answer.error, answer.error_name, answer.fault, answer.ended) == (
        False,
        "NotToday",
        "NotToday",
        None,
        "",
    )
    assert job.ask("maybe", [True]).value == "here"
    assert job.ask("maybe", [False]).value is None


def test_arguments_that_do_not_fit_are_the_callers_error(job):
    for args in ([np.arange(3)], [], ["text"]):
        with pytest.raises(InterfaceError):
            job.ask("sum", args)
    with pytest.raises(UsageError, match="no function"):
        job.ask("absent")
    for more in ({"repeat": 0}, {"offset_bytes": 3}, {"offset_bytes": -8}):
        with pytest.raises(UsageError):
            job.ask("living", **more)
    assert job.ask("living").value == 0


def test_files_are_closed_to_a_loaded_library(job):
    answer = job.ask("peek", ["/etc/passwd"])
    assert (answer.error_name, answer.denied) == ("AccessDenied", True)


def test_a_fault_ends_the_child_only(job):
    answer = job.ask("wild")
    assert (answer.ok, answer.ended) == (False, "signal SIGSEGV")
    assert job.ask("living").ended == "signal SIGSEGV"


def test_an_endless_loop_is_killed(job):
    assert job.ask("spin", seconds=0.2).ended == "wall-time"


def test_a_result_that_is_not_there_is_not_believed(job):
    assert job.ask("lie").ended == "result-cap"


def test_a_library_that_does_not_load_is_a_failed_job(box, tmp_path, library):
    broken = tmp_path / "broken.so"
    broken.write_bytes(library.read_bytes()[:1000])
    with box.native(broken, FUNCTIONS) as job:
        assert not job.loaded.ok
        assert not job.ask("living").ok
    other = Interface((function("nowhere", [], VOID),))
    with box.native(library, other) as job:
        assert "o_cell_nowhere" in job.loaded.error


SHARED = "export fn o_more() u64 {\n    return 42;\n}\n"
NEEDY = """
extern fn o_more() u64;
export fn o_cell_more(_: [*]const u64, ret: [*]u64) i32 {
    ret[0] = o_more();
    return 0;
}
export fn o_free(_: u64) void {}
"""


@pytest.mark.parametrize("more", [{}, {"deny": ("namespaces",)}, {"profile": "isolate"}], ids=str)
def test_what_a_library_needs_beside_it_may_be_a_link_to_what_builds_share(tmp_path, more):
    """As Rust's own library is: one file in the cache, with a link beside each build."""
    build, shared = tmp_path / "build", tmp_path / "shared"
    for folder in (build, shared):
        folder.mkdir()
    (tmp_path / "more.zig").write_text(SHARED)
    (tmp_path / "needy.zig").write_text(NEEDY)
    zig = [Path(ziglang.__file__).parent / "zig", "build-lib", "-dynamic", "-OReleaseSmall", "-fno-compiler-rt"]
    zig += ["--cache-dir", tmp_path / "cache", "--global-cache-dir", tmp_path / "cache"]
    target = shared / "libmore-1.so"
    subprocess.run([*zig, tmp_path / "more.zig", f"-femit-bin={target}", "-fsoname=libmore-1.so"], check=True)
    needy = [tmp_path / "needy.zig", target, "-rpath", "$ORIGIN", f"-femit-bin={build / 'library.so'}"]
    subprocess.run([*zig, *needy], check=True)
    (build / target.name).symlink_to(target)

    more_only = Interface((function("more", [], U64),))
    with Sandbox(wall_seconds=5, **more) as box, box.native(build / "library.so", more_only) as job:
        assert job.loaded.ok, job.loaded.error
        assert job.ask("more").value == 42


def test_the_isolate_profile_runs_native_code(library):
    with Sandbox(profile="isolate", wall_seconds=5) as box, box.native(library, FUNCTIONS) as job:
        assert job.ask("sum", [np.ones(3)]).value == 3.0
        assert job.ask("peek", ["/etc/passwd"]).ok
        assert job.ask("wild").ended == "signal SIGSEGV"


def test_the_guard_turns_faults_into_reports(box):
    """With the libraries that the notebook uses: a panic and a null access leave the job alive."""
    from project_o.toolchain import build, guard_path
    from project_o.values import Program

    text = (
        "pub fn at(xs: []const f64, i: usize) f64 {\n    return xs[i];\n}\n"
        "pub fn byte(p: usize) u8 {\n    const q: *allowzero const volatile u8 = @ptrFromInt(p);\n    return q.*;\n}\n"
    )
    artifact = build(Program("faults", "zig", (("cell.zig", text),)))
    with box.native(artifact.path, artifact.interface, guard_path()) as job:
        panic = job.ask("at", [np.ones(3), 7])
        assert panic.fault["kind"] == "panic"
        assert panic.error == "panic: index out of bounds: index 7, len 3"
        fault = job.ask("byte", [0])
        assert (fault.fault["kind"], fault.fault["signal"], fault.error) == ("signal", 11, "SIGSEGV at address 0x0")
        assert (fault.ok, fault.ended) == (False, "")
        assert job.ask("at", [np.ones(3), 2]).value == 1.0

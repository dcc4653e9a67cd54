"""Native functions go where Python's own do: into pools of processes, to a cluster, through copy and pickle."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import distributed
import numpy as np
import pytest

import project_o
from project_o import errors, limits
from project_o.deploy import pickled
from project_o.errors import CompileError, InterfaceError, NativeFault, NativePanic, NativeResultError, ToolchainMissing

ZIG = """
pub const Mood = enum { calm, wild };
pub const Point = struct { x: f64, y: f64 };
/// The sum of all.
pub fn total(xs: []const f64) f64 {
    var sum: f64 = 0;
    for (xs) |x| sum += x;
    return sum;
}
pub fn turned(p: Point) Point { return .{ .x = -p.y, .y = p.x }; }
pub fn mood(n: u32) Mood { return if (n > 3) .wild else .calm; }
pub fn pick(xs: []const f64, i: usize) f64 { return xs[i]; }
pub fn root(x: f64) !f64 { return if (x < 0) error.Negative else @sqrt(x); }
"""
RUST = """
/// Twice as much.
pub fn twice(xs: &[f64]) -> Vec<f64> { xs.iter().map(|x| 2.0 * x).collect() }
"""


@pytest.fixture(scope="module")
def cell(zig_there: Path) -> Any:
    return project_o.zig(ZIG, "pickled_zig")


@pytest.fixture(scope="module")
def pool(cell: Any) -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as made:
        yield made


@pytest.mark.alone  # a copy of a process with many threads may wait for what one of them held
def test_a_pool_of_copies_of_this_process_calls_it(cell: Any) -> None:
    array = np.arange(5.0)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        pool.submit(os.getpid).result()
        later = project_o.zig("pub fn least(xs: []const f64) f64 { return xs[0]; }", "pickled_later").least
        assert list(pool.map(cell.total, [array] * 20)) == [10.0] * 20
        assert list(pool.map(later, [array[k:] for k in range(5)])) == list(array)
        assert type(pool.submit(cell.mood, 7).result()) is cell.Mood
        with pytest.raises(NativePanic, match="index 9"):
            pool.submit(cell.pick, array, 9).result()
    assert cell.total(array) == 10.0


def test_a_pool_calls_it(pool: ProcessPoolExecutor, cell: Any) -> None:
    arrays = [np.arange(n, dtype=np.float64) for n in range(20)]

    assert list(pool.map(cell.total, arrays)) == [array.sum() for array in arrays]
    assert list(pool.map(_called, [cell] * 3, arrays[:3])) == [0.0, 0.0, 1.0]


def _called(module: Any, array: Any) -> Any:
    assert module.total.__doc__ == "The sum of all."
    return module.total(xs=array)


def test_structs_and_enums_cross_as_what_they_are(pool: ProcessPoolExecutor, cell: Any) -> None:
    point = pool.submit(cell.turned, cell.Point(1.0, 2.0)).result()
    assert (type(point), point) == (cell.Point, (-2.0, 1.0))
    assert list(pool.map(cell.mood, [1, 7])) == [cell.Mood.calm, cell.Mood.wild]
    assert type(pool.submit(cell.mood, 7).result()) is cell.Mood


def test_what_it_raises_comes_back(pool: ProcessPoolExecutor, cell: Any) -> None:
    with pytest.raises(NativePanic, match="index 9") as panic:
        pool.submit(cell.pick, np.zeros(3), 9).result()
    assert (panic.value.function, panic.value.line) == ("pick", ZIG[: ZIG.index("pub fn pick")].count("\n") + 1)
    with pytest.raises(NativeResultError, match="Negative") as negative:
        pool.submit(cell.root, -1.0).result()
    assert negative.value.name == "Negative"
    with pytest.raises(InterfaceError, match="float64"):
        pool.submit(cell.total, np.zeros(3, np.float32)).result()
    assert pool.submit(cell.total, np.ones(3)).result() == 3.0


def test_rust_goes_there_too(rust_there: str, pool: ProcessPoolExecutor) -> None:
    there = project_o.rust(RUST, "pickled_rust")
    assert pool.submit(there.twice, np.ones(3)).result().tolist() == [2.0, 2.0, 2.0]


def test_one_with_a_process_of_its_own_has_one_there(pool: ProcessPoolExecutor, zig_there: Path) -> None:
    text = "pub fn peek(at: usize) u8 { return @as(*const u8, @ptrFromInt(at)).*; }"
    apart = project_o.zig(text, "pickled_apart", isolate=True)
    with pytest.raises(NativeFault, match="peek"):
        pool.submit(apart.peek, 8).result()
    with pytest.raises(NativeFault):
        pool.submit(apart.peek, 16).result()


def test_here_it_is_the_same_handle(cell: Any) -> None:
    total = cell.total
    assert pickle.loads(pickle.dumps(total)) is total
    assert copy.deepcopy({"call": total})["call"] is total
    assert copy.copy(total) is total
    assert pickle.loads(pickle.dumps(cell)).total is total
    assert copy.deepcopy(cell) is copy.copy(cell) is cell


def test_what_was_pickled_stays_what_it_was(zig_there: Path) -> None:
    text = "pub fn answer() i64 { return 41; }"
    answer = project_o.zig(text, "pickled_answer").answer
    sent = pickle.dumps(answer)
    project_o.zig(text.replace("41", "42"), "pickled_answer")

    assert answer() == 42
    assert pickle.loads(sent)() == 41
    assert pickle.loads(sent) is pickle.loads(sent)
    assert pickle.loads(pickle.dumps(answer)) is answer


def test_a_library_module_is_refused_and_what_to_do_is_said(zig_there: Path) -> None:
    ops = project_o.load("vector_ops")
    for sent in (ops, ops.dot):
        with pytest.raises(InterfaceError, match=r"vector_ops is a library module .* load\('vector_ops'\) for itself"):
            pickle.dumps(sent)
        assert copy.deepcopy(sent) is sent


def test_a_process_that_begins_anew_opens_it_from_the_text_alone(cell: Any, tmp_path: Path) -> None:
    (tmp_path / "sent").write_bytes(pickle.dumps((cell.total, cell.turned(cell.Point(1.0, 2.0)))))
    code = f"""import pickle, numpy
total, point = pickle.load(open({str(tmp_path / "sent")!r}, "rb"))
print(total(numpy.ones(5)), point, point.x, total.__doc__, pickle.loads(pickle.dumps(total)) is total)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False)
    assert (done.stdout, done.stderr) == ("5.0 Point(x=-2.0, y=1.0) -2.0 The sum of all. True\n", "")


@pytest.mark.parametrize("whole", [False, True])
def test_a_worker_that_cannot_open_it_says_so_and_goes_on(
    zig_there: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, whole: bool
) -> None:
    """An error while it is unpickled would end the worker, and the pool would wait for ever."""
    cell = project_o.zig("pub fn half(x: f64) f64 { return x / 2; }", "pickled_half")
    with multiprocessing.get_context("spawn").Pool(1, _without_compiler, (str(tmp_path),)) as pool:
        with pytest.raises(ToolchainMissing, match=r"no Zig compiler.*pip install"):
            pool.apply_async(*((_half, (cell,)) if whole else (cell.half, (1.0,)))).get(60)
        assert "half" in pool.apply_async(repr, (cell.half,)).get(60)
        assert pool.apply_async(_same, (cell.half,)).get(60) is cell.half


def _half(module: Any) -> Any:
    return module.half(1.0)


def _same(value: Any) -> Any:
    return value


def _without_compiler(cache: str) -> None:
    os.environ |= {"PROJECT_O_CACHE": cache, "PROJECT_O_ZIG": "/nowhere/zig"}


def test_threads_that_open_it_at_once_get_one(zig_there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = pickle.dumps(project_o.zig("pub fn one() i64 { return 1; }", "pickled_one").one)
    monkeypatch.setattr(pickled, "_serving", {})
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(pickle.loads(sent))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [one() for one in found] == [1] * 8
    assert len(set(map(id, found))) == 1


def test_only_the_last_ones_are_kept(zig_there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PICKLED_FUNCTIONS_KEPT", 2)
    monkeypatch.setattr(pickled, "_serving", {})
    monkeypatch.setattr(pickled, "_opened", type(pickled._opened)())
    sent = [
        pickle.dumps(project_o.zig(f"pub fn number() i64 {{ return {n}; }}", f"pickled_{n}").number) for n in range(3)
    ]
    monkeypatch.setattr(pickled, "_serving", {})

    assert [pickle.loads(one)() for one in sent + sent] == [0, 1, 2, 0, 1, 2]
    assert len(pickled._opened) == 2


def test_every_error_of_ours_can_be_sent() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) > 15
    for kind in kinds:
        error = kind("what failed")
        error.told = "more"
        back = pickle.loads(pickle.dumps(error))
        assert (type(back), str(back), vars(back)) == (kind, str(error), vars(error))
    error = CompileError("two errors", (), "rust", "fails its tests")
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)


def test_a_cluster_calls_it_on_what_it_sent(cell: Any) -> None:
    """Dask shares arrays as they lie in its messages: not aligned, and read-only."""
    arrays = [np.arange(n, dtype=np.float64) for n in range(1, 40)]
    total, turned = cell.total, cell.turned
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        distributed.Client(cluster.scheduler_address, set_as_default=False) as client,
    ):
        assert client.gather(client.map(lambda xs: total(xs) + 1, arrays)) == [xs.sum() + 1 for xs in arrays]
        assert client.submit(turned, cell.Point(1.0, 2.0)).result() == cell.Point(-2.0, 1.0)
        with pytest.raises(NativePanic, match="index 9"):
            client.submit(cell.pick, np.zeros(3), 9).result()

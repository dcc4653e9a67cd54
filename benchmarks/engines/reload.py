"""One reload while eight threads call: a new build is loaded, takes the old one's place, and the old one goes.

A visit makes RELOADS reloads and gives the time of one of them, and by how many bytes the process has grown for all
of them. A call that fails, or an answer of neither build, fails the visit.
"""

from __future__ import annotations

import ctypes
import gc
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..harness import Sample, UnavailableError, Visit, expect
from .compilers import shared_library

RELOADS = 1000
THREADS = 8
ZIG = "pub fn which(a: i32) i32 {{\n    return a * 0 + {number};\n}}\n"
C = "int which(int a) {{ return a * 0 + {number}; }}\n"


def _resident_bytes() -> int:
    try:
        import psutil
    except ImportError:
        raise UnavailableError("psutil is not installed: the memory of a process cannot be seen") from None
    return int(psutil.Process().memory_info().rss)


def _visits(call: Callable[[int], int], reload: Callable[[int], None]) -> Iterator[Visit]:
    seen: list[set[int]] = [set() for _ in range(THREADS)]
    failed: list[BaseException] = []

    def visit() -> Sample:
        stop = threading.Event()

        def work(mine: set[int]) -> None:
            try:
                while not stop.is_set():
                    for _ in range(100):
                        mine.add(call(1))
            except BaseException as error:  # noqa: BLE001 - any failure fails the visit
                failed.append(error)

        threads = [threading.Thread(target=work, args=(mine,)) for mine in seen]
        for thread in threads:
            thread.start()
        gc.collect()
        before, began = _resident_bytes(), time.perf_counter()
        for number in range(RELOADS):
            reload(number)
        took = time.perf_counter() - began
        grown = _resident_bytes() - before
        stop.set()
        for thread in threads:
            thread.join()
        expect("calls that failed", [], failed)
        expect("which builds answered", {0, 1}, set().union(*seen))
        return {"wall": took / RELOADS, "growth": float(max(0, grown))}

    yield visit


@contextmanager
def zig_reload() -> Iterator[Visit]:
    """Two builds of a cell in turn, in the slot of one name."""
    from project_o import api, languages
    from project_o.deploy import NativeModule, Slot
    from project_o.toolchain import Version, dispatcher

    dispatcher.wait(120)
    tools = languages.tools_for("zig")
    artifacts = [
        api.current().build(tools.program("which", ZIG.format(number=k), mode="safe", options=())) for k in range(2)
    ]
    slot = Slot("which", Version(artifacts[0]))
    module = NativeModule(slot)

    def reload(number: int) -> None:
        slot.version = Version(artifacts[number % 2])
        module.which(1)

    yield from _visits(lambda a: module.which(a), reload)  # noqa: PLW0108 - looked up anew each time


@contextmanager
def ctypes_reload() -> Iterator[Visit]:
    """A copy of the library under a new name each time, as one has to; nobody can tell when it may be closed."""
    with tempfile.TemporaryDirectory(prefix="o-benchmark-reload-") as folder:
        built = [shared_library(C.format(number=k), Path(folder) / f"which{k}.so") for k in range(2)]
        serving: list[Any] = []

        def reload(number: int) -> None:
            fresh = Path(folder) / "fresh.so"
            path = Path(folder) / f"{time.monotonic_ns()}.so"
            shutil.copyfile(built[number % 2], fresh)
            fresh.rename(path)
            # SAFETY: compiled from C, whose prototype is that of ctypes' own default.
            serving[:] = [ctypes.CDLL(str(path)).which]
            path.unlink()
            serving[0](1)

        reload(0)
        yield from _visits(lambda a: serving[0](a), reload)  # noqa: PLW0108 - as above

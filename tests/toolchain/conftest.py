"""One build cache for the whole test run, so that the compiler's own cache is filled once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from project_o import abi, toolchain
from project_o.deploy import NativeModule, Slot
from project_o.errors import ToolchainMissing
from project_o.toolchain import Version, dispatcher
from project_o.toolchain.quick import tiers
from project_o.values import Artifact, Program


@pytest.fixture(scope="session", autouse=True)
def build_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("PROJECT_O_CACHE")
    os.environ["PROJECT_O_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["PROJECT_O_CACHE"]
    else:
        os.environ["PROJECT_O_CACHE"] = before


@pytest.fixture(scope="session")
def zig_there(build_cache: Path, lacking: Callable[[str, str], None]) -> Path:
    """The compiler; a machine without one skips visibly, unless it is required."""
    try:
        return toolchain.locate()
    except ToolchainMissing as missing:
        lacking("zig", str(missing))
        raise


@pytest.fixture(scope="session")
def compiled(zig_there: Path) -> Callable[..., Artifact]:
    """Zig source -> Artifact."""

    def compile_(source: str, mode: Any = "safe", options: tuple[str, ...] = (), **how: Any) -> Artifact:
        program = Program("cell", "zig", (("cell.zig", source),), mode=mode, options=options)
        return toolchain.build(program, **how)

    return compile_


@pytest.fixture(scope="session")
def loaded(compiled: Callable[..., Artifact]) -> Callable[..., toolchain.Library]:
    """Zig source -> Library."""

    def load(source: str, mode: Any = "safe", **how: Any) -> toolchain.Library:
        return toolchain.load(compiled(source, mode, **how))

    return load


@pytest.fixture(scope="session")
def rust_there(zig_there: Path, lacking: Callable[[str, str], None]) -> str:
    """The Rust compiler; a machine without one skips visibly, unless it is required."""
    try:
        return toolchain.locate_rust().path
    except ToolchainMissing as missing:
        lacking("rust", str(missing))
        raise


@pytest.fixture(scope="session")
def compiled_rust(rust_there: str) -> Callable[..., Artifact]:
    """Rust source -> Artifact."""

    def compile_(source: str, mode: Any = "safe", options: tuple[str, ...] = (), **how: Any) -> Artifact:
        program = Program("cell", "rust", (("cell.rs", source),), mode=mode, options=options)
        return toolchain.build(program, **how)

    return compile_


@pytest.fixture(scope="session")
def loaded_rust(compiled_rust: Callable[..., Artifact]) -> Callable[..., toolchain.Library]:
    """Rust source -> Library."""

    def load(source: str, mode: Any = "safe", **how: Any) -> toolchain.Library:
        return toolchain.load(compiled_rust(source, mode, **how))

    return load


@pytest.fixture(scope="session")
def made(zig_there: Path) -> Any:
    """The dispatcher."""
    status = dispatcher.wait(120)
    assert status.made, status.how
    return abi.dispatch.made()


@pytest.fixture(scope="session")
def served(compiled: Callable[..., Artifact], made: Any) -> Callable[..., NativeModule]:
    """Source -> the object that a user holds."""

    def serve(source: str, **how: Any) -> NativeModule:
        return NativeModule(Slot("m", Version(compiled(source, **how))))

    return serve


@pytest.fixture
def interrupted() -> Callable[..., None]:
    """``interrupted(seconds, call)``: Ctrl-C after a while; the call, or the wait behind it, must end by it."""

    def begin(timer: threading.Timer, call: Callable[[], Any]) -> None:
        timer.start()
        call()
        time.sleep(60)

    def run(seconds: float, call: Callable[[], Any]) -> None:
        timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            begin(timer, call)
        timer.join()

    return run


@pytest.fixture
def slow_optimised(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The optimised build of a cell that is served quickly comes only when the event is set."""
    gate = threading.Event()
    real = tiers.build

    def build(*args: Any, **named: Any) -> Any:
        assert gate.wait(60)
        return real(*args, **named)

    monkeypatch.setattr(tiers, "build", build)
    yield gate
    gate.set()

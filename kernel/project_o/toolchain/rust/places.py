"""Where the Rust compiler is, and which one it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from ...errors import ToolchainMissing
from ..places import cache_directory

HOST_FILES = (
    "lib.rs", "arrays.rs", "call.rs", "cells.rs", "describe.rs", "half.rs", "kind.rs", "module.rs", "panics.rs",
    "probe.rs", "state.rs", "strided.rs", "views.rs",
)  # fmt: skip
OLDEST = (1, 85)
"""The first compiler of edition 2024."""

_REMEDY = (
    "install Rust from https://rust-lang.org/tools/install (rustup), your distribution's rustc package, or conda's "
    "rust; or set RUSTC to the path of a rustc"
)
_SECONDS = 30.0
_REMEMBERED = "last.json"


@dataclass(frozen=True, slots=True)
class Rust:
    """One compiler. ``version`` is all of ``rustc -vV``; ``runtime`` its shared standard library, "" where it has none.

    A compiler that is remembered, but no longer there, has no ``path``: its builds can be found, and nothing built.
    """

    path: str
    version: str
    release: str
    host: str
    sysroot: str
    runtime: str


def locate() -> Rust:
    """The compiler: RUSTC, else ``rustc`` on the PATH, else the one in ``~/.cargo/bin``.

    What is run is the binary in its sysroot, not rustup's proxy, which costs each build 20 ms. Raises ToolchainMissing.
    """
    chosen = os.environ.get("RUSTC", "")
    found = chosen or shutil.which("rustc") or str(Path("~/.cargo/bin/rustc").expanduser())
    path = shutil.which(found)
    if path is None:
        raise ToolchainMissing(f"no Rust compiler{f' at RUSTC={chosen}' if chosen else ''}: {_REMEDY}")
    facts = Path(path).stat()
    rust = _asked(path, facts.st_mtime_ns, facts.st_size, os.environ.get("RUSTUP_TOOLCHAIN", ""))
    if tuple(int(part) for part in rust.release.split("-")[0].split(".")[:2]) < OLDEST:
        raise ToolchainMissing(f"{rust.path} is Rust {rust.release}, wanted is 1.85 or newer: {_REMEDY}")
    return rust


def known() -> Rust:
    """The compiler, or the one that was last used here. Raises ToolchainMissing where there is neither."""
    memory = cache_directory() / "rust" / _REMEMBERED
    try:
        rust = locate()
    except ToolchainMissing:
        try:
            return Rust(**{**json.loads(memory.read_bytes()), "path": ""})
        except (OSError, ValueError, TypeError):
            pass
        raise
    _remember(memory, rust)
    return rust


@lru_cache(maxsize=16)
def _remember(memory: Path, rust: Rust) -> None:
    with suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        fresh = memory.with_name(f"{_REMEMBERED}.{os.getpid()}")
        fresh.write_text(json.dumps(asdict(rust)), "utf-8")
        fresh.replace(memory)


@lru_cache(maxsize=16)
def _asked(path: str, _modified: int, _size: int, _toolchain: str) -> Rust:
    sysroot = _said(path, "--print", "sysroot")
    real = Path(sysroot) / "bin" / "rustc"
    compiler = str(real) if os.access(real, os.X_OK) else path
    version = _said(compiler, "-vV")
    facts = dict(line.split(": ", 1) for line in version.splitlines() if ": " in line)
    try:
        release, host = facts["release"], facts["host"]
    except KeyError:
        raise ToolchainMissing(f"{path} does not say which version it is: {_REMEDY}") from None
    shared = sorted(Path(sysroot, "lib", "rustlib", host, "lib").glob("libstd-*.so"))
    return Rust(compiler, version, release, host, sysroot, str(shared[0]) if shared else "")


def _said(*command: str) -> str:
    try:
        answer = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=True, start_new_session=True
        )
    except subprocess.CalledProcessError as error:
        # A rustup without a toolchain says what to do.
        why = error.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ToolchainMissing(f"{command[0]} does not work ({why[0] if why else error}): {_REMEDY}") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolchainMissing(f"{command[0]} does not work ({error}): {_REMEDY}") from None
    return answer.stdout.decode("utf-8", "replace").strip()


@lru_cache(maxsize=16)
def template(name: str) -> str:
    """The text of one of the files of the crate ``o``."""
    return resources.files(__package__).joinpath(name).read_text("utf-8")

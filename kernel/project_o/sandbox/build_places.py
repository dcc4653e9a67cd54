"""Where a compiler is, and what it needs to read and run: the files that a locked build can see, and no others."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..errors import SandboxError

SYSTEM_READ = (
    "/lib", "/lib32", "/lib64", "/libx32", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/include",
    "/usr/local/include", "/usr/local/lib", "/usr/libexec/gcc", "/usr/share/locale", "/etc/ld.so.cache",
    "/dev/zero", "/dev/urandom", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/usr/bin/env",
)  # fmt: skip
"""Headers, libraries, what the C library looks at, and the program in which Zig looks for which C library this system
has: nothing that belongs to a user."""
LOADERS = (
    "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
)  # fmt: skip
_C_PROGRAMS = (
    "cc", "c++", "gcc", "g++", "clang", "clang++", "cpp", "as", "ld", "ld.bfd", "ld.gold", "ld.lld", "lld", "mold",
    "ar", "ranlib", "strip", "objcopy",
)  # fmt: skip
_C_INSIDES = ("/usr/lib/gcc", "/usr/libexec/gcc", "/usr/lib/llvm", "/usr/lib/bfd-plugins")
SEARCHED = ("/usr/local/bin", "/usr/bin", "/bin")
_ASK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A compiler: the program to start, and the paths that it may read, and run."""

    program: str
    readable: tuple[str, ...]
    executable: tuple[str, ...]


def toolchain(name: str) -> Toolchain:
    """The compiler of this name or path. Raises SandboxError where there is none."""
    found = wheel_zig() if name == "zig" else None
    found = found or shutil.which(name)
    if found is None:
        raise SandboxError(f"there is no compiler {name!r} on the PATH: install it, or give its whole path")
    return _toolchain(found, os.environ.get("RUSTUP_TOOLCHAIN", ""))


@lru_cache(maxsize=32)
def _toolchain(found: str, _chosen: str) -> Toolchain:
    path = Path(found).absolute()
    if path.name.startswith("rustc"):
        return _rust(path)
    real = path.resolve()
    if (real.parent / "lib" / "std" / "std.zig").is_file():
        return with_c(Toolchain(str(real), (str(real.parent / "lib"),), (str(real),)))
    if (real.parent.parent / "lib" / "zig" / "std" / "std.zig").is_file():
        return with_c(Toolchain(str(real), (str(real.parent.parent / "lib" / "zig"),), (str(real),)))
    insides: tuple[str, ...] = ()
    if real.parent.name == "bin" and real.parent.parent != Path("/usr") and path.name in _C_PROGRAMS:
        base = real.parent.parent  # a compiler in a prefix of its own: conda, a distribution's llvm
        insides = tuple(str(base / part) for part in ("lib/gcc", "libexec/gcc", "lib/clang") if (base / part).is_dir())
    return with_c(Toolchain(str(path), insides, (str(path), str(real), *insides)))


def _rust(path: Path) -> Toolchain:
    """The compiler itself, not rustup's proxy, which reads the user's settings."""
    try:
        asked = subprocess.run(
            [path, "--print", "sysroot"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ASK_SECONDS,
            check=True,
            start_new_session=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SandboxError(f"{path} does not say where its libraries are ({error}): see `project-o doctor`") from None
    root = Path(asked.stdout.decode("utf-8", "replace").strip())
    program = root / "bin" / "rustc"
    if not os.access(program, os.X_OK):
        program = path
    inside = (str(root / "lib"), str(root / "libexec"))
    # The linkers that come with Rust lie below its libraries.
    return with_c(Toolchain(str(program), inside, (str(program), str(program.resolve()), *inside)))


def with_c(base: Toolchain) -> Toolchain:
    """The same with the system's C compiler and linker, which others call."""
    readable, executable = _c_toolchain()
    return Toolchain(
        base.program,
        tuple(dict.fromkeys((*base.readable, *SYSTEM_READ, *readable))),
        tuple(dict.fromkeys((*base.executable, *LOADERS, *executable))),
    )


@lru_cache(maxsize=1)
def _c_toolchain() -> tuple[tuple[str, ...], tuple[str, ...]]:
    programs = [f"{folder}/{name}" for folder in SEARCHED for name in _C_PROGRAMS]
    real = [os.path.realpath(program) for program in programs if Path(program).exists()]
    more = [str(folder) for folder in sorted(Path("/usr/lib").glob("llvm-*"))]
    insides = [path for path in (*_C_INSIDES, *more) if Path(path).is_dir()]
    return tuple(insides), tuple(dict.fromkeys((*real, *insides)))


@lru_cache(maxsize=1)
def wheel_zig() -> str | None:
    """The Zig compiler of the package ``ziglang``; None where that is not installed."""
    spec = importlib.util.find_spec("ziglang")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if os.access(f"{folder}/zig", os.X_OK):
            return f"{folder}/zig"
    return None

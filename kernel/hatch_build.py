"""The build hook of a wheel that brings the dispatcher compiled: ``make wheel``.

It is off by default, so that an ordinary installation needs no compiler and downloads nothing for it, and on with
HATCH_BUILD_HOOK_ENABLE_CUSTOM=true. The wheel is then for the Python that builds it and for this machine's processor.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from importlib import metadata, util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

GLIBC = (2, 17)
"""The oldest C library that the wheel asks for: that of manylinux2014."""
MACHINES = {"x86_64-linux-gnu": "x86_64", "aarch64-linux-gnu": "aarch64"}
"""Zig's and Python's name of a system -> the machine in the wheel's tag."""
_SECONDS = 600


class BuildHook(BuildHookInterface[Any]):
    """Compile the dispatcher for the running interpreter, and put it into the wheel."""

    PLUGIN_NAME = "custom"
    _folder: tempfile.TemporaryDirectory[str] | None = None

    def dependencies(self) -> list[str]:
        """What a build with this hook needs: the headers of the newest numpy that it is for, and the package's Zig."""
        major = _source(Path(self.root)).NUMPY_NEWEST_MAJOR
        zig = [item for item in self.metadata.core.dependencies if item.startswith("ziglang")]
        return [f"numpy>={major},<{major + 1}", *zig]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before the files are collected."""
        if version == "editable":  # compiled where it is edited, in the cache, for the texts as they are then
            return
        source = _source(Path(self.root))
        system = sysconfig.get_config_var("MULTIARCH") or sysconfig.get_platform()
        cpython = sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")
        if not cpython or system not in MACHINES:
            raise SystemExit(
                f"the dispatcher is for CPython with its lock on {' or '.join(MACHINES)}, and this is another Python "
                f"or {system}: build without HATCH_BUILD_HOOK_ENABLE_CUSTOM, for a wheel that fits everywhere"
            )
        self._folder = tempfile.TemporaryDirectory(prefix="project-o-wheel-")
        folder = Path(self._folder.name)
        library, facts = folder / source.shipped_name(), folder / source.facts_name()
        _compile(source, library, system)
        facts.write_text(source.facts_of(library.read_bytes()), "utf-8")
        inside = source.FOLDER.relative_to(Path(self.root) / "kernel")
        build_data["force_include"].update({str(path): str(inside / path.name) for path in (library, facts)})
        python = f"cp{sys.version_info.major}{sys.version_info.minor}"
        build_data["pure_python"] = False
        build_data["tag"] = f"{python}-{python}-manylinux_{GLIBC[0]}_{GLIBC[1]}_{MACHINES[system]}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """After the wheel is written."""
        if self._folder is not None:
            self._folder.cleanup()


def _source(root: Path) -> Any:
    """The package's module of that name. By its path: the package itself needs what is not here."""
    path = root / "kernel" / "project_o" / "toolchain" / "dispatcher_source.py"
    spec = util.spec_from_file_location("dispatcher_source", path)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _compile(source: Any, library: Path, system: str) -> None:
    python, numpy = source.python_headers(), source.numpy_headers()
    if python is None:
        raise SystemExit("this Python has no Python.h: build the wheel with one that has its headers")
    major = source.NUMPY_NEWEST_MAJOR  # what older headers make does not load with it, and newer ones may make anything
    if numpy is None or metadata.version("numpy").split(".")[0] != str(major):
        raise SystemExit(f"the wheel is compiled with the headers of numpy {major}: install that, from its wheel")
    zig = (sys.executable, "-m", "ziglang", "cc")
    command = source.command(zig, python, numpy, str(library), f"{system}.{GLIBC[0]}.{GLIBC[1]}")
    # Nothing of the user's settings for Zig changes what is made, and its cache goes with the folder.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZIG_")}
    for cache in ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"):
        environment[cache] = str(library.parent / "cache")
    done = subprocess.run(
        command, cwd=source.FOLDER, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"the dispatcher does not compile: {done.stderr.strip()}")

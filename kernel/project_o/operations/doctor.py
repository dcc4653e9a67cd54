"""``project-o doctor``: what is installed, what holds, and for each thing what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .. import __version__, limits, models, toolchain
from ..config import effective
from ..errors import ModelError, ProjectOError, UsageError
from ..values import Check

if TYPE_CHECKING:
    from ..history import History


def examine(history: History | None, chosen: Mapping[str, Any] | None = None) -> list[Check]:
    """Every check, in reading order. A check that itself fails is a failed check, never an exception.

    ``chosen`` is what ``%config ProjectO`` has set.
    """
    checks: list[Check] = []
    rooms = (toolchain.status, _native_path, _sandbox, lambda: _history(history), lambda: _model(chosen or {}), _disk)
    for examiner in (_python, _packages, *rooms):
        try:
            checks.extend(examiner())
        except (ProjectOError, OSError, ImportError) as error:
            checks.append(Check(_title(examiner), ok=False, value=str(error), todo="mend this and run doctor again"))
    return checks


def _title(examiner: Callable[..., object]) -> str:
    return getattr(examiner, "__name__", "check").strip("_<>").replace("_", " ")


def _python() -> Iterator[Check]:
    version = platform.python_version()
    good = sys.version_info >= (3, 11)
    yield Check("project-o", ok=True, value=__version__)
    todo = "" if good else "install Python 3.11 or newer"
    yield Check("python", ok=good, value=f"{version}, {sys.executable}", todo=todo)
    system = platform.system()
    yield Check(
        "system",
        ok=system == "Linux",
        value=f"{system} {platform.release()} {platform.machine()}",
        todo="" if system == "Linux" else "native cells and the sandbox need Linux",
    )


def _packages() -> Iterator[Check]:
    from importlib.metadata import PackageNotFoundError, version

    core = (
        "ipykernel",
        "numpy",
        "cffi",
        "optuna",
        "tree-sitter",
        "tree-sitter-zig",
        "tree-sitter-rust",
        "hy",
        "nbformat",
        "pyelftools",
        "GitPython",
    )
    for name in (*core, "papermill"):
        try:
            yield Check(name, ok=True, value=version(name), core=name in core)
        except PackageNotFoundError:
            yield Check(name, ok=False, value="not installed", todo=f"python -m pip install {name}", core=name in core)


def _native_path() -> Iterator[Check]:
    """Compile, try and call one function: the whole path, not its parts."""
    from ..flow import Flow

    # A flow of its own: what the doctor compiles is nothing that serves.
    answer = Flow().cell("pub fn add(a: i32, b: i32) i32 { return a + b; }", "zig", "doctor").add(20, 22)
    yield Check("a native call", ok=answer == 42, value="compiled, tried and called" if answer == 42 else repr(answer))


def _sandbox() -> Iterator[Check]:
    from ..sandbox import shared

    box = shared()
    yield Check(
        "sandbox",
        ok=box.level in limits.SERVING_LEVELS,
        value=f"level {box.level}",
        todo=box.level_reason,
        core=box.level not in limits.SERVING_LEVELS,
    )


def _history(history: History | None) -> Iterator[Check]:
    git = shutil.which("git")
    yield Check("git", ok=bool(git), value=git or "not found", todo="" if git else "install git", core=False)
    if history is None:
        yield Check("history", ok=True, value="off", todo="`%o on` records cells", core=False)
        return
    facts = history.where()
    problem = str(facts.get("problem") or "")
    size = int(facts.get("bytes") or 0)
    yield Check(
        "history",
        ok=not problem,
        value=f"{facts.get('store', '')}, {size / limits.MIB:.1f} MB",
        todo=problem,
        core=False,
    )


def _model(chosen: Mapping[str, Any]) -> Iterator[Check]:
    """Whether a language model is named and could be opened; it is not asked, and its library is not loaded."""
    settings = effective(chosen)
    name, url, tape = (str(settings[option].value) for option in ("model", "model_url", "model_tape"))
    if tape:
        yield Check("model tape", ok=True, value=f"{tape}, {settings['model_tape_mode'].value}", core=False)
    if not name:
        yield Check("model", ok=True, value="none: agents answer with their own bodies (docs/models.md)", core=False)
        return
    for number, one in enumerate(models.names_in(name)):
        try:
            # As ``open_model`` has it: the address is for the first one's provider.
            own = url if number == 0 or one.partition(":")[0] == name.partition(":")[0] else ""
            value = one if one.startswith("scripted:") else str(models.endpoint_of(one, own))
        except (ModelError, UsageError) as error:
            yield Check("model", ok=False, value=one, todo=str(error), core=False)
        else:
            yield Check("model", ok=True, value=value, core=False)


def _disk() -> Iterator[Check]:
    folder = str(toolchain.cache_directory())
    while not os.path.isdir(folder):  # noqa: PTH112 - a plain walk up to the first folder that exists
        folder = os.path.dirname(folder)  # noqa: PTH120
    free = shutil.disk_usage(folder).free
    enough = free > 2 * limits.CACHE_BYTES_MAX
    yield Check(
        "disk",
        ok=enough,
        value=f"{free / limits.MIB / 1024:.1f} GB free at {folder}",
        todo="" if enough else "free some space: builds need about 1 GB",
        core=False,
    )

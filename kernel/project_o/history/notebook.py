"""Which notebook a kernel belongs to, and writing one back whole."""

# Plain os.path: the recorder starts without pathlib, and cells wait for some of these calls.
# ruff: noqa: PTH101, PTH105, PTH108, PTH111, PTH113, PTH116, PTH118, PTH120

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from typing import Any

OWN_VARIABLE = "PROJECT_O_NOTEBOOK"
SESSION_VARIABLE = "JPY_SESSION_NAME"


def find_notebook(
    user_ns: Mapping[str, Any], environ: Mapping[str, str], cwd: str, parent: Mapping[str, str] | None = None
) -> tuple[str | None, str]:
    """The notebook's path and how it was found; (None, why not) where no front end tells it.

    In order: our own variable, papermill's injected paths, VS Code's variable, the Jupyter server's session
    (only if the file is there, is a notebook, and the name is not inherited: papermill called from a cell hands its
    caller's name on). ``parent`` is the parent process's environment, read from /proc where it is not given.
    """
    own = environ.get(OWN_VARIABLE)
    if own:
        return _absolute(own, cwd), f"the environment variable {OWN_VARIABLE}"
    for name in ("PAPERMILL_OUTPUT_PATH", "PAPERMILL_INPUT_PATH"):
        value = user_ns.get(name)
        if isinstance(value, str) and _is_notebook(_absolute(value, cwd)):
            return _absolute(value, cwd), f"papermill's variable {name}"
    value = user_ns.get("__vsc_ipynb_file__")
    if isinstance(value, str) and value.endswith(".ipynb"):
        return _absolute(value, cwd), "VS Code's variable __vsc_ipynb_file__"
    session = environ.get(SESSION_VARIABLE, "").removeprefix("RTC:")
    if not session:
        return None, "no front end told the kernel its notebook"
    if (parent_environment() if parent is None else parent).get(SESSION_VARIABLE, "").removeprefix("RTC:") == session:
        return None, f"{SESSION_VARIABLE} is inherited from the process that started this kernel"
    path = _absolute(session, cwd)
    if _is_notebook(path):
        return path, f"the Jupyter server's {SESSION_VARIABLE}"
    return None, f"{SESSION_VARIABLE} names {session!r}, which is no notebook file here"


def parent_environment() -> dict[str, str]:
    """The environment that the parent process was started with; empty where the system does not tell."""
    try:
        with open(f"/proc/{os.getppid()}/environ", "rb") as file:
            items = file.read().split(b"\0")
    except OSError:
        return {}
    pairs = (os.fsdecode(item).partition("=") for item in items if b"=" in item)
    return {name: value for name, _, value in pairs}


def _absolute(path: str, cwd: str) -> str:
    return os.path.normpath(os.path.join(cwd, os.path.expanduser(path)))


def _is_notebook(path: str) -> bool:
    return path.endswith(".ipynb") and os.path.isfile(path)


def write_atomically(path: str, text: str) -> None:
    """Replace a file in one step, keeping its mode and following a link to it. Raises OSError."""
    target = os.path.realpath(path)
    try:
        mode = os.stat(target).st_mode & 0o777
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        mode = 0o666 & ~umask
    descriptor, temporary = tempfile.mkstemp(prefix=".project-o-", suffix=".ipynb.new", dir=os.path.dirname(target))
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise

"""What the dispatcher is made of: its texts, how they are compiled, and the one that a wheel may bring.

Nothing of this package is imported here. The wheel's build hook (``kernel/hatch_build.py``) reads this file by its
path, where nothing is installed that the package needs: so there is one list of files and flags, and one digest.
"""

from __future__ import annotations

import hashlib
import json
import re
import sysconfig
from collections.abc import Sequence
from importlib import metadata, util
from pathlib import Path

ABI_NUMBER = 2
"""Raised whenever the cells of a call or the description change their meaning."""

NAME = "project_o_dispatch"
FILES = ("dispatch.c", "entry.h", "arguments.h", "results.h")
FLAGS = ("-O2", "-g0", "-std=gnu11", "-fPIC", "-shared", "-fvisibility=hidden", "-fno-strict-aliasing", "-DNDEBUG")
FOLDER = Path(__file__).parent / "dispatcher"
NUMPY_OLDEST = (1, 26)
"""Keep in step with NPY_TARGET_VERSION in arguments.h, and with what the package asks for."""
NUMPY_NEWEST_MAJOR = 2
"""The binary interface of numpy's headers ends with its major version."""
_AGAIN = "install project-o again"


def text(name: str) -> str:
    """One of ``FILES``."""
    return (FOLDER / name).read_text("utf-8")


def digest() -> str:
    """Of all that a compiled dispatcher depends on but for the machine, the interpreter, and numpy."""
    body = "\0".join(("dispatcher", str(ABI_NUMBER), *map(text, FILES), *FLAGS))
    return hashlib.sha256(body.encode()).hexdigest()


# ------------------------------------------------------------------- compiling it


def python_headers() -> Path | None:
    """The folder with the running interpreter's ``Python.h``; None where it has none."""
    folder = Path(sysconfig.get_path("include"))
    return folder if (folder / "Python.h").is_file() else None


def numpy_headers() -> Path | None:
    """The folder with numpy's headers; None where it has none."""
    # Found, not imported: numpy takes longer to import than most cells to run.
    spec = util.find_spec("numpy")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        for core in ("_core", "core"):
            path = Path(folder) / core / "include"
            if (path / "numpy" / "arrayobject.h").is_file():
                return path
    return None


def command(compiler: Sequence[str], python: Path, numpy: Path, library: str, target: str = "") -> tuple[str, ...]:
    """The command line, for the folder with ``FILES``. ``target``: in Zig's words, and not this machine."""
    includes = sorted({str(python), sysconfig.get_path("platinclude"), str(numpy)})
    # Debian's pyconfig.h includes another one by its path from /usr/include, where a compiler for another system does
    # not look. After the compiler's own folders, so that the C library is that of the target.
    aimed = ("-target", target, "-idirafter", str(python.parent)) if target else ()
    return (*compiler, *aimed, *FLAGS, *(f"-I{path}" for path in includes), FILES[0], "-o", library)


# ------------------------------------------------------------------- the one that a wheel brings


def shipped_name() -> str:
    """The file's name in a wheel, for the running interpreter: its version, its kind and its machine are in it."""
    return f"{NAME}{sysconfig.get_config_var('EXT_SUFFIX')}"


def facts_name() -> str:
    """The name of the file beside it that says what it was made from."""
    return f"{shipped_name()}.json"


def facts_of(library: bytes) -> str:
    """What that file says."""
    return json.dumps({"digest": digest(), "sha256": hashlib.sha256(library).hexdigest()})


def shipped() -> tuple[Path | None, str]:
    """The one that came with this package; else None, and why it is passed over ("": none came for this Python)."""
    library, facts = FOLDER / shipped_name(), FOLDER / facts_name()
    if not library.exists():
        return None, ""
    try:
        said, data = json.loads(facts.read_bytes()), library.read_bytes()
        made_from, whole = said["digest"], said["sha256"] == hashlib.sha256(data).hexdigest()
    except (OSError, ValueError, KeyError, TypeError):
        made_from, whole = "", False
    if not whole:  # the system's loader may end the process on a file that is not
        return None, f"that of the wheel is damaged: {_AGAIN}"
    if made_from != digest():
        return None, f"that of the wheel was made from other texts: {_AGAIN}"
    numpy = metadata.version("numpy")
    if not _fits(numpy):
        oldest = ".".join(map(str, NUMPY_OLDEST))
        return None, f"that of the wheel is for numpy {oldest} to {NUMPY_NEWEST_MAJOR}, and this is {numpy}"
    return library, ""


def _fits(numpy: str) -> bool:
    found = re.match(r"(\d+)\.(\d+)", numpy)
    return found is not None and NUMPY_OLDEST <= (int(found[1]), int(found[2])) < (NUMPY_NEWEST_MAJOR + 1, 0)

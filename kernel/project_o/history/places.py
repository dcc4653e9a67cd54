"""Where the store lies, and whether it is ours and can be used.

In a repository the store is ``<git common dir>/o`` (worktrees share it, ``git clean`` spares it, nothing of the
user's names it); elsewhere ``.o/store.git`` beside the notebook, with a ``.o/.gitignore`` of ``*`` so that a later
``git init && git add .`` takes nothing of it. Where neither can be used: below the user's data folder. Nothing
here runs Git, and nothing outside the store is written.
"""

# Plain os.path: the recorder starts without pathlib, and cells wait for some of these calls.
# ruff: noqa: PTH100, PTH102, PTH103, PTH104, PTH105, PTH106, PTH108, PTH110, PTH111, PTH112, PTH114, PTH116, PTH118, PTH119, PTH120, PTH122, PTH208

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable
from typing import NamedTuple

from ..errors import HistoryError
from .blobs import BLOBS

MARKER = "project-o.json"
SCHEMA = 2
"""The format of a store. 1: without ``blobs``."""
RUNS = "runs"
"""The folder of a store that holds the trials of runs under way."""
STORE_VARIABLE = "PROJECT_O_STORE"
"""The environment variable that names a store to use instead."""
_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\tlogAllRefUpdates = false
\tbigFileThreshold = 256k
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""
_HEX = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class Place(NamedTuple):
    """A store's path, what kind of place it is, and why a better one could not be used.

    ``repository`` is the worktree's own Git directory; empty outside a repository.
    """

    path: str
    kind: str
    problem: str = ""
    repository: str = ""


def git_directories(start: str) -> tuple[str, str] | None:
    """(the worktree's Git directory, the common one) of the repository around ``start``, or None."""
    folder = os.path.abspath(start)
    while True:
        candidate = os.path.join(folder, ".git")
        own = candidate if os.path.isdir(candidate) else _linked(candidate, folder)
        if own and os.path.exists(os.path.join(own, "HEAD")):
            return own, _common(own)
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _linked(path: str, folder: str) -> str:
    """What a ``.git`` file of a worktree or submodule points to."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            line = file.readline(4096).strip()
    except OSError:
        return ""
    return os.path.normpath(os.path.join(folder, line[8:])) if line.startswith("gitdir: ") else ""


def _common(own: str) -> str:
    try:
        with open(os.path.join(own, "commondir"), encoding="utf-8", errors="surrogateescape") as file:
            return os.path.normpath(os.path.join(own, file.readline(4096).strip()))
    except OSError:
        return own


def user_head(own: str) -> str:
    """The commit that the user's HEAD names, read without Git; empty where there is none or it is not in files."""
    try:
        with open(os.path.join(own, "HEAD"), encoding="utf-8") as file:
            value = file.readline(4096).strip()
        if not value.startswith("ref: "):
            return value if _HEX.fullmatch(value) else ""
        name = value[5:]
        common = _common(own)
        for base in (own, common):
            with contextlib.suppress(OSError), open(os.path.join(base, name), encoding="ascii") as file:
                found = file.readline(80).strip()
                return found if _HEX.fullmatch(found) else ""
        with open(os.path.join(common, "packed-refs"), encoding="utf-8") as file:
            for line in file:
                digest, _, packed = line.strip().partition(" ")
                if packed == name:
                    return digest
    except (OSError, UnicodeDecodeError):
        pass
    return ""


def data_home() -> str:
    """The user's data folder for stores that cannot lie beside their notebook."""
    base = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return os.path.join(base, "project-o", "history")


def choose_place(directory: str) -> Place:
    """The best usable place of a store for notebooks in ``directory``. Writes nothing."""
    directory = os.path.abspath(directory)
    found = git_directories(directory)
    repository = found[0] if found else ""
    if named := os.environ.get(STORE_VARIABLE):
        path, kind = os.path.abspath(named), "named"
    elif found:
        path, kind = os.path.join(found[1], "o"), "repository"
    else:
        path, kind = os.path.join(directory, ".o", "store.git"), "folder"
    problem = why_unusable(path)
    if not problem:
        return Place(path, kind, repository=repository)
    other = fallback_path(path)
    second = why_unusable(other)
    if second:
        return Place("", "none", f"{problem}; and {second}", repository)
    return Place(other, "data", problem, repository)


def fallback_path(path: str) -> str:
    """The place below the data folder that stands in for ``path``."""
    return os.path.join(data_home(), hashlib.sha256(os.fsencode(path)).hexdigest()[:16])


def why_unusable(path: str) -> str:
    """Why no store can be used or made at ``path``; empty where one can."""
    try:
        there = os.stat(path)
    except FileNotFoundError:
        parent = os.path.dirname(path)
        while not os.path.exists(parent):
            parent = os.path.dirname(parent)
        if not os.path.isdir(parent):
            return f"{parent} is not a folder"
        return "" if os.access(parent, os.W_OK | os.X_OK) else f"{parent} cannot be written"
    except OSError as error:
        return f"{path} cannot be looked at ({error.strerror})"
    if there.st_uid != os.geteuid():
        return f"{path} belongs to another user (uid {there.st_uid})"
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return f"{path} cannot be written"
    return why_corrupt(path)


def why_corrupt(path: str) -> str:
    """Why what lies at ``path`` is not a whole store of ours; empty where it is."""
    number = format_of(path)
    if number == 0:
        return f"{path} is there and is not a history store of ours, or its {MARKER} is damaged"
    if number > SCHEMA:
        return f"{path} has format {number}, and this project-o knows up to {SCHEMA}: update it"
    for name in ("objects", "refs"):
        folder = os.path.join(path, name)
        if not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
            return f"{folder} is missing or cannot be written: the history store is damaged"
    try:
        with open(os.path.join(path, "HEAD"), encoding="ascii") as file:
            head = file.read(4096)
    except (OSError, UnicodeDecodeError):
        head = ""
    return "" if head.startswith("ref: ") else f"{path}/HEAD is damaged: the history store cannot be used"


def format_of(path: str) -> int:
    """The number of a store's format; 0 where the folder does not carry our marker."""
    try:
        with open(os.path.join(path, MARKER), encoding="utf-8") as file:
            body = json.load(file)
    except (OSError, ValueError):
        return 0
    number = body.get("schema") if isinstance(body, dict) else 0
    return number if isinstance(number, int) and number > 0 else 0


def create_store(path: str) -> None:
    """Make the store at ``path`` unless it is there. Raises OSError, or HistoryError for one of a foreign owner.

    It is made under another name and renamed, so that a kernel killed in between leaves no half store, and two
    kernels that begin at once share one.
    """
    if os.path.isdir(path):
        problem = why_unusable(path)
        if problem:
            raise HistoryError(problem)
        migrate(path)
        return
    import shutil

    parent = os.path.dirname(path)
    os.makedirs(parent, mode=0o700, exist_ok=True)
    if os.path.basename(parent) == ".o":
        with contextlib.suppress(FileExistsError), open(os.path.join(parent, ".gitignore"), "x") as file:
            file.write("*\n")
    fresh = f"{path}.{os.getpid()}.{os.urandom(4).hex()}.new"
    try:
        for folder in ("", "objects", "objects/info", "objects/pack", "refs", "refs/heads", "refs/tags", "journal"):
            os.mkdir(os.path.join(fresh, folder), 0o700)
        os.mkdir(os.path.join(fresh, BLOBS), 0o700)
        for name, text in (
            ("config", _CONFIG),
            ("HEAD", "ref: refs/heads/latest\n"),
            (MARKER, _marker(SCHEMA)),
        ):
            with open(os.path.join(fresh, name), "w", encoding="ascii") as file:
                file.write(text)
        try:
            os.rename(fresh, path)
        except OSError:
            if why_unusable(path) or not os.path.isdir(path):
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _marker(number: int) -> str:
    return json.dumps({"schema": number, "what": "a history of notebook states; see `git log` here"}) + "\n"


def _add_blobs(path: str) -> None:
    """From format 1: large outputs have a folder of their own; what is in Git stays there."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(os.path.join(path, BLOBS), 0o700)


_MIGRATIONS: dict[int, Callable[[str], None]] = {1: _add_blobs}
"""From a format to the next one. Each may be begun twice: two kernels may find the same old store."""


def migrate(path: str) -> None:
    """Bring a store of an older format to this one, in place. Raises OSError."""
    number = format_of(path)
    while 0 < number < SCHEMA:
        _MIGRATIONS[number](path)
        number += 1
        fresh = os.path.join(path, f"{MARKER}.{os.getpid()}.new")
        with open(fresh, "w", encoding="ascii") as file:
            file.write(_marker(number))
        os.replace(fresh, os.path.join(path, MARKER))


def remove_store(path: str) -> int:
    """Remove a store of ours and the ``.o`` around it; the bytes freed. Raises HistoryError for anything else."""
    if not os.path.isdir(path):
        return 0
    if os.path.islink(path) or not format_of(path):
        raise HistoryError(f"{path} does not carry our {MARKER}; remove it yourself if it is a history store")
    import shutil

    freed = size_bytes(path)
    shutil.rmtree(path)
    parent = os.path.dirname(path)
    if os.path.basename(parent) == ".o":
        with contextlib.suppress(OSError):
            if os.listdir(parent) == [".gitignore"]:
                os.unlink(os.path.join(parent, ".gitignore"))
                os.rmdir(parent)
    return freed


def size_bytes(path: str) -> int:
    """The bytes on disk below ``path``, in blocks as ``du`` counts them."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
    return total


def notebook_slug(notebook: str | None, directory: str) -> str:
    """The name of a notebook among the refs: its file's name and 4 hex digits of where it lies.

    Inside a repository the place is taken relative to the worktree, so that a moved clone and a second worktree
    keep their history.
    """
    subject = os.path.realpath(notebook or directory)
    found = git_directories(os.path.dirname(subject) if notebook else subject)
    top = ""
    if found:
        top = os.path.dirname(subject) if notebook else subject
        while not os.path.lexists(os.path.join(top, ".git")):
            top = os.path.dirname(top)
    place = os.path.relpath(subject, top) if top else subject
    digest = hashlib.sha256(os.fsencode(place)).hexdigest()[:4]
    if not notebook:
        return f"unnamed-{digest}"
    return f"{slug(os.path.splitext(os.path.basename(subject))[0])}-{digest}"


def slug(text: str) -> str:
    """Lower-case letters, digits and dashes of ``text``, at most 40; ``state`` where nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-") or "state"

"""Git objects, written by ourselves: hashlib, zlib and one rename.

A Git process for each object, or an index, costs more than a whole state may. Reading falls back to one
``git cat-file --batch`` process for what has been packed. Git's own conventions are kept where they matter:
temporary files are called ``tmp_obj_*``, which ``git fsck`` ignores and ``git prune`` removes, and a fan-out
folder that a repack removed in between is made again (Git's ``odb/source-loose.c`` does the same).
"""

# Plain os.path: the recorder starts without pathlib, and cells wait for some of these calls.
# ruff: noqa: PTH102, PTH104, PTH108, PTH110, PTH118

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import weakref
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, Any

from ..errors import HistoryError

TREE_MODE = "40000"
BLOB_MODE = "100644"
COMPRESS_LEVEL = 1
STORE_LEVEL = 0
_ATTEMPTS = 8
_KNOWN_MAX = 100_000
_FETCHED_AT_ONCE = 500
"""Names whose lines fit into a pipe together, so that asking never waits for answers that nobody reads."""


def git_environment() -> dict[str, str]:
    """The environment without what would point Git at another repository."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return clean | {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


def need_git(what: str) -> None:
    """Raise HistoryError where ``what`` cannot be done because there is no git: recording and restoring need none."""
    if shutil.which("git") is None:
        raise HistoryError(f"{what} needs git, which is not on the PATH: install git, then say it again")


def object_id(kind: str, data: bytes) -> str:
    """The SHA-1 name, 40 hexadecimal digits, of an object."""
    return hashlib.sha1(b"%s %d\0" % (kind.encode(), len(data)) + data, usedforsecurity=False).hexdigest()


class ObjectStore:
    """The objects of one bare repository."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._objects = os.path.join(path, "objects")
        self._known: set[str] = set()
        self._fetched: dict[str, tuple[str, bytes]] = {}
        self._batch: subprocess.Popen[bytes] | None = None

    def write(self, kind: str, data: bytes, level: int = COMPRESS_LEVEL, known: str | None = None) -> str:
        """Store one object and return its id; nothing is done for the one that is ``known`` to be there.

        Raises OSError (disk full, read-only).
        """
        header = b"%s %d\0" % (kind.encode(), len(data))
        digest = hashlib.sha1(header, usedforsecurity=False)
        digest.update(data)
        name = digest.hexdigest()
        if name == known or name in self._known:
            return name
        folder = os.path.join(self._objects, name[:2])
        target = os.path.join(folder, name[2:])
        if not os.path.exists(target):
            self._place(folder, target, header, data, level)
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        self._known.add(name)
        return name

    def _place(self, folder: str, target: str, header: bytes, data: bytes, level: int) -> None:
        packer = zlib.compressobj(level)
        body = packer.compress(header) + packer.compress(data) + packer.flush()
        for attempt in range(_ATTEMPTS):
            temporary = os.path.join(folder, f"tmp_obj_{os.getpid()}_{os.urandom(4).hex()}")
            try:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(folder, 0o700)
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
                try:
                    write_all(descriptor, body)
                finally:
                    os.close(descriptor)
                os.rename(temporary, target)
            except FileNotFoundError:
                # A repack removed the emptied folder between mkdir and rename: make it again.
                if attempt == _ATTEMPTS - 1:
                    raise
            except OSError:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise
            else:
                return

    def read(self, name: str) -> tuple[str, bytes]:
        """The kind and content of an object. Raises HistoryError where it is missing or damaged."""
        if name in self._fetched:
            return self._fetched[name]
        try:
            with open(os.path.join(self._objects, name[:2], name[2:]), "rb") as file:
                raw = zlib.decompress(file.read())
        except FileNotFoundError:
            return self._read_packed(name)
        except (OSError, zlib.error) as error:
            raise HistoryError(f"object {name} in {self.path} cannot be read: {error}") from error
        head, _, data = raw.partition(b"\0")
        kind, _, length = head.partition(b" ")
        if int(length) != len(data):
            raise HistoryError(f"object {name} in {self.path} is cut short; `git fsck` there says what else is")
        return kind.decode(), data

    def read_as(self, name: str, kind: str) -> bytes:
        """The content of an object that must be of this kind. Raises HistoryError."""
        found, data = self.read(name)
        if found != kind:
            raise HistoryError(f"object {name} in {self.path} is a {found}, not a {kind}")
        return data

    def _read_packed(self, name: str) -> tuple[str, bytes]:
        for _ in range(2):
            try:
                if self._batch is None:
                    self._batch = self._start_batch()
                return self._ask(self._batch, name)
            except (OSError, ValueError) as error:
                self.close()
                failure = error
        raise HistoryError(f"object {name} is not in {self.path}: {failure}")

    def fetch(self, names: Iterable[str]) -> None:
        """Read these at once; they are kept until ``forget_fetched``. What is missing is said when it is read."""
        wanted = list(dict.fromkeys(names))
        with contextlib.suppress(OSError, ValueError, HistoryError):
            for first in range(0, len(wanted), _FETCHED_AT_ONCE):
                part = wanted[first : first + _FETCHED_AT_ONCE]
                if self._batch is None:
                    self._batch = self._start_batch()
                source, _ = _pipes(self._batch)
                source.write("".join(f"{name}\n" for name in part).encode())
                source.flush()
                for name in part:
                    self._fetched[name] = self._answer(self._batch, name)

    def forget_fetched(self) -> None:
        """What was fetched is not wanted any longer."""
        self._fetched.clear()

    def _start_batch(self) -> subprocess.Popen[bytes]:
        need_git("to read what is packed in this history")
        batch = subprocess.Popen(
            ["git", f"--git-dir={self.path}", "cat-file", "--batch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=git_environment(),
            start_new_session=True,
        )
        self._end = weakref.finalize(self, _end, batch)
        return batch

    def _ask(self, batch: subprocess.Popen[bytes], name: str) -> tuple[str, bytes]:
        source, _ = _pipes(batch)
        source.write(name.encode() + b"\n")
        source.flush()
        return self._answer(batch, name)

    def _answer(self, batch: subprocess.Popen[bytes], name: str) -> tuple[str, bytes]:
        _, answers = _pipes(batch)
        words = answers.readline().split()
        if len(words) != 3:
            raise HistoryError(f"object {name} is not in {self.path}; `git fsck` there says what else is missing")
        data = answers.read(int(words[2]))
        answers.read(1)
        if len(data) != int(words[2]):
            raise ValueError("git cat-file ended early")
        return words[1].decode(), data

    def close(self) -> None:
        """End the reading process, if there is one. Also done when the store is collected."""
        self.forget_fetched()
        if self._batch is not None:
            self._batch = None
            self._end()


def _end(batch: subprocess.Popen[bytes]) -> None:
    for pipe in (batch.stdin, batch.stdout):
        with contextlib.suppress(OSError):
            if pipe:
                pipe.close()
    batch.kill()
    batch.wait()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


# ------------------------------------------------------------------------------------- trees

Entry = tuple[str, str]
"""(mode, object id)."""


def parse_tree(data: bytes) -> dict[str, Entry]:
    """The entries of a tree object by name."""
    entries: dict[str, Entry] = {}
    at = 0
    while at < len(data):
        end = data.index(b"\0", at)
        mode, _, name = data[at:end].partition(b" ")
        entries[name.decode("utf-8", "surrogateescape")] = (mode.decode(), data[end + 1 : end + 21].hex())
        at = end + 21
    return entries


class Tree:
    """A tree that is read where it is entered and written where it was changed."""

    def __init__(self, store: ObjectStore, name: str | None = None) -> None:
        self._store = store
        self._name = name
        self._entries: dict[str, Entry | Tree] | None = None if name else {}

    def _load(self) -> dict[str, Entry | Tree]:
        if self._entries is None:
            assert self._name
            self._entries = dict(parse_tree(self._store.read_as(self._name, "tree")))
        return self._entries

    def child(self, part: str) -> Tree | None:
        """The folder called ``part``, or None."""
        entries = self._load()
        found = entries.get(part)
        if isinstance(found, Tree):
            return found
        if found is None or found[0] != TREE_MODE:
            return None
        tree = Tree(self._store, found[1])
        entries[part] = tree
        return tree

    def get(self, path: str) -> str | None:
        """The id of the blob at ``path``, or None."""
        head, _, rest = path.partition("/")
        if rest:
            child = self.child(head)
            return child.get(rest) if child else None
        found = self._load().get(head)
        return None if found is None or isinstance(found, Tree) else found[1]

    def put(self, path: str, blob: str) -> None:
        """Place a blob at ``path``."""
        head, _, rest = path.partition("/")
        if rest:
            child = self.child(head)
            if child is None:
                child = Tree(self._store)
                self._load()[head] = child
            child.put(rest, blob)
        else:
            self._load()[head] = (BLOB_MODE, blob)
        self._name = None

    def remove(self, path: str) -> None:
        """Take away the blob or folder at ``path`` if it is there."""
        head, _, rest = path.partition("/")
        if rest:
            child = self.child(head)
            if child is None:
                return
            child.remove(rest)
            if not child._load():
                del self._load()[head]
        else:
            self._load().pop(head, None)
        self._name = None

    def write(self) -> str:
        """Store what changed and return the tree's id. Raises OSError."""
        if self._name is not None:
            return self._name
        lines = []
        for name, entry in self._load().items():
            mode, digest = (TREE_MODE, entry.write()) if isinstance(entry, Tree) else entry
            raw = name.encode("utf-8", "surrogateescape")
            # Git sorts folders as though their names ended in a slash.
            lines.append((raw + b"/" if mode == TREE_MODE else raw, mode, raw, digest))
        body = b"".join(b"%s %s\0%s" % (m.encode(), n, bytes.fromhex(d)) for _, m, n, d in sorted(lines))
        self._name = self._store.write("tree", body)
        return self._name

    def fetch(self) -> None:
        """Read the folders in this one, and all that they hold, at once."""
        folders = [entry[1] for entry in self._load().values() if not isinstance(entry, Tree) and entry[0] == TREE_MODE]
        self._store.fetch(folders)
        self._store.fetch([blob for _, blob in self.walk()])

    def walk(self, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Each (path, blob id) below this tree, in the order of the paths."""
        for name, entry in sorted(self._load().items()):
            path = prefix + name
            if isinstance(entry, Tree) or entry[0] == TREE_MODE:
                child = self.child(name)
                assert child is not None
                yield from child.walk(path + "/")
            else:
                yield path, entry[1]


def compare_trees(store: ObjectStore, a: str, b: str, prefix: str = "") -> Iterator[tuple[str, str | None, str | None]]:
    """Each (path, blob in ``a``, blob in ``b``) that differs; folders with equal ids are not entered."""
    if a == b:
        return
    left: dict[str, Any] = parse_tree(store.read_as(a, "tree")) if a else {}
    right: dict[str, Any] = parse_tree(store.read_as(b, "tree")) if b else {}
    for name in sorted(left.keys() | right.keys()):
        (mode_a, id_a), (mode_b, id_b) = left.get(name, ("", "")), right.get(name, ("", ""))
        if id_a == id_b and mode_a == mode_b:
            continue
        folder_a, folder_b = mode_a == TREE_MODE, mode_b == TREE_MODE
        if folder_a or folder_b:
            yield from compare_trees(store, id_a if folder_a else "", id_b if folder_b else "", f"{prefix}{name}/")
        file_a = id_a if id_a and not folder_a else None
        file_b = id_b if id_b and not folder_b else None
        if file_a or file_b:
            yield prefix + name, file_a, file_b

"""The objects of a store, written anew without a text. For ``forgetting``."""

# Plain os.path, as in the rest of the history.
# ruff: noqa: PTH108, PTH122

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import subprocess
from typing import Any

from ..errors import HistoryError
from .blobs import Blobs
from .contents import CELLS, DEPLOYMENTS, NOTEBOOK, STATE, decode, encode
from .largeoutputs import is_binary
from .objects import TREE_MODE, ObjectStore, git_environment, parse_tree
from .redact import FORGOTTEN
from .refs import TAGS

_KEPT_TRAILERS = ("O-Seq: ", "O-Lane: ", "O-Time: ")
_SAVED = "O-Saved: "
_ID = re.compile(r"\b[0-9a-f]{40}\b")
_STRUCTURE = frozenset({"id", "file", "type"})
_SEARCHED_FILES = (".log", ".jsonl")
_PERSON = re.compile(r"(.*) <(.*)> ([0-9]+ [+-][0-9]{4})")
WORDS = (
    *("output_type", "stream", "stdout", "stderr", "execute_result", "display_data", "error", "traceback", "evalue"),
    *("ename", "execution_count", "metadata", "text/plain", "text/html", "image/png", "application/json", "nbformat"),
    *("outputs", "cells", "kernelspec", "language", "display_name", "schema", "sequence", "session", "platform"),
    *("notebook", "lane", "format", "names", "files", "mode", "options", "parameters", "origin", "since", "state"),
    *("digest", "level", "accepted", "rollback", "restored", "programs", "cell.zig", "cell.rs", "cell.py", "cell.hy"),
)
"""Keys and values without which nothing of a state could be read."""


class Rewriter:
    """Maps the ids of objects to those of their cleaned twins; what holds nothing keeps its id."""

    def __init__(self, store: str, find: re.Pattern[str]) -> None:
        self.matches = 0
        self.commits_changed = 0
        self.refs_changed = 0
        self.texts: set[str] = set()
        self._store = store
        self._find = find
        self._objects = ObjectStore(store)
        self._commits: dict[str, str] = {}
        self._trees: dict[tuple[str, str], str] = {}
        self._blobs: dict[tuple[str, str], str] = {}
        self._renamed: dict[str, str] = {}

    def close(self) -> None:
        """End the reading process."""
        self._objects.close()

    # ------------------------------------------------------------------------------ texts

    def _clean(self, text: str) -> str:
        def mark(match: re.Match[str]) -> str:
            self.matches += 1
            self.texts.add(match[0])
            return FORGOTTEN

        return self._find.sub(mark, text)

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._clean(value)
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if isinstance(value, dict):
            return {self._clean(key): self._item(key, item) for key, item in value.items()}
        return value

    def _item(self, key: str, value: Any) -> Any:
        if isinstance(value, str) and is_binary(key):
            return FORGOTTEN if self._in_base64(value) else value
        return self._value(value)

    def _in_base64(self, value: str) -> bool:
        try:
            raw = base64.b64decode(value)
        except (ValueError, binascii.Error):
            return self._find.search(value) is not None
        return self._in_bytes(raw)

    def _in_bytes(self, raw: bytes) -> bool:
        found = self._find.search(raw.decode("utf-8", "replace")) or self._find.search(raw.decode("latin-1"))
        self.matches += found is not None
        return found is not None

    # ------------------------------------------------------------------------------ objects

    def commit_or_tag(self, name: str) -> str:
        """The twin of what a ref names."""
        kind, data = self._objects.read(name)
        if kind == "tag":
            head, _, message = data.decode("utf-8", "replace").partition("\n\n")
            target = head.split("\n", 1)[0].removeprefix("object ")
            head = head.replace(target, self.commit_or_tag(target), 1)
            return self._written(name, "tag", f"{head}\n\n{self._message(message, target)}".encode())
        return self.commit(name)

    def commit(self, tip: str) -> str:
        """The twin of a commit, after those of all that came before it."""
        waiting = [tip]
        while waiting:
            name = waiting[-1]
            if name in self._commits:
                waiting.pop()
                continue
            data = self._objects.read_as(name, "commit").decode("utf-8", "surrogateescape")
            head, _, message = data.partition("\n\n")
            parents = [line[7:] for line in head.split("\n") if line.startswith("parent ")]
            before = [parent for parent in parents if parent not in self._commits]
            if before:
                waiting += before
                continue
            waiting.pop()
            self._commits[name] = self._rewritten(name, head, message)
            self.commits_changed += self._commits[name] != name
        return self._commits[tip]

    def _rewritten(self, name: str, head: str, message: str) -> str:
        lines = []
        for line in head.split("\n"):
            key, _, value = line.partition(" ")
            if key == "tree":
                value = self._tree(value, "")
            elif key == "parent":
                value = self._commits[value]
            elif found := _PERSON.fullmatch(value):
                value = f"{self._clean(found[1])} <{self._clean(found[2])}> {found[3]}"
            lines.append(f"{key} {value}")
        text = "\n".join(lines) + "\n\n" + self._message(message, name)
        return self._written(name, "commit", text.encode("utf-8", "surrogateescape"))

    def _written(self, old: str, kind: str, data: bytes) -> str:
        return self._objects.write(kind, data) if data != self._objects.read(old)[1] else old

    def _message(self, message: str, commit: str) -> str:
        lines = [line if line.startswith(_KEPT_TRAILERS) else self._clean(line) for line in message.split("\n")]
        if lines[0] != message.split("\n", 1)[0]:
            # A saved name is made of the words of the subject.
            self._renamed[commit] = f"forgotten-{commit[:8]}"
            lines = [_SAVED + self._renamed[commit] if line.startswith(_SAVED) else line for line in lines]
        return _ID.sub(lambda match: self._commits.get(match[0], match[0]), "\n".join(lines))

    def _tree(self, name: str, place: str) -> str:
        known = self._trees.get((name, place))
        if known is not None:
            return known
        data = self._objects.read_as(name, "tree")
        entries = []
        for part, (mode, child) in parse_tree(data).items():
            path = f"{place}/{part}" if place else part
            folder = mode == TREE_MODE
            new = self._tree(child, path) if folder else self._blob(child, path)
            entries.append((part if path.startswith(CELLS) else self._clean(part), mode, new, folder))
        raw = [(part.encode("utf-8", "surrogateescape"), mode, new, folder) for part, mode, new, folder in entries]
        raw.sort(key=lambda item: item[0] + b"/" if item[3] else item[0])
        body = b"".join(b"%s %s\0%s" % (mode.encode(), part, bytes.fromhex(new)) for part, mode, new, _ in raw)
        made = name if body == data else self._objects.write("tree", body)
        self._trees[name, place] = made
        return made

    def _blob(self, name: str, path: str) -> str:
        kind = path if path in (NOTEBOOK, STATE, DEPLOYMENTS) else os.path.splitext(path)[1]
        # What names commits is cleaned for each state anew: it may name ones that were not written yet before.
        known = None if kind == DEPLOYMENTS else self._blobs.get((name, kind))
        if known is not None:
            return known
        data = self._objects.read_as(name, "blob")
        new = self._content(data, kind)
        made = name if new == data else self._objects.write("blob", new)
        self._blobs[name, kind] = made
        return made

    def _content(self, data: bytes, kind: str) -> bytes:
        try:
            text = decode(data)
        except UnicodeDecodeError:
            return encode(FORGOTTEN) if self._in_bytes(data) else data
        if kind == DEPLOYMENTS:
            text = _ID.sub(lambda match: self._commits.get(match[0], match[0]), text)
        if kind in (NOTEBOOK, STATE, DEPLOYMENTS, ".json"):
            try:
                return self._document(text, kind)
            except (ValueError, KeyError, TypeError):
                pass  # no document of ours: it is cleaned as the text that it is
        return encode(self._clean(text))

    def _document(self, text: str, kind: str) -> bytes:
        body, before = json.loads(text), self.matches
        if kind == NOTEBOOK:
            body["metadata"] = self._value(body["metadata"])
            body["cells"] = [
                {key: value if key in _STRUCTURE else self._value(value) for key, value in cell.items()}
                for cell in body["cells"]
            ]
        elif kind == STATE:
            body = {key: value if key == "lane" else self._value(value) for key, value in body.items()}
        else:
            body = self._value(body)
        if self.matches == before:
            return encode(text)
        return encode(json.dumps(body, ensure_ascii=False, indent=1 if "\n" in text else None))

    # ------------------------------------------------------------------------------ everything else

    def ref_name(self, name: str, tip: str) -> str:
        """The name that a ref has afterwards; ``tip`` is what it held before."""
        if name.startswith(TAGS) and tip in self._renamed:
            return TAGS + self._renamed[tip]
        return name

    def clean_files(self) -> None:
        """The structured logs beside the objects, line by line."""
        for entry in os.scandir(self._store):
            if entry.is_file(follow_symlinks=False) and entry.name.endswith(_SEARCHED_FILES):
                with open(entry.path, encoding="utf-8", errors="surrogateescape") as file:
                    text = file.read()
                clean = self._clean(text)
                if clean != text:
                    with open(entry.path, "w", encoding="utf-8", errors="surrogateescape") as file:
                        file.write(clean)

    def drop_databases(self) -> None:
        """A database that holds it, in the name of a function say: what is in it is worth less than that."""
        for entry in os.scandir(self._store):
            if entry.is_file(follow_symlinks=False) and ".sqlite" in entry.name:
                with open(entry.path, "rb") as file:
                    data = file.read()
                if self._in_bytes(data):
                    os.unlink(entry.path)

    def drop_large_outputs(self) -> None:
        """Large outputs that hold it: the states say that they were let go of."""
        blobs = Blobs(self._store)
        for name, path, _, _ in blobs.entries():
            data = blobs.get(name) if name else None
            if data is None or self._in_bytes(data):
                os.unlink(path)

    def search_what_is_left(self) -> None:
        """Git reads out every object that is left: raises HistoryError where one of the texts is still there."""
        wanted = [text.encode("utf-8", "surrogatepass") for text in self.texts]
        with subprocess.Popen(
            ["git", f"--git-dir={self._store}", "cat-file", "--batch-all-objects", "--batch"],
            env=git_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None
            while head := process.stdout.readline():
                name, _, size = head.split()
                data = process.stdout.read(int(size))
                process.stdout.read(1)
                if any(text in data for text in wanted):
                    process.kill()
                    raise HistoryError(f"object {name.decode()} still holds it: say forget again, with its exact words")

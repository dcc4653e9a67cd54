"""The notebook's file, as far as it is known, merged into the state.

The kernel never sees the order of the cells, markdown, or cells that were not run; the file has them, but lags
behind. So: the file gives order, markdown, and cells that this session has not run; what was run keeps the source
and outputs that were recorded. A file that was not saved since an earlier kernel's last state does not empty what that
kernel's cells gave. Runs in the recorder, only when the file's time or size moved.
"""

# Plain os.path: the recorder starts without pathlib, and cells wait for some of these calls.
# ruff: noqa: PTH116

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .contents import Contents, cell_id
from .largeoutputs import is_binary
from .redact import Redactor

_VOLATILE = ("execution", "papermill", "ExecuteTime")
_SYNTHETIC = re.compile(r"x[0-9]+")


def read_cells(path: str, redact: Redactor) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The cells of an ``.ipynb`` and its metadata, redacted. Raises OSError or ValueError."""
    with open(path, encoding="utf-8") as file:
        body = json.load(file)
    redact = redact.for_all(_texts(body, []))
    if not isinstance(body, dict) or not isinstance(body.get("cells"), list):
        raise ValueError(f"{path} is not a notebook of format 4")  # noqa: TRY004 - as for text that is no JSON
    cells, taken = [], set()
    for ordinal, raw in enumerate(body["cells"]):
        name = cell_id(str(raw.get("id") or f"f{ordinal}"))
        while name in taken:
            name = cell_id(f"{name}-{ordinal}")
        taken.add(name)
        metadata = {key: value for key, value in dict(raw.get("metadata") or {}).items() if key not in _VOLATILE}
        cell = {"id": name, "type": raw.get("cell_type", "code"), "source": redact.text(_joined(raw.get("source")))}
        cell |= {"metadata": redact.value(metadata), "attachments": raw.get("attachments")}
        if cell["type"] == "code":
            outputs = [join_lines(output) for output in raw.get("outputs") or []]
            cell |= {"outputs": redact.outputs(outputs), "execution_count": raw.get("execution_count")}
        cells.append(cell)
    metadata = {key: value for key, value in dict(body.get("metadata") or {}).items() if key not in _VOLATILE}
    return cells, redact.value(metadata)


def _texts(value: Any, found: list[str]) -> list[str]:
    """Every text of a notebook that is searched for secrets, added to ``found``."""
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not is_binary(key):
                found.append(key)
                _texts(item, found)
    elif isinstance(value, list):
        if {*map(type, value)} == {str}:
            found.append("".join(value))  # the lines of one text
        else:
            for item in value:
                _texts(item, found)
    return found


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text or "")


def join_lines(output: Mapping[str, Any]) -> dict[str, Any]:
    """An output with the lists of lines of nbformat's files joined, as it is in memory."""
    joined = dict(output)
    if isinstance(joined.get("text"), list):
        joined["text"] = _joined(joined["text"])
    if isinstance(joined.get("data"), dict):
        joined["data"] = {
            mime: _joined(value) if isinstance(value, list) and not mime.endswith("json") else value
            for mime, value in joined["data"].items()
        }
    return joined


class FileMerge:
    """Follows one notebook file and knows which cells this session has run, and under which id."""

    def __init__(self, path: str, dropped: dict[str, tuple[list[dict[str, Any]], int | None]]) -> None:
        """``dropped`` takes the outputs of carried cells that the file does not have: an open notebook may."""
        self.redact = Redactor()
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._ran: dict[str, None] = {}
        self._aliases: dict[str, str] = {}
        self._sources: list[tuple[str, str]] = []
        self._position = -1
        self.carried_on = 0.0
        """When the state was committed with which an earlier kernel ended; 0 where nothing is carried on."""
        self._dropped = dropped

    @property
    def known(self) -> bool:
        """Whether a notebook file was read, or written."""
        return self._stamp is not None

    def follow(self, path: str) -> None:
        """The notebook is now known to lie at ``path``."""
        if path != self._path:
            self._path, self._stamp = path, None

    def forget(self) -> None:
        """What was run no longer outweighs the file: the state has been replaced."""
        self._ran.clear()
        self._aliases.clear()
        self._position = -1
        self._stamp = self._look()

    def current(self, name: str) -> str:
        """The id that a cell recorded as ``name`` has now."""
        return self._aliases.get(name, name)

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._path) if self._path else None
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None

    def refresh(self, contents: Contents) -> bool:
        """Take over the file if it changed since it was last read; whether it was."""
        stamp = self._look()
        if stamp is None or stamp == self._stamp:
            return False
        try:
            cells, metadata = read_cells(self._path, self.redact)
        except (OSError, ValueError, TypeError, AttributeError):
            return False  # being saved at this moment, or not a notebook: the next state looks again
        self._stamp = stamp
        self._take(contents, cells, metadata)
        return True

    def replace(self, contents: Contents, cells: Sequence[Mapping[str, Any]], metadata: Mapping[str, Any]) -> None:
        """The state's cells are exactly these."""
        self._ran.clear()
        self._aliases.clear()
        self._take(contents, cells, metadata)

    def _take(self, contents: Contents, cells: Sequence[Mapping[str, Any]], metadata: Mapping[str, Any]) -> None:
        self._sources = [(cell["id"], cell["source"]) for cell in cells if cell["type"] == "code"]
        self._adopt(contents)
        listed = [cell["id"] for cell in cells]
        is_older = self._stamp is not None and self._stamp[0] / 1e9 < self.carried_on
        for entry in list(contents.entries):
            if entry["id"] not in self._ran and entry["id"] not in listed:
                if is_older:
                    self._dropped[entry["id"]] = contents.outputs(entry["id"])
                contents.drop(entry["id"])
        for cell in cells:
            name = cell["id"]
            if name not in self._ran:
                outputs = cell.get("outputs", []), cell.get("execution_count")
                if is_older and not outputs[0] and contents.find(name) is not None:
                    carried = contents.outputs(name)
                    if contents.source(name) == cell["source"]:
                        outputs = carried
                    else:
                        self._dropped[name] = carried
                contents.put_source(name, cell["type"], cell["source"])
                contents.put_outputs(name, *outputs)
            if contents.find(name) is not None:
                contents.annotate(name, cell.get("metadata") or {}, cell.get("attachments"))
        contents.reorder(listed)
        contents.set_metadata(metadata)

    def _adopt(self, contents: Contents) -> None:
        """Cells that were numbered before the file was known take the file's ids where the source is unique."""
        listed = {name for name, _ in self._sources}
        for name in [name for name in self._ran if _SYNTHETIC.fullmatch(name) and name not in listed]:
            source = contents.source(name)
            matches = [other for other, text in self._sources if text == source]
            if len(matches) == 1 and matches[0] not in self._ran:
                contents.rename(name, matches[0])
                del self._ran[name]
                self._ran[matches[0]] = None
                self._aliases[name] = matches[0]

    def remember(self, recorded: str, name: str) -> None:
        """The cell recorded as ``recorded`` was run in this session and is called ``name``."""
        if recorded != name:
            self._aliases[recorded] = name
        self._ran[name] = None

    def identify(self, name: str, source: str) -> str:
        """The id of the cell that is being recorded as ``name``; from now on it counts as run.

        A number stands for a cell whose front end sent no id: it is found by its source in the file. Of several
        cells with the same source the next one that was not yet run is meant.
        """
        if _SYNTHETIC.fullmatch(name):
            matches = [index for index, (_, text) in enumerate(self._sources) if text == source]
            if len(matches) > 1:
                fresh = [index for index in matches if self._sources[index][0] not in self._ran]
                later = [index for index in fresh if index > self._position]
                matches = (later or fresh or matches)[:1]
            if matches:
                self._position = matches[0]
                self._aliases[name] = name = self._sources[matches[0]][0]
        self._ran[name] = None
        return name

"""What ``rustc --error-format=json`` says, with every place in the cell's own lines and columns."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ... import limits
from ...values import Diagnostic
from ..hints import RUST, with_hints
from ..sources import without_library
from .recipe import SHIM_PATH

_LISTS = re.compile(r"the following (?:other )?types implement trait")
"""A list of all types that would have done is longer than the rest, and tells a reader of a cell little."""
_LINKER = "linking with "
_NO_SUCH_VALUE = "E0425"
_LAST_WORDS_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Found:
    """Errors of the cell, and what of our own code around it was refused, by function or struct with the reason."""

    cell: tuple[Diagnostic, ...]
    refused: dict[str, str]


def read(output: str, sources: Mapping[str, str], owners: Mapping[int, str]) -> Found:
    """The errors in the compiler's output.

    ``sources`` are the texts that were compiled, by their path, the cell's first; ``owners`` say which function or
    struct each line of the shim is for. Where the cell itself has errors, those of the shim are their consequence.
    """
    cell: list[Diagnostic] = []
    refused: dict[str, str] = {}
    for remark in _remarks(output):
        place = _place(remark["spans"], sources)
        owner = _owner(remark["spans"], owners) if place is None else ""
        if owner:
            refused.setdefault(owner, _reason(remark))
        else:
            cell.append(_diagnostic(remark, place, sources))
    if refused and not any(item.line for item in cell):
        return Found((), refused)
    # The compiler follows its own order of work, a reader goes from top to bottom.
    ordered = sorted(cell, key=lambda item: (item.line == 0, item.line, item.column))
    return Found(with_hints(ordered[: limits.DIAGNOSTICS_SHOWN_MAX], RUST), {})


def words(output: str) -> str:
    """What the compiler said, as it would have printed it."""
    said = "\n".join(str(remark.get("rendered") or remark["message"]) for remark in _remarks(output))
    return (said or output).strip()[-_LAST_WORDS_CHARACTERS:] or "it said nothing"


def _remarks(output: str) -> list[dict[str, Any]]:
    found = []
    for line in output.splitlines():
        try:
            remark = json.loads(line)
        except ValueError:
            continue  # the linker's or the system's own words, or a line that was cut at the limit
        if not isinstance(remark, dict) or not str(remark.get("level", "")).startswith("error"):
            continue
        if remark.get("spans") or not str(remark["message"]).startswith("aborting due to"):
            found.append(remark)
    return found


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    line: int
    column: int
    width: int
    beyond: bool = False


def _place(spans: list[dict[str, Any]], sources: Mapping[str, str]) -> _Place | None:
    """Where the first primary span is in the cell: itself, or the use of the macro that it comes from."""
    for span in sorted(spans, key=lambda item: not item["is_primary"]):
        found = _in_cell(span, sources)
        if found is not None or span["is_primary"]:
            return found
    return None


def _in_cell(span: dict[str, Any] | None, sources: Mapping[str, str]) -> _Place | None:
    while span is not None:
        path = span["file_name"]
        if path in sources:
            text = sources[path].split("\n")
            line = span["line_start"]
            if line > len(text):
                # The end of the file is said to be behind our line, where something was left open.
                return _Place(path, len(text), max(1, len(text[-1])), 1, beyond=True)
            one_line = span["line_end"] == line
            end = span["column_end"] if one_line else len(text[line - 1]) + 1
            return _Place(path, line, span["column_start"], max(1, end - span["column_start"]))
        span = (span.get("expansion") or {}).get("span")
    return None


def _owner(spans: list[dict[str, Any]], owners: Mapping[int, str]) -> str:
    for span in spans:
        step: dict[str, Any] | None = span
        while step is not None:
            if step["file_name"] == SHIM_PATH and step["line_start"] in owners:
                return owners[step["line_start"]]
            step = (step.get("expansion") or {}).get("span")
    return ""


def _reason(remark: dict[str, Any]) -> str:
    if (remark.get("code") or {}).get("code") == _NO_SUCH_VALUE:
        return "a #[cfg] leaves it out of this build"
    label = next((span["label"] for span in remark["spans"] if span["is_primary"] and span.get("label")), "")
    return f"{remark['message']}{f' ({label})' if label else ''}"


def _diagnostic(remark: dict[str, Any], place: _Place | None, sources: Mapping[str, str]) -> Diagnostic:
    if str(remark["message"]).startswith(_LINKER):
        said = _linkers_words(remark)
        return Diagnostic("error", without_library(said) or f"the cell does not link: {said}")
    labels = [
        note
        for span in remark["spans"]
        if span.get("label") and not span["is_primary"] and (note := _note(span["label"], span, sources)) is not None
    ]
    told = [_child(child, sources) for child in remark["children"] if not _LISTS.match(str(child["message"]))]
    label = next((str(span["label"]) for span in remark["spans"] if span["is_primary"] and span.get("label")), "")
    message = str(remark["message"])
    if label and label not in message and not message.endswith(label):
        message = f"{message}: {label}"
    found = _placed("error", message, place, sources, (*labels, *told))
    if place is not None and place.beyond and labels and labels[0].line:
        # At the end of the file nothing can be mended: what was left open can.
        return replace(labels[0], severity="error", message=message, notes=(*labels[1:], *told))
    return found


def _linkers_words(remark: dict[str, Any]) -> str:
    """What the linker itself says, without the command that it was given."""
    lines = [line for child in remark["children"] for line in str(child["message"]).splitlines()]
    said = [line.strip() for line in lines if "error: " in line and not line.startswith("collect2")]
    return "; ".join(said)[:_LAST_WORDS_CHARACTERS] or "the linker does not say why: see `project-o doctor`"


def _note(text: str, span: dict[str, Any], sources: Mapping[str, str]) -> Diagnostic | None:
    place = _in_cell(span, sources)
    return None if place is None else _placed("note", text, place, sources)


def _child(remark: dict[str, Any], sources: Mapping[str, str]) -> Diagnostic:
    message = str(remark["message"])
    suggestion = next((span.get("suggested_replacement") for span in remark["spans"]), None)
    if suggestion and suggestion.strip() and len(suggestion) < limits.SUMMARY_CHARACTERS_MAX:
        message += f": `{suggestion.strip()}`"
    if remark["level"] == "help":
        message = f"help: {message}"
    return _placed("note", message, _place(remark["spans"], sources), sources)


def _placed(
    severity: Literal["error", "note"],
    message: str,
    place: _Place | None,
    sources: Mapping[str, str],
    notes: tuple[Diagnostic, ...] = (),
) -> Diagnostic:
    if place is None:
        return Diagnostic(severity, message, notes=notes)
    if place.path != next(iter(sources)):
        where = place.path.removeprefix("cell/")
        return Diagnostic(severity, f"{where}:{place.line}: {message}", notes=notes)
    text = sources[place.path].split("\n")[place.line - 1]
    return Diagnostic(severity, message, place.line, place.column, text, place.width, notes)

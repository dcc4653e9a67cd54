"""What a proposed text uses beyond computing, and beyond what serves now. It is lint, with reasons: the sandbox is the
wall."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from ...languages import python_hazards, python_places
from ...languages.hazards import Hazard, hazards
from ...languages.several import language_in
from ...values import DATA, CheckStage, Finding, Program
from .seam import Subject, failed, passed
from .text import cell_line, changed_files, language_spoken, named, source_line

TOLD_MAX = 8
WHERE_IT_RUNS = python_places.ALL | {
    "Thread", "ThreadPoolExecutor", "__file__", "globals", "sys.argv", "sys.modules", "sys.path",
}  # fmt: skip
VOUCH = "; propose(source, trusted=True) says that you have read it and mean it"


class Use(NamedTuple):
    """A hazard where it stands: the line is the cell's own."""

    line: int
    hazard: Hazard
    text: str
    file: str = ""

    @property
    def place(self) -> str:
        """The line in words, with the file where there are several."""
        return f"{self.file}, line {self.line}" if self.file else f"line {self.line}"


class Security:
    """The stage "security"."""

    stage: CheckStage = "security"

    def run(self, subject: Subject) -> Finding:
        """Refuse what its language's table denies, unless what serves now uses it too; tell what the table reports."""
        if subject.vouched or subject.only_settings:
            return passed("security")  # a person has read it, and what it may do is that person's to say
        if subject.program.options != subject.incumbent.options:
            return failed("security", "its options are not those of what serves: libraries and crates are the user's")
        uses, known = _new_uses(subject), _known(subject.incumbent)
        if subject.task.foreign is not None:
            known |= WHERE_IT_RUNS  # a program that is run as a file asks that, and its evaluator's word accepts none
        if subject.task.foreign is not None or subject.task.evaluator is not None:
            known |= python_hazards.CLOCKS
        denied = [use for use in uses if use.hazard.reads or (use.hazard.denied and use.hazard.what not in known)]
        told = [use for use in uses if not use.hazard.denied and use.hazard.what not in known]
        facts = {"reported": _listed(told)} if told else {}
        if not denied:
            return passed("security", f"it uses {_listed(told)}" if told else "", _evidence(told), facts)
        first = denied[0]
        reason = f"{first.place}: {first.hazard.what}: {first.hazard.reason}"
        more = f" (and {len(denied) - 1} more)" if len(denied) > 1 else ""
        hint = VOUCH if subject.trusted and not any(use.hazard.reads for use in denied) else ""
        return failed("security", reason + more + hint, _evidence(denied), {"denied": len(denied), **facts})


def _new_uses(subject: Subject) -> list[Use]:
    program = subject.program
    return [
        Use(cell_line(program, name, hazard.line), hazard, source_line(text, hazard.line), named(program, name))
        for name, text in changed_files(subject)
        for hazard in hazards(language_spoken(subject, name), text)
    ]


def _known(incumbent: Program) -> set[str]:
    """What serves now uses: in its texts, and of the notebook around it."""
    texts = ((language_in(incumbent, name), text) for name, text in incumbent.files if name != DATA)
    known = {hazard.what for language, text in texts for hazard in hazards(language, text)}
    around = json.loads(dict(incumbent.files).get(DATA, "{}"))
    for alias, module, *_ in (*around.get("modules", ()), *around.get("names", ())):
        known |= {alias, f"import {module.split('.')[0]}"}
    return known


def _listed(uses: Sequence[Use]) -> str:
    lines: dict[str, list[str]] = {}
    for use in uses:
        lines.setdefault(use.hazard.what, []).append(f"{use.file} {use.line}".lstrip())
    return "; ".join(f"{what} (line {', '.join(places)})" for what, places in lines.items())


def _evidence(uses: Sequence[Use]) -> str:
    parts = [f"{use.place}: {use.hazard.what}: {use.hazard.reason}\n    {use.text}" for use in uses[:TOLD_MAX]]
    return "\n".join(parts + ([f"and {len(uses) - TOLD_MAX} more"] if len(uses) > TOLD_MAX else []))

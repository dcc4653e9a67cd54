"""What a model is told: a pure function of the records so far, bounded in length, and without secrets.

The parent comes whole; the best, and programs that differ much from both, as changes; then why the last candidates were
rejected, with what the checks and the compiler said of them, and which versions were taken back after they had served.
"""

from __future__ import annotations

import difflib
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ... import limits
from ...errors import UsageError
from ...languages import FILES, tools_for
from ...languages.blocks import END, START
from ...languages.several import languages_of, parts_of
from ...models import Message
from ...values import Program, Proposal, Record
from ..goals import objectives
from ..task import SCORE, TIME, Task
from .answers import MIDDLE, REPLACE, SEARCH

SYSTEM = """You improve a program. You are given its text, how it is judged, and what was tried before.
Propose one change that you expect to be better, and say in one or two sentences why.

{form}
Rules: {blocks} Keep every name that is used from outside. Only compute: no files, no network, no
processes, no clock. Whatever you propose is built, checked against the present program, and measured; a change that
cheats is rejected."""
EDITS = f"""\
Write each change in this form, with the lines copied exactly as they are in the program:
{{name}}{SEARCH}
lines that are there
{MIDDLE}
lines in their place
{REPLACE}"""
IN_FILES = """The program has several files. The line before each such block, and before each fenced block of code, is
the name of the file that it is for, as it is written above that file. One answer may change several files."""
SMALL = (
    f"Write one change only, of {limits.SMALL_EDIT_LINES} lines at most: a single such block, and a sentence before it."
)
WHOLE = "Or write all of what is new in one fenced block of code, where most of it changes."
SHORTER = "Write all of what is new in one fenced block of code instead, where that is shorter."
ONLY_WHOLE = "Write all of what is new in one fenced block of code: no changes, and nothing left out."
Form = Literal["any", "small", "whole"]
"""What is asked for: changes or the whole, one small change, or the whole alone."""
GRAMMAR = r"""
root ::= sentence sentence* change change*
sentence ::= [^\n<=>] [^\n]* "\n" "\n"*
change ::= "<<<<<<< SEARCH\n" line line* "=======\n" line* ">>>>>>> REPLACE\n"
line ::= ([^\n<=>] [^\n]*)? "\n"
""".strip()
"""The same form in GBNF, for a server that takes one, where a model did not keep to it by itself."""


@dataclass(frozen=True)
class Told:
    """What a context is made of besides the records. ``redact`` takes secrets out of a text."""

    task: Task
    redact: Callable[[str], str]
    instructions: str = ""

    def messages(
        self, parent: Record, told: Sequence[Record], waiting: Sequence[Proposal], form: Form = "any"
    ) -> list[Message]:
        """System and user. ``waiting`` is what was proposed and not judged yet."""
        program = parent.proposal.program
        blocked = bool(tools_for(program.language).blocks(program.source))
        rule = f"change only what stands between {START} and {END}." if blocked else "any line may change."
        several = program.language == FILES
        if several:
            rule += " No file can be added, removed or renamed, and one without such a block stays as it is."
        edits = EDITS.format(name="name/of/the.file\n" if several else "")
        shown = {"any": f"{edits}\n{WHOLE if blocked else SHORTER}", "small": f"{edits}\n{SMALL}", "whole": ONLY_WHOLE}
        system = SYSTEM.format(form=shown[form] + (f"\n{IN_FILES}" if several else ""), blocks=rule)
        if self.instructions:
            system += f"\n\nFrom the author of the task:\n{_cut(self.instructions, limits.PROMPT_PART_CHARACTERS_MAX)}"
        parts = [
            self._wanted(),
            self._parent(parent),
            self._others(parent, told),
            self._rejected(told),
            self._taken_back(told),
            self._waiting(program, waiting),
            "Your proposal:",
        ]
        text = "\n\n".join(part for part in parts if part)
        return [
            Message("system", self.redact(system)),
            Message("user", self.redact(text), grammar=GRAMMAR if form == "small" else ""),
        ]

    # ------------------------------------------------------------------ parts

    def _wanted(self) -> str:
        task, program = self.task, self.task.program
        if task.foreign is not None or task.evaluator is not None:
            names = (task.objective, *task.also)
            plain = task.foreign is not None and names == (TIME,)
            aims = ["score (more is better)"] if plain else [_aim(name) for name in names]
            what = f"Its evaluator's {', '.join(aims)} is to become better."
        else:
            aims = [_aim(name) for name in (task.objective, *task.also)]
            what = f"It must answer exactly as it does now, and {', '.join(aims)} is to become better."
        machine = f"{platform.machine()}, {os.cpu_count() or 1} cores"
        language = " and ".join(languages_of(program))
        said = f"The program {program.name} is written in {language}. {what} Machine: {machine}."
        interface = _interface(program)
        return f"# The task\n{said}" + (f"\nIt is used by these names: {interface}." if interface else "")

    def _parent(self, parent: Record) -> str:
        program = parent.proposal.program
        told = _judged(parent)
        return f"# The program to change ({told})\n{_shown(program)}"

    def _others(self, parent: Record, told: Sequence[Record]) -> str:
        """The best program so far, and others that were good and differ from it, as changes of the parent."""
        ranked = sorted(
            (item for item in told if item.ratio is not None and item.proposal.index >= 0),
            key=lambda item: (-(item.ratio or 0.0), item.proposal.index),
        )
        mine = parent.proposal.program
        chosen = [item for item in ranked[:1] if item.proposal.program != mine]
        left = [item for item in ranked[1 : limits.PROMPT_ELITES_MAX] if item.proposal.program != mine]
        while left and len(chosen) < limits.PROMPT_INSPIRATIONS_MAX:
            texts = [mine.source, *(item.proposal.program.source for item in chosen)]
            far = max(left, key=lambda item: (min(_distance(item.proposal.program.source, text) for text in texts),
                                              -item.proposal.index))  # fmt: skip
            left.remove(far)
            chosen.append(far)
        parts = [f"## {_judged(item)}\n{_change(mine, item.proposal.program)}" for item in chosen]
        return "\n\n".join(["# Other programs, as changes of this one", *parts]) if parts else ""

    def _rejected(self, told: Sequence[Record]) -> str:
        bad = [item for item in told if item.proposal.index > 0 and item.status in ("failed", "no better")]
        parts = []
        for item in reversed(bad[-limits.PROMPT_REJECTIONS_MAX :]):
            evidence = item.finding.evidence if item.finding else ""
            said = f"\n{_cut(evidence, limits.PROMPT_EVIDENCE_CHARACTERS_MAX)}" if evidence != item.reason else ""
            parts.append(f"- {_what(item)}: {item.status}: {item.reason}{said if evidence else ''}")
        return "\n".join(["# Why the last candidates were rejected", *parts]) if parts else ""

    def _taken_back(self, told: Sequence[Record]) -> str:
        parts = []
        for item in [item for item in told if item.proposal.index < 0][-limits.PROMPT_REJECTIONS_MAX :]:
            parts.append(f"- {item.reason}\n{_change(self.task.program, item.proposal.program)}")
        return "\n".join(["# Versions that served and were taken back: not these again", *parts]) if parts else ""

    def _waiting(self, parent: Program, waiting: Sequence[Proposal]) -> str:
        head = "# Proposed already, and not judged yet: propose something else"
        rows = [f"- {item.hypothesis}\n{_change(parent, item.program)}" for item in waiting]
        return "\n".join([head, *rows]) if rows else ""


def _shown(program: Program) -> str:
    """The text, of several files each below its name, cut where all of it is too much: what stays as it is first."""
    files = parts_of(program)
    if program.language != FILES:
        files = tuple(replace(part, text=program.source) for part in files)
    room, shares = limits.PROMPT_PROGRAM_CHARACTERS_MAX, dict.fromkeys((part.name for part in files), 0)
    fixed = {part.name for part in files if part.lines and not part.blocks}
    order = sorted(files, key=lambda part: (part.name in fixed, len(part.text)))
    left = {False: len(files) - len(fixed), True: len(fixed)}
    for part in order:  # the shorter ones leave what they do not need to the longer ones
        group = part.name in fixed
        shares[part.name] = min(len(part.text), room // left[group])
        room, left[group] = room - shares[part.name], left[group] - 1
    shown = []
    for part in files:
        head = f"{part.name}\n" if part.lines else ""
        if part.name in fixed:
            head = f"The next file has no {START}: it is given to be read, and stays as it is.\n{head}"
        shown.append(f"{head}```{part.language}\n{_cut(part.text.rstrip(), shares[part.name])}\n```")
    return "\n\n".join(shown)


def _interface(program: Program) -> str:
    """Its functions with their parameters, as they are called from outside; "" where a language knows of none."""
    try:
        found = tools_for(program.language).signatures(program.source)
    except UsageError:
        return ""
    every = [f"{name}({', '.join(item.parameters)})" for name, item in found.items()]
    return ", ".join(every[: limits.PROMPT_FUNCTIONS_MAX])


def _aim(text: str) -> str:
    goal = objectives([text])[0]
    name = "the time that a call takes" if goal.name == TIME else "score" if goal.name == SCORE else goal.name
    return f"{name} ({'less' if goal.minimised else 'more'} is better)"


def _judged(record: Record) -> str:
    if record.ratio is None:
        return _what(record)
    numbers = ", ".join(f"{name} {value:.6g}" for name, value in record.metrics[: limits.PROMPT_METRICS_MAX])
    return f"{_what(record)}: ratio {record.ratio:.3f} to the first program{f'; {numbers}' if numbers else ''}"


def _what(record: Record) -> str:
    if record.proposal.index == 0:
        return "the first program"
    return f"trial {record.proposal.index}" + (f" ({record.proposal.hypothesis})" if record.proposal.hypothesis else "")


def _change(old: Program, new: Program) -> str:
    pairs = [("this", "that", old.source, new.source)]
    if old.language == FILES:
        texts = dict(new.files)
        pairs = [(name, name, text, texts[name]) for name, text in old.files]
    lines = (
        line
        for before, after, one, other in pairs
        for line in difflib.unified_diff(one.splitlines(), other.splitlines(), before, after, lineterm="", n=1)
    )
    return f"```diff\n{_cut(chr(10).join(lines), limits.PROMPT_PART_CHARACTERS_MAX)}\n```"


def _distance(left: str, right: str) -> float:
    """The share of lines that two texts have not in common: 0 for the same, 1 for strangers."""
    one, two = set(left.splitlines()), set(right.splitlines())
    return 1.0 - len(one & two) / max(1, len(one | two))


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[: 2 * limit // 3]}\n... left out ...\n{text[len(text) - limit // 3 :]}"

"""The agents' own language grows: macros learned from their texts, judged as any proposal is, taken up, and taken back.

    the texts of agents, tools and functions -> macros (one half of the forms) -> the same forms, proved in the sandbox
    -> size, on the half that was learned from and on the one that was not -> verdict -> state -> taken up

A call of a macro becomes exactly the form that stood there: each form is expanded and compiled with and without the
macros, in the sandbox, and both must come to the same. So no agent does anything else than before; its text is
shorter. ``undo`` evaluates the texts as they were, and every digest is what it was.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .. import limits
from ..errors import AgentError
from ..values import Finding, Measurement, Program, Proposal, State, Trial, Verdict

if TYPE_CHECKING:
    from ..history import History
    from ..languages.compressing import Macro
    from ..sandbox import Sandbox
    from .agents import Agents

SCOPE = "macros"
_PROVES = "project_o.lisp.compared"
_DEFINED_BY = ("(deftool", "(defagent", "(defn", "(defworkflow")


@dataclass(frozen=True)
class Form:
    """A definition: its name, its text as it is written, and the text with the macros in it."""

    name: str
    before: str
    after: str

    @property
    def sizes(self) -> tuple[int, int]:
        """How many nodes it has, before and after."""
        from ..languages.compressing import size_of

        return size_of(self.before), size_of(self.after)


@dataclass(frozen=True)
class LearnedMacros:
    """What was learned, and the verdict on it. ``learned`` and ``held_out`` are shares by which forms became shorter.

    ``total`` is that of all forms, the macros' definitions counted; ``control`` that of as many macros drawn at random.
    """

    macros: tuple[Macro, ...]
    forms: tuple[Form, ...]
    verdict: Verdict
    proposal: Proposal
    learned: float
    held_out: float
    total: float
    control: float
    state: State | None = None
    desk: Any = field(default=None, repr=False, compare=False)

    @property
    def source(self) -> str:
        """The definitions."""
        return "\n\n".join(macro.source for macro in self.macros) + "\n"

    def diff(self) -> str:
        """What changes in the texts."""
        import difflib

        parts = [(form.name, form.before.splitlines(), form.after.splitlines()) for form in self.forms]
        lines = [line for name, a, b in parts for line in difflib.unified_diff(a, b, name, name, lineterm="", n=0)]
        return "\n".join(lines)

    def accept(self) -> State | None:
        """Take them up. Raises AgentError where the verdict was to reject, or a text has changed since."""
        found: State | None = self.desk.accept(self)
        return found


class Macros:
    """What one kernel's agents learned of their own language."""

    def __init__(self, house: Agents, history: History | None) -> None:
        self._house = house
        self._history = history
        self._taken_up: list[tuple[LearnedMacros, dict[str, str]]] = []
        self._box: Sandbox | None = None

    def learn(self, seed: int = 0, *, control: bool = False) -> LearnedMacros:
        """Learn from one half of the forms, judge on the other. Nothing changes. ``control`` draws macros instead.

        Raises AgentError where there are too few forms, or nothing may change itself.
        """
        from ..languages.compressing import anything, learn, rewritten

        self._house.check_may_change()
        texts = self._texts()
        if len(texts) < limits.MACRO_FORMS_MIN:
            raise AgentError(
                f"there are {len(texts)} forms in Lisp here, and fewer than {limits.MACRO_FORMS_MIN} show nothing of "
                "others: define more of them in %%agent cells"
            )
        shown, hidden = _halves(sorted(texts), seed)
        corpus, taken = [texts[name] for name in shown], self._taken()
        found = learn(corpus, taken, seed)
        others = anything(corpus, taken, seed, len(found))
        macros = others if control else found
        forms = {name: Form(name, text, rewritten(text, macros)) for name, text in texts.items()}
        proposal = _proposal(macros, "random" if control else "compression", len(shown))
        trial = self._proved(macros, list(forms.values()))
        verdict = _judged(trial, [forms[name] for name in shown], [forms[name] for name in hidden])
        made = LearnedMacros(
            macros=tuple(macros),
            forms=tuple(form for form in forms.values() if form.after != form.before),
            verdict=verdict,
            proposal=proposal,
            learned=_shrunk([forms[name] for name in shown]),
            held_out=_shrunk([forms[name] for name in hidden]),
            total=_shrunk(list(forms.values()), sum(macro.size for macro in macros)),
            control=_shrunk([Form(name, texts[name], rewritten(texts[name], others)) for name in hidden]),
            desk=self,
        )
        return replace(made, state=self._noted("evolve", made, verdict.reasons[-1]))

    def accept(self, made: LearnedMacros) -> State | None:
        """Define the macros, and let the definitions be their shorter texts. Raises AgentError."""
        self._house.check_may_change()
        if not made.verdict.accepted:
            raise AgentError(f"these macros were not accepted ({made.verdict.reasons[-1]}): learn from more forms")
        now = self._texts()
        if changed := [form.name for form in made.forms if now.get(form.name) != form.before]:
            raise AgentError(f"{changed[0]} has changed since the macros were learned: learn them again")
        if clash := [macro.name for macro in made.macros if _canonical(macro.name) in self._taken()]:
            raise AgentError(f"{clash[0]} has been defined since the macros were learned: learn them again")
        before = self.digests()
        try:
            self._evaluate(made.source)
            for form in made.forms:
                self._evaluate(form.after)
        except BaseException:
            self._put_back(made)
            raise
        self._taken_up.append((made, before))
        return self._noted("promote", made, f"{len(made.macros)} macros taken up by {len(made.forms)} forms")

    def undo(self) -> State | None:
        """Take the newest macros back: every text, and so every digest, is as it was. Raises AgentError."""
        if not self._taken_up:
            raise AgentError("no macros were taken up here: %agent learn-macros learns some")
        made, before = self._taken_up[-1]
        now = self._texts()
        if changed := [form.name for form in made.forms if now.get(form.name) != form.after]:
            raise AgentError(f"{changed[0]} has changed since the macros were taken up: undoing them would lose that")
        self._put_back(made)
        self._taken_up.pop()
        after = self.digests()
        if other := [form.name for form in made.forms if before.get(form.name) != after.get(form.name)]:
            raise AgentError(f"{other[0]} is not what it was: run its cell again")
        return self._noted("rollback", made, f"{len(made.macros)} macros taken back from {len(made.forms)} forms")

    def digests(self) -> dict[str, str]:
        """The digest of every tool, agent and workflow, by name."""
        return {_canonical(spec.name): spec.digest for spec in self._house.specs}

    # ------------------------------------------------------------------ the notebook's forms

    def _texts(self) -> dict[str, str]:
        """The texts of what Lisp defined, by name."""
        found = {_canonical(spec.name): spec.source for spec in self._house.specs if spec.language == "lisp"}
        found |= self._house.specs.helpers
        return {name: text for name, text in found.items() if text.startswith(_DEFINED_BY)}

    def _taken(self) -> set[str]:
        """Every name that means something, as Python spells it."""
        import builtins

        from ..lisp.forms import MACROS

        specs = (_canonical(spec.name) for spec in self._house.specs)
        own = vars(self._house.module) if self._house.module is not None else self._house.namespace
        macros = own.get("_hy_macros", {})
        return {*specs, *self._house.specs.helpers, *self._house.namespace, *own, *macros, *MACROS, *dir(builtins)}

    def _evaluate(self, text: str) -> None:
        module = self._house.module
        self._house.evaluate(text, self._house.namespace if module is None else module, "<macros>.hy")

    def _put_back(self, made: LearnedMacros) -> None:
        for form in made.forms:
            self._evaluate(form.before)
        own = vars(self._house.module) if self._house.module is not None else self._house.namespace
        for macro in made.macros:
            self._house.specs.helpers.pop(_canonical(macro.name), None)
            own.get("_hy_macros", {}).pop(_canonical(macro.name), None)

    # ------------------------------------------------------------------ proof and verdict

    def _proved(self, macros: Sequence[Macro], forms: Sequence[Form]) -> Trial:
        """Each form with and without the macros, expanded and compiled in the sandbox."""
        from ..languages.compressing import expanded
        from ..sandbox import Sandbox

        if self._box is None:
            self._box = Sandbox(preload=(_PROVES,), wall_seconds=limits.MACRO_PROOF_SECONDS)
        level = self._box.level
        for form in forms:
            if expanded(form.after, macros) != expanded(form.before, ()):
                return _failed(level, f"{form.name} does not expand to what it was")
        with self._box.python(f"from {_PROVES} import digests\n") as job:
            before = job.ask("digests", [[], [form.before for form in forms]])
            after = job.ask("digests", [[macro.source for macro in macros], [form.after for form in forms]])
        if not before.ok or not after.ok:
            return _failed(level, f"it could not be expanded in the sandbox: {before.error or after.error}")
        for form, old, new in zip(forms, before.value, after.value, strict=True):
            if old != new:
                why = new[1] if not new[0] else "another tree"
                return _failed(level, f"{form.name} is compiled to something else: {why}")
        said = f"{len(forms)} of {len(forms)} forms expand, and are compiled, to exactly what they were"
        return Trial("passed", level, inputs=len(forms), findings=(Finding("generated", "passed", said),))

    def _noted(self, kind: str, made: LearnedMacros, summary: str) -> State | None:
        if self._history is None or not self._history.enabled:
            return None
        confirmed = made.verdict.confirmation
        facts = {
            "by": made.proposal.proposer,
            "verdict": "accepted" if made.verdict.accepted else "rejected",
            "held_out": f"{made.held_out:.3f}",
            "control": f"{made.control:.3f}",
            "ratio_low": f"{confirmed.low:.3f}" if confirmed else "",
        }
        gone = kind == "rollback"
        files = {f"{SCOPE}/macros.hy": None if gone else made.source, f"{SCOPE}/texts.diff": made.diff()}
        return self._history.note(kind, SCOPE, summary, facts, files)


def _canonical(name: str) -> str:
    from ..lisp.specs import canonical

    return canonical(name)


def _halves(names: Sequence[str], seed: int) -> tuple[list[str], list[str]]:
    drawn = random.Random(seed).sample(names, len(names))
    return drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]


def _shrunk(forms: Sequence[Form], more: int = 0) -> float:
    """By which share of their nodes forms became shorter; ``more`` are nodes of definitions."""
    before = sum(form.sizes[0] for form in forms)
    return 1 - (sum(form.sizes[1] for form in forms) + more) / before


def _proposal(macros: Sequence[Macro], operator: str, forms: int) -> Proposal:
    text = "\n\n".join(macro.source for macro in macros) + "\n"
    program = Program(SCOPE, "lisp", (("macros.hy", text),))
    return Proposal(1, program, (), "search", operator, f"{len(macros)} macros from {forms} forms")


def _failed(level: str, reason: str) -> Trial:
    return Trial("failed", level, reason, findings=(Finding("generated", "failed", reason),))


def _judged(trial: Trial, shown: Sequence[Form], hidden: Sequence[Form]) -> Verdict:
    """By the one rule: the size of forms that were learned from, confirmed on those that were not."""
    from ..evolution.decide import decide

    return decide(
        trial=trial,
        measurement=_measured(shown),
        confirmation=_measured(hidden) if trial.outcome == "passed" else None,
        threshold=limits.RATIO_ACCEPTED_LOW,
        level=trial.level,
    )


def _measured(forms: Sequence[Form]) -> Measurement:
    import statistics

    from ..observe import paired_ratio

    before, after = zip(*(form.sizes for form in forms), strict=True)
    found = paired_ratio([float(size) for size in before], [float(size) for size in after], limits.CONFIDENCE)
    old, new = statistics.median(before), statistics.median(after)
    return Measurement(
        "size", "nodes", len(forms), old, new, found.estimate, found.low, found.high, found.confidence, found.method
    )

"""``config.yaml`` of a task in OpenEvolve's form: the keys that mean something here, with its own default values.

What only its engine has (islands, checkpoints, the models' addresses and keys) is left alone; a model is configured
once, for everything (see ``models``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ... import limits
from ...errors import UsageError

STAGES = ("evaluate_stage1", "evaluate_stage2", "evaluate_stage3")


@dataclass(frozen=True)
class Settings:
    """How a task is evaluated. ``trials`` and ``seed`` are None where the file says nothing of them.

    ``seconds`` bounds each call of the evaluator; ``thresholds`` are what the metrics of a stage must reach for the
    next; ``features`` are metrics that describe a program and do not rank it; ``named`` is what ``evaluate`` is given
    beside the path; ``patience`` ends a run after so many trials without a gain of ``patience_gain``, None never.
    ``instructions`` are words of the task's author for a language model.
    """

    trials: int | None = None
    seed: int | None = None
    seconds: float = limits.FOREIGN_SECONDS
    cascade: bool = True
    thresholds: tuple[float, ...] = (0.5, 0.75, 0.9)
    retries: int = 0
    memory_bytes: int = limits.FOREIGN_MEMORY_BYTES
    features: tuple[str, ...] = ("complexity", "diversity")
    named: Mapping[str, Any] = field(default_factory=dict)
    patience: int | None = None
    patience_gain: float = 0.001
    edits: bool = True
    instructions: str = ""

    @classmethod
    def read(cls, text: str, place: str) -> Settings:
        """From the file's text. Raises UsageError, naming ``place`` and the key, for what cannot be meant."""
        import yaml  # the parameter sampler brings it

        try:
            body = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise UsageError(f"{place} is not valid YAML ({' '.join(str(error).split())}): mend it") from None
        if body is None:
            body = {}
        top = _Table(body, place, "")
        evaluator, database, prompt = (top.table(name) for name in ("evaluator", "database", "prompt"))
        iterations = top.number("max_iterations", least=0)
        memory = evaluator.number("memory_limit_mb", least=1)
        patience = top.number("early_stopping_patience", least=1)
        retries = evaluator.number("max_retries", least=0)
        given = {
            "trials": None if iterations is None else min(int(iterations) + 1, limits.TRIALS_MAX),
            "seed": _seed(top, database),
            "seconds": evaluator.number("timeout", above=0),
            "cascade": evaluator.value("cascade_evaluation", bool),
            "thresholds": evaluator.numbers("cascade_thresholds"),
            "retries": None if retries is None else min(int(retries), limits.FOREIGN_RETRIES_MAX),
            "memory_bytes": None if memory is None else int(memory) * limits.MIB,
            "features": database.texts("feature_dimensions"),
            "named": evaluator.value("evaluator_args", Mapping),
            "patience": None if patience is None else int(patience),
            "patience_gain": top.number("convergence_threshold", least=0),
            "edits": top.value("diff_based_evolution", bool),
            "instructions": prompt.value("system_message", str),
        }
        return cls(**{name: value for name, value in given.items() if value is not None})


def _seed(top: _Table, database: _Table) -> int | None:
    found = top.number("random_seed", least=0)
    found = database.number("random_seed", least=0) if found is None else found
    return None if found is None else int(found)


class _Table:
    """A table of the file, whose values are looked at before they are used."""

    def __init__(self, body: Any, place: str, name: str) -> None:
        self._place, self._name = place, name
        if not isinstance(body, Mapping):
            raise UsageError(f"{place}: {name or 'the file'} is {body!r:.60}, and has to be a table of keys")
        self._body = body

    def table(self, key: str) -> _Table:
        """A table below this one; an empty one where there is none."""
        found = self._body.get(key)
        return _Table({} if found is None else found, self._place, self._path(key))

    def value(self, key: str, kind: type) -> Any:
        """A value of one kind; None where there is none."""
        found = self._body.get(key)
        if found is None or isinstance(found, kind):
            return found
        raise self._refused(key, found, f"a {kind.__name__.lower()}")

    def number(self, key: str, *, least: float = -math.inf, above: float = -math.inf) -> float | None:
        """A finite number; None where there is none."""
        found = self._body.get(key)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, (int, float)) or not math.isfinite(found):
            raise self._refused(key, found, "a number")
        if found < least or found <= above:
            raise self._refused(key, found, f"at least {least:g}" if found < least else f"above {above:g}")
        return found

    def numbers(self, key: str) -> tuple[float, ...] | None:
        """A list of numbers; None where there is none."""
        found = self.value(key, list)
        if found is None:
            return None
        if not all(isinstance(item, (int, float)) and not isinstance(item, bool) for item in found):
            raise self._refused(key, found, "a list of numbers")
        return tuple(float(item) for item in found)

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of texts; None where there is none."""
        found = self.value(key, list)
        return None if found is None else tuple(str(item) for item in found)

    def _path(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name else key

    def _refused(self, key: str, found: Any, wanted: str) -> UsageError:
        return UsageError(f"{self._place}: {self._path(key)} is {found!r:.60}, and has to be {wanted}")

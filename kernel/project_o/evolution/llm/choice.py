"""Which of several models makes the next proposal, and how much it is asked to change at once.

By weights, where they are given: a draw from them. Else by what each brought for what it cost: Thompson sampling of its
chance of a better program (``bandit``), divided by what one of its proposals costs in the mean. One that could not be
asked rests for some proposals. A function of the seed, the records and what was asked before, so that a run which is
replayed chooses the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ... import limits
from ...errors import UsageError
from ...models import Model
from ...values import Record, Usage
from ..bandit import Tally
from ..task import generator
from .exchange import Exchange, cost


class Choice:
    """Of several models, the one whose turn it is; of one, that one."""

    def __init__(self, models: Sequence[Model], weights: Sequence[float] = ()) -> None:
        self.models = {model.name: model for model in models}
        if len(self.models) < len(models):
            raise UsageError(f"a model is named twice among {', '.join(model.name for model in models)}: name it once")
        if weights and len(weights) != len(models):
            raise UsageError(f"there are {len(models)} models and {len(weights)} weights: give each model one")
        if weights and not (all(0 <= item < math.inf for item in weights) and sum(weights) > 0):
            raise UsageError("weights are numbers from 0, not all of them 0")
        self._weights = tuple(weights)
        self._asked: dict[int, str] = {}

    def model(
        self,
        key: tuple[int, int],
        records: Sequence[Record],
        exchanges: Sequence[Exchange],
        price: tuple[float, float] | None,
    ) -> Model | None:
        """Who makes the proposal of this (seed, index); None where there is no model."""
        seed, index = key
        names = [name for name in self.models if not self._rests(name, index, exchanges)] or list(self.models)
        if not names:
            return None
        if len(names) > 1:
            order = self._drawn if self._weights else self._by_cost
            names = order(names, (seed, "model", index), records, exchanges, price)
        self._asked[index] = names[0]
        return self.models[names[0]]

    @property
    def all_were_asked(self) -> bool:
        """Whether each of them had its turn."""
        return len(set(self._asked.values())) >= len(self.models)

    def is_weak(self, model: Model, exchanges: Sequence[Exchange]) -> bool:
        """Whether of its last proposals half or more needed another answer, since one could not be used."""
        last: dict[int, int] = {}
        for item in exchanges:
            if self._asked.get(item.index) == model.name and not item.error:
                last[item.index] = item.attempt
        seen = [attempt > 0 for attempt in last.values()][-limits.WEAK_MODEL_PROPOSALS :]
        return len(seen) > 1 and 2 * sum(seen) >= len(seen)

    # ------------------------------------------------------------------ who

    def _rests(self, name: str, index: int, exchanges: Sequence[Exchange]) -> bool:
        mine = [item for item in exchanges if self._asked.get(item.index) == name]
        return bool(mine) and bool(mine[-1].error) and index - mine[-1].index <= limits.MODEL_REST_PROPOSALS

    def _drawn(self, names: Sequence[str], key: tuple[int, str, int], *_: object) -> list[str]:
        weights = dict(zip(self.models, self._weights, strict=True))
        shares = [weights[name] for name in names]
        if not sum(shares):
            return list(names)
        draw = float(generator(*key).random()) * sum(shares)
        for name, share in zip(names, shares, strict=True):
            draw -= share
            if draw < 0:
                return [name]
        return [names[-1]]

    def _by_cost(
        self,
        names: Sequence[str],
        key: tuple[int, str, int],
        records: Sequence[Record],
        exchanges: Sequence[Exchange],
        price: tuple[float, float] | None,
    ) -> list[str]:
        tally = Tally.of(records, lambda record: self._asked.get(record.proposal.index, ""), gains=False)
        costs = {name: found for name in names if (found := self._cost(name, exchanges, price)) > 0}
        least = min(costs.values(), default=1.0)
        # Nobody knows what one costs that was never asked: it is taken for the cheapest, so it is asked soon.
        return tally.order(names, key, worth={name: least / costs.get(name, least) for name in names})

    def _cost(self, name: str, exchanges: Sequence[Exchange], price: tuple[float, float] | None) -> float:
        """What one proposal of it cost in the mean: in money where that is known of all of them, else in tokens."""
        mine = [item for item in exchanges if self._asked.get(item.index) == name]
        total = sum((item.usage for item in mine), Usage())
        known = price is not None or all(item.usage.dollars for item in exchanges if item.usage.output_tokens)
        spent = cost(total, price) if known else total.input_tokens + total.output_tokens
        return spent / max(1, len({item.index for item in mine}))

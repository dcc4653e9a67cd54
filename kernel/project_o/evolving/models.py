"""Runs whose proposals a language model makes: the model, what it may cost, and what is kept of an earlier run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EvolutionError, UsageError
from ..evolution.llm.exchange import Exchange, from_json

if TYPE_CHECKING:
    from ..evolution import Task
    from ..evolution.llm import ModelProposer
    from ..models import Model

LLM = "llm"


def from_model(
    model: Model | str | Sequence[Model | str],
    url: str = "",
    *,
    tokens: int | None = None,
    price: tuple[float, float] | None = None,
    money: float | None = None,
    weights: Sequence[float] | None = None,
    replay: tuple[Exchange, ...] = (),
) -> Callable[[Task, int], ModelProposer]:
    """What makes the proposer of a run. ``model`` is one, or its name; "" is enough where all is recorded. Of several,
    which is asked is drawn by ``weights``, or, without them, by what each brought for what it cost.

    ``tokens`` is the most that may be spent, in and out together, ``price`` what a million of each costs, ``money``
    the most that all may cost at that price, or at the provider's list. Raises ModelMissing, with the three lines
    that configure one, and UsageError.
    """
    if tokens is not None and tokens < 1:
        raise UsageError(f"a budget of {tokens} tokens asks nothing: give it more")
    if money is not None and not money > 0:
        raise UsageError(f"a budget of {money} in money asks nothing: give it more")
    if price is not None and min(price) < 0:
        raise UsageError(f"a price of {price} cannot be meant: say what a million tokens cost in, and out")
    several = list(model) if isinstance(model, (list, tuple)) else [model]
    if weights and len(several) == 1:
        raise UsageError("weights are for several models: name each of them")
    opened = [one for one in (_opened(item, url, is_recorded=bool(replay)) for item in several) if one is not None]

    def make(task: Task, seed: int) -> ModelProposer:
        from ..evolution.llm import ModelProposer
        from ..evolution.llm.choice import Choice
        from ..history.redact import Redactor

        chosen = Choice(opened, weights or ())
        return ModelProposer(task, seed, chosen, redact=Redactor().text, tokens=tokens, price=price, money=money,
                             replay=replay)  # fmt: skip

    return make


def _opened(model: Any, url: str, *, is_recorded: bool) -> Model | None:
    """A model by its name; None for no name where all that is asked may be recorded."""
    if not isinstance(model, str):
        found: Model = model
        return found
    from ..models import open_model

    return open_model(model, url) if model.strip() or not is_recorded else None


def recorded(earlier: Any) -> tuple[dict[str, Any] | None, tuple[Exchange, ...]]:
    """The records and the exchanges of an earlier run: the run itself, its JSON, or the path of a file that holds it.

    Raises EvolutionError for what is none.
    """
    if earlier is None:
        return None, ()
    body = earlier
    try:
        if hasattr(body, "to_json"):
            body = body.to_json()
        if isinstance(body, Path) or (isinstance(body, str) and not body.lstrip().startswith("{")):
            body = Path(body).read_text("utf-8")
        if isinstance(body, str):
            body = json.loads(body)
        if not isinstance(body, Mapping):
            raise TypeError(type(body).__name__)
        found: dict[str, Any] = body["resume"]
        return found, from_json(body["model"]) if "model" in body else ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvolutionError(
            f"no run can be read from {str(earlier)[:60]!r}: {type(error).__name__}: {error}"
        ) from None

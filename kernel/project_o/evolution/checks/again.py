"""A candidate that is called again: its earlier results stay what they were, and it is still right after many calls.

Each question of the generated tests is one call whose result is looked at before the next. So they do not see a result
that lies in memory of the candidate's own, which its next call writes over, nor a count of calls after which it answers
otherwise. Here several calls are made before any of their results is looked at, and then one cheap call very often.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import limits
from ...values import NativeType
from ..compare import difference
from ..inputs import Case
from ..task import Answer, Handle

Pair = tuple[Case, Answer]
HELD = (np.ndarray, list, dict, set)


def not_kept(candidate: Handle, incumbent: Handle, name: str, pairs: Sequence[Pair], result: NativeType) -> str:
    """In words which result another call changed; "" for none, or where the incumbent's own results are not kept."""
    chosen = [pair for pair in pairs if _holds(pair[1].value) and not pair[1].written]
    chosen = _within(chosen, limits.AGAIN_SECONDS_MAX)[: limits.AGAIN_RESULTS_MAX]
    if len(chosen) < 2:
        return ""
    calls = [case.args for case, _ in chosen]

    def changed(side: Handle) -> str:
        found = side.ask_each(name, calls, seconds=limits.TRIAL_WALL_SECONDS)
        if not found.whole.ok:
            return ""  # each of them was answered by itself: memory for all at once is another matter
        pairs = zip(chosen, found.each, strict=True)
        return next((text for (_, known), given in pairs if (text := difference(known, given, result))), "")

    text = changed(candidate)
    if not text or changed(incumbent):
        return ""
    return f"its results are not kept: after {len(chosen)} calls one of them {text}"


def not_lasting(candidate: Handle, name: str, pairs: Sequence[Pair], result: NativeType) -> str:
    """In words what it answers otherwise once it was called very often; "" if it does not."""
    chosen = [pair for pair in pairs if pair[1].ok and not pair[1].written]
    if not chosen:
        return ""
    cheap = min(chosen, key=lambda pair: pair[1].cpu_seconds)
    known = candidate.ask(name, cheap[0].args, repeat=limits.AGAIN_REPEATS_PROBE, seconds=limits.TRIAL_WALL_SECONDS)
    each = max(known.cpu_seconds / limits.AGAIN_REPEATS_PROBE, 1e-9)
    times = min(limits.AGAIN_REPEATS_MAX, int(limits.AGAIN_SECONDS_MAX / each))
    if known.ok and times > 1:
        candidate.ask(name, cheap[0].args, repeat=times, seconds=limits.TRIAL_WALL_SECONDS)
    for case, expected in (cheap, *_within(chosen, limits.AGAIN_SECONDS_MAX)[: limits.AGAIN_RESULTS_MAX]):
        given = candidate.ask(name, case.args, seconds=limits.TRIAL_WALL_SECONDS)
        if text := difference(expected, given, result):
            return f"after {times + limits.AGAIN_REPEATS_PROBE} calls it answers otherwise: {text}"
    return ""


def _within(pairs: Sequence[Pair], seconds: float) -> list[Pair]:
    """The first of them that take no longer than this together. Those of one size stand side by side."""
    found: list[Pair] = []
    for pair in pairs:
        seconds -= pair[1].wall_seconds
        if seconds < 0:
            break
        found.append(pair)
    return found


def _holds(value: Any) -> bool:
    return isinstance(value, HELD) or (isinstance(value, tuple) and any(map(_holds, value)))

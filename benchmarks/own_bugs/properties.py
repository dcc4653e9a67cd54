"""The functions of ours that are tried, each with what it promises. To add one, write its strategy beside its likes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from . import numbers, structures, texts
from .carry import Carried, carried

Case = tuple[tuple[Any, ...], Any]


class _Enough(Exception):  # noqa: N818 - it never leaves this module
    """As many cases as were asked for."""


@dataclass(frozen=True)
class Subject:
    """``name`` of ``project_o.<module>``; ``strategy`` draws (arguments, answer)."""

    module: str
    name: str
    strategy: Any

    @cached_property
    def carried(self) -> Carried:
        return carried(self.module, self.name)

    def cases(self, count: int, number: int) -> list[Case]:
        """``count`` different ones by a seed, fewer where there are not so many."""
        found: dict[str, Case] = {}

        @settings(
            max_examples=4 * count, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @seed(number)
        @given(self.strategy)
        def collect(case: Case) -> None:
            found.setdefault(repr(case[0]), case)
            if len(found) >= count:
                raise _Enough

        with suppress(_Enough):
            collect()
        return list(found.values())


SUBJECTS = (
    Subject("agent.blocks.splitting", "split", texts.blocks()),
    Subject("agent.blocks.splitting", "_end", texts.block_end()),
    Subject("agent.blocks.splitting", "_begin", texts.block_begin()),
    Subject("agent.secrets", "is_secret", texts.secret()),
    Subject("agent.store", "slug", texts.folder()),
    Subject("agent.conversation", "tokens", texts.token_count()),
    Subject("agent.watched", "_loss", numbers.loss()),
    Subject("lisp.replies", "cut", texts.cut()),
    Subject("lisp.arguments", "read_literal", texts.written_literal()),
    Subject("lisp.calls", "_value", texts.written(texts.JSON)),
    Subject("lisp.calls", "_list", texts.written(texts.JSON.filter(lambda value: isinstance(value, list)))),
    Subject("lisp.calls", "_dict", texts.written(texts.JSON.filter(lambda value: isinstance(value, dict)))),
    Subject("models.opening", "_is_loopback", texts.loopback()),
    Subject("models.trouble", "shortened", texts.server_words()),
    Subject("models.tape", "_shown", structures.request()),
    Subject("deploy.arguments", "size_class", numbers.size_class()),
    Subject("deploy.evidence", "_middle", numbers.middle()),
    Subject("deploy.evidence", "_gain", numbers.gain()),
    Subject("observe.statistics", "log_ratios", numbers.log_ratios()),
    Subject("observe.statistics", "effective_count", numbers.effective()),
    Subject("observe.statistics", "negative_by_signs", numbers.signs()),
    Subject("observe.log", "_plain", structures.PLAIN),
    Subject("history.places", "slug", texts.name_slug()),
    Subject("history.lane", "trailer_name", texts.trailer()),
    Subject("history.lane", "first_line", texts.saying_line()),
    Subject("history.filemerge", "join_lines", structures.output()),
    Subject("magics.arguments", "without_comment", texts.comment()),
    Subject("languages.crossing", "crossed", structures.crossed()),
    Subject("languages.domains", "read_integer", texts.integer_literal()),
    Subject("evolution.checks.coverage", "spans_of", structures.spans()),
    Subject("evolution.repair.localise", "ochiai", numbers.suspicion()),
    Subject("evolution.llm.answers", "_trimmed", structures.trimmed()),
    Subject("evolution.unseen", "_spread", numbers.spread()),
    Subject("view.numbers", "size", numbers.bytes_told()),
    Subject("view.text", "clip", texts.clipped()),
    Subject("view.source", "_line_kinds", structures.kinds_of_lines()),
    Subject("view.progress", "rises", structures.rises()),
)

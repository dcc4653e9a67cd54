"""A verdict's metrics as they are shown: direction, role, tolerance, interval, remarks; the same in text and HTML."""

from __future__ import annotations

import html
import math
import re
from dataclasses import replace

import pytest

from project_o import view
from project_o.evolution.decide import lowest
from project_o.values import Measurement, Trial, Verdict
from project_o.view.verdict import _tone, wanted

TIME = Measurement("time", "s", 24, 2.04e-3, 1.02e-3, 2.0, 1.91, 2.08, 0.95, "CPU time", stored="ab" * 32)
MEMORY = Measurement(
    "memory", "B", 12, 31.5e6, 33e6, 0.955, 0.941, 0.968, 0.95, "peak resident size", role="guard", tolerance=0.2
)
RECALL = Measurement(
    "recall", "", 24, 0.91, 0.95, 1.044, 1.021, 1.067, 0.95, "evaluations in turn", minimised=False, tolerance=0.05
)
WALL = Measurement("wall time", "s", 24, 2.2e-3, 1.3e-3, 1.69, 0.52, 5.4, 0.95, "the parent's clock", role="shown")
REMARK = "allowed by name: suspicious: it saves 2 ms of CPU time a timing"


def verdict(*, accepted: bool = True, told: bool = True) -> Verdict:
    first = replace(TIME, beside=(MEMORY, RECALL, WALL), remarks=(REMARK,))
    second = replace(first, ratio=1.93, low=1.85, high=2.02, beside=(replace(MEMORY, low=0.79, ratio=0.81),))
    reasons = ("measured: ratio 2.000", *((REMARK,) if told else ()), "accepted: both lower bounds are above 1.02")
    trial = Trial("passed", "L3", inputs=40)
    return Verdict(accepted, reasons, "L3", trial, (first, *first.beside), second)


def texts(shown: object) -> tuple[str, str]:
    bundle = shown._repr_mimebundle_()
    return bundle["text/plain"], html.unescape(re.sub(r"<[^>]+>", " ", bundle["text/html"]))


def test_every_metric_says_which_way_is_better_what_it_is_and_what_it_may_lose() -> None:
    plain, _ = texts(view.show_verdict(verdict(), name="kernel"))

    assert "less, objective" in plain
    assert "less, guard: 20 % worse at most" in plain
    assert "more, objective: 5 % worse at most" in plain
    assert "less, only shown" in plain
    assert "1.93x [1.85, 2.02]" in plain
    assert "0.810x [0.790" in plain or "0.81x [0.79" in plain
    assert "0.955x [0.941, 0.968]" in plain
    assert "build abababab" in plain


def test_text_and_html_have_the_same_numbers_in_the_same_order() -> None:
    def numbers(text: str) -> list[str]:
        return re.findall(r"\d[\d,.]*", re.sub(r"^\s*\d+\. ", "", text, flags=re.MULTILINE))

    plain, page = texts(view.show_verdict(verdict(), name="kernel"))
    assert sorted(numbers(plain)) == sorted(numbers(page))
    assert len(numbers(plain)) > 40


@pytest.mark.parametrize("told", [True, False])
def test_a_remark_is_shown_once(told: bool) -> None:
    for text in texts(view.show_verdict(verdict(told=told))):
        assert text.count("suspicious: it saves") == (1 if told else 2), "once a table where no reason says it"


def test_measurements_alone_show_their_remarks() -> None:
    plain, page = texts(view.show_measurements([replace(TIME, remarks=(REMARK,)), MEMORY]))

    assert f"remark: {REMARK}" in plain
    assert REMARK in page


@pytest.mark.parametrize("minimised", [True, False])
@pytest.mark.parametrize("tolerance", [0.0, 0.05, 0.2, 1.0])
def test_a_guard_is_marked_where_the_rule_rejects_it(tolerance: float, minimised: bool) -> None:
    one = replace(MEMORY, tolerance=tolerance, minimised=minimised)
    for low in (0.3, lowest(one) - 1e-9, lowest(one), lowest(one) + 1e-9, 1.2):
        shown = replace(one, low=low, high=max(low, 1.0))
        lost = not low > lowest(one)
        assert (_tone(shown) == "bad") == lost, low


def test_what_is_neither_guarded_nor_worse_has_no_mark() -> None:
    assert _tone(WALL) == ""
    assert _tone(replace(WALL, high=0.9)) == "bad"
    assert _tone(TIME) == "good"
    assert _tone(replace(TIME, low=math.nan)) == ""
    assert wanted(replace(TIME, role="guard")) == "less, guard"

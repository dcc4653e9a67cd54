"""The recorded tasks of evolution with no model, each with a small budget."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from benchmarks import packing, rewriting, top_k
from project_o.errors import ToolchainMissing


@pytest.fixture(autouse=True)
def as_it_was() -> Any:
    """The tasks' folders are put in front of where modules are looked for."""
    before, known = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = before
    for name in ("program", *rewriting.NAMES):
        if name not in known:
            sys.modules.pop(name, None)


def test_a_packing_counts_only_if_it_fits_exactly() -> None:
    side = np.array([(x, y, 0.1) for x in (0.1, 0.3, 0.5, 0.7, 0.9) for y in (0.125, 0.375, 0.625, 0.875)])
    circles = np.vstack(
        (side, [(0.2, y, 0.01) for y in (0.25, 0.5, 0.75)], [(0.4, y, 0.01) for y in (0.25, 0.5, 0.75)])
    )
    circles[:20, 2] = 0.0999
    assert packing.fits(circles)

    touching = circles.copy()
    touching[0, 2] = 0.1
    assert packing.fits(touching), "0.1 and 0.0999 are not more than what is between them"
    for place, value in (((0, 2), 0.1 + 1e-15), ((4, 2), 0.11), ((0, 0), 0.0998), ((25, 2), -0.01), ((25, 2), np.nan)):
        wrong = circles.copy()
        wrong[place] = value
        try:
            assert not packing.fits(wrong), (place, value)
        except ValueError:
            assert np.isnan(value), "what is no number is no fraction"
    assert not packing.fits(circles[:25])
    assert not packing.fits(None)


def test_a_run_packs_circles_and_ends_when_it_has_what_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "TARGET", 2.55)
    found = packing.run(seed=3, trials=50, calls=1)
    assert found["fits_exactly"]
    assert found["score"] > 2.55
    assert found["trials"] < 10


@pytest.mark.measured
def test_the_convolution_becomes_one_by_fft() -> None:
    rng = np.random.default_rng(1)
    found = rewriting.run("image_blur", trials=2, inputs=(rng.normal(size=(50, 50)), rng.normal(size=(21, 21))))
    assert found["found"], found["reasons"]
    assert "fftconvolve" in "".join(found["change"])
    assert found["furthest"] <= rewriting.TOLERANCE


@pytest.mark.measured
def test_a_quadratic_loop_becomes_a_call_of_the_standard_library() -> None:
    found = rewriting.run("words_once", trials=3)
    assert found["found"], found["reasons"]
    assert "dict.fromkeys" in "".join(found["change"])
    assert found["furthest"] == 0


@pytest.mark.measured
@pytest.mark.parametrize("language", ["zig", "rust"])
def test_a_naive_kernel_is_put_into_lanes(language: str) -> None:
    try:
        found = top_k.run(language, trials=2, rounds=10, rows=1024)
    except ToolchainMissing:
        assert language == "rust", "Zig comes with the package"
        return
    assert found["accepted"], found["reasons"]
    assert found["tried"][1][:1] == ["vectors"]
    assert found["over_first"][0] > 1.5
    assert found["other_neighbours"] == {"first": 0, "numpy": 0}

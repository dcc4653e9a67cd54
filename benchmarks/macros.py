"""Macros learned by compression, measured: ``python -m benchmarks.macros OUT.json``.

The forms are those of tests/agent/corpus, by two hands. For each of 20 seeds one half of them is learned from; *held
out* is by how much the other half becomes shorter, *random* the same with as many macros that were drawn at random from
the same candidates, *all* is of all forms with the definitions counted. Sizes are exact: nothing here is timed.
"""

from __future__ import annotations

import datetime
import json
import random
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from project_o.languages.compressing import Macro, anything, expanded, learn, rewritten, size_of
from project_o.languages.forms import parse

from . import machine

CORPUS = Path(__file__).parents[1] / "tests" / "agent" / "corpus"
SEEDS = 20


def forms() -> list[str]:
    """The forms of the corpus."""
    texts = [path.read_text("utf-8") for path in sorted(CORPUS.glob("*.hy"))]
    return [text[form.start : form.end] for text in texts for form in parse(text).forms]


def shorter(texts: Sequence[str], macros: Sequence[Macro], more: int = 0) -> float:
    """The share of their nodes that they lose; ``more`` are nodes of definitions."""
    after = sum(size_of(rewritten(text, macros)) for text in texts) + more
    return 1 - after / sum(map(size_of, texts))


def measured(seed: int) -> dict[str, Any]:
    """One split."""
    every = forms()
    drawn = random.Random(seed).sample(every, len(every))
    shown, hidden = drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]
    macros = learn(shown, (), seed)
    chance = anything(shown, (), seed, len(macros))
    return {
        "macros": len(macros),
        "held_out": shorter(hidden, macros),
        "random": shorter(hidden, chance),
        "all": shorter(every, macros, sum(macro.size for macro in macros)),
        "random_all": shorter(every, chance, sum(macro.size for macro in chance)),
        "identical": sum(expanded(rewritten(text, macros), macros) == expanded(text, ()) for text in every),
    }


def main(out: str) -> None:
    """Measure every seed and write the record."""
    runs = [measured(seed) for seed in range(SEEDS)]
    medians = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    body = {
        "when": datetime.date.today().isoformat(),
        "machine": machine.facts(),
        "forms": len(forms()),
        "median": medians,
        "least_held_out": min(run["held_out"] for run in runs),
        "runs": runs,
    }
    Path(out).write_text(json.dumps(body, indent=1) + "\n", "utf-8")
    print(json.dumps(medians))


if __name__ == "__main__":
    main(sys.argv[1])

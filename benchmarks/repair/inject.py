"""Twenty more bugs, by a mutation tool that knows nothing of our templates: cosmic-ray 8, drawn by a seed.

``python -m benchmarks.repair.inject`` (with cosmic-ray installed) writes ``injected.json`` anew. One mutant of each of
twenty programs is drawn from all that the tool makes and that get from 2 to 39 of the 40 cases wrong.
"""

from __future__ import annotations

import copy
import json
import multiprocessing
import random
from pathlib import Path

from .bug import Bug
from .classics import BUGS

SEED, COUNT = 20261129, 20
PLACE = Path(__file__).with_name("injected.json")


def mutants(bug: Bug) -> list[tuple[str, str]]:
    """(operator, text) of every mutant of the right text."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    found = []
    for name in sorted(operator_names()):
        if "Variable" in name:  # these two want to be told names
            continue
        for occurrence in range(50):
            text = mutate_code(bug.right_source.encode(), get_operator(name)(), occurrence)
            if not text or text == bug.right_source:
                break
            found.append((name, text))
    return found


def _wrong(source: str, name: str, cases: list, out: multiprocessing.Queue) -> None:
    import heapq
    from collections import deque

    space = {"heapq": heapq, "deque": deque}
    exec(source, space)
    wrong = 0
    for args, expected in cases:
        try:
            wrong += space[name](*copy.deepcopy(args)) != expected
        except Exception:  # noqa: BLE001 - a mutant may raise anything
            wrong += 1
    out.put(wrong)


def wrong(source: str, bug: Bug) -> int:
    """How many cases a mutant gets wrong; all of them where it does not end."""
    out: multiprocessing.Queue = multiprocessing.Queue()
    process = multiprocessing.Process(target=_wrong, args=(source, bug.name, bug.cases(40, 0), out))
    process.start()
    process.join(3)
    if process.is_alive():
        process.kill()
        return 40
    return out.get(timeout=1) if not out.empty() else 40


def main() -> None:
    rng = random.Random(SEED)
    order = list(BUGS)
    rng.shuffle(order)
    found = []
    for bug in order:
        made = mutants(bug)
        rng.shuffle(made)
        for operator, text in made[:12]:
            if 2 <= wrong(text, bug) <= 39 and text != bug.source:
                found.append({"program": bug.name, "operator": operator, "source": text})
                break
        if len(found) == COUNT:
            break
    PLACE.write_text(json.dumps({"tool": "cosmic-ray", "seed": SEED, "bugs": found}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()

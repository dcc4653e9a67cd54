"""What a form of the agents' Lisp costs: CPU milliseconds to read, expand, compile, run, and take its digest.

    python -m benchmarks.language

Each form is evaluated as in a cell, twenty of a kind at once, each with its own name; the least of many rounds counts.
CPU time does not depend on what else the machine does. The other language is measured beside it: the same in Python.
"""

from __future__ import annotations

import gc
import json
import linecache
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from project_o.agent import agents, place

from . import machine

ROOT = Path(__file__).resolve().parent.parent
COUNT, ROUNDS = 20, 11
CPU_MS_MAX = 2.0

FORMS = {
    "defn": ("(defn double-{k} [x] (* 2 x))", "def double_{k}(x):\n    return 2 * x"),
    "when->": (
        '(setv it-{k} (when-> " a " (.strip) (.upper) (+ "!")))',
        'it_{k} = pipe(" a ", lambda it: it.strip(), lambda it: it.upper(), lambda it: it + "!")',
    ),
    "defmemory": ('(defmemory notes-{k} :capacity 10 :embedding "hash")', ""),
    "defparam": ("(defparam depth-{k} 2 :domain [1 2 4])", 'depth_{k} = param("depth_{k}", 2, domain=[1, 2, 4])'),
    "deftool": (
        '(deftool add-{k} [#^ int a #^ int [b 2]] "Add." :effects [files] (+ a b))',
        '@tool(effects=["files"])\ndef add_{k}(a: int, b: int = 2):\n    """Add."""\n    return a + b',
    ),
    "defagent": (
        '(defagent agent-{k} "You add." :version "1" :model "local:m" (str (get-arg "a" {k})))',
        (
            'agent_{k} = Agent("agent-{k}", "You add.", version="1", model="local:m")\n'
            '@agent_{k}.body\ndef answer():\n    return str(get_arg("a", {k}))'
        ),
    ),
    "defworkflow": (
        '(defworkflow flow-{k} [x] "Flow." (step a (* 2 x)) (step b (+ a 1) :retries 1) b)',
        (
            '@workflow\ndef flow_{k}(x):\n    """Flow."""\n    a = step("a", lambda: 2 * x)\n'
            '    b = step("b", lambda: a + 1, retries=1)\n    return b'
        ),
    ),
}


def evaluator(house: agents.Agents) -> dict[str, Callable[[str], None]]:
    """How a text of each language is evaluated with these agents."""
    space: dict[str, object] = {"__name__": "bench_python"}
    exec("from project_o.agent import Agent, get_arg, param, pipe, step, tool, workflow", space)
    numbers = iter(range(1_000_000))

    def python(text: str) -> None:
        file = f"<bench {next(numbers)}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        exec(compile(text, file, "exec"), space)

    return {"lisp": lambda text: house.evaluate(text, house.namespace, "<bench>.hy", 1), "python": python}


def cpu_ms(evaluate: Callable[[str], None], form: str) -> float:
    """The least of ``ROUNDS``, for one form."""
    rounds = []
    for turn in range(ROUNDS):
        text = "\n".join(form.replace("{k}", str(turn * COUNT + k)) for k in range(COUNT))
        gc.collect()
        began = time.process_time()
        evaluate(text)
        rounds.append((time.process_time() - began) * 1000 / COUNT)
    return round(min(rounds), 3)


def main() -> None:
    """Measure, print, and write the record."""
    house = agents.Agents(setting=str, namespace={"__name__": "bench_lisp"})
    place.provide(lambda: house)
    ways = evaluator(house)
    ways["lisp"]("(setv warm 1)")
    found = {
        name: {way: cpu_ms(ways[way], form) for way, form in zip(("lisp", "python"), forms, strict=True) if form}
        for name, forms in FORMS.items()
    }
    most = max(times["lisp"] for times in found.values())
    today = datetime.now(UTC).date().isoformat()
    record = {
        "date": today,
        "machine": machine.facts(),
        "cpu_ms_a_form": found,
        "cpu_ms_max": most,
        "target_cpu_ms": CPU_MS_MAX,
        "met": most <= CPU_MS_MAX,
    }
    path = ROOT / "benchmarks" / "results" / f"{today}-language.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    for name, times in found.items():
        print(f"{name:12}", *(f"{way} {value:6.3f} ms" for way, value in times.items()))
    print(f"the dearest form takes {most:.3f} ms of {CPU_MS_MAX}")


if __name__ == "__main__":
    main()

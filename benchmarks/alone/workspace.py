"""Things that are looked after, one for each layer: how each is asked, and texts that are worse, drawn by seed."""

from __future__ import annotations

import itertools
import linecache
import random
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from project_o.agent.agents import Agents
from project_o.agent.improving import Improver
from project_o.flow import Flow

LISP = """(defagent steps
  "Counts the steps of a number down to one."
  (setv n (int message) count 0)
  (while (> n 1)
    (setv n (if (= (% n 2) 0) (// n 2) (+ (* 3 n) 1)))
    (+= count 1))
  (str count))
"""
LISP_FAULTS = (
    ("(+= count 1)", "(+= count 2)"),
    ("(> n 1)", "(> n 2)"),
    ("(str count)", "(str (- count 1))"),
    ("(setv n (int message) count 0)", "(setv n (int message) count 1)"),
)
PYTHON = """def longest(values):
    best = 0
    run = 0
    for k in range(len(values)):
        if k > 0 and values[k] >= values[k - 1]:
            run += 1
        else:
            run = 1
        best = max(best, run)
    return best
"""
PYTHON_FAULTS = (
    ("values[k] >= values[k - 1]", "values[k] > values[k - 1]"),
    ("run = 1\n", "run = 0\n"),
    ("range(len(values))", "range(len(values) - 1)"),
    ("best = max(best, run)", "best = max(best, k)"),
    ("k > 0 and", "k > 1 and"),
)
ZIG = """const lanes = LANES; // o: 1 2 4 8 16

pub fn energy(values: []const f64) f64 {
    const V = @Vector(lanes, f64);
    var sums: V = @splat(0);
    var k: usize = 0;
    while (k + lanes <= values.len) : (k += lanes) {
        const x: V = values[k..][0..lanes].*;
        sums += x * x;
    }
    var total: f64 = @reduce(.Add, sums);
    while (k < values.len) : (k += 1) total += values[k] * values[k];
    return total;
}
"""
RUST = """const LANES: usize = WIDTH; // o: 1 2 4 8 16

pub fn spread(values: &[f64]) -> f64 {
    let mut sums = [0.0f64; LANES];
    let mut parts = values.chunks_exact(LANES);
    for part in parts.by_ref() {
        for k in 0..LANES {
            sums[k] += part[k].abs();
        }
    }
    let mut total: f64 = sums.iter().sum();
    for x in parts.remainder() {
        total += x.abs();
    }
    total
}
"""
SCHEMA = """def kept_in():
    schema = VERSION  # o: 1 2
    return {"schema": schema}
"""
LAYERS = ("lisp", "python", "zig", "rust", "schema")
FACTS = (
    "The workshop is cold in the morning.", "Ann keeps the spare key under the bench.", "The kiln needs nine hours.",
    "Glaze number four runs.", "The van is serviced in March.", "Blue clay comes from the north pit.",
)  # fmt: skip
TAUGHT = (
    ("how do I get in when nobody is there", 1),
    ("when can I open it again after firing", 2),
    ("which colour must not stand close to others", 3),
)
_cells = itertools.count()


@dataclass
class Workspace:
    """Everything defined, well; ``worsen`` defines one of them anew."""

    flow: Flow
    improver: Improver
    agents: Agents
    space: types.ModuleType
    schema_score: Callable[[Any], float]

    def define(self, layer: str, text: str) -> Any:
        """Define one of them by its text: the function, or the agent."""
        if layer == "lisp":
            return self.agents.evaluate(text, self.space, "<workspace>")
        if layer in ("zig", "rust"):
            module = self.flow.cell(text, layer, trial=False)
            return getattr(module, "energy" if layer == "zig" else "spread")
        file = f"<workspace {next(_cells)}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        exec(compile(text, file, "exec"), vars(self.space))
        return vars(self.space)["longest" if layer == "python" else "kept_in"]

    def worsen(self, layer: str, seed: int) -> str:
        """Define one of them worse; how, in words."""
        rng = random.Random(f"{layer} {seed}")
        if layer in ("lisp", "python"):
            old, new = rng.choice(LISP_FAULTS if layer == "lisp" else PYTHON_FAULTS)
            text, how = (LISP if layer == "lisp" else PYTHON).replace(old, new), f"{old.strip()} -> {new.strip()}"
        elif layer == "schema":
            text, how = SCHEMA.replace("VERSION", "1"), "version 1"
        else:
            lanes = str(rng.choice((1, 2)))
            text = ZIG.replace("LANES", lanes) if layer == "zig" else RUST.replace("WIDTH", lanes)
            how = f"{lanes} lanes"
        self.improver.changed(self.define(layer, text))
        return how


def workspace() -> Workspace:
    """All five, looked after, as good as they ever were."""
    flow, space = Flow(), types.ModuleType(f"workspace_{next(_cells)}")
    sys.modules[space.__name__] = space
    made = Workspace(flow, Improver(flow), Agents(namespace=vars(space)), space, schema_score)
    rng = np.random.default_rng(1)
    numbers = rng.standard_normal(20_000)
    lists = [[int(x) for x in rng.integers(0, 9, size)] for size in (0, 1, 2, 5, 8, 13, 21, 34)] + [[1, 1, 2, 3]]
    longest = made.define("python", PYTHON)
    cases: dict[str, Any] = {
        "python": [((items,), longest(items)) for items in lists],
        "lisp": [((str(n),), None) for n in (1, 2, 6, 7, 9, 27, 97)],
        "zig": [((numbers,), float(np.square(numbers).sum()))],
        "rust": [((numbers,), float(np.abs(numbers).sum()))],
    }
    texts = {"lisp": LISP, "python": PYTHON, "zig": ZIG.replace("LANES", "8"), "rust": RUST.replace("WIDTH", "8")}
    for layer, text in texts.items():
        target = made.define(layer, text)
        if layer == "lisp":
            cases[layer] = [(args, str(target(*args))) for args, _ in cases[layer]]
        if layer in ("zig", "rust"):
            cases[layer] = [(args, target(*args)) for args, _ in cases[layer]]
        made.improver.watch(target, cases[layer], layer=layer)
    kept_in = made.define("schema", SCHEMA.replace("VERSION", "2"))
    made.improver.watch(kept_in, metric=schema_score, layer="schema")
    return made


def schema_score(program: Any) -> float:
    """Which share of the questions that a user taught a memory of this version of the schema answers."""
    from project_o.agent import Memory, MemorySpec

    memory = Memory(MemorySpec("facts", embedding="hash"))
    blocks = [memory.remember(text) for text in FACTS]
    for question, which in TAUGHT:
        memory.teach(question, blocks[which].id)
    memory.store.migrate(int(program()["schema"]))
    right = sum(memory.recall(question, 1)[0].block.text == FACTS[which] for question, which in TAUGHT)
    return right / len(TAUGHT)

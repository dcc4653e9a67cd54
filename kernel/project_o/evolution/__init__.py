"""Evolution you can believe: proposals from a seed, candidates in the sandbox, verdicts from paired measurements.

task        what is evolved, and the seams to compiler, sandbox and evaluator
search      the proposer that works offline: ask and tell over declared domains
rewrite, tuning    such that edit a program's text, and the numbers in it
sizes, leaves, inputs    generated inputs that keep the shape of the samples
compare, validate        whether a candidate answers as the incumbent does
bench, timing, scoring    what a run asks of its objective: a function's time, or an evaluator's scores
llm         proposals of a language model
foreign     tasks in OpenEvolve's form, whose scores are their evaluator's own word
goals, metrics            objectives and guards; what pairs gave, in time, memory, size and accuracy
fresh, near, measure      pairs of timings, each on an input that nobody has seen
plausible, unseen, ceiling, bandwidth    whether a gain can be one
stored      what was measured is what is kept
decide      the rule of acceptance, in words
archive     records, duplicates, lineage, resumption
loop, start, run          the order of things, one run, its result
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .archive import Archive, Lineage
from .kept import Counterexamples
from .run import Run
from .search import Proposer, SearchProposer
from .task import Task

if TYPE_CHECKING:
    from .start import run_evolution

__all__ = ["Archive", "Counterexamples", "Lineage", "Proposer", "Run", "SearchProposer", "Task", "run_evolution"]


def __getattr__(name: str) -> Any:
    """What a run needs (numpy, the checks, the sandbox) is loaded by the first one."""
    if name != "run_evolution":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .start import run_evolution

    return run_evolution

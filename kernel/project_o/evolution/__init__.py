"""Evolution you can believe: proposals from a seed, candidates in the sandbox, verdicts from paired measurements.

task        what is evolved, and the seams to compiler, sandbox and evaluator
search      the proposer that works offline: ask and tell over declared domains
sizes, leaves, inputs    generated inputs that keep the shape of the samples
compare, validate        whether a candidate answers as the incumbent does
measure, bench           pairs of timings, or of an evaluator's scores
decide      the rule of acceptance, in words
archive     records, duplicates, lineage, resumption
loop, start, run          the order of things, one run, its result
"""

from __future__ import annotations

from .archive import Archive, Lineage
from .kept import Counterexamples
from .run import Run
from .search import Proposer, SearchProposer
from .start import run_evolution
from .task import Task

__all__ = ["Archive", "Counterexamples", "Lineage", "Proposer", "Run", "SearchProposer", "Task", "run_evolution"]

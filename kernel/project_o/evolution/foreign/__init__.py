"""Tasks in OpenEvolve's form, run unchanged: a program's file, and an evaluator that is given the file's path.

settings    the keys of its config.yaml that mean something here
results     what an evaluator returned: metrics, artifacts, which of them is ranked
files       from paths to a task
job         an evaluator's process, asked as any other
bench       evaluations, in stages, each candidate in a process of its own
word        the end of such a run: leaders by the evaluator's own word, and what a person, or an evaluator of our own
            form, has to say to that

Such an evaluator imports the candidate into its own process, so whatever it says may be the candidate's word. Its
scores are *self-reported*: ranked, shown, and never accepted by themselves.
"""

from __future__ import annotations

from .files import ForeignTask, is_task, paths_of, read_program, read_task
from .settings import Settings

__all__ = ["ForeignTask", "Settings", "is_task", "paths_of", "read_program", "read_task"]

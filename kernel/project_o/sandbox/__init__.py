"""The one way to run anything that is not trusted, and what may crash: a locked process for each job.

    with Sandbox(wall_seconds=3) as box:
        with box.python("def double(x): return 2 * x") as job:
            answer = job.ask("double", [21])

A warm process forks a child for each job. Before the child reads a byte of what it is to run it has given up
files, network, processes, signals and its limits; it gives data, and the clock and the verdict stay here.

To add a layer: apply it in ``locks.lock_strict``, try it in ``level.try_everything``, attack it in the tests.
To add a profile: name it in ``profiles.PROFILES`` and say in ``box.Sandbox`` what it promises.
"""

from .answer import Answer, Answers
from .asking import Asking
from .box import Sandbox
from .common import shared, shared_builder
from .early import Early
from .function_job import FunctionJob
from .job import Job
from .lint import Denied, LintRules, lint
from .native_job import NativeJob
from .probing import probe
from .snapshot import Snapshot

__all__ = [
    "Answer",
    "Answers",
    "Asking",
    "Denied",
    "Early",
    "FunctionJob",
    "Job",
    "LintRules",
    "NativeJob",
    "Sandbox",
    "Snapshot",
    "lint",
    "probe",
    "shared",
    "shared_builder",
]

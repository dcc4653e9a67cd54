"""Program -> Artifact -> loaded library -> guarded call, for Zig.

``build`` compiles or finds a build in the cache; ``Version`` is how it serves: tried in the sandbox first, then
called in this process under the guard, or isolated. ``load`` gives the library without a trial.

To add one more native language: a module that turns a Program into a library of the shim ABI that describes itself
(see ``abi``), with its own recipe; loading, guard, calls, cache and trial stay as they are.
"""

from .build import build
from .cache import clear, evict, mark_tried, tried, used_bytes
from .checks import status, warm
from .compiler import Finished, Job, Runner
from .faults import fault_error
from .guard import guard_path
from .load import Library, load
from .places import ZIG_VERSION, cache_directory, locate
from .testing import run_tests
from .version import Version

__all__ = [
    "ZIG_VERSION",
    "Finished",
    "Job",
    "Library",
    "Runner",
    "Version",
    "build",
    "cache_directory",
    "clear",
    "evict",
    "fault_error",
    "guard_path",
    "load",
    "locate",
    "mark_tried",
    "run_tests",
    "status",
    "tried",
    "used_bytes",
    "warm",
]

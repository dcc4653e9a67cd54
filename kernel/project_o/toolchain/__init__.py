"""Program -> Artifact -> loaded library -> guarded call, for Zig and Rust.

``build`` compiles or finds a build in the cache; ``Version`` is how it serves: tried in the sandbox first, then
called in this process under the guard, or isolated. ``load`` gives the library without a trial.

Zig's recipe, diagnostics and tests are in this folder, Rust's in ``rust``. To add one more native language: a folder
that turns a Program into a library of the shim ABI that describes itself (see ``abi``), with its own recipe, and a line
in ``build``; loading, guard, calls, cache and trial stay as they are.
"""

from .annotate import annotate
from .build import build
from .cache import clear, evict, mark_tried, tried, used_bytes
from .checks import status, warm
from .compiler import Finished, Job, Runner
from .faults import fault_error
from .guard import guard_path
from .load import Library, load
from .parse import syntax_errors
from .places import ZIG_VERSION, cache_directory, locate
from .rust.places import locate as locate_rust
from .sources import LOCKED_FLAG
from .testing import run_tests
from .version import Version

__all__ = [
    "LOCKED_FLAG",
    "ZIG_VERSION",
    "Finished",
    "Job",
    "Library",
    "Runner",
    "Version",
    "annotate",
    "build",
    "cache_directory",
    "clear",
    "evict",
    "fault_error",
    "guard_path",
    "load",
    "locate",
    "locate_rust",
    "mark_tried",
    "run_tests",
    "status",
    "syntax_errors",
    "tried",
    "used_bytes",
    "warm",
]

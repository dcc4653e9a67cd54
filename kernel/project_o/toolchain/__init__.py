"""Program -> Artifact -> loaded library -> guarded call, for Zig."""

from .build import build
from .cache import clear, evict, mark_tried, tried, used_bytes
from .faults import fault_error
from .guard import guard_path
from .load import Library, load
from .places import ZIG_VERSION, cache_directory, locate

__all__ = [
    "ZIG_VERSION",
    "Library",
    "build",
    "cache_directory",
    "clear",
    "evict",
    "fault_error",
    "guard_path",
    "load",
    "locate",
    "mark_tried",
    "tried",
    "used_bytes",
]

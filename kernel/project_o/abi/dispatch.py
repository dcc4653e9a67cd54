"""The dispatcher of this process: a compiled module that makes calls without Python code, where there is one.

Whoever makes it puts it here (``toolchain/dispatcher.py``), and whoever calls looks here. Without one, every call goes
the portable way, with the same results and the same messages.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

_made: ModuleType | None = None


def made() -> Any:
    """The module; None as long as there is none."""
    return _made


def put(module: ModuleType | None) -> None:
    """Let calls from now on go through ``module``."""
    global _made
    _made = module

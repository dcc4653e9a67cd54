"""What serves a name: handles that users hold, and the registry that decides which version they reach.

registry.py   names, their releases, rollback; the ledger that outlives the kernel
handles.py    NativeFunction and NativeModule: stable objects whose version may change under them
functions.py  PythonFunction: the same for a Python function
imports.py    programs that import others by name, and what becomes of them when those change
modules.py    LoadedModule: the same for a library module, whose state outlives its build; imported where one is loaded
"""

from .functions import PythonFunction
from .handles import NativeFunction, NativeModule, Slot, named
from .imports import renew, with_imports
from .registry import LEDGER, Registry, Release

__all__ = [
    "LEDGER",
    "NativeFunction",
    "NativeModule",
    "PythonFunction",
    "Registry",
    "Release",
    "Slot",
    "named",
    "renew",
    "with_imports",
]

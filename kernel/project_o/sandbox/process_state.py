"""What all code in a process shares, on the sandboxed side: its settings, and the names that others look up in modules.

Who changes it is fast, or looks right, at the cost of all that runs in the process afterwards. ``settings`` is small
enough for each answer; ``surroundings`` is looked at when a call is over, and not in its time.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

LIBRARY = (
    "bisect", "builtins", "cmath", "collections", "copy", "decimal", "fractions", "functools", "heapq", "itertools",
    "json", "json.decoder", "json.encoder", "math", "numpy", "numpy.fft", "numpy.linalg", "numpy.random", "operator",
    "os", "random", "re", "statistics", "string", "time",
)  # fmt: skip
"""Modules in which other code of the process looks up what it calls."""
TOLD_MAX = 4
ROUNDING = "how numbers are rounded"


def settings() -> dict[str, Any]:
    """What makes a function look faster at the cost of the others."""
    return {
        "the garbage collector": (gc.isenabled(), gc.get_threshold(), gc.get_debug()),
        "the trace and profile hooks": (sys.gettrace(), sys.getprofile()),
        "the switch interval": sys.getswitchinterval(),
    }


def surroundings() -> dict[str, Any]:
    """What changes what others compute, print or meet."""
    found = {
        "what the collector calls": list(map(id, gc.callbacks)),
        "the recursion limit": sys.getrecursionlimit(),
        "the limit of digits": sys.get_int_max_str_digits(),
        "the warnings' filters": list(warnings.filters),
        "the signal handlers": [signal.getsignal(number) for number in range(1, signal.NSIG)],
        "the environment": dict(os.environ),
        "the search for modules": (list(sys.path), list(map(id, sys.meta_path)), list(map(id, sys.path_hooks))),
        "the hooks of the interpreter": [id(getattr(sys, name)) for name in ("excepthook", "displayhook", "stdout")],
        "what runs at the end": atexit._ncallbacks(),
        ROUNDING: rounding(),
    }
    if (decimal := sys.modules.get("decimal")) is not None:
        found["the context of decimals"] = repr(decimal.getcontext()).partition("flags=")[0]
    if (numpy := sys.modules.get("numpy")) is not None and hasattr(numpy, "geterr"):
        found["numpy's treatment of errors"] = (numpy.geterr(), numpy.getbufsize())
        found["numpy's print options"] = numpy.get_printoptions()
    return found


def rounding() -> tuple[float, ...]:
    """Sums that come out otherwise where the processor rounds up, down or to zero, or takes small numbers for nothing.

    The operands come from a list, so that the compiler does not add them beforehand (IEEE 754, 4.3 and 7.5).
    """
    one, half_step, tiny, least = _OPERANDS
    return one + half_step, -one - half_step, one + 1.5 * half_step, tiny / 2, least + least


_OPERANDS = [1.0, 2.0**-53, 2.2250738585072014e-308, 5e-324]


class Names:
    """The names of modules, and of the classes in them, and what each stood for when this was made."""

    def __init__(self, modules: Sequence[str] = LIBRARY) -> None:
        self._found = {
            place: (held, {name: id(value) for name, value in held.items()})
            for module in modules
            for place, held in _places(module, sys.modules.get(module))
        }
        self._modules = {module: id(sys.modules.get(module)) for module in modules}

    def changed(self) -> list[str]:
        """Those that stand for something else now; new ones change nobody's."""
        found = [f"the module {name}" for name, was in self._modules.items() if id(sys.modules.get(name)) != was]
        for place, (held, known) in self._found.items():
            if [id(value) for value in map(held.get, known)] != list(known.values()):
                found += [f"{place}.{name}" for name, was in known.items() if id(held.get(name)) != was]
        return found[:TOLD_MAX]


def _places(name: str, module: ModuleType | None) -> Iterator[tuple[str, Any]]:
    if module is None:
        return
    yield name, vars(module)
    for value in list(vars(module).values()):
        if type(value) is type and value.__module__ == name and not name.startswith("numpy"):
            yield f"{name}.{value.__name__}", vars(value)

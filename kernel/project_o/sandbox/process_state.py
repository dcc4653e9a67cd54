"""What all code in a process shares, on the sandboxed side: its settings, and the names that others look up in modules.

Who changes it is fast, or looks right, at the cost of all that runs in the process afterwards. ``settings`` is small
enough for each answer; ``surroundings`` is looked at when a call is over, and not in its time.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import struct
import sys
import warnings
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

LIBRARY = (
    "bisect", "builtins", "cmath", "collections", "copy", "decimal", "fractions", "functools", "heapq", "itertools",
    "json", "json.decoder", "json.encoder", "math", "numpy", "numpy.fft", "numpy.linalg", "numpy.random", "operator",
    "os", "random", "re", "statistics", "string", "time",
)  # fmt: skip
"""Modules in which other code of the process looks up what it calls."""
WITH_CLASSES = ("json.decoder", "json.encoder", "random")
"""Of these the methods are looked at, too: they are written in Python, and called by functions of the module."""
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
        "what runs at the end": atexit._ncallbacks() - _of_finalisers(),
        ROUNDING: rounding(),
        "the generators of random numbers": _generators(),
    }
    if (decimal := sys.modules.get("decimal")) is not None:
        found["the context of decimals"] = repr(decimal.getcontext()).partition("flags=")[0]
    if (numpy := sys.modules.get("numpy")) is not None and hasattr(numpy, "geterr"):
        found["numpy's treatment of errors"] = (numpy.geterr(), numpy.getbufsize())
        found["numpy's print options"] = numpy.get_printoptions()
    return found


def _generators() -> list[int]:
    """Where the generators of the whole process stand: who draws from them changes what a seed gives to others."""
    found = []
    if (standard := sys.modules.get("random")) is not None:
        found.append(hash(standard._inst.getstate()))
    if (numbers := sys.modules.get("numpy.random")) is not None:
        _, key, at, *rest = numbers.mtrand._rand.get_state()
        found.append(hash((key.tobytes(), at, *rest)))
    return found


def _of_finalisers() -> int:
    """1 once ``weakref.finalize`` was used: it registers itself the first time, which changes nothing for anybody."""
    finalize = getattr(sys.modules.get("weakref"), "finalize", None)
    return int(getattr(finalize, "_registered_with_atexit", False))


def rounding() -> bytes:
    """Sums that come out otherwise where the processor rounds up, down or to zero, or takes small numbers for nothing.

    As bytes: a processor that takes small numbers for nothing finds them equal to it. The operands come from a list, so
    that the compiler does not add them beforehand (IEEE 754, 4.3 and 7.5).
    """
    one, half_step, tiny, least = _OPERANDS
    found = one + half_step, -one - half_step, one + 1.5 * half_step, tiny / 2, least + least
    return struct.pack("5d", *found)


_OPERANDS = [1.0, 2.0**-53, 2.2250738585072014e-308, 5e-324]


class Names:
    """The names of modules, and of the classes that others call, and what each stood for when this was made.

    Of ``more`` modules, which are the user's own, only what can be called: they may count in a variable.
    """

    def __init__(self, more: Iterable[str] = ()) -> None:
        self._modules = {module: sys.modules.get(module) for module in (*LIBRARY, *more)}
        self._found = [
            (place, held, names, tuple(map(id, map(held.get, names))))
            for module, found in self._modules.items()
            for place, held in _places(module, found)
            for names in [tuple(name for name, value in held.items() if module in LIBRARY or callable(value))]
        ]

    def changed(self) -> list[str]:
        """Those that stand for something else now; new ones change nobody's."""
        found = [f"the module {name}" for name, was in self._modules.items() if sys.modules.get(name) is not was]
        for place, held, names, ids in self._found:
            now = tuple(map(id, map(held.get, names)))
            if now != ids:
                found += [f"{place}.{name}" for name, was, is_ in zip(names, ids, now, strict=True) if is_ != was]
        return found[:TOLD_MAX]


def _places(name: str, module: ModuleType | None) -> Iterator[tuple[str, Any]]:
    if module is None:
        return
    yield name, vars(module)
    if name in WITH_CLASSES:
        for value in list(vars(module).values()):
            if type(value) is type and value.__module__ == name:
                yield f"{name}.{value.__name__}", vars(value)

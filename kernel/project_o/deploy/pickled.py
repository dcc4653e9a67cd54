"""Native functions in other processes: what is pickled of one, and how it is opened there.

What crosses is its program, which is whole: the texts, the mode, the options. The other process takes the build from
its cache, or compiles it. Where that very text serves that name already, as in the process that pickled it, what comes
back is the handle that is there.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any
from weakref import WeakValueDictionary

from .. import limits
from ..errors import InterfaceError, ProjectOError
from ..values import Program
from .handles import NativeFunction, NativeModule, Slot

_Key = tuple[str, str]
_serving: WeakValueDictionary[_Key, Slot] = WeakValueDictionary()
"""Of each name and text that was pickled here the slot."""
_opened: OrderedDict[_Key, Slot] = OrderedDict()
"""What was opened here, the latest last. An executor pickles a function once for each call of it."""

Reduced = tuple[Any, tuple[Program, str, str]]


def reduced(slot: Slot, function: str = "") -> Reduced:
    """What ``__reduce__`` returns for a function of a slot, or for the whole module.

    Raises InterfaceError for a library module, whose state is in this process.
    """
    from ..toolchain.modules import Module
    from .sampling import plain

    if isinstance(plain(slot.version), Module):
        raise InterfaceError(
            f"{slot.name} is a library module with a state in this process: send what it answers, or let the other "
            f"process load({slot.name!r}) for itself"
        )
    program = slot.version.artifact.program
    _serving[slot.name, program.digest] = slot
    return reopened, (program, slot.name, function)


class Unopened:
    """What came of a function that cannot be opened here: whoever calls it is told why.

    An error while it is unpickled would end the worker of a pool, and ``multiprocessing.Pool`` waits for ever then.
    """

    def __init__(self, sent: tuple[Program, str, str], error: ProjectOError) -> None:
        self._sent = sent
        self._error = error
        self.__name__ = self.__qualname__ = sent[2] or sent[1]

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Raises ToolchainMissing or CompileError where it has to be compiled and cannot be, SandboxError where it is
        to be isolated and there is no sandbox.
        """
        raise self._error.with_traceback(None)

    def __getattr__(self, name: str) -> Unopened:
        """Of a module its functions, of which none can be called either."""
        if name.startswith("_") or self._sent[2]:
            raise AttributeError(name)
        return Unopened((*self._sent[:2], name), self._error)

    def __reduce__(self) -> Any:
        """As what it stands for: where it is sent on, it may be opened."""
        return reopened, self._sent

    def __repr__(self) -> str:
        return f"<{self.__name__}, which cannot be called in this process: {self._error}>"


def reopened(program: Program, name: str, function: str) -> NativeFunction | NativeModule | Unopened:
    """The other end of ``reduced``."""
    key = name, program.digest
    slot = _serving.get(key)
    if slot is None or slot.version.artifact.program.digest != program.digest:
        try:
            slot = _opened.get(key) or _opened.setdefault(key, Slot(name, _version(program)))
        except ProjectOError as error:
            return Unopened((program, name, function), error)
        while len(_opened) > limits.PICKLED_FUNCTIONS_KEPT:
            _opened.popitem(last=False)
    return slot.function(function) if function else NativeModule(slot)


def _version(program: Program) -> Any:
    """As it serves, without a trial: whoever pickled it has called it, or takes it as it is.

    Raises what ``Unopened`` passes on.
    """
    from .. import toolchain
    from ..languages import names_of
    from ..sandbox import shared
    from ..toolchain import dispatcher
    from ..toolchain.quick import How
    from ..toolchain.sources import ISOLATE

    dispatcher.prepare()
    how = How(shared(), isolate=ISOLATE in program.options, trial=False)
    return how.version(toolchain.build(program, names=names_of(program)))

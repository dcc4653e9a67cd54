"""Project O: code that improves itself, in a Jupyter notebook.

    %load_ext project_o                                   in a notebook: %%zig, %%rust, %%agent, %evolve and %o
    from project_o import zig, rust, Agent, evolve, ...   the same from Python, and load for library modules

The names below are the whole public surface. They are imported when they are first used, so that
``import project_o`` costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .agent import Agent
    from .api import evolve, load, rust, zig
    from .sandbox import Sandbox

__version__ = "0.1.0"

__all__ = [
    "Agent",
    "Sandbox",
    "__version__",
    "evolve",
    "load",
    "load_ipython_extension",
    "rust",
    "unload_ipython_extension",
    "zig",
]

_HOMES = {
    "Agent": ".agent",
    "Sandbox": ".sandbox",
    **dict.fromkeys(("evolve", "load", "rust", "zig"), ".api"),
}


def __dir__() -> list[str]:
    """What completion offers: the names that are there already, and those that will be when they are used."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "errors":  # so that `except project_o.errors.CompileError` needs no import of its own
        return import_module(".errors", __name__)
    if name not in _HOMES:
        raise AttributeError(f"project_o has no name {name!r}: there are {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name], __name__), name)


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext project_o``: register the magics and begin to record. Prints nothing; loading twice is fine."""
    from .channel import connect
    from .magics.extension import ATTRIBUTE, load

    load(shell)
    connect(shell, getattr(shell, ATTRIBUTE).session.flow)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext project_o``: end recording, and take the magics and everything else back out."""
    from .channel import disconnect
    from .magics.extension import unload

    disconnect(shell)
    unload(shell)

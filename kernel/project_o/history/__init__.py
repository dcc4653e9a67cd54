"""The history: after each cell its state is a Git commit in a private store, and any of them can be returned to.

    h = open_history(directory, notebook="analysis.ipynb", session="kernel id")
    h.begin(cell); h.record(cell)                      around each cell: an append to a journal, nothing more
    h.note("evolve", "dot", "1.8x faster", facts, files)    a state that is no cell; its commit id is really there
    h.states(); h.diff("@~3"); h.restore("@~3")

Names are imported when they are first used: the recorder process starts from this package too.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .capture import Detach, attach
    from .history import History, open_history
    from .notebook import find_notebook
    from .records import CellChange, CellRun, CellState, FileChange, HistoryDiff, Restored

__all__ = [
    "CellChange",
    "CellRun",
    "CellState",
    "Detach",
    "FileChange",
    "History",
    "HistoryDiff",
    "Restored",
    "attach",
    "find_notebook",
    "open_history",
]

_HOMES = {
    "CellChange": "records",
    "CellRun": "records",
    "CellState": "records",
    "Detach": "capture",
    "FileChange": "records",
    "History": "history",
    "HistoryDiff": "records",
    "Restored": "records",
    "attach": "capture",
    "find_notebook": "notebook",
    "open_history": "history",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"project_o.history has no name {name!r}: there are {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)

"""The values of the history: what goes in, and what comes back out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ..values import State

Output = dict[str, Any]
"""One output as nbformat 4 stores it."""
Change = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class CellRun:
    """One execution of a cell. ``started`` is seconds since the epoch.

    ``kind`` is the type in the commit's subject. ``id`` may be empty: the cell is then found by its source in
    the notebook, or numbered. ``changed`` holds outputs of other cells that this run updated, by cell id.
    """

    id: str
    source: str
    outputs: tuple[Output, ...] = ()
    execution_count: int | None = None
    status: Literal["ok", "error", "died"] = "ok"
    started: float = 0.0
    duration_ms: float = 0.0
    kind: str = "run"
    changed: tuple[tuple[str, tuple[Output, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class CellState:
    """A cell as a state holds it. ``type`` is nbformat's cell type."""

    id: str
    type: str
    source: str
    outputs: tuple[Output, ...] = ()
    execution_count: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    attachments: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CellChange:
    """What became of one cell between two states; ``diff`` is a unified diff of its source.

    ``outputs_diff`` tells how its outputs differ, where that was asked for.
    """

    id: str
    change: Change
    diff: str
    outputs_changed: bool = False
    outputs_diff: str = ""


@dataclass(frozen=True, slots=True)
class FileChange:
    """What became of one file of the programs or deployments; ``diff`` is unified."""

    path: str
    change: Change
    diff: str


@dataclass(frozen=True, slots=True)
class HistoryDiff:
    """The difference from state ``a`` to state ``b``: sources first, cells in the order of ``b``."""

    a: State
    b: State
    cells: tuple[CellChange, ...]
    files: tuple[FileChange, ...]
    moved: bool = False

    @property
    def text(self) -> str:
        """All of it as one unified diff."""
        parts = [change.diff for change in self.cells if change.diff]
        parts += [f"cell {change.id}: only its outputs differ\n" for change in self.cells if not change.diff]
        parts += [change.diff for change in self.files if change.diff]
        if self.moved:
            parts.append("the order of the cells differs\n")
        return "".join(parts)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. ``path`` is the notebook that was written, or None; ``note`` says it in a sentence.

    ``files`` are the programs and ``deployments.json`` of the state, for the caller to put back into service.
    ``replaced`` is the state that holds what was on disk before, if something was; ``shown`` the one that holds what
    an open notebook showed. ``reloads`` says that one was told to show its file anew.
    """

    state: State
    source: State
    path: str | None
    files: Mapping[str, str]
    note: str
    replaced: State | None = None
    shown: State | None = None
    reloads: bool = False

    @property
    def shows(self) -> str:
        """What an open notebook does now that its file was replaced; "" where nothing was."""
        if self.reloads:
            return "the notebook shows it as soon as this cell has ended"
        return "choose Revert when it says that the file has changed" if self.path else ""

    def told(self, served: Sequence[str], refused: Sequence[str]) -> dict[str, Any]:
        """All of it as a table; ``served`` are the names that serve again, ``refused`` says why others do not."""
        return {
            "state": self.source.short,
            "notebook": self.note,
            "in JupyterLab": self.shows,
            "what it showed": f"is kept as state {self.shown.short}" if self.shown else "",
            "what the file held": f"is kept as state {self.replaced.short}" if self.replaced else "",
            "serving again": ", ".join(served) or "nothing: no program was accepted by then",
            **({"not serving": "; ".join(refused)} if refused else {}),
            "variables": "unchanged: run the cells that make them",
        }


@dataclass(frozen=True, slots=True)
class Forked:
    """A notebook that goes on from an old state: ``state`` is its first, ``path`` the file that was written."""

    state: State
    source: State
    path: str

    def told(self) -> dict[str, Any]:
        """All of it as a table."""
        return {
            "state": self.state.short,
            "goes on from": f"{self.source.short} {self.source.summary}",
            "notebook": self.path,
            "what served then": "serves again there when its cells are run",
            "variables": "none: run the cells that make them",
        }


@dataclass(frozen=True, slots=True)
class Published:
    """What was put onto a branch of the user's repository: ``commits`` there, and the states they hold."""

    branch: str
    repository: str
    commits: tuple[str, ...]
    states: tuple[State, ...]
    files: tuple[str, ...] = ()

    def told(self) -> dict[str, Any]:
        """All of it as a table."""
        return {
            "branch": self.branch,
            "repository": self.repository,
            "new commits": ", ".join(commit[:10] for commit in self.commits) or "none: all of it was there",
            "of the states": ", ".join(state.short for state in self.states),
            "files": ", ".join(self.files),
            "to share it": f"git push origin {self.branch}",
        }


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a forgetting took out. ``matches`` counts the places; ``states`` those that were written anew."""

    matches: int
    states: int
    refs: int
    seconds: float

    def told(self) -> dict[str, Any]:
        """All of it as a table."""
        return {
            "places": self.matches,
            "states written anew": self.states,
            "where their ids changed": "in this store: what was published to a branch of your own stays as it is",
            "left": "nothing in objects, journals, large outputs, logs; the notebook's file and page are yours to edit",
            "seconds": round(self.seconds, 2),
        }

"""What one kernel has: its shell, its settings, its history, its flow."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.interactiveshell import InteractiveShell
from traitlets import Any as AnyTrait
from traitlets.config import Configurable
from traitlets.config.configurable import MultipleInstanceError

from ..config import CHOSEN, OPTIONS, Option, converted, evolution_forbidden, setting, share
from ..errors import UsageError
from ..flow import Flow
from ..history import History, open_history
from ..history.notebook import find_notebook
from .later import later_cells, quieten
from .said import show_said

if TYPE_CHECKING:
    from ..agent import Agents
    from ..agent.improving import Improver


class _OptionTrait(AnyTrait):
    """The value of an option that was chosen in the kernel; None: not chosen here."""

    def __init__(self, option: Option) -> None:
        super().__init__(None, allow_none=True, help=option.doc)
        self.option = option

    def validate(self, obj: Any, value: Any) -> Any:
        """A value that cannot be meant is said at once. It stays, so that what would use it fails: a configuration file
        of Jupyter's has no cell that could, and a notebook that ran on with another value would tell nobody."""
        try:
            return None if value is None else converted(self.option, value, CHOSEN)
        except UsageError as error:
            if getattr(obj, self.option.name) != value:  # traitlets set twice
                print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - see above
            return value


# A trait for each option, made from the one table of options.
_TRAITS = {option.name: _OptionTrait(option).tag(config=True) for option in OPTIONS}
_DOC = "What ``%config ProjectO.NAME = value`` sets in this kernel; ``%o config`` shows what is in force."
ProjectO: Any = type("ProjectO", (Configurable,), {**_TRAITS, "__doc__": _DOC})


class Session:
    """Everything that ``%load_ext project_o`` makes and ``%unload_ext`` ends."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.configurable = ProjectO(parent=shell)
        shell.configurables.append(self.configurable)
        folder = str(Path.cwd())
        notebook, self.found_by = find_notebook(shell.user_ns, os.environ, folder)
        self.history: History = open_history(
            Path(notebook).parent if notebook else folder,
            notebook=notebook,
            session=kernel_id(),
            enabled=bool(self.setting("history")),
        )
        self.history.found = self.found_by
        self.history.keep_large_outputs(int(self.setting("history_quota_mb")) << 20)
        self.flow = Flow(self.history)
        self.flow.forbidden = lambda: evolution_forbidden(self.chosen())
        self.flow.unsandboxed = lambda: bool(self.setting("serve_unsandboxed"))
        self.flow.quick = lambda: bool(self.setting("quick"))
        self.flow.guard_regression = lambda: share(self.setting("guard_regression"))
        self.flow.later_cells = lambda name, source: later_cells(self, name, source)
        self.flow.names = shell.user_ns
        self.flow.in_copy = lambda: quieten(self.shell)

    @cached_property
    def agents(self) -> Agents:
        """The agents of this kernel: made when the first one is defined or asked for."""
        from ..agent.agents import Agents

        agents = Agents(self.history, self.setting, self.shell.user_ns, self.flow.resume)
        agents.execution.in_copy = lambda: quieten(self.shell)
        return agents

    @cached_property
    def improver(self) -> Improver:
        """What looks after things of this kernel: made when the first one is watched."""
        from ..agent.improving import Improver

        return Improver(self.flow)

    def flush(self, error: BaseException | None = None) -> None:
        """A cell has ended, by this ``error`` if it failed: agents may have something to do then, and what serves."""
        if "agents" in self.__dict__:
            self.agents.cell_ended()
        if "releases" in vars(self.flow):
            show_said(self.flow.releases.settle(error))

    def restored(self) -> None:
        """A state was brought back: what agents remember is what it held, where there are agents."""
        if "agents" in self.__dict__:
            self.agents.restored()

    def forgot(self) -> None:
        """A text was taken out of the history: out of what agents remember, too."""
        if "agents" in self.__dict__:
            self.agents.forgot()

    def close(self) -> None:
        """Take the settings back out of ``%config``."""
        self.shell.configurables.remove(self.configurable)

    def chosen(self) -> Mapping[str, Any]:
        """What ``%config ProjectO`` has set."""
        values = {option.name: getattr(self.configurable, option.name) for option in OPTIONS}
        return {name: value for name, value in values.items() if value is not None}

    def choose(self, name: str, value: Any) -> None:
        """Set an option for the life of this kernel, as ``%config ProjectO.NAME = value`` does."""
        setattr(self.configurable, name, value)

    def setting(self, name: str) -> Any:
        """The value in force of an option. Raises UsageError."""
        names = [option.name for option in OPTIONS]
        if name not in names:
            raise UsageError(f"{name} is no option: there are {', '.join(names)}")
        chosen = getattr(self.configurable, name)
        return setting(name, {} if chosen is None else {name: chosen}).value


def kernel_id() -> str:
    """The kernel's own id, from its connection file; the process id where there is none."""
    from ipykernel.connect import get_connection_file

    try:
        return Path(get_connection_file()).stem.removeprefix("kernel-")
    except (RuntimeError, MultipleInstanceError):  # the second in a terminal's IPython, which is an application, too
        return f"pid-{os.getpid()}"

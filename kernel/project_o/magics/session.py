"""What one kernel has: its shell, its settings, its history, its flow."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.interactiveshell import InteractiveShell
from traitlets import Any as AnyTrait
from traitlets.config import Configurable

from ..config import OPTIONS, effective, evolution_forbidden
from ..errors import UsageError
from ..flow import Flow
from ..history import History, open_history
from ..history.notebook import find_notebook

if TYPE_CHECKING:
    from ..agent import Agents

# A trait for each option, made from the one table of options. None: not chosen here.
_TRAITS = {option.name: AnyTrait(None, allow_none=True, help=option.doc).tag(config=True) for option in OPTIONS}
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
        self.flow = Flow(self.history)
        self.flow.forbidden = lambda: evolution_forbidden(self.chosen())

    @cached_property
    def agents(self) -> Agents:
        """The agents of this kernel: made when the first one is defined or asked for."""
        from ..agent.agents import Agents

        return Agents(self.history, self.setting, self.shell.user_ns, self.flow.resume)

    def flush(self) -> None:
        """A cell has ended: what agents remembered in it goes into the history."""
        if "agents" in self.__dict__:
            self.agents.store.cell_ended()

    def restored(self) -> None:
        """A state was brought back: what agents remember is what it held, where there are agents."""
        if "agents" in self.__dict__:
            self.agents.restored()

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
        settings = effective(self.chosen())
        if name not in settings:
            raise UsageError(f"{name} is no option: there are {', '.join(settings)}")
        return settings[name].value


def kernel_id() -> str:
    """The kernel's own id, from its connection file; the process id where there is none."""
    from ipykernel.connect import get_connection_file

    try:
        return Path(get_connection_file()).stem.removeprefix("kernel-")
    except RuntimeError:
        return f"pid-{os.getpid()}"

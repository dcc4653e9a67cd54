"""``%load_ext project_o`` and ``%unload_ext project_o``."""

from __future__ import annotations

import atexit
from typing import Any

from ..agent.place import provide
from ..api import use
from ..history.capture import attach
from . import warming
from .agent import AgentMagics
from .configuring import ConfiguringMagics
from .displays import register, unregister
from .evolution import EvolutionMagics
from .native import NativeMagics
from .operations import OperationsMagics
from .panels import close_all
from .printed import pass_on
from .report import bare_help
from .session import Session

ATTRIBUTE = "_project_o_extension"
DRAIN_SECONDS = 2.0
"""A kernel is killed about five seconds after it was asked to end; the history must be done well before."""


class Extension:
    """One loaded extension: what it put in, so that it can take it out again."""

    def __init__(self, shell: Any) -> None:
        self.session = Session(shell)
        self.detach = attach(shell, self.session.history)
        use(self.session.flow, lambda: str(self.session.setting("modules")))
        provide(lambda: self.session.agents)
        self.magics: list[Any] = [
            NativeMagics(self.session),
            EvolutionMagics(self.session),
            OperationsMagics(self.session),
            configuring := ConfiguringMagics(self.session),
            AgentMagics(self.session),
        ]
        self.config_of_ipython = configuring.own
        for magics in self.magics:
            shell.register_magics(magics)
        shell.input_transformers_cleanup.append(bare_help)
        shell.events.register("post_run_cell", pass_on)
        register(shell)
        atexit.register(self.close)
        warming.begin()

    def close(self) -> None:
        """End recording; what was recorded is committed first."""
        self.detach()
        self.session.history.close(DRAIN_SECONDS)

    def remove(self, shell: Any) -> None:
        """Take the magics, the recorder and the displays back out."""
        self.close()
        self.session.close()
        use(None)
        provide(None)
        self.magics[-1].close()
        atexit.unregister(self.close)
        for magics in self.magics:
            for kind, table in magics.magics.items():
                for name in table:
                    shell.magics_manager.magics[kind].pop(name, None)
        shell.magics_manager.magics["line"]["config"] = self.config_of_ipython
        shell.input_transformers_cleanup.remove(bare_help)
        shell.events.unregister("post_run_cell", pass_on)
        unregister(shell)
        close_all()


def load(shell: Any) -> None:
    """Load once; a second time changes nothing."""
    if getattr(shell, ATTRIBUTE, None) is None:
        setattr(shell, ATTRIBUTE, Extension(shell))


def unload(shell: Any) -> None:
    """Undo ``load``."""
    extension = getattr(shell, ATTRIBUTE, None)
    if extension is not None:
        extension.remove(shell)
        delattr(shell, ATTRIBUTE)

"""``%o``: everything else."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class

from . import panels
from .arguments import words
from .report import reported
from .session import Session


@magics_class
class OperationsMagics(Magics):
    """The verbs."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.shell)
        self.session = session

    @line_magic
    @reported
    def o(self, line: str) -> Any:
        """``%o VERB ...``: history, show, diff, save, restore, serving, rollback, where, doctor, config, on, off ...

        ``%o`` alone lists the verbs, ``%o VERB --help`` says what one takes.
        """
        from ..operations import Context, asks_help, run_verb

        said = words(line)
        session = self.session
        context = Context(session.flow, session.chosen(), session.found_by, session.choose, session.shell.user_ns)
        value = run_verb(context, said)
        if asks_help(said):
            return value
        if said[:1] == ["restore"]:
            self._bind_what_serves()
            self.session.restored()
        if said[:1] == ["forget"]:
            self.session.forgot()
        if said[:1] == ["history"]:
            panels.show_history(self.session, value, lambda state: self.o(f"restore {state}"))
        return value

    def _bind_what_serves(self) -> None:
        """After a restore in a fresh kernel the names are there too; a name that is taken stays what it is."""
        from ..deploy import NativeFunction, NativeModule

        space, flow = self.session.shell.user_ns, self.session.flow
        for name in [deployment.name for deployment in flow.registry.serving()]:
            module = NativeModule(flow.registry.slot(name))
            # A cell without a NAME is called after its first function, and its functions are what it binds.
            new = {key: NativeFunction(module.slot, key) for key in module} if name in tuple(module) else {name: module}
            for key, value in new.items():
                space.setdefault(key, value)

"""``%o``: everything else."""

from __future__ import annotations

import shlex
from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class

from ..errors import UsageError
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

        ``%o`` alone lists the verbs.
        """
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"the line {line!r} cannot be read ({error}): close the quotes") from None
        from ..operations import Context, run_verb

        context = Context(self.session.flow, self.session.chosen(), self.session.found_by)
        return run_verb(context, words)

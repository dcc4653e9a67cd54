"""``%config ProjectO.NAME = value``: IPython's own ``%config`` swallows every exception, so that a notebook runs on."""

from __future__ import annotations

import difflib
import re
from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class
from traitlets.config import Config

from ..config import CHOSEN, OPTIONS, converted
from ..errors import UsageError
from .report import reported
from .session import Session

_ASSIGNS = re.compile(r"\s*ProjectO\.(\w+)\s*=[^=]")


@magics_class
class ConfiguringMagics(Magics):
    """IPython's ``%config``, and our options by their own rules."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.shell)
        self.session = session
        self.own = session.shell.find_line_magic("config")

    @line_magic
    @reported
    def config(self, line: str) -> Any:
        """``%config ProjectO.NAME = value`` sets an option for this kernel, None takes that back.

        A value that cannot be meant fails the cell and changes nothing. Everything else is IPython's own ``%config``.
        """
        found = _ASSIGNS.match(line)
        if found is None:
            return self.own(line)
        option = next((item for item in OPTIONS if item.name == found[1]), None)
        if option is None:
            near = difflib.get_close_matches(found[1], [item.name for item in OPTIONS], 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(item.name for item in OPTIONS)}"
            raise UsageError(f"{found[1]} is no option of ProjectO: {hint}")
        given = Config()
        exec(f"cfg.{line.strip()}", self.session.shell.user_ns, {"cfg": given})  # as IPython's own does
        value = given["ProjectO"][option.name]
        if value is not None:
            converted(option, value, f"{CHOSEN}.{option.name}")
        self.session.choose(option.name, value)
        return None

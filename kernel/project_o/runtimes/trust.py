"""Whose text a program is: the user's own, or one that somebody proposed; and where a proposed one may serve.

The user's own text may do as it likes: it is compiled with the user's rights, and may use what its author uses. A text
of anybody else's is compiled in the sandbox, and serves in this process only where it was judged in one.
"""

from __future__ import annotations

from collections.abc import Callable

from .. import limits
from ..errors import UsageError
from ..languages import tools_for
from ..values import Program

NATIVE = ("zig", "rust")
IMPORTS = "imports/"
TAKES_THE_RISK = "`project-o doctor` shows why; %config ProjectO.serve_unsandboxed = True takes the risk"


Cells = Callable[[str], Program | None]
"""The user's own text of a name; None where it is not known."""


def is_own(program: Program, cells: Cells, cell_digest: str = "") -> bool:
    """Whether a program is the text of the user's cell, or that with other values of its declared parameters, and so
    is all that it imports: what serves the name of an import may have been proposed.

    ``cell_digest`` tells of the cell's text where the cell itself was not run in this kernel.
    """
    cell = cells(program.name)
    if program.cell_digest != cell_digest and (cell is None or not _same(program, cell)):
        return False
    return all(_imported_is_own(path, text, cells) for path, text in program.files if path.startswith(IMPORTS))


def _same(program: Program, cell: Program) -> bool:
    return tools_for(program.language).only_settings(program, cell)


def _imported_is_own(path: str, text: str, cells: Cells) -> bool:
    cell = cells(path.removeprefix(IMPORTS).split("/")[0])
    try:
        return cell is not None and _same(tools_for(cell.language).with_source(cell, text), cell)
    except UsageError:  # it declares a parameter in a way that its cell does not
        return False


def refusal(program: Program, level: str) -> str:
    """Why a proposed text that was judged at this sandbox level may not serve in this process; "" where it may."""
    from ..sandbox import shared

    level = level or shared().level
    if level not in limits.SERVING_LEVELS:
        return (
            f"a new text of {program.name} may serve only where it was judged at sandbox level L2 or above, and this "
            f"was {level}: {TAKES_THE_RISK}"
        )
    return no_build_of(program) if program.language in NATIVE else ""


def no_build_of(program: Program) -> str:
    """Why a proposed text is not compiled here; "" where it is."""
    from ..sandbox import shared_builder

    why = shared_builder().build_refusal
    return why and f"a new text of {program.name} is compiled in the sandbox alone, and {why}: {TAKES_THE_RISK}"

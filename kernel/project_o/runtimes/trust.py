"""Whose text a program is: the user's own, or one that somebody proposed; and where a proposed one may serve.

The user's own text may do as it likes: it is compiled with the user's rights, and may use what its author uses. A text
of anybody else's is compiled in the sandbox, and serves in this process only where it was judged in one.
"""

from __future__ import annotations

from .. import limits
from ..languages import tools_for
from ..values import Program

NATIVE = ("zig", "rust")
TAKES_THE_RISK = "`project-o doctor` shows why; %config ProjectO.serve_unsandboxed = True takes the risk"


def is_own(program: Program, cell: Program | None, cell_digest: str = "") -> bool:
    """Whether a program is the text of the user's cell, or that with other values of its declared parameters.

    ``cell_digest`` tells of the cell's text where the cell itself was not run in this kernel.
    """
    if program.cell_digest == cell_digest:
        return True
    return cell is not None and tools_for(program.language).only_settings(program, cell)


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

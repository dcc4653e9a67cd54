"""A Rust candidate in processes that count its lines: the same text, built once more by the same rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CompileError, SandboxError, ToolchainError
from ..languages.covered import NotMeasured
from ..toolchain import guard_path
from ..toolchain.rust import counted
from ..toolchain.sources import LOCKED_FLAG
from ..values import Artifact
from .covering import Counted, LinesOf

if TYPE_CHECKING:
    from ..sandbox import Answer, Sandbox

FILE = "cell"


def covering_of(artifact: Artifact, build: Callable[..., Artifact], box: Sandbox) -> LinesOf:
    """Raises NotMeasured where this compiler cannot count, or counts in a way that is not known here."""
    program = artifact.program
    try:
        made = build(counted.with_counter(program), proposed=LOCKED_FLAG in artifact.flags)
        functions = counted.read(Path(made.path).read_bytes())
    except (CompileError, ToolchainError, SandboxError, OSError) as error:
        raise NotMeasured(" ".join(str(error).split())) from None
    counters = sum(item.count for item in functions if item.count > 0)
    own = len(program.source.splitlines())

    def asked(job: Any) -> Answer:
        answer: Answer = job.ask(counted.FUNCTION, [])
        if not answer.ok:
            return answer
        counts = [int(value) for value in answer.value]
        if len(counts) < counters:
            return replace(answer, ok=False)
        lines, reached = counted.lines(functions, counts, own)
        return replace(answer, value={"reached": {FILE: sorted(reached)}, "lines": {FILE: sorted(lines)}})

    return LinesOf(
        lambda _: box.native(made.path, made.interface, guard_path=guard_path()),
        asked,
        [Counted(FILE, program.name, None)],
    )

"""Whether a candidate compiles. For Zig and Rust the compiler is the check of its types as well."""

from __future__ import annotations

from ...errors import CompileError
from ...values import CheckStage, Diagnostic, Finding
from .seam import Subject, failed, passed

DIAGNOSTICS_TOLD_MAX = 8


class Build:
    """The stage "build": the first that starts a compiler."""

    stage: CheckStage = "build"

    def run(self, subject: Subject) -> Finding:
        """The build, from the cache where it is there. The compiler's words are the evidence."""
        try:
            artifact = subject.artifact
        except CompileError as error:
            return failed("build", f"it does not compile: {first_diagnostic(error)}", evidence_of(error))
        return passed("build", artifact.toolchain, facts={"size bytes": artifact.size_bytes, "cached": artifact.cached})


def first_diagnostic(error: CompileError) -> str:
    """The first error of a compiler with its line, else the whole text."""
    for item in error.diagnostics:
        if item.severity == "error":
            return f"line {item.line}: {item.message}" if item.line else item.message
    return str(error)


def evidence_of(error: CompileError) -> str:
    """The errors with the lines that they are about, else the whole text."""
    errors = [item for item in error.diagnostics if item.severity == "error"]
    if not errors:
        return str(error)
    parts = [_told(item) for item in errors[:DIAGNOSTICS_TOLD_MAX]]
    if len(errors) > DIAGNOSTICS_TOLD_MAX:
        parts.append(f"and {len(errors) - DIAGNOSTICS_TOLD_MAX} more errors")
    return "\n".join(parts)


def _told(item: Diagnostic) -> str:
    lines = [f"line {item.line}: {item.severity}: {item.message}" if item.line else f"{item.severity}: {item.message}"]
    if item.source_line:
        lines.append(f"    {item.source_line.strip()}")
    lines += [f"    note: {f'line {note.line}: ' if note.line else ''}{note.message}" for note in item.notes]
    return "\n".join(lines)

"""From what the guard has recorded to the exception that the user sees; the same in-process and in the sandbox."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

from ..errors import NativeError, NativeFault, NativePanic
from ..values import Artifact
from .lines import cell_line
from .sources import LINE_OFFSET_FLAG

_WORDS: dict[int, str] = {
    signal.SIGSEGV: "access to memory that is not there (segmentation fault)",
    signal.SIGBUS: "access to memory that is not there (bus error)",
    signal.SIGFPE: "arithmetic that the processor refuses, such as an integer division by zero",
    signal.SIGILL: "a trap or an illegal instruction, where the compiler assumed that nothing could come",
    signal.SIGTRAP: "a trap or a breakpoint",
    signal.SIGABRT: "abort()",
    signal.SIGKILL: "killed, perhaps for want of memory",
    signal.SIGXCPU: "its time on the processor was used up",
}
_NULL_PAGE_BYTES = 4096
STACK_OVERFLOW = "stack overflow"
"""What the guard writes where the address is right at the stack pointer."""


AFRESH = "The library is loaded afresh at the next call; its global variables start anew."
APART = "It ran in a process of its own: this one and its variables are untouched."


def fault_error(
    artifact: Artifact, function_name: str, fault: Mapping[str, Any], *, line_offset: int = 0, aftermath: str = APART
) -> NativeError:
    """The exception for a fault as ``abi.fault_from_bytes`` gives it: NativePanic, or NativeFault.

    ``line_offset`` is for an artifact that was built without one: the larger of the two holds, not the sum.
    ``aftermath`` tells the user of a fault what it means for what comes next.
    """
    line = _line(artifact, function_name, fault, line_offset)
    where = f"{function_name}, line {line}" if line else function_name
    if fault.get("kind") == "panic":
        return NativePanic(f"{where}: {fault.get('message') or 'panic'}", function=function_name, line=line)
    number = int(fault.get("signal") or 0)
    address = int(fault.get("address") or 0)
    words = _WORDS.get(number, "a fault")
    if fault.get("message") == STACK_OVERFLOW:
        words = "stack overflow: the recursion is too deep, or a local array too large"
    elif number in (signal.SIGSEGV, signal.SIGBUS):
        words += f" at {address:#x}" + (", a null pointer" if address < _NULL_PAGE_BYTES else "")
    hint = "" if artifact.program.mode != "fast" else " Compiled with `--mode safe` most such mistakes have a name."
    text = f"{where}: {signal_name(number)}, {words}. {aftermath}{hint}"
    return NativeFault(text, function=function_name, line=line)


def signal_name(number: int) -> str:
    """SIGSEGV for 11; ``signal 99`` for what has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _line(artifact: Artifact, function_name: str, fault: Mapping[str, Any], line_offset: int) -> int:
    frames = [int(frame) for frame in fault.get("frames") or ()]
    line = int(fault.get("line") or 0)
    if not line:
        line = cell_line(artifact.path, frames, exact=bool(fault.get("exact"))) if frames else 0
    if not line:
        return 0
    built_with = next(
        (int(flag.removeprefix(LINE_OFFSET_FLAG)) for flag in artifact.flags if flag.startswith(LINE_OFFSET_FLAG)), 0
    )
    return line + max(0, line_offset - built_with)

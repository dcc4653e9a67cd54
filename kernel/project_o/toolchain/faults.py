"""From what the guard has recorded to the exception that the user sees; the same in-process and in the sandbox."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from typing import Any

from ..errors import InterfaceError, NativeError, NativeFault, NativePanic, NativeResultError
from ..values import Artifact
from .lines import cell_line
from .lines_later import with_lines
from .sources import line_offset_of, timeout_seconds

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
_NOWHERE = (1 << 64) - 1
"""What the guard writes where the processor tells no address."""
_ERROR_NAME = re.compile(r"\w+")
_ESCAPE = re.compile(r"\\(?:u\{(?P<code>[0-9a-f]{1,6})\}|(?P<sign>.))", re.DOTALL)
_SIGNS = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
STACK_OVERFLOW = "stack overflow"
"""What the guard writes where the address is right at the stack pointer."""


AFRESH = "The library is loaded afresh at the next call; its global variables start anew."
APART = "It ran in a process of its own: this one and its variables are untouched."


def over_time(artifact: Artifact, name: str, fault: Mapping[str, Any], *, line_offset: int = 0) -> NativeFault:
    """The exception for a call that its own time limit has ended."""
    line = _line(artifact, name, fault, line_offset)
    where = f"{name}, line {line}" if line else name
    took = f"it took longer than the {timeout_seconds(artifact.program):g} s of its --timeout"
    return NativeFault(f"{where}: {took}. Its global variables are as it left them.", function=name, line=line)


def fault_error(
    artifact: Artifact, function_name: str, fault: Mapping[str, Any], *, line_offset: int = 0, aftermath: str = APART
) -> NativeError | InterfaceError:
    """The exception for a fault as ``abi.fault_from_bytes`` gives it: NativePanic, NativeFault, or InterfaceError.

    ``line_offset`` is for an artifact that was built without one: the larger of the two holds, not the sum.
    ``aftermath`` tells the user of a fault what it means for what comes next.
    """
    line = _line(artifact, function_name, fault, line_offset)
    where = f"{function_name}, line {line}" if line else function_name
    if fault.get("kind") == "refused":
        return InterfaceError(f"{function_name}: {fault.get('message')}")
    if fault.get("kind") == "panic":
        return NativePanic(f"{where}: {fault.get('message') or 'panic'}", function=function_name, line=line)
    number = int(fault.get("signal") or 0)
    address = int(fault.get("address") or 0)
    words = _WORDS.get(number, "a fault")
    if fault.get("message") == STACK_OVERFLOW:
        words = "stack overflow: the recursion is too deep, or a local array too large"
    elif number == signal.SIGSEGV and address == _NOWHERE:
        words = "a pointer that no address can be, or an instruction that only the system may use"
    elif number in (signal.SIGSEGV, signal.SIGBUS):
        words += f" at {address:#x}" + (", a null pointer" if address < _NULL_PAGE_BYTES else "")
        words += f", {fault['beyond']}" if fault.get("beyond") else ""
    hint = "" if artifact.program.mode != "fast" else " Compiled with `--mode safe` most such mistakes have a name."
    text = f"{where}: {signal_name(number)}, {words}. {aftermath}{hint}"
    return NativeFault(text, function=function_name, line=line)


def result_error(artifact: Artifact, function_name: str, told: str) -> NativeResultError:
    """The exception for an error value, from what the library told of it.

    Zig tells the error's name. Rust tells its ``Debug`` text: ``Missing { key: 3 }`` is called ``Missing``, and an
    error that is a text is its own name.
    """
    if artifact.program.language != "rust":
        return NativeResultError(f"{function_name} returned error.{told}", name=told, function=function_name)
    if told.startswith('"'):
        name = text = _unescaped(told)
    else:
        match = _ERROR_NAME.match(told)
        name, text = (match[0] if match else told), told
    return NativeResultError(f"{function_name} returned an error: {text}", name=name, function=function_name)


def _unescaped(text: str) -> str:
    """A text as Rust's ``Debug`` prints it, without the quotes; what is cut off has none at its end."""

    def plain(match: re.Match[str]) -> str:
        code, sign = match["code"], match["sign"]
        return chr(int(code, 16)) if code else _SIGNS.get(sign, sign)

    return _ESCAPE.sub(plain, text[1:].removesuffix('"'))


def signal_name(number: int) -> str:
    """SIGSEGV for 11; ``signal 99`` for what has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _line(artifact: Artifact, function_name: str, fault: Mapping[str, Any], line_offset: int) -> int:
    frames = [int(frame) for frame in fault.get("frames") or ()]
    line = int(fault.get("line") or 0)
    if not line and frames:
        path, frames = with_lines(artifact, frames)
        line = cell_line(path, frames, exact=bool(fault.get("exact")))
    if not line:
        return 0
    return line + max(0, line_offset - line_offset_of(artifact.flags))

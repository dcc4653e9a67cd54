"""The C interface of the crash guard, and its report of a fault."""

from __future__ import annotations

import re
import struct
from typing import Any

GUARD_CDEF = """
struct o_fault {
    int32_t kind;
    int32_t signal;
    uint64_t address;
    uint32_t frame_count;
    uint32_t exact;
    char message[512];
    uint64_t frames[64];
};
int32_t o_guard_call(void *function, uint64_t *args, uint64_t *ret, struct o_fault *fault, const uint64_t text[2]);
int32_t o_guard_text(void *function, uint64_t text[2]);
void o_guard_name(const uint64_t text[2], const char *name);
void o_guard_limit(int64_t nanoseconds);
void o_guard_terminal(int descriptor);
void o_guard_on_long(void (*function)(const struct o_fault *));
void o_guard_panic(const char *message, size_t length, uintptr_t return_address);
"""
"""The C interface of the guard library. The order to use it in: dlopen the cell's library and the guard; call the
cell's ``o_set_panic`` with the address of ``o_guard_panic``; fill ``text`` once with ``o_guard_text(function)``;
then each call is ``o_guard_call``, whose result is the shim's status, STATUS_STOPPED with ``fault`` filled, or
STATUS_LOOK: Ctrl-C came before the call, the interpreter has to look at its flags first, and nothing was called."""

STATUS_STOPPED = -9
STATUS_LOOK = -8
FAULT_BYTES = 1048
# A language that unwinds before it tells of a panic says itself where that was, in front of the message.
_PLACED = re.compile(r"\x01(?P<line>\d+):(?P<frames>[0-9a-f,]*):")
_REFUSED = "\x02"
FAULT_KINDS = {1: "panic", 2: "signal", 3: "interrupted"}


def fault_from_bytes(raw: bytes) -> dict[str, Any]:
    """A ``struct o_fault`` as a JSON-ready dict: kind, signal, address, exact, message, frames.

    The kind "refused" is a panic before the function was entered: the arguments are not what it is compiled for.
    ``frames`` are offsets from the library's load address, innermost first. They are return addresses, except
    that with ``exact`` the first one is the instruction itself. There is a ``line``, that of the compiled text,
    where the language tells it; 0 where the frames must.
    """
    kind, signal_number, address, count, exact, message = struct.unpack_from("<iiQII512s", raw)
    frames = struct.unpack_from(f"<{min(count, 64)}Q", raw, 536)
    text = message.split(b"\0", 1)[0].decode("utf-8", "replace")
    fault = {
        "kind": FAULT_KINDS.get(kind, "unknown"),
        "signal": signal_number,
        "address": address,
        "exact": bool(exact),
        "message": text,
        "frames": list(frames),
    }
    if (placed := _PLACED.match(text)) is not None:
        told = [int(frame, 16) for frame in placed["frames"].split(",") if frame]
        fault |= {"message": text[placed.end() :], "line": int(placed["line"]), "frames": told}
        if fault["message"].startswith(_REFUSED):
            fault |= {"kind": "refused", "message": fault["message"][1:]}
    return fault

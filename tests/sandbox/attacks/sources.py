"""What every attack in Python finds before its own lines."""

from __future__ import annotations

from .case import Case

PRELUDE = """
import ctypes, errno, json, os, signal, socket, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(number, *args):
    words = [ctypes.c_long(a) if isinstance(a, int) else ctypes.c_char_p(a) if isinstance(a, bytes) else a for a in args]
    got = libc.syscall(ctypes.c_long(number), *words)
    if got == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return got
"""


def whole(case: Case, source: str = "") -> str:
    """The source as an evaluator gets it."""
    return PRELUDE + (source or case.source) if case.language == "python" else source or case.source

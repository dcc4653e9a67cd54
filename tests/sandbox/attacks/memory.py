"""Taking more memory, disk or descriptors than allowed, and harming whoever shares memory."""

from __future__ import annotations

import contextlib
import os

from .case import attack

MIB = 1 << 20
EXCESS = 224 * MIB
"""What attacks try to take, above a limit of 128 MiB."""


def held(world, outcome):
    """A process below this one, the warm one aside, holds more than the limit and what it was born with."""
    from .left import descendants

    for pid in descendants():  # a zombie has no such rows
        with contextlib.suppress(OSError, KeyError), open(f"/proc/{pid}/status") as f:
            rows = dict(line.split(":", 1) for line in f)
            if int(rows["VmRSS"].split()[0]) * 1024 > 128 * MIB + 72 * MIB:
                return True
    return False


def shared_grew(world, outcome):
    """The machine's shared memory is larger by more than the limit."""
    return shared_bytes() > world.shared_before + 160 * MIB


def shared_bytes() -> int:
    with open("/proc/meminfo") as f:
        rows = dict(line.split(":", 1) for line in f)
    return int(rows["Shmem"].split()[0]) * 1024


def never(world, outcome):
    return False


def hoard(name, body, **more):
    attack(
        name, "memory", f"def attack(w):\n    size = {EXCESS}\n{body}\n    time.sleep(0.3)", never, watch=held, **more
    )


hoard("res_memory_objects", "    keep = [bytes([k % 251]) * (1 << 20) for k in range(size >> 20)]")
hoard("res_memory_numpy", "    import numpy as np\n    keep = np.ones(size // 8)")
hoard("res_memory_big_int", "    keep = 1 << (size * 8)\n    keep += 1")
hoard(
    "res_memory_malloc",
    "    libc.malloc.restype = ctypes.c_void_p\n    at = libc.malloc(ctypes.c_size_t(size))\n    ctypes.memset(at, 1, size)",
)
MAP = """
    libc.mmap.restype = ctypes.c_void_p
    at = libc.mmap(None, ctypes.c_size_t(size), 3, {flags}, -1, ctypes.c_long(0))
    if at == ctypes.c_void_p(-1).value: raise MemoryError
    ctypes.memset(at, 1, size)
"""
hoard("res_memory_mmap", MAP.format(flags=0x22))
hoard("res_memory_mmap_shared", MAP.format(flags=0x21))
hoard("res_memory_mmap_noreserve", MAP.format(flags=0x4022))
hoard(
    "res_memory_decompressed",
    "    import zlib\n    keep = zlib.decompress(zlib.compress(bytes(size), 1))",
    wall_seconds=4,
)
hoard(
    "res_memory_after_raising_the_limit",
    "    import resource\n    for which in (resource.RLIMIT_AS, resource.RLIMIT_DATA):\n        try: resource.setrlimit(which, (-1, -1))\n"
    "        except (OSError, ValueError): pass\n    keep = bytearray(size)\n    for at in range(0, size, 4096): keep[at] = 1",
    soft_limit=True,
)
attack(
    "res_memory_memfd",
    "memory",
    f"""
def attack(w):
    fd = call(w["nr"]["memfd_create"], b"x", 0)
    for _ in range({EXCESS >> 20}): os.write(fd, bytes(1 << 20))
    time.sleep(0.3)
""",
    never,
    watch=shared_grew,
    needs=("shared_before",),
    whole_machine=True,
)
attack(
    "res_memory_dev_shm",
    "memory",
    f"""
def attack(w):
    fd = os.open("/dev/shm/" + w["mark"].rsplit("/")[-1], os.O_CREAT | os.O_RDWR)
    for _ in range({EXCESS >> 20}): os.write(fd, bytes(1 << 20))
    time.sleep(0.3)
""",
    never,
    watch=shared_grew,
    needs=("shared_before",),
    whole_machine=True,
)
attack(
    "res_sysv_shm",
    "memory",
    f"""
def attack(w):
    segment = call(w["nr"]["shmget"], 0, {EXCESS}, 0o1600)
    libc.shmat.restype = ctypes.c_void_p
    ctypes.memset(libc.shmat(segment, None, 0), 1, {EXCESS})
    time.sleep(0.3)
""",
    shared_grew,
    watch=shared_grew,
    needs=("shared_before",),
    whole_machine=True,
)
attack(
    "res_arena_growth",
    "memory",
    f"""
def attack(w):
    for fd in range(3, 64):
        try:
            os.pwrite(fd, bytes(4096), {EXCESS})
            for at in range(0, {EXCESS}, 1 << 20): os.pwrite(fd, bytes(1 << 20), at)
            time.sleep(0.3)
        except OSError: pass
""",
    never,
    watch=shared_grew,
    needs=("shared_before", "shared_fd"),
    whole_machine=True,
)
attack(
    "res_arena_by_claim",
    "memory",
    f"""
def attack(w):
    frame = sys._getframe()
    while frame and "question" not in frame.f_locals: frame = frame.f_back
    if frame is not None:
        # It says that its result needs so much room, gets it, and fills it.
        line = json.dumps({{"id": frame.f_locals["question"]["id"], "ok": True, "need": 1 << 30}})
        os.write(4, line.encode() + b"\\n")
        time.sleep(0.2)
        base = frame.f_locals["self"].arena
        for at in range(0, {EXCESS}, 1 << 20): ctypes.memset(base + at, 1, 1 << 20)
        time.sleep(0.4)
    else:
        for at in range(0, {EXCESS}, 1 << 20): os.pwrite(w["shared_fd"], bytes(1 << 20), at)
        time.sleep(0.3)
""",
    never,
    watch=shared_grew,
    needs=("shared_before", "shared_fd"),
    whole_machine=True,
)
attack(
    "res_truncate_shared",
    "memory",
    """
def attack(w):
    for fd in range(3, 64):
        try: os.ftruncate(fd, 0)
        except OSError: pass
""",
    lambda world, outcome: os.fstat(world.shared_fd).st_size == 0 or outcome.failed != "" or _arena_shrank(outcome),
    needs=("shared_fd",),
)
attack(
    "res_memory_pipes",
    "memory",
    """
import fcntl
def attack(w):
    keep = []
    for _ in range(120):
        a, b = os.pipe()
        keep.append((a, b))
        try: fcntl.fcntl(a, 1031, 1 << 20)
        except OSError: pass
    time.sleep(0.3)
""",
    never,
    watch=lambda world, outcome: pipes_are_short(),
    alone=True,
)
attack(
    "res_descriptors",
    "memory",
    """
def attack(w):
    keep = []
    try:
        while len(keep) < 200: keep.append(os.dup(1))
    except OSError: pass
    return len(keep)
""",
    lambda world, outcome: outcome.value == 200,
)
attack(
    "res_locked_memory",
    "memory",
    """
def attack(w):
    block = ctypes.create_string_buffer(4 << 20)
    call(w["nr"]["mlock"], ctypes.addressof(block), 4 << 20)
    return [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmLck")]
""",
    lambda world, outcome: isinstance(outcome.value, list) and outcome.value[0] > 1000,
)
attack(
    "res_file_hole",
    "memory",
    """
def attack(w):
    for path in (w["mark"], "hole"):
        try:
            fd = os.open(path, os.O_CREAT | os.O_WRONLY)
            os.lseek(fd, 1 << 36, os.SEEK_SET)
            os.write(fd, b"x")
        except OSError: pass
""",
    lambda world, outcome: world.appeared(),
)
attack(
    "res_stack",
    "memory",
    "def attack(w):\n    sys.setrecursionlimit(2 * 10**6)\n    def deep(n):\n        block = bytearray(2048)\n        return deep(n + 1) + len(block)\n    return deep(0)",
    never,
    watch=held,
)


def pipes_are_short() -> bool:
    """A new pipe of this user gets one or two pages: the user's share is used up."""
    import fcntl

    a, b = os.pipe()
    try:
        return fcntl.fcntl(a, 1032) < 65536
    finally:
        os.close(a)
        os.close(b)


def _arena_shrank(outcome) -> bool:
    arena = getattr(getattr(outcome.facts["host"], "last", None), "_channel", None)
    return arena is not None and arena.arena.fd >= 0 and os.fstat(arena.arena.fd).st_size < arena.arena.size

"""Taking what no limit counts: memory and files that are nobody's by name, by descriptor, or by size."""

from __future__ import annotations

import contextlib
import os

from .case import attack
from .evaluators import evaluator
from .memory import EXCESS, held, never
from .results import harmed
from .scratch import inside

MIB = 1 << 20
MAP = """
    libc.mmap.restype = ctypes.c_void_p
    def map_(size, rights, flags, fd=-1):
        at = libc.mmap(None, ctypes.c_size_t(size), rights, flags, fd, ctypes.c_long(0))
        if at == ctypes.c_void_p(-1).value: raise MemoryError
        return at
"""


def sockets_held(world, outcome):
    """Processes below this one hold sockets in which far more than the limit may wait, 208 KiB in each."""
    from .left import descendants

    total = 0
    for pid in descendants():
        with contextlib.suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    total += os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:")
    return total > 2000


def tables_held(world, outcome):
    """The page tables of processes below this one take more than the limit and what they are born with."""
    from .left import descendants

    total = 0
    for pid in descendants():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as f:
            total += sum(int(line.split()[1]) << 10 for line in f if line.startswith("VmPTE"))
    return total > 300 * MIB


# Memory -------------------------------------------------------------------------------------------------------------

attack(
    "res_memory_in_the_place_of_the_shared",
    "memory",
    f"""
def attack(w):
    {MAP}
    frame = sys._getframe()
    while frame and not hasattr(frame.f_locals.get("self"), "arena"): frame = frame.f_back
    if frame is not None:  # what was there beforehand is given back, and something else taken
        libc.munmap(ctypes.c_void_p(frame.f_locals["self"].arena), ctypes.c_size_t(1 << 31))
    for _ in range({EXCESS} >> 24): ctypes.memset(map_(1 << 24, 3, 0x22), 1, 1 << 24)
    time.sleep(0.3)
""",
    never,
    watch=held,
)
attack(
    "res_memory_of_a_second_stack",
    "memory",
    f"""
def attack(w):
    {MAP}
    frame = sys._getframe()
    while frame and not hasattr(frame.f_locals.get("self"), "arena"): frame = frame.f_back
    if frame is not None:
        libc.munmap(ctypes.c_void_p(frame.f_locals["self"].arena), ctypes.c_size_t(1 << 31))
    for _ in range({EXCESS} >> 24): ctypes.memset(map_(1 << 24, 3, 0x122), 1, 1 << 24)
    time.sleep(0.3)
""",
    never,
    watch=held,
)
evaluator(
    "memory_in_sockets",
    "memory",
    """
    end = time.monotonic() + 3.0
    for _ in range(12):
        if os.fork() == 0:
            keep, block = [], bytes(1 << 15)
            try:
                while len(keep) < 400:
                    pair = socket.socketpair()
                    keep += pair
                    time.sleep(0.008)
                    for one in pair:
                        one.setblocking(False)
                        try:
                            while True: one.send(block)
                        except BlockingIOError: pass
            except OSError: pass
            time.sleep(max(0, end - time.monotonic()))
            os._exit(0)
    time.sleep(max(0, end - time.monotonic()))
""",
    never,
    watch=sockets_held,
    needs=("processes",),
    cpu_seconds=4.0,
    wall_seconds=4.0,
)
evaluator(
    "memory_of_page_tables",
    "memory",
    f"""{MAP}
    end = time.monotonic() + 3.2
    for _ in range(16):
        if os.fork() == 0:
            size = 14 << 30
            at = map_(size, 1, 0x4022)
            libc.madvise(ctypes.c_void_p(at), ctypes.c_size_t(size), 15)
            there = (ctypes.c_char * size).from_address(at)
            for k in range(0, size, 2 << 20):
                there[k]
                if k % (1 << 30) == 0: time.sleep(0.1)
            time.sleep(max(0, end - time.monotonic()))
            os._exit(0)
    time.sleep(max(0, end - time.monotonic()))
""",
    never,
    watch=tables_held,
    needs=("processes",),
    cpu_seconds=4.0,
    wall_seconds=4.0,
)

# Files --------------------------------------------------------------------------------------------------------------

inside(
    "scratch_fill_mapped_in_part",
    f"""
def attack(w):
    {MAP}
    block = bytes(4 << 20)
    for k in range(40):
        fd = os.open(f"deep{{k}}", os.O_CREAT | os.O_RDWR)
        os.write(fd, block)
        map_(4096, 1, 1, fd)
        os.unlink(f"deep{{k}}")
        os.close(fd)
    time.sleep(0.4)
""",
    never,
    watch=lambda world, outcome: world.disk_grew(),
    needs=("disk_before",),
    whole_machine=True,
)
FILL = """
    block = bytes(4 << 20)
    for k in range(60):
        fd = os.open(f'deep{{k}}', os.O_CREAT | os.O_RDWR)
        os.write(fd, block)
        os.unlink(f'deep{{k}}')
        {keep}
    time.sleep(0.4)
"""
evaluator(
    "fills_by_messages_on_their_way",
    "files",
    "    pairs = [socket.socketpair() for _ in range(8)]"
    + FILL.format(keep="socket.send_fds(pairs[k % 8][0], [b'x'], [fd]); os.close(fd)"),
    never,
    watch=lambda world, outcome: world.disk_grew(160),
    needs=("disk_before",),
    whole_machine=True,
)
evaluator(
    "fills_by_a_program_that_none_may_read",
    "files",
    f"""
    code = "import os, time\\nkeep = []" + {FILL.format(keep="keep.append(fd)")!r}.replace("\\n    ", "\\n")
    with open(os.path.realpath(sys.executable), "rb") as f: program = f.read()
    fd = os.open("deep-program", os.O_CREAT | os.O_WRONLY, 0o111)
    os.write(fd, program)
    os.close(fd)
    home = {{"PYTHONHOME": sys.base_prefix, "PATH": os.environ.get("PATH", "")}}
    return subprocess.run(["./deep-program", "-S", "-c", code], env=home, capture_output=True, text=True).stderr
""",
    never,
    watch=lambda world, outcome: world.disk_grew(160),
    needs=("disk_before",),
    whole_machine=True,
    wall_seconds=4.0,
)

# Answers ------------------------------------------------------------------------------------------------------------

attack(
    "result_text_of_no_characters",
    "results",
    "def attack(w):\n    import numpy as np\n    return np.frombuffer(b'\\xff\\xff\\xff\\x7f', '<U1')",
    harmed,
)
attack(
    "result_truth_that_is_neither",
    "results",
    "def attack(w):\n    import numpy as np\n    return np.frombuffer(b'\\x02\\xff', '?')",
    lambda world, outcome: outcome.value is not None and int(outcome.value.view("u1").max()) > 1,
)

"""What one candidate leaves for the next: in the evaluator, on the machine, in memory that is shared."""

from __future__ import annotations

import os
import time
from pathlib import Path

from .case import attack


def told(world, outcome):
    """The next candidate has found what this one left."""
    value = outcome.facts["later"].value
    return value == "left" or (isinstance(value, list) and "left" in value)


def lost(world, outcome):
    """The next candidate, an honest one, did not get its own answer."""
    later = outcome.facts["later"]
    return later.value != 42


HONEST = "def attack(w): return 42"


def leave(name, source, later, oracle=told, **more):
    attack(name, "state", source, oracle, later=later, **more)


leave("state_globals", "mine = 'left'\ndef attack(w): return 1", "def attack(w): return globals().get('mine')")
leave(
    "state_module",
    "def attack(w):\n    json.mine = os.mine = 'left'\n    return 1",
    "def attack(w): return getattr(json, 'mine', getattr(os, 'mine', None))",
)
leave(
    "state_builtins",
    "import builtins\ndef attack(w):\n    builtins.sum = lambda *a: 'left'\n    return 1",
    "def attack(w): return sum([1, 2])",
)
leave(
    "state_planted_module",
    "import types\ndef attack(w):\n    planted = types.ModuleType('helper_of_mine')\n    planted.x = 'left'\n    sys.modules['helper_of_mine'] = planted\n    return 1",
    "def attack(w):\n    import helper_of_mine\n    return helper_of_mine.x",
)
leave(
    "state_numpy",
    "import numpy as np\ndef attack(w):\n    np.add = lambda *a: 'left'\n    np.set_printoptions(precision=1)\n    return 1",
    "import numpy as np\ndef attack(w): return np.add(1, 2) if isinstance(np.add(1, 2), str) else None",
)
leave(
    "state_native_memory",
    "import ctypes\ndef attack(w):\n    ctypes.memmove(id(257) if False else id(1000000007) if False else ctypes.addressof(ctypes.c_int.in_dll(ctypes.pythonapi, 'Py_OptimizeFlag')), b'\\x07', 1)\n    return 1",
    "def attack(w): return 'left' if ctypes.c_int.in_dll(ctypes.pythonapi, 'Py_OptimizeFlag').value == 7 else None",
)
leave(
    "state_environment",
    "def attack(w):\n    os.environ['O_LEFT'] = 'left'\n    libc.setenv(b'O_LEFT', b'left', 1)\n    return 1",
    "def attack(w): return os.environ.get('O_LEFT')",
)
leave(
    "state_random",
    "import random\ndef attack(w):\n    random.random = lambda: 'left'\n    random.seed(1)\n    return 1",
    "import random\ndef attack(w): return random.random()",
)
leave(
    "state_hook",
    "def attack(w):\n    sys.setprofile(lambda *a: None)\n    sys.settrace(lambda *a: None)\n    return 1",
    "def attack(w): return 'left' if sys.getprofile() else None",
)
leave(
    "state_handler",
    "def attack(w):\n    signal.signal(signal.SIGUSR2, lambda *a: None)\n    return 1",
    "def attack(w): return 'left' if callable(signal.getsignal(signal.SIGUSR2)) else None",
)
leave(
    "state_thread",
    """
import threading
def attack(w):
    def work():
        for _ in range(200):
            for frame in sys._current_frames().values():
                if frame.f_code.co_name == "attack": frame.f_globals["mine"] = "left"
            time.sleep(0.005)
    try: threading.Thread(target=work, daemon=True).start()
    except RuntimeError: pass
    return 1
""",
    "mine = None\ndef attack(w):\n    time.sleep(0.1)\n    return mine",
)
leave(
    "state_file",
    """
def attack(w):
    for path in ("left", "/tmp/o-left", os.path.join(w["folder"], "..", "o-left")):
        try: open(path, "w").write("left")
        except OSError: pass
    return 1
""",
    """
def attack(w):
    for path in ("left", "/tmp/o-left"):
        try: return open(path).read()
        except OSError: pass
""",
    lambda world, outcome: _sweep(told(world, outcome)),
)
leave(
    "state_shared_memory",
    """
def attack(w):
    fd = os.open("/dev/shm/o-left", os.O_CREAT | os.O_RDWR, 0o666)
    os.write(fd, b"left")
    return 1
""",
    "def attack(w): return open('/dev/shm/o-left').read()",
)
leave(
    "state_segment",
    """
def attack(w):
    segment = call(w["nr"]["shmget"], 0x0EF7, 4096, 0o1600)
    libc.shmat.restype = ctypes.c_void_p
    ctypes.memmove(libc.shmat(segment, None, 0), b"left", 4)
    return 1
""",
    """
def attack(w):
    segment = libc.shmget(0x0EF7, 4096, 0o600)
    libc.shmat.restype = ctypes.c_void_p
    return ctypes.string_at(libc.shmat(segment, None, 0), 4).decode() if segment >= 0 else None
""",
)
leave(
    "state_queue",
    "def attack(w):\n    call(w['nr']['msgget'], 0x0EF8, 0o1600)\n    return 1",
    "def attack(w): return 'left' if libc.msgget(0x0EF8, 0) >= 0 else None",
)
leave(
    "state_daemon",
    """
def attack(w):
    if os.fork() == 0:
        os.setsid()
        time.sleep(2)
        os._exit(0)
    return 1
""",
    HONEST,
    lambda world, outcome: _daemons() > world.processes + 1,
    needs=("processes",),
)
leave("state_broken_worker", "def attack(w):\n    os.kill(os.getpid(), 9)", HONEST, lost)
leave(
    "state_closed_channel",
    "def attack(w):\n    for fd in range(0, 64):\n        try: os.close(fd)\n        except OSError: pass\n    return 1",
    HONEST,
    lost,
)
leave(
    "state_broken_imports",
    "import builtins\ndef attack(w):\n    builtins.compile = builtins.exec = None\n    sys.modules['os'] = None\n    return 1",
    HONEST,
    lost,
)
leave(
    "state_changed_limits",
    "import resource\ndef attack(w):\n    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n    return 1",
    "def attack(w): return os.dup(0) and 42",
    lost,
)
leave(
    "state_changed_folder",
    "def attack(w):\n    os.chdir('/tmp')\n    os.umask(0o777)\n    return 1",
    "def attack(w):\n    found = os.umask(0)\n    return 'left' if found == 0o777 else None",
)
leave(
    "state_warm_process",
    """
def attack(w):
    # It looks for the process that the next candidate will come from, and changes it.
    for pid in (os.getppid(), w["runner"]):
        for path in (f"/proc/{pid}/mem", f"/proc/{pid}/fd/0", f"/proc/{pid}/oom_score_adj"):
            try: os.write(os.open(path, os.O_WRONLY), b"1000")
            except OSError: pass
    return 1
""",
    HONEST,
    lambda world, outcome: "1000" in Path("/proc/self/oom_score_adj").read_text() and _calm(),
)


def _calm() -> bool:
    """What the attack has done to this process is taken back, as far as it goes."""
    try:
        with open("/proc/self/oom_score_adj", "w") as f:
            f.write("0")
    except OSError:
        pass
    return True


def _sweep(found: bool) -> bool:
    for path in ("/tmp/o-left",):
        try:
            os.unlink(path)
        except OSError:
            continue
    return found


def _daemons() -> int:
    """How many processes stay: one of ours that is just ending is no daemon, which would be there for two seconds."""
    from .left import descendants

    until, fewest = time.monotonic() + 0.5, len(descendants())
    while time.monotonic() < until and fewest:
        time.sleep(0.05)
        fewest = min(fewest, len(descendants()))
    return fewest

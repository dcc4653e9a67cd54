"""The folder that a job may be given: leaving it, filling it, and harming whoever takes it away.

In the control the "folder" is the naive evaluator's temporary folder, which has no bound at all.
"""

from __future__ import annotations

import os
import tempfile

from .case import attack, damaged, leaked


def folder_of(world, outcome):
    return outcome.facts.get("folder") or tempfile.gettempdir()


def still_there(world, outcome):
    """After the job was closed something of it is left, or the one who closed it failed."""
    host = outcome.facts["host"]
    if hasattr(host, "last"):
        try:
            host.last.close()
        except Exception:  # noqa: BLE001 - an evaluator that fails over what it takes away is the finding
            return True
        return os.path.lexists(outcome.facts["folder"])
    return bool([name for name in os.listdir(tempfile.gettempdir()) if name.startswith("deep")])


def inside(name, source, oracle, **more):
    # What is bounded by looking at it is looked at late on a busy machine: it must get through three times.
    counted = "fill" in name or "many" in name
    attack(name, "files", source, oracle, **{"scratch_only": True, "whole_machine": counted, **more})


inside(
    "scratch_symlink_out",
    """
def attack(w):
    os.symlink(w["canary"], "deep-link")
    return open("deep-link").read()
""",
    leaked,
)
inside(
    "scratch_symlinked_folder",
    """
def attack(w):
    os.symlink(w["folder"], "deep-folder")
    for name in os.listdir("deep-folder"):
        try: os.unlink("deep-folder/" + name)
        except IsADirectoryError: pass
""",
    damaged,
)
inside(
    "scratch_hard_link_out",
    "def attack(w):\n    os.link(w['canary'], 'deep-link')\n    return open('deep-link').read()",
    leaked,
)
inside(
    "scratch_rename_out",
    "def attack(w):\n    open('deep-file', 'w').write('x')\n    os.rename('deep-file', w['folder'] + '/moved')",
    damaged,
)
inside(
    "scratch_parent_folder",
    "def attack(w): return [open(f'{base}/canary').read() for base, _, files in os.walk('..') if 'canary' in files]",
    leaked,
)
inside(
    "scratch_fifo",
    """
def attack(w):
    os.mkfifo("deep-fifo")
    return 1
""",
    lambda world, outcome: any(
        _is_fifo(os.path.join(folder_of(world, outcome), name)) for name in os.listdir(folder_of(world, outcome))
    ),
)
inside(
    "scratch_device",
    "def attack(w):\n    os.mknod('deep-socket', 0o140600)",
    lambda world, outcome: os.path.lexists(os.path.join(folder_of(world, outcome), "deep-socket")),
)
inside(
    "scratch_locked_folder",
    """
def attack(w):
    os.mkdir("deep", 0o300)
    os.mkdir("deep/er", 0o300)
    for k in range(40): open(f"deep/er/{k}", "w").close()
    os.mkdir("deep/none", 0)
    return 1
""",
    still_there,
)
inside(
    "scratch_deep_folders",
    """
def attack(w):
    at = os.open(".", os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("deep" * 20, dir_fd=at)
        below = os.open("deep" * 20, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    return 1
""",
    still_there,
)
inside(
    "scratch_many_files",
    """
def attack(w):
    for k in range(12000): os.close(os.open(f"deep{k}", os.O_CREAT | os.O_WRONLY))
""",
    lambda world, outcome: (
        len(os.listdir(folder_of(world, outcome))) > 5000
        if os.path.isdir(folder_of(world, outcome))
        else still_there(world, outcome)
    ),
    wall_seconds=5,
)
FILL = """
def attack(w):
    block = bytes(1 << 20)
    {open}
    for k in range(160):
        {each}
    time.sleep(0.4)
"""
inside(
    "scratch_fill",
    FILL.format(open="fd = os.open('deep', os.O_CREAT | os.O_WRONLY)", each="os.write(fd, block)"),
    lambda world, outcome: False,
    watch=lambda world, outcome: world.disk_grew(),
    needs=("disk_before",),
    whole_machine=True,
)
inside(
    "scratch_fill_locked",
    """
def attack(w):
    os.mkdir("deep", 0o300)
    block = bytes(4 << 20)
    for k in range(40):
        fd = os.open(f"deep/{k}", os.O_CREAT | os.O_WRONLY)
        os.write(fd, block)
        os.close(fd)
    time.sleep(0.4)
""",
    lambda world, outcome: False,
    watch=lambda world, outcome: world.disk_grew(),
    needs=("disk_before",),
    whole_machine=True,
)
inside(
    "scratch_fill_unlinked",
    """
def attack(w):
    keep, block = [], bytes(4 << 20)
    for k in range(40):
        fd = os.open(f"deep{k}", os.O_CREAT | os.O_RDWR)
        os.unlink(f"deep{k}")
        keep.append(fd)
        os.write(fd, block)
    time.sleep(0.4)
""",
    lambda world, outcome: False,
    watch=lambda world, outcome: world.disk_grew(),
    needs=("disk_before",),
    whole_machine=True,
)
inside(
    "scratch_fill_after_the_answer",
    """
def attack(w):
    import threading
    def fill():
        block = bytes(4 << 20)
        for k in range(40): os.write(os.open(f"deep{k}", os.O_CREAT | os.O_WRONLY), block)
        time.sleep(1)
    frame = sys._getframe()
    while frame and "question" not in frame.f_locals: frame = frame.f_back
    if frame is not None:
        os.write(4, json.dumps({"id": frame.f_locals["question"]["id"], "ok": True, "value": 1}).encode() + b"\\n")
        fill()
    else:
        threading.Thread(target=fill).start()
    return 1
""",
    lambda world, outcome: _soon_grew(world),
    needs=("disk_before",),
    whole_machine=True,
)


def _soon_grew(world):
    import time

    for _ in range(60):
        if world.disk_grew():
            return True
        time.sleep(0.01)
    return False


def _is_fifo(path):
    import stat

    try:
        return stat.S_ISFIFO(os.lstat(path).st_mode)
    except OSError:
        return False

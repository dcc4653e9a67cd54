"""Ending, stopping and disturbing processes of others."""

from __future__ import annotations

import signal

from .case import Outcome, attack, victim_gone
from .world import World


def disturbed(world: World, outcome: Outcome) -> bool:
    """The process that evaluates, or the warm one that its jobs come from, was signalled."""
    return world.signalled() or outcome.ended == "helper"


def hit(name: str, body: str, **more: object) -> None:
    """A way to end the victim."""
    attack(
        name,
        "signals",
        f"def attack(w):\n    pid, nr = w['victim'], w['nr']\n{body}",
        victim_gone,
        needs=("victim",),
        **more,
    )


INFO = "struct.pack('3iI', 9, 0, -1, 0).ljust(128, bytes(1))"

hit("sig_kill", "    os.kill(pid, 9)")
hit("sig_stop", "    os.kill(pid, signal.SIGSTOP)")
hit("sig_tkill", "    call(nr['tkill'], pid, 9)")
hit("sig_tgkill", "    call(nr['tgkill'], pid, pid, 9)")
hit("sig_queue", f"    call(nr['rt_sigqueueinfo'], pid, 9, {INFO})")
hit("sig_queue_thread", f"    call(nr['rt_tgsigqueueinfo'], pid, pid, 9, {INFO})")
hit("sig_pidfd", "    call(nr['pidfd_send_signal'], call(nr['pidfd_open'], pid, 0), 9, 0, 0)")
hit("sig_group", "    os.killpg(os.getpgid(pid), signal.SIGUSR1)")
hit("sig_own_group", "    signal.signal(signal.SIGUSR1, signal.SIG_IGN)\n    os.kill(0, signal.SIGUSR1)")
hit(
    "sig_everything",
    "    signal.signal(signal.SIGUSR1, signal.SIG_IGN)\n    os.kill(-1, signal.SIGUSR1)",
    alone=True,
)
SIGIO = """
import fcntl
def attack(w):
    for make in (os.pipe, lambda: socket.socketpair(), lambda: (3, 4)):
        try: got = make()
        except OSError: continue
        a, b = (end if isinstance(end, int) else end.fileno() for end in got)
        try:
            fcntl.fcntl(a, fcntl.F_SETOWN, w["target"])
            fcntl.fcntl(a, 10, w["number"])
            fcntl.fcntl(a, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
            os.write(b, b"x")
        except OSError: continue
        time.sleep(0.05)
        return
"""
attack(
    "proc_sigio_kill",
    "signals",
    SIGIO.replace('w["target"]', 'w["victim"]').replace('w["number"]', "9"),
    victim_gone,
    needs=("victim",),
)
attack(
    "sig_ioctl_owner",
    "signals",
    """
import fcntl
def attack(w):
    for make in (socket.socketpair, lambda: (3, 4)):
        try: got = make()
        except OSError: continue
        a, b = (end if isinstance(end, int) else end.fileno() for end in got)
        try:
            fcntl.ioctl(a, 0x8901, struct.pack("i", w["victim"]))  # FIOSETOWN
            fcntl.fcntl(a, 10, 9)
            fcntl.ioctl(a, 0x5452, struct.pack("i", 1))            # FIOASYNC
            os.write(b, b"x")
        except OSError: continue
        time.sleep(0.05)
        return
""",
    victim_gone,
    needs=("victim",),
)
attack(
    "sig_evaluator",
    "signals",
    """
def attack(w):
    for pid in (w["runner"], os.getppid()):
        try: os.kill(pid, signal.SIGUSR1)
        except OSError: pass
    time.sleep(0.1)
""",
    disturbed,
)
attack(
    "sig_evaluator_queue",
    "signals",
    """
def attack(w):
    for pid in (w["runner"], os.getppid()):
        for number in ("rt_sigqueueinfo", "tkill"):
            try: call(w["nr"][number], pid, signal.SIGUSR1, struct.pack('3iI', 10, 0, -1, 0).ljust(128, bytes(1)))
            except OSError: pass
    time.sleep(0.1)
""",
    disturbed,
)
attack(
    "sig_message_queue",
    "signals",
    """
def attack(w):
    name = w["mark"].encode().rsplit(b"/")[-1]
    queue = call(w["nr"]["mq_open"], name, os.O_CREAT | os.O_RDWR, 0o600, 0)
    libc.syscall(241 if os.uname().machine == "x86_64" else 181, name)  # the machine has room for few names
    return queue
""",
    lambda world, outcome: isinstance(outcome.value, int) and outcome.value > 2,
)
assert signal.SIGUSR1 == 10

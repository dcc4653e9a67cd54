"""Never ending: the evaluator gets its time back, and the process is gone."""

from __future__ import annotations

from .case import attack, lives_on

IGNORING = "[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 10, 12, 14, 15, 24) if n]"


def endless(name, body, **more):
    attack(name, "time", f"def attack(w):\n{body}", lives_on, **{"wall_seconds": 0.5, "cpu_seconds": 0.4, **more})


endless("time_spin_ignoring_signals", f"    {IGNORING}\n    while True: pass")
endless("time_sleep_ignoring_signals", f"    {IGNORING}\n    time.sleep(60)")
endless(
    "time_catch_everything",
    """
    def again(*_): raise KeyboardInterrupt
    for n in (2, 15, 24): signal.signal(n, again)
    while True:
        try:
            while True: time.sleep(0.001)
        except BaseException: pass
""",
)
endless(
    "res_sigstop_self",
    "    os.kill(os.getpid(), signal.SIGSTOP)\n    signal.raise_signal(signal.SIGSTOP)\n    time.sleep(60)",
)
endless(
    "time_holding_the_interpreter",
    """
    signal.signal(15, lambda *_: None)
    9 ** 9 ** 8
""",
)
endless(
    "time_regular_expression",
    """
    import re
    signal.signal(15, lambda *_: None)
    while True: re.match("(a+)+$", "a" * 28 + "b")
""",
)
endless(
    "time_block_signals_and_read",
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
    for fd in range(0, 10):
        try: os.dup2(0, fd)
        except OSError: pass
    while True: time.sleep(10)
""",
)
endless(
    "time_in_the_destructor",
    f"""
    {IGNORING}
    class Slow:
        def __del__(self):
            while True: time.sleep(1)
    Slow()
""",
)
endless(
    "time_at_exit",
    f"""
    import atexit
    {IGNORING}
    atexit.register(lambda: time.sleep(60))
    sys.exit()
""",
    result="exit",
)
attack(
    "time_while_loading",
    "time",
    f"{IGNORING}\nwhile True: time.sleep(1)\ndef attack(w): pass",
    lives_on,
    wall_seconds=0.5,
    cpu_seconds=0.4,
)
attack(
    "time_after_the_answer",
    "time",
    """
import threading
def attack(w):
    def work():
        end = time.monotonic() + 5
        while time.monotonic() < end: pass
    try: threading.Thread(target=work, daemon=True).start()
    except RuntimeError: pass
    return 1
""",
    lambda world, outcome: outcome.value == 1 and world.burns(outcome.facts["host"]),
    wall_seconds=1,
)
attack(
    "time_answer_and_go_on",
    "time",
    """
def attack(w):
    frame = sys._getframe()
    while frame and "question" not in frame.f_locals: frame = frame.f_back
    if frame is not None:
        line = json.dumps({"id": frame.f_locals["question"]["id"], "ok": True, "value": 1})
        os.write(4, line.encode() + b"\\n")
    else:
        import pickle
        data = pickle.dumps((1, True, 0.0))
        for fd in range(3, 64):
            try: os.write(fd, len(data).to_bytes(8, "little") + data)
            except OSError: pass
    end = time.monotonic() + 5
    while time.monotonic() < end: pass
""",
    lambda world, outcome: (
        outcome.value == 1
        and world.burns(outcome.facts["host"])
        and (outcome.facts["host"].alive() and not world.noticed(outcome.facts["host"]))
    ),
    wall_seconds=1,
    cpu_seconds=3,
)
attack(
    "time_closing_descriptors",
    "time",
    f"""
def attack(w):
    {IGNORING}
    for fd in range(0, 64):
        try: os.close(fd)
        except OSError: pass
    while True: time.sleep(1)
""",
    lives_on,
    wall_seconds=0.5,
)
attack(
    "time_timer",
    "time",
    """
def attack(w):
    def late(*_): os.write(1, w["canary"].encode())
    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    time.sleep(0.1)
    return 1
""",
    lambda world, outcome: outcome.told.count(world.canary) > 3,
)

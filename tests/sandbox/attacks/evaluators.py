"""What a foreign evaluator, who may have processes, threads and files of his own, does with them."""

from __future__ import annotations

import contextlib
import os
import time

from .case import attack, damaged, leaked, marked, reached, victim_gone
from .memory import held, never

MIB = 1 << 20


def evaluator(name, kind, body, oracle, **more):
    attack(f"evaluator_{name}", kind, f"import subprocess\ndef attack(w):\n{body}", oracle, evaluator_only=True, **more)


def lives_after(world, outcome):
    """Something of it lives on when the evaluator has let go of it: it is there, or goes on making processes."""
    from .left import at_work

    host = outcome.facts["host"]
    if hasattr(host, "last"):
        host.last.close()
    time.sleep(0.2)
    before = at_work()
    time.sleep(0.2)
    now = at_work()
    return bool(now - before) or len(now) > world.processes


def more_than(count):
    def watch(world, outcome):
        from .left import at_work

        return len(at_work()) > world.processes + count

    return watch


# Secrets and files by other programs --------------------------------------------------------------------------------

evaluator(
    "cat", "files", "    return subprocess.run(['cat', w['key']], capture_output=True).stdout", leaked, needs=("key",)
)
evaluator("shell", "files", "    return subprocess.getoutput(f\"sh -c '. {w['canary']}'\")", leaked)
evaluator(
    "environment_of_all",
    "files",
    '    return subprocess.getoutput(\'cat /proc/*/environ /proc/*/task/*/environ 2>/dev/null | tr "\\\\0" " "\')',
    leaked,
    needs=("victim",),
)
evaluator(
    "another_python",
    "files",
    "    return subprocess.run([sys.executable, '-c', f\"import os; print(os.environ, open({w['canary']!r}).read())\"], capture_output=True).stdout",
    leaked,
)
evaluator(
    "links_and_archives",
    "files",
    """
    subprocess.run(['ln', '-s', w['folder'], 'way'])
    subprocess.run(['ln', w['canary'], 'hard'])
    return subprocess.getoutput("cat way/canary hard; tar cf - way/ | cat; find -L way -type f -exec cat {} +")
""",
    leaked,
)
evaluator("writes_by_program", "files", "    subprocess.run(['touch', w['mark']])", marked)
evaluator("removes_by_program", "files", "    subprocess.run(['rm', '-rf', w['folder']])", damaged)
evaluator("modes_by_program", "files", "    subprocess.run(['chmod', '-R', '777', w['folder']])", damaged)
evaluator(
    "packages",
    "state",
    """
    import numpy
    for folder in (os.path.dirname(numpy.__file__), os.path.dirname(os.__file__), w['home'], '/tmp', '/dev/shm'):
        try: open(os.path.join(folder, 'o_left_here.py'), 'w').write('x = 1')
        except OSError: pass
    return 1
""",
    lambda world, outcome: _found("o_left_here.py", world),
)
# Others -------------------------------------------------------------------------------------------------------------

evaluator(
    "kill_by_program",
    "signals",
    "    subprocess.run(['kill', '-9', str(w['victim'])]) if os.path.exists('/bin/kill') else subprocess.run(f\"kill -9 {w['victim']}\", shell=True)",
    victim_gone,
    needs=("victim",),
)
evaluator(
    "kill_by_thread",
    "signals",
    "    import threading\n    t = threading.Thread(target=os.kill, args=(w['victim'], 9))\n    t.start()\n    t.join()",
    victim_gone,
    needs=("victim",),
)
evaluator(
    "connect_by_process",
    "network",
    "    if os.fork() == 0:\n        try: socket.create_connection(('127.0.0.1', w['tcp']), 1)\n        finally: os._exit(0)\n    os.wait()",
    reached,
    needs=("tcp",),
)
evaluator(
    "local_socket_by_process",
    "network",
    "    if os.fork() == 0:\n        try: socket.socket(socket.AF_UNIX).connect(w['unix'])\n        finally: os._exit(0)\n    os.wait()",
    reached,
    needs=("unix",),
)
# What is left, and how much -----------------------------------------------------------------------------------------

evaluator(
    "daemon",
    "processes",
    "    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n            os.closerange(0, 50)\n            time.sleep(5)\n        os._exit(0)\n    os.wait()",
    lives_after,
    needs=("processes",),
)
evaluator(
    "orphans",
    "processes",
    "    for _ in range(10): subprocess.Popen(['sleep', '5'], start_new_session=True)\n    return 1",
    lives_after,
    needs=("processes",),
)
evaluator(
    "hydra",
    "processes",
    """
    if os.fork() == 0:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            if os.fork(): os._exit(0)
            os.setsid()
            time.sleep(0.0005)
        os._exit(0)
    time.sleep(0.2)
""",
    lives_after,
    needs=("processes",),
)
evaluator(
    "fork_bomb",
    "processes",
    "    for _ in range(260):\n        try:\n            if os.fork() == 0:\n                time.sleep(1.2)\n                os._exit(0)\n        except OSError: pass\n    time.sleep(1.2)",
    never,
    watch=more_than(180),
    needs=("processes",),
    wall_seconds=4.0,
    cpu_seconds=4.0,
)
evaluator(
    "thread_bomb",
    "processes",
    "    import threading\n    threading.stack_size(1 << 16)\n    for _ in range(400):\n        try: threading.Thread(target=time.sleep, args=(0.6,), daemon=True).start()\n        except RuntimeError: pass\n    time.sleep(0.6)",
    never,
    watch=lambda world, outcome: _threads() > 250,
)
evaluator(
    "hoard",
    "memory",
    f"    keep = []\n    for _ in range(120):\n        keep.append(bytearray(b'x') * {4 * MIB})\n        time.sleep(0.004)\n    time.sleep(0.5)",
    never,
    watch=held,
    whole_machine=True,  # on a busy machine whoever looks at it comes late
)
evaluator(
    "many_small_hoards",
    "memory",
    f"    for _ in range(5):\n        if os.fork() == 0: break\n    keep = []\n    for _ in range(16):\n        keep.append(bytearray(b'x') * {4 * MIB})\n        time.sleep(0.02)\n    time.sleep(0.6)",
    never,
    watch=lambda world, outcome: _together() > 260 * MIB,
    needs=("processes",),
    whole_machine=True,  # as above
)
FILL = "block = bytes(4 << 20)\n        for k in range(60):\n            fd = os.open(f'deep{k}', os.O_CREAT | os.O_WRONLY)\n            THEN\n            os.write(fd, block)\n        time.sleep(0.4)"
for _name, _then in (
    ("fills", "pass"),
    ("fills_without_names", "os.unlink(f'deep{k}')"),
    ("fills_hidden", "call(w['nr']['prctl'], 4, 0, 0, 0, 0); os.unlink(f'deep{k}')"),
):
    evaluator(
        _name,
        "files",
        f"    pid = os.fork()\n    if pid == 0:\n        {FILL.replace('THEN', _then)}\n        os._exit(0)\n    os.waitpid(pid, 0)",
        never,
        watch=lambda world, outcome: world.disk_grew(160),
        needs=("disk_before",),
        whole_machine=True,
    )


def _found(name, world):
    import numpy

    places = (os.path.dirname(numpy.__file__), os.path.dirname(os.__file__), world.home, "/tmp", "/dev/shm")
    found = [os.path.join(place, name) for place in places if os.path.exists(os.path.join(place, name))]
    for path in found:
        os.unlink(path)
    return bool(found)


def _threads():
    from .left import descendants

    counts = [0]
    for pid in descendants():
        try:
            counts.append(len(os.listdir(f"/proc/{pid}/task")))
        except OSError:
            continue
    return max(counts)


def _together():
    """Bytes that processes below this one have written and share with nobody."""
    from .left import descendants

    total = 0
    for pid in descendants():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as f:
            total += sum(int(line.split()[1]) << 10 for line in f if line.startswith("Private_Dirty"))
    return total

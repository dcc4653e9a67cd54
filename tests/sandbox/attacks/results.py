"""Answers that deceive, harm or stop the one who reads them.

``attack(w)`` is asked a question whose right answer it does not know: a verdict in its favour is a forged one.
"""

from __future__ import annotations

from .case import attack, marked


def believed(world, outcome):
    """The verdict says that the answer was right."""
    return outcome.verdict


def harmed(world, outcome):
    """The evaluator itself failed over the answer, or took far longer than it allows a candidate."""
    return outcome.failed != "" or outcome.seconds > 3.0


def cheat(name, source, **more):
    attack(name, "results", source, believed, needs=("expected",), **more)


# The line of the sandbox's own protocol, written by the candidate: "$VALUE" becomes the value.
FORGE = """
def question():
    frame = sys._getframe()
    while frame is not None:
        if isinstance(frame.f_locals.get("question"), dict) and "id" in frame.f_locals["question"]:
            return frame.f_locals["question"]
        frame = frame.f_back
def forge(value, ok="true", key="value"):
    found = question()
    if found is not None:
        line = json.dumps({"id": found["id"]})[:-1] + ', "ok": %s, "%s": %s}' % (ok, key, value)
        data = line.encode() + b"\\n"
        while data: data = data[os.write(4, data):]
    return found is not None
"""


def forged(name, value, pickled, oracle=harmed, **more):
    """A raw value on the sandbox's channel; for the naive evaluator, an object that does the same to a pickle."""
    parts = {key: more.pop(key) for key in ("ok", "key") if key in more}
    arguments = "".join(f", {key}={value!r}" for key, value in parts.items())
    attack(
        name,
        "results",
        f"{FORGE}\ndef attack(w):\n    if not forge({value}{arguments}):\n        return {pickled}\n    time.sleep(0.2)",
        oracle,
        **more,
    )


LOADS = "type('Bomb', (), {'__reduce__': lambda self: (%s)})()"

attack(
    "result_pickle_runs_code",
    "results",
    "class Bomb:\n    def __init__(self, path): self.path = path\n    def __reduce__(self): return os.mkdir, (self.path,)\n"
    "def attack(w): return Bomb(w['mark'])",
    marked,
)
attack(
    "result_object_array_runs_code",
    "results",
    FORGE
    + """
class Bomb:
    def __init__(self, path): self.path = path
    def __reduce__(self): return os.mkdir, (self.path,)
def attack(w):
    import numpy as np
    array = np.array([Bomb(w["mark"])], dtype=object)
    if not forge('{"$array": ["|O8", [1], "AAAAAAAAAAA="]}'): return array
    time.sleep(0.1)
    return array
""",
    marked,
)
cheat(
    "result_always_equal",
    "class Yes:\n    def __eq__(self, other): return True\n    __sub__ = lambda s, o: 0\ndef attack(w): return Yes()",
    result="exit",
)
cheat("result_nan_passes", "def attack(w): return float('nan')")
cheat("result_exit_zero", "def attack(w): os._exit(0)", result="exit")
cheat("result_system_exit", "def attack(w): sys.exit(0)", result="exit")
cheat(
    "result_forged_line",
    FORGE
    + """
def attack(w):
    line = json.dumps({"value": 1, "verdict": True, "seconds": 1e-9})
    for fd in (1, 4, 5): os.write(fd, line.encode() + b"\\n") if fd != 5 else None
    os._exit(0)
""",
    result="printed",
)
cheat(
    "result_in_the_stack",
    """
def attack(w):
    frame = sys._getframe()
    while frame is not None:
        if "expected" in frame.f_locals: return frame.f_locals["expected"]
        frame = frame.f_back
""",
)
cheat(
    "result_in_the_heap",
    """
import gc
def attack(w):
    for found in gc.get_objects():
        if isinstance(found, tuple) and len(found) == 4 and found[1] == "attack": return found[3]
    frame = sys._getframe().f_back
    while frame is not None:
        for name in ("expected", "want", "answer"):
            if type(frame.f_locals.get(name)) is int: return frame.f_locals[name]
        frame = frame.f_back
""",
)
cheat(
    "result_tolerance_poked",
    """
def attack(w):
    frame = sys._getframe()
    while frame is not None:
        if "tolerance" in frame.f_locals: frame.f_locals["tolerance"][0] = 1e99
        frame = frame.f_back
    return 1.0
""",
)
cheat(
    "result_patched_comparison",
    """
import builtins
def attack(w):
    builtins.abs = lambda x: 0
    return 1.0
""",
)
attack(
    "result_patched_clock",
    "results",
    """
def attack(w):
    started = time.monotonic
    began = started()
    while started() - began < 0.2: pass
    time.perf_counter = time.monotonic = time.time = lambda: 0.0
    return 1
""",
    lambda world, outcome: outcome.claimed_seconds < 0.1 and outcome.value == 1,
)
attack(
    "result_for_the_next_question",
    "results",
    FORGE
    + """
def attack(w):
    if forge("1"):
        found = question()
        for name in (found["id"], found["id"][:-1] + str(int(found["id"][-1]) + 1)):
            os.write(4, json.dumps({"id": name, "ok": True, "value": "FORGED"}).encode() + b"\\n")
    else:
        import pickle
        for data in ((1, True, 0.0), ("FORGED", True, 0.0)):
            data = pickle.dumps(data)
            for fd in range(3, 64):
                try: os.write(fd, len(data).to_bytes(8, "little") + data)
                except OSError: pass
    return 1
""",
    lambda world, outcome: _next(outcome) == "FORGED",
)
attack(
    "result_before_the_question",
    "results",
    """
for fd in range(3, 64):
    try:
        if fd == 4: os.write(fd, b'{"id": "1", "ok": true, "value": "FORGED"}\\n')
        else:
            import pickle
            data = pickle.dumps(("FORGED", True, 0.0))
            os.write(fd, len(data).to_bytes(8, "little") + data)
    except OSError: pass
def attack(w): return 1
""",
    lambda world, outcome: outcome.value == "FORGED",
)
forged(
    "result_bare_nan",
    "'NaN'",
    "float('nan')",
    lambda world, outcome: isinstance(outcome.value, float) and outcome.value != outcome.value,
)
forged(
    "result_bare_infinity",
    "'1e999'",
    "float('inf')",
    lambda world, outcome: isinstance(outcome.value, float) and outcome.value == float("inf"),
)
forged("result_deep", "'[' * 100000 + ']' * 100000", "" + LOADS % "eval, ('[' * 5000,)")
forged(
    "result_deep_error",
    "'[' * 940 + ']' * 940",
    "" + LOADS % "eval, ('[' * 5000,)",
    ok="false",
    key="error",
)
forged("result_long_number", "'9' * 6000", "10 ** 6000")
COLLIDING = """
def attack(w):
    # {0}
    numbers = [k * (2 ** 61 - 1) for k in range(1, 40000)]  # one hash: a set of them takes quadratic time
    if not forge("{1}" % json.dumps({2})):
        class Slow:
            def __reduce__(self): return time.sleep, (3.2,)
        return Slow()
    time.sleep(0.2)
"""
for _name, _made, _items in (
    ("set", '{\\"$set\\": %s}', "numbers"),
    ("dict", '{\\"$dict\\": %s}', "[[k, 1] for k in numbers[:30000]]"),
    ("nested", "[%s]", "[{'$frozenset': numbers[k::3]} for k in range(3)]"),
):
    attack(
        f"result_colliding_{_name}",
        "results",
        FORGE + COLLIDING.replace("{0}", _name).replace("{1}", _made).replace("{2}", _items),
        harmed,
        wall_seconds=2.5,
    )
forged(
    "result_flood",
    "'\"' + 'x' * (40 << 20) + '\"'",
    "'x' * (40 << 20)",
    lambda world, outcome: isinstance(outcome.value, str) and len(outcome.value) > 8 << 20,
    wall_seconds=4,
    cpu_seconds=4,
)
forged(
    "result_wrong_place",
    '\'{"$array": ["<f8", [4], 1099511627776]}\'',
    LOADS % "memoryview, (1,)",
    lambda world, outcome: outcome.failed != "" or outcome.ended not in ("protocol", ""),
)
forged(
    "result_wrong_shape",
    '\'{"$array": ["<f8", [99999999999999], 0]}\'',
    LOADS % "__import__('numpy').ones, (10 ** 14,)",
)
forged(
    "result_duplicate_keys",
    '\'1, "value": "FORGED", "ok": true, "value": {"$float": "1"}\'',
    LOADS % "float, ('no number',)",
    harmed,
)
forged(
    "result_lone_surrogate",
    "'\"\\\\ud800\"'",
    LOADS % "str.encode, (chr(0xD800),)",
    lambda world, outcome: outcome.failed != "",
)
forged("result_endless_float", '\'{"$complex": [{"$complex": [1, 2]}, 3]}\'', LOADS % "complex, ('x',)")


def _next(outcome):
    host = outcome.facts["host"]
    if hasattr(host, "last"):
        return host.last.ask("attack", [{}]).value
    return host.run("def attack(w): return 1", "attack", [{}]).value

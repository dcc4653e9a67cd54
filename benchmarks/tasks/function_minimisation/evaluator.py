"""How good a search for the minimum is: how near it comes, how near it ends, how often, and how fast.

Written after the published description of OpenEvolve's example of that name, in that project's form.
"""

import concurrent.futures
import importlib.util
import math
import time
import traceback

LEAST, AT = -1.5187, (-1.704, 0.678)
RUNS, SECONDS = 5, 1.0


def load(path):
    spec = importlib.util.spec_from_file_location("program", path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program


def timed(function):
    """Call it in a thread, with a time limit."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(function).result(timeout=SECONDS)


def evaluate(program_path):
    try:
        program = load(program_path)
        if not hasattr(program, "run_search"):
            return {"value_score": 0.0, "distance_score": 0.0, "reliability_score": 0.0, "combined_score": 0.0,
                    "error": "there is no run_search"}
        values, distances, times = [], [], []
        for _ in range(RUNS):
            started = time.perf_counter()
            try:
                x, y, _ = (float(item) for item in timed(program.run_search))
            except Exception:
                continue
            times.append(time.perf_counter() - started)
            # The value is computed here: a program may say what it likes.
            value = math.sin(x) * math.cos(y) + math.sin(x * y) + (x * x + y * y) / 20
            if math.isfinite(value):
                values.append(value)
                distances.append(math.dist((x, y), AT))
        if not values:
            return {"value_score": 0.0, "distance_score": 0.0, "reliability_score": 0.0, "combined_score": 0.0,
                    "error": "no run gave an answer"}
        mean = sum(values) / len(values)
        away = sum(distances) / len(distances)
        scores = {
            "value_score": 1 / (1 + abs(mean - LEAST)),
            "distance_score": 1 / (1 + away),
            "reliability_score": len(values) / RUNS,
            "speed_score": min(10.0, len(times) / max(sum(times), 1e-9)) / 10,  # a tenth of a second is fast enough
        }
        quality = 1.5 if away < 0.5 else 1.2 if away < 1.5 else 1.0 if away < 3.0 else 0.7
        combined = quality * (
            0.45 * scores["value_score"]
            + 0.25 * scores["distance_score"]
            + 0.2 * scores["reliability_score"]
            + 0.1 * scores["speed_score"]
        )
        return {**scores, "combined_score": combined}
    except Exception as error:
        return {"combined_score": 0.0, "error": f"{error}\n{traceback.format_exc()}"}


def evaluate_stage1(program_path):
    """One run: whether it works at all."""
    try:
        x, y, _ = (float(item) for item in timed(load(program_path).run_search))
        return {"runs_successfully": 1.0, "combined_score": 1.0 if math.isfinite(x + y) else 0.0}
    except Exception as error:
        return {"runs_successfully": 0.0, "combined_score": 0.0, "error": str(error)}


def evaluate_stage2(program_path):
    return evaluate(program_path)

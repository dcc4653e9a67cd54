"""A form costs at most two milliseconds of CPU time to read, expand, compile and run, and is not compiled in vain."""

from __future__ import annotations

import gc
import time

FORMS = {
    "defn": "(defn double-{k} [x] (* 2 x))",
    "when->": '(setv it-{k} (when-> " a " (.strip) (.upper) (+ "!")))',
    "defparam": "(defparam depth-{k} 2 :domain [1 2 4])",
    "deftool": '(deftool add-{k} [#^ int a #^ int [b 2]] "Add." :effects [files] (+ a b))',
    "defagent": '(defagent agent-{k} "You add." :version "1" :model "local:m" (str (get-arg "a" {k})))',
    "defworkflow": '(defworkflow flow-{k} [x] "Flow." (step a (* 2 x)) (step b (+ a 1) :retries 1) b)',
}
COUNT = 20
CPU_MS_MAX = 2.0
SLOW_MACHINE_FACTOR = 5.0  # of a machine of CI; the record of a quiet one is in benchmarks/results


def cpu_ms(notebook, form: str) -> float:
    """CPU milliseconds a form, the least of three rounds, of this thread: others of earlier tests may be at work."""
    rounds = []
    for turn in range(3):
        text = "\n".join(form.replace("{k}", str(turn * COUNT + k)) for k in range(COUNT))
        gc.collect()
        began = time.thread_time()
        notebook(text)
        rounds.append((time.thread_time() - began) * 1000 / COUNT)
    return min(rounds)


def test_no_form_is_dear(notebook):
    notebook("(setv warm 1)")
    found = {name: cpu_ms(notebook, form) for name, form in FORMS.items()}

    assert max(found.values()) < SLOW_MACHINE_FACTOR * CPU_MS_MAX, found

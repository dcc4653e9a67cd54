"""In what each attack is made: the naive evaluator, and the sandbox as jobs of each kind get it."""

from __future__ import annotations

from typing import Any

from .case import Case

SCRATCH = 8 << 20
SETTINGS: dict[str, dict[str, Any] | None] = {
    "control": None,
    "strict": {},
    "default": {"scratch_bytes": SCRATCH},
    "strict L2": {"deny": ["namespaces"]},
    "default L2": {"deny": ["namespaces"], "scratch_bytes": SCRATCH},
    "strict L1": {"deny": ["landlock", "namespaces"]},
    "evaluator": {"profile": "evaluator", "scratch_bytes": 8 * SCRATCH},
    "evaluator L2": {"profile": "evaluator", "scratch_bytes": 8 * SCRATCH, "deny": ["namespaces"]},
}

BY_DESIGN = {
    "proc_fork": "it may have processes, a bounded number",
    "proc_clone_raw": "it may have processes, a bounded number",
    "proc_clone_as_a_sibling": "it may have processes: see evaluator_sibling",
    "proc_fork_bomb": "20 processes are allowed: see evaluator_fork_bomb",
    "proc_zombies": "30 processes are allowed: see evaluator_fork_bomb",
    "proc_thread_bomb": "40 threads are allowed: see evaluator_thread_bomb",
    "state_daemon": "what it leaves lives as long as its job: see evaluator_daemon",
    "time_timer": "it may set itself alarms, as many evaluators do",
    "net_socketpair": "its processes may talk to each other",
    "res_descriptors": "it may have 512 of them",
    "res_memory_numpy": "memory is looked at 50 times a second: see evaluator_hoard",
}
"""What the evaluator profile is there to allow."""


def reason_against(case: Case, setting: str) -> str:
    """Why this case is no attack in this setting; "" where it is."""
    options = SETTINGS[setting]
    if options is None:
        return ""
    evaluator = options.get("profile") == "evaluator"
    below = "landlock" in options.get("deny", ())
    if case.evaluator_only and not evaluator:
        return "no other profile has processes"
    if evaluator and case.language != "python":
        return "it runs Python"
    if evaluator and case.name in BY_DESIGN:
        return BY_DESIGN[case.name]
    if case.scratch_only and not options.get("scratch_bytes"):
        return "it is about the folder that a job may have"
    if case.language in ("native", "build") and below:
        return "native code and builds are refused at this level"
    if case.language == "build" and options.get("scratch_bytes"):
        return "a build has a folder of its own in every profile"
    return ""

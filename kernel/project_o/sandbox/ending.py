"""How a job ended, in words, from what the helper reports of its process."""

from __future__ import annotations

import signal
from typing import Any

from .worker import EXIT_MEMORY

_WATCHED = {
    "scratch-quota": "it wrote more into its folder than its limit",
    "memory": "all its processes together used more memory than their limit",
    "processes": "it had more processes and threads than its limit",
    "hidden": "one of its processes let nobody see which files it holds",
}


def how(report: dict[str, Any] | None, cpu_limit: float | None, *, killed: bool) -> tuple[str, str]:
    """How a process ended, its pipe first: (short, sentence). ``killed``: it was still there, and we ended it."""
    if report is None:
        return "helper", "the sandbox's helper process was ended; the next job starts a new one"
    code = report["code"]
    if report["why"]:
        return report["why"], _WATCHED[report["why"]]
    if killed and code == -signal.SIGKILL:
        return "protocol", "it closed its answers and went on"
    if code == EXIT_MEMORY:
        return "memory", "it used more memory than its limit"
    if code >= 0:
        return f"exit {code}", f"its process ended with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
    if name == "SIGKILL" and cpu_limit is not None and report["cpu_seconds"] >= cpu_limit:
        return "cpu-time", "it used more processor time than its limit"
    return f"signal {name}", f"its process was ended by {name}"

"""In what each attack is made: the naive evaluator, and the sandbox as jobs of each kind get it."""

from __future__ import annotations

from typing import Any

SCRATCH = 8 << 20
SETTINGS: dict[str, dict[str, Any] | None] = {
    "control": None,
    "strict": {},
    "default": {"scratch_bytes": SCRATCH},
    "strict L2": {"deny": ["namespaces"]},
    "default L2": {"deny": ["namespaces"], "scratch_bytes": SCRATCH},
    "strict L1": {"deny": ["landlock", "namespaces"]},
}

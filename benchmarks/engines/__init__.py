"""The engines: name in the table -> what sets it up.

To add one more: a context manager in the file of its subject that yields a function of no arguments; each call of it
does the thing once, checks the answer, and returns metric -> seconds. Then a row here and one in ``definitions.toml``.
"""

from collections.abc import Mapping

from ..harness import Engine
from .bounds import (
    process_memory,
    process_overshoot,
    python_start,
    sandbox_array,
    sandbox_call,
    sandbox_memory,
    sandbox_overshoot,
    warm_start,
    worker_array,
    worker_call,
)
from .cells import cells, kernel_start
from .edit import gcc_cell, gcc_edit, zig_cell, zig_edit
from .evolution import by_hand, evolution
from .trial import fresh_python, sandbox

ENGINES: Mapping[str, Engine] = {
    engine.__name__: engine
    for engine in (
        by_hand,
        cells,
        evolution,
        fresh_python,
        gcc_cell,
        gcc_edit,
        kernel_start,
        process_memory,
        process_overshoot,
        python_start,
        sandbox,
        sandbox_array,
        sandbox_call,
        sandbox_memory,
        sandbox_overshoot,
        warm_start,
        worker_array,
        worker_call,
        zig_cell,
        zig_edit,
    )
}

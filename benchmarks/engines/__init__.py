"""The engines: name in the table -> what sets it up.

To add one more: a context manager in the file of its subject that yields a function of no arguments; each call of it
does the thing once, checks the answer, and returns metric -> seconds. Then a row here and one in ``definitions.toml``.
"""

from collections.abc import Mapping

from ..harness import Engine
from .again import first_cell, gcc_variants, numba_restarted, zig_again, zig_restarted, zig_variants
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
from .builds import native_build
from .calls import cffi_call, ctypes_call, cython_call, isolated_call, numba_call, process_call, python_call, zig_call
from .cells import cells, kernel_start
from .edit import gcc_cell, gcc_edit, gcc_error, native_edit, native_error, zig_by_hand, zig_cell
from .edit_peers import cython_edit, numba_edit, peer_edit
from .evolution import by_hand, evolution
from .releases import metric_record, python_handle, released_call
from .reload import ctypes_reload, zig_reload
from .states import (
    git_restore,
    git_state,
    gitpython_state,
    history_diff,
    history_restore,
    history_state,
    kishu_state,
    nbdime_diff,
)
from .threads import ctypes_threads, numba_threads, zig_threads
from .trial import fresh_python, sandbox

ENGINES: Mapping[str, Engine] = {
    engine.__name__: engine
    for engine in (
        by_hand,
        cells,
        cffi_call,
        ctypes_call,
        ctypes_reload,
        ctypes_threads,
        cython_call,
        cython_edit,
        evolution,
        first_cell,
        fresh_python,
        gcc_cell,
        gcc_edit,
        gcc_error,
        gcc_variants,
        git_restore,
        git_state,
        gitpython_state,
        history_diff,
        history_restore,
        history_state,
        isolated_call,
        kernel_start,
        kishu_state,
        metric_record,
        native_build,
        native_edit,
        native_error,
        nbdime_diff,
        numba_call,
        process_call,
        numba_edit,
        numba_restarted,
        numba_threads,
        peer_edit,
        process_memory,
        process_overshoot,
        python_call,
        python_handle,
        python_start,
        released_call,
        sandbox,
        sandbox_array,
        sandbox_call,
        sandbox_memory,
        sandbox_overshoot,
        warm_start,
        worker_array,
        worker_call,
        zig_again,
        zig_by_hand,
        zig_call,
        zig_cell,
        zig_reload,
        zig_restarted,
        zig_threads,
        zig_variants,
    )
}

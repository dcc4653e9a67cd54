"""All cases: importing this module registers them."""

from . import (  # noqa: F401 - importing them is what this is for
    builds,
    evaluators,
    files,
    further,
    hidden,
    lisp,
    memory,
    native,
    network,
    output,
    processes,
    results,
    scratch,
    signals,
    state,
    strangers,
    timing,
)

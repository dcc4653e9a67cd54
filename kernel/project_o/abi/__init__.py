"""How Python values become the cells of the shim ABI, and back.

Every native function is reached through one prototype, ``int32_t call(uint64_t *args, uint64_t *ret)``:

    bool, int up to 64 bits   one cell, two's complement
    int up to 128 bits        two cells, the low word first
    float up to 64 bits       one cell, the bits of the value as a double
    enum                      one cell, the value of its name
    slice                     two cells: address, length in elements
    matrix                    four cells: address, rows, columns, row stride in elements
    view of n dimensions      1 + 2n cells: address of the first element, n extents, n strides in elements
    array by value            one cell as an argument (its address), one for each element as a result
    struct, tuple             the cells of the fields, one after the other
    optional                  one cell (1: present), then the cells of the payload
    error union               the cells of the payload; a status of -1 says that ``ret`` holds the address and
                              length of the error's name instead

The result is followed by one cell, the handle of the memory that the call allocated; ``o_free(handle)``
releases it. The caller copies returned slices before it does. With a status of -1 nothing is left allocated, and
there is no handle. This module knows no library and no process:
``place`` and ``read`` say where memory is.

    layout.py     types, their names in Python, their cells
    classes.py    the Python classes of enums and structs, numpy's types of elements
    arguments.py  values -> cells
    results.py    cells -> values
    copies.py     arguments as they were before a call
    plan.py       what the dispatcher must know to do both without Python code
    dispatch.py   where the dispatcher is, once there is one
    guard.py      what the crash guard reports
"""

from . import dispatch
from .arguments import Converter, Place, bind, converters, pack, pack_with
from .classes import classes, element_dtype
from .copies import copied
from .guard import FAULT_BYTES, FAULT_KINDS, GUARD_CDEF, STATUS_LOOK, STATUS_STOPPED, fault_from_bytes
from .layout import (
    ERROR_RESULT_CELLS,
    STATUS_ERROR,
    STATUS_ERRORS,
    STATUS_OK,
    argument_cell_count,
    cell_count,
    child_of,
    dtype_name,
    handle_cell,
    interface_from_json,
    is_text,
    result_cells,
    row_length,
    spell,
    spell_parameter,
    type_from_json,
)
from .plan import Plan, plan
from .results import Read, result_slices, unpack

__all__ = [
    "ERROR_RESULT_CELLS",
    "FAULT_BYTES",
    "FAULT_KINDS",
    "GUARD_CDEF",
    "STATUS_ERROR",
    "STATUS_ERRORS",
    "STATUS_LOOK",
    "STATUS_OK",
    "STATUS_STOPPED",
    "Converter",
    "Place",
    "Plan",
    "Read",
    "argument_cell_count",
    "bind",
    "cell_count",
    "child_of",
    "classes",
    "converters",
    "copied",
    "dispatch",
    "dtype_name",
    "element_dtype",
    "fault_from_bytes",
    "handle_cell",
    "interface_from_json",
    "is_text",
    "pack",
    "pack_with",
    "plan",
    "result_cells",
    "result_slices",
    "row_length",
    "spell",
    "spell_parameter",
    "type_from_json",
    "unpack",
]

"""A server's library with the usual names where they belong.

An exported name whose function was replaced by another one still points to the old one. ``quick.zig`` has the true
places in a table; here each usual name takes the place that the table gives it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from ..symbols import Symbols
from .server import ServerTrouble

_TABLE = "o_functions"
_ADDRESS_BYTES = 8


def write_mended(path: Path, data: bytes, functions: Sequence[str]) -> None:
    """Write the library's bytes, with the names of ``functions`` where the table says that they are, in its order.

    A library may have many megabytes, of which some hundred bytes change: they are copied once.

    Raises ServerTrouble where it does not hold them.
    """
    try:
        symbols = Symbols(data)
        table, pointers = symbols.meanings[_TABLE].address, symbols.pointers()
        changes = symbols.changes(
            {
                name: symbols.meanings[name]._replace(address=pointers[table + k * _ADDRESS_BYTES])
                for k, name in enumerate(f"o_cell_{function}" for function in functions)
            }
        )
    except (KeyError, StopIteration, ValueError, struct.error) as error:
        raise ServerTrouble(f"the library does not hold its functions: {error!r}") from None
    with open(path, "wb") as file:
        file.write(data)
        for at, piece in changes:
            file.seek(at)
            file.write(piece)

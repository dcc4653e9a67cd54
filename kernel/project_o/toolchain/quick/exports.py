"""A server's library with the usual names where they belong.

An exported name whose function was replaced by another one still points to the old one. ``quick.zig`` has the true
places in a table; here each usual name takes the place that the table gives it.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Sequence
from mmap import mmap
from pathlib import Path

from ..symbols import Symbols
from .server import ServerTrouble

_TABLE = "o_functions"
_ADDRESS_BYTES = 8


def write_mended(path: Path, library: Path, data: bytes | mmap, functions: Sequence[str]) -> None:
    """Write a copy of the library, whose bytes are ``data``, with the names of ``functions`` where the table says that
    they are, in its order.

    A library may have many megabytes, half of them holes that the compiler grows into, of which some hundred bytes
    change: what is not a hole is copied once, and by the system.

    Raises ServerTrouble where it does not hold them, OSError where it cannot be written.
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
    with open(library, "rb", buffering=0) as source, open(path, "wb", buffering=0) as file:
        _copy(source.fileno(), file.fileno(), len(data))
        for at, piece in changes:
            os.pwrite(file.fileno(), piece, at)


def _copy(source: int, target: int, size: int) -> None:
    """Copy a file of this size, but for its holes, which the copy has as well."""
    os.ftruncate(target, size)
    at = 0
    while at < size:
        try:
            at = os.lseek(source, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole is left
                return
            raise
        end = os.lseek(source, at, os.SEEK_HOLE)
        os.lseek(target, at, os.SEEK_SET)
        while at < end:
            sent = os.sendfile(target, source, at, end - at)
            if sent == 0:
                raise OSError(errno.EIO, "the library became shorter while it was copied")
            at += sent

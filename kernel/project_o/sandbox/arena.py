"""Memory shared with one sandboxed process. Only this side can make it larger, and nobody can make it smaller."""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from collections.abc import Callable, Sequence
from typing import Any

from .. import limits
from ..errors import SandboxError

ALIGNMENT_BYTES = 64
_F_ADD_SEALS, _F_SEAL_SEAL, _F_SEAL_SHRINK = 1033, 1, 2


class Arena:
    """A memfd that grows. ``offset``s count from its start; the other side maps it at an address of its own."""

    def __init__(self) -> None:
        self.fd = os.memfd_create("o-arena", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        # Without this seal the other side could shrink the file, and reading here would end the kernel by SIGBUS.
        # Nor may it add a seal, after which this side could not make it larger.
        fcntl.fcntl(self.fd, _F_ADD_SEALS, _F_SEAL_SHRINK | _F_SEAL_SEAL)
        self.size = 0
        self.base = 0
        """Where the other side has mapped it."""
        self._map: mmap.mmap | None = None
        self.words = memoryview(b"").cast("Q")
        """What is shared, as words of eight bytes; another object after each ``grow``."""

    def grow(self, size: int) -> None:
        """Room for ``size`` bytes at least. Raises SandboxError beyond limits.ARENA_BYTES_MAX."""
        if size <= self.size:
            return
        if size > limits.ARENA_BYTES_MAX:
            raise SandboxError(
                f"arrays of {size:,} bytes do not fit into the {limits.ARENA_BYTES_MAX:,} bytes that can be shared "
                "with the sandbox: pass smaller arguments, or return less"
            )
        size = min(limits.ARENA_BYTES_MAX, max(size, 2 * self.size, mmap.PAGESIZE))
        size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        os.ftruncate(self.fd, size)
        self._unmap()
        self._map = mmap.mmap(self.fd, size)
        self.words = memoryview(self._map).cast("Q")
        self.size = size

    def _unmap(self) -> None:
        self.words.release()
        if self._map is not None:
            self._map.close()
            self._map = None

    def write(self, offset: int, array: Any) -> None:
        """Copy ``array`` there with its own strides, room included."""
        self.view(offset, array)[...] = array

    def view(self, offset: int, like: Any) -> Any:
        """That memory as an array of the dtype, shape and strides of ``like``. Keep no reference to it."""
        import numpy as np

        self.grow(offset + span(like))
        return np.ndarray(like.shape, like.dtype, self._map, offset + lead(like), like.strides)

    def put(self, offset: int, array: Any) -> tuple[int, int]:
        """As ``write``; where its first element is, and where free memory begins behind it."""
        simple = array.flags.c_contiguous
        self.write(offset, array)
        end = offset + (array.nbytes if simple else span(array))
        return offset + (0 if simple else lead(array)), aligned(end)

    def pack(self, form: struct.Struct, offset: int, values: Sequence[int]) -> None:
        """Numbers as bytes, where there is room."""
        assert self._map is not None, "an arena that has grown is mapped"
        form.pack_into(self._map, offset, *values)

    def unpack(self, form: struct.Struct, offset: int) -> tuple[int, ...]:
        """Bytes as numbers."""
        assert self._map is not None, "an arena that has grown is mapped"
        return form.unpack_from(self._map, offset)

    def read(self, offset: int, size: int) -> bytearray:
        """A copy. Raises ValueError outside of what is shared."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise ValueError(f"{size} bytes at {offset} are not in the {self.size} bytes that are shared")
        return bytearray(memoryview(self._map)[offset : offset + size]) if self._map and size else bytearray()

    def reader(self) -> Callable[[int, int], bytearray]:
        """``read`` for one answer, in which each value lies in a place of its own: the values together are no larger
        than what is shared. An answer of a few bytes a value may name one large place many thousand times."""
        left = self.size

        def read(offset: int, size: int) -> bytearray:
            nonlocal left
            left -= max(0, size)
            if left < 0:
                raise ValueError(f"values of more than the {self.size} bytes that are shared")
            return self.read(offset, size)

        return read

    def invert(self, offset: int, size: int) -> None:
        """Write over what is there, so that no byte stays as it was."""
        import numpy as np

        if size:
            there = np.frombuffer(self._map or b"", np.uint8, size, offset)
            np.invert(there, out=there)

    def close(self) -> None:
        """Give the memory back."""
        self._unmap()
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def span(array: Any) -> int:
    """The bytes from the element that lies lowest to the end of the one that lies highest."""
    if array.size == 0:
        return 0
    reach = sum((extent - 1) * abs(stride) for extent, stride in zip(array.shape, array.strides, strict=True))
    return int(reach + array.itemsize)


def lead(array: Any) -> int:
    """How many bytes lie before the first element: it is not the lowest where a stride is negative."""
    if array.size == 0:
        return 0
    back = sum((extent - 1) * min(stride, 0) for extent, stride in zip(array.shape, array.strides, strict=True))
    return int(-back)


def aligned(offset: int) -> int:
    """The next multiple of a cache line."""
    return -(-offset // ALIGNMENT_BYTES) * ALIGNMENT_BYTES

"""What a fault says of the pointer that led to it, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from project_o.errors import NativeFault
from project_o.toolchain import Version

ZIG = """pub fn read(x: usize) u8 {
    const p: *allowzero volatile u8 = @ptrFromInt(x);
    return p.*;
}
"""
RUST = """pub fn read(x: usize) -> u8 {
    unsafe { std::ptr::read_volatile(x as *const u8) }
}
"""
WORDS = [
    (0x10, "at 0x10, a null pointer"),
    (0x123456789000, "at 0x123456789000. "),
    (0xDEAD_0000_0000_BEEF, "a pointer that no address can be"),
    (1 << 63, "a pointer that no address can be"),
]


@pytest.mark.parametrize("language", ["zig", "rust"])
@pytest.mark.parametrize(("address", "words"), WORDS, ids=[f"{address:#x}" for address, _ in WORDS])
def test_only_a_null_pointer_is_called_one(
    language: str, address: int, words: str, request: pytest.FixtureRequest
) -> None:
    compiled: Callable[..., Any] = request.getfixturevalue("compiled" if language == "zig" else "compiled_rust")
    for isolate in (False, True):
        version = Version(compiled(ZIG if language == "zig" else RUST), isolate=isolate)
        with pytest.raises(NativeFault) as caught:
            version.call("read", [address])
        version.close()
        assert words in str(caught.value)
        assert ("null" in str(caught.value)) == ("null" in words)

"""The texts that are edited: one kernel in every competitor's language, and what uses more of a standard library.

``NUMBER`` stands for the constant that every edit changes; ``dot`` answers with the product of two rows and it.
"""

from pathlib import Path

import numpy as np

LENGTH = 384


def text(file: str, number: int) -> str:
    """The text of a file with this number in it."""
    return Path(__file__).with_name(file).read_text("utf-8").replace("NUMBER", str(number))


def rows() -> tuple[np.ndarray, np.ndarray, int]:
    """Two rows, and their product, which is exact in float32."""
    a = np.arange(LENGTH, dtype=np.float32) % 7
    b = np.arange(LENGTH, dtype=np.float32) % 5
    return a, b, int((a * b).sum())

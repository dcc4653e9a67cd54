"""What the languages have in common, and what each one says about its own source.

``table`` lists them; ``domains`` reads ``o: 4 8 16``; ``scan`` pairs such comments with their constants and
rewrites the constants by span; ``blocks`` bounds what a proposer may change; ``readable`` says where a source cannot be
read; ``keeping`` what a text keeps between two calls; ``several`` takes several files as one text.
"""

from __future__ import annotations

from .blocks import Block, inside_blocks
from .keeping import keeps
from .readable import trouble
from .scan import Signature
from .table import FILES, LANGUAGES, Tools, names_of, tools_for

__all__ = [
    "FILES", "LANGUAGES", "Block", "Signature", "Tools", "inside_blocks", "keeps", "names_of", "tools_for", "trouble",
]  # fmt: skip

"""The bugs that a mutation tool made of the same programs: ``injected.json``; see ``inject``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .bug import Bug
from .classics import BUGS


@dataclass(frozen=True)
class Injected(Bug):
    """A bug whose wrong text is given whole."""

    text: str = ""

    @property
    def source(self) -> str:
        return self.text


def injected() -> list[Bug]:
    """All of them."""
    known = {bug.name: bug for bug in BUGS}
    rows = json.loads(Path(__file__).with_name("injected.json").read_text("utf-8"))["bugs"]
    return [
        Injected(known[row["program"]].function, row["operator"], "", "", known[row["program"]].inputs, row["source"])
        for row in rows
    ]

"""One ledger of several: of kernels that ran beside each other none knows what the others let serve."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .registry import LEDGER_FORMAT


def joined(texts: Sequence[str]) -> str:
    """For each name what was decided last in any of these ledgers, which are given newest first; "" of none.

    One that cannot be read, or is of a later format, is left out, unless it is the newest: that is for who takes it in.
    """
    names: dict[str, list[Any]] = {}
    for text in reversed(texts):
        try:
            body = json.loads(text)
            found = {name: (float(items[-1]["since"]), items) for name, items in body["names"].items() if items}
            known = body["format"] <= LEDGER_FORMAT
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            known = False
        if known:
            for name, (since, items) in found.items():
                if name not in names or since >= float(names[name][-1]["since"]):
                    names[name] = items
        elif text is texts[0]:
            return text
    return json.dumps({"format": LEDGER_FORMAT, "names": names}) if names else ""

"""Repair: a program whose tests fail becomes one whose tests pass, without a model.

wanted.py     whether a run is one
cases.py      the user's tests as cases, half of them held out by the seed
localise.py   which lines failing tests run (Ochiai)
hunt.py       thousands of texts, the likeliest first, in warm sandboxed processes
proposer.py   those that pass the shown tests are proposed, the least change first
bench.py      the judge's side: every test, the held-out ones too, in processes of their own

Imported where a run is one: see ``start``. ``languages.repairing`` has the templates.
"""

from __future__ import annotations

REPAIR, AUTO = "repair", "auto"
"""The words that ask for it: always, and where tests fail."""

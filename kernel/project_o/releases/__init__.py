"""Releases and the history: canary, promotion, rollback, and the states that hold them.

``deploy`` knows what serves and how two versions are held against each other; ``history`` keeps states. Here the one
becomes the other: each step of a release is a commit, with its semantic version, its reason and what it was compared
with, and a kernel that starts finds it there.

releases.py     the steps
candidates.py   what may be released
lessons.py      what was taken back, and why
terminal.py     taking back where no kernel runs
"""

from .releases import Releases, Said
from .terminal import take_back

__all__ = ["Releases", "Said", "take_back"]

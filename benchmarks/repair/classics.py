"""All programs of the set."""

from __future__ import annotations

from . import graphs, numbers, sorting, strings, tables
from .bug import Bug

BUGS: list[Bug] = [*sorting.BUGS, *graphs.BUGS, *strings.BUGS, *numbers.BUGS, *tables.BUGS]

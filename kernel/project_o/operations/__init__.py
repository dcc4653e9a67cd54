"""The verbs of ``%o`` and of ``project-o`` in a terminal: one table for both.

    verbs.py     the table: a verb's arguments, and the one function it calls
    states.py    those of the history
    context.py   what a verb is, and where it works
    doctor.py    what is installed, what holds, what to do
    listing.py   values that show themselves
    helping.py   what a verb or a magic takes

To add a verb: a function ``(context, arguments) -> value`` and a row in ``VERBS``; ``%o`` and ``project-o`` both
have it then.
"""

from .context import Context
from .doctor import examine
from .helping import arguments_of, asks_help, help_of, spelled
from .listing import Listing, Report
from .verbs import KERNEL_ONLY, VERBS, run_verb

__all__ = [
    "KERNEL_ONLY",
    "VERBS",
    "Context",
    "Listing",
    "Report",
    "arguments_of",
    "asks_help",
    "examine",
    "help_of",
    "run_verb",
    "spelled",
]

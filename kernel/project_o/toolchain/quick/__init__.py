"""A cell that was just edited serves within milliseconds, and optimised as soon as that build is there.

keeper.py   between a kernel and its compiler server: limits, and an end that comes with the kernel's
server.py   one incremental compiler that stays, and its protocol
bundle.py   its errors, as the words that the compiler would have printed
desk.py     the servers of this process, and the thread that talks to them
later.py    the optimised build, in the background
tiers.py    which of the two serves, and when the second takes the first one's place
agreement.py  whether both answered alike
"""

from .tiers import How, Text, open_cell

__all__ = ["How", "Text", "open_cell"]

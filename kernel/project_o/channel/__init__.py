"""The kernel's end of the channel to JupyterLab's extension; extension/PROTOCOL.md specifies the messages.

The front end opens it. A kernel that no extension speaks to only has a target registered, and does nothing more.
"""

from __future__ import annotations

from typing import Any

from .channel import PROTOCOL, TARGET, Channel

__all__ = ["PROTOCOL", "TARGET", "Channel", "connect", "disconnect"]

ATTRIBUTE = "_project_o_channel"


def connect(shell: Any, flow: Any) -> None:
    """Be ready for front ends. Does nothing in a shell without comms, or where it was called before."""
    if getattr(shell, ATTRIBUTE, None) is None and getattr(getattr(shell, "kernel", None), "comm_manager", None):
        setattr(shell, ATTRIBUTE, Channel(shell, flow))


def disconnect(shell: Any) -> None:
    """Undo ``connect``."""
    channel = getattr(shell, ATTRIBUTE, None)
    if channel is not None:
        channel.close()
        delattr(shell, ATTRIBUTE)

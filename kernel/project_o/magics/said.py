"""What happened to what serves while a cell ran, said below that cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from IPython.display import publish_display_data

if TYPE_CHECKING:
    from ..releases import Said


def show_said(said: Sequence[Said]) -> None:
    """One line for each."""
    if not said:
        return
    from .. import view

    for one in said:
        publish_display_data(view.show_release(one.name, one.what, one.text).bundle())

"""What a view returns: one text and one page of script-free HTML that say the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from . import style
from .markup import Markup, escape, join, tag
from .text import clean


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a page: its plain text and its markup, made together so that they cannot differ."""

    plain: str
    html: Markup


@dataclass(frozen=True, slots=True, repr=False)
class Display:
    """A finished view. Jupyter shows ``html`` where it can; a terminal, a diff or a log shows ``plain``."""

    plain: str
    html: str

    def __repr__(self) -> str:
        return self.plain

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.bundle()

    def bundle(self) -> dict[str, str]:
        """The mime bundle, as ``display(..., raw=True)`` and ``update_display`` take it."""
        return bundle(self.plain, self.html)


class Shown:
    """For values that show themselves: define ``view()``, and text, HTML and ``repr`` follow."""

    def view(self) -> Display:
        """The view of this value. The default names its class."""
        return page(Part(type(self).__name__, escape(type(self).__name__)))

    def __repr__(self) -> str:
        return self.view().plain

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.view().bundle()


def bundle(plain: str, html: str) -> dict[str, str]:
    """A mime bundle of the two forms."""
    return {"text/plain": plain, "text/html": html}


def page(*parts: Part | None) -> Display:
    """Parts below one another as one view; None is left out."""
    kept = [part for part in parts if part is not None]
    return Display(
        plain="\n".join(clean(part.plain) for part in kept if part.plain),
        html=str(tag("div", *(part.html for part in kept), style=style.PAGE)),
    )


def group(parts: Iterable[Part | None]) -> Part:
    """Several parts as one."""
    kept = [part for part in parts if part is not None]
    return Part("\n".join(part.plain for part in kept if part.plain), join(*(part.html for part in kept)))

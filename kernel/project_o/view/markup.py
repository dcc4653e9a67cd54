"""HTML by construction: text is escaped unless a function of this module made it, and there is no way to a script."""

from __future__ import annotations

import html

from .text import clean

# fmt: off
_TAGS = frozenset((
    "div", "p", "span", "strong", "code", "pre", "ins", "del", "u", "br", "ol", "ul", "li", "details", "summary",
    "table", "caption", "thead", "tbody", "tr", "th", "td", "figure", "figcaption",
    "svg", "title", "line", "path", "circle", "rect", "text",
))
_ATTRIBUTES = frozenset((
    "style", "role", "scope", "open", "viewBox", "width", "height", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy",
    "r", "d", "fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "opacity", "text-anchor",
    "font-size", "font-weight", "aria-label", "rx", "fill-opacity",
))
# fmt: on
_VOID = frozenset({"br"})


class Markup(str):
    """Text that is already HTML. Only :func:`tag` and :func:`join` make it."""

    __slots__ = ()


def escape(text: object) -> Markup:
    """``text`` cleaned and escaped, for the inside of an element."""
    return Markup(html.escape(clean(text), quote=False))


def join(*parts: str, between: str = "") -> Markup:
    """Parts one after the other; what is not markup is escaped."""
    made = (part if isinstance(part, Markup) else escape(part) for part in parts)
    return Markup(escape(between).join(made))


def tag(name: str, *children: str, **attributes: str | float | None) -> Markup:
    """An element. ``stroke_width=2`` becomes ``stroke-width="2"``; None leaves an attribute out.

    Only tags and attributes that cannot act are known: no link, no image, no handler.
    """
    assert name in _TAGS, f"<{name}> is not among the tags of the views"
    written = []
    for key, value in attributes.items():
        attribute = key.rstrip("_").replace("_", "-")
        assert attribute in _ATTRIBUTES, f"{attribute} is not an attribute of ours"
        if value is not None:
            shown = f"{value:.4g}" if isinstance(value, float) else clean(value)
            written.append(f' {attribute}="{html.escape(shown, quote=True)}"')
    opening = f"<{name}{''.join(written)}>"
    return Markup(opening if name in _VOID else f"{opening}{join(*children)}</{name}>")

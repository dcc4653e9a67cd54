"""The look, in one place: tokens, and the few inline styles made of them.

Colours are either the front end's own (JupyterLab's variables, else what surrounds the output) or one of four
accents chosen so that each reads at about 4.3 : 1 on white and on near-black alike. An accent never stands alone:
a word, a sign or a shape says the same.
"""

from __future__ import annotations

INK = "var(--jp-ui-font-color1, inherit)"
"""Ordinary text."""
FAINT = "opacity:.72"
"""Second rank by opacity, which works on any background, where a grey would not."""
LINE = "rgba(128,128,128,.35)"
"""Rules and axes."""
BAND = "rgba(128,128,128,.10)"
"""A quiet background."""

GOOD = "#26894f"
BAD = "#d64550"
WARN = "#b5651d"
ACCENT = "#2b7bd0"

GOOD_BAND = "rgba(38,137,79,.16)"
BAD_BAND = "rgba(214,69,80,.16)"

SANS = "var(--jp-ui-font-family, system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', sans-serif)"
MONO = "var(--jp-code-font-family, ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace)"

PAGE = f"font:13px/1.5 {SANS};color:{INK};max-width:62em;overflow-x:auto;padding:2px 0"
TITLE = "font-size:14px;margin:0 0 4px"
SECTION = "font-weight:600;margin:10px 0 2px"
PARAGRAPH = "margin:2px 0"
NOTE = f"margin:2px 0;{FAINT}"
INSET = "padding-left:1.2em"
PROSE = "white-space:pre-wrap;overflow-wrap:anywhere;margin:2px 0"
CODE = f"font-family:{MONO};font-size:12px;background:none;padding:0;color:inherit"
PRE = (
    f"font-family:{MONO};font-size:12px;line-height:1.5;margin:4px 0;padding:6px 10px;background:{BAND};"
    "border:0;border-radius:4px;overflow-x:auto;white-space:pre;color:inherit;tab-size:4"
)
LIST = "margin:2px 0;padding:0 0 0 1.6em"
FIGURE = "margin:6px 0"
FIGURE_PIXELS = 300
"""How high a figure of plotly's is."""
CAPTION = f"font-size:12px;margin:2px 0;{FAINT}"

TABLE = "border-collapse:collapse;table-layout:auto;margin:4px 0;font-size:12px;border:0;width:auto"
TABLE_CAPTION = f"text-align:left;caption-side:top;padding:0 0 2px;color:inherit;{FAINT}"
ROW = "background:none"
HEAD_CELL = f"font-weight:600;vertical-align:bottom;padding:2px 14px 3px 0;border:0;border-bottom:1px solid {LINE}"
CELL = "vertical-align:top;padding:2px 14px 2px 0;border:0;font-weight:normal"
DIGITS = "font-variant-numeric:tabular-nums;white-space:nowrap"

TONES = {"good": GOOD, "bad": BAD, "warn": WARN, "accent": ACCENT}


def badge(tone: str) -> str:
    """The style of a verdict's word: bold in its accent."""
    color = TONES.get(tone)
    return f"font-weight:600;color:{color}" if color else "font-weight:600"

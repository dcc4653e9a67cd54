"""How ``make docs`` builds these pages: Markdown by MyST, the API from the docstrings. Nothing is fetched."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "kernel"))

from project_o import __version__  # noqa: E402 - the package of this checkout, not an installed one

project = "Project O"
author = "the Project O authors"
copyright = author  # noqa: A001 - the name that Sphinx wants
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
nitpicky = True
# Names in signatures that have no page of their own.
nitpick_ignore_regex = [("py:.*", r"(?!project_o\.[A-Z]).*")]

myst_enable_extensions = ["colon_fence", "fieldlist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = f"Project O {release}"
html_show_sourcelink = False
html_copy_source = False

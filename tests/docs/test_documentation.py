"""The documentation builds without a warning, says what the code says, and names every public name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import project_o
from project_o.config import OPTIONS

DOCS = Path(__file__).parents[2] / "docs"


def test_the_generated_pages_are_those_of_the_code():
    found = subprocess.run(
        [sys.executable, str(DOCS / "generate.py"), "--check"], check=False, capture_output=True, text=True, timeout=120
    )
    assert found.returncode == 0, found.stderr


def test_the_reference_tells_defaults_and_shares_as_they_are_written():
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \|", (DOCS / "reference" / "options.md").read_text(), re.MULTILINE)
    wanted = {item.name: str(item.default) for item in OPTIONS if item.kind is int}

    assert {name: told for name, told in rows if name in wanted} == wanted
    assert not re.search(r"\d%%", (DOCS / "reference" / "magics.md").read_text())


def test_the_pages_build_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(DOCS), str(tmp_path)]
    found = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
    assert found.returncode == 0, found.stderr
    page = (tmp_path / "api.html").read_text()
    for name in project_o.__all__:
        if not name.startswith("__"):
            assert f'id="project_o.{name}"' in page, f"docs/api.md does not document project_o.{name}"


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda path: str(path.relative_to(DOCS)))
def test_every_page_is_reached_from_the_index(page):
    if page.name == "index.md" or "_build" in page.parts:
        return
    listed = re.findall(r"^([\w/.-]+)$", (DOCS / "index.md").read_text(), re.MULTILINE)
    assert str(page.relative_to(DOCS).with_suffix("")) in listed

"""The examples run under papermill as they are, offline and without a model, and end as they say."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import papermill

EXAMPLES = Path(__file__).parents[2] / "notebooks" / "examples"


def printed(name, folder):
    out = folder / name
    papermill.execute_notebook(
        str(EXAMPLES / name), str(out), kernel_name="project-o", cwd=str(folder), progress_bar=False
    )
    return "\n".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for cell in nbformat.read(out, as_version=4).cells
        for output in cell.get("outputs", [])
    )


def test_a_simple_agent(tmp_path):
    text = printed("01_simple_agent.ipynb", tmp_path)

    assert "600.0" in text
    assert "It remembers: Anna is allergic to hazelnuts." in text
    assert "Refused: " in text
    assert "Next: 28.4" in text
    assert "1 tool call: convert (1 failed)" in text
    assert re.search(r"The oven is ten degrees too hot\. +0\.\d{3}", text)
    assert "7 turns, 1 failed" in text
    assert "thumbs 1 up, 0 down" in text


def test_a_web_scraper_on_a_site_of_this_machine(tmp_path):
    text = printed("02_web_scraper.ipynb", tmp_path)

    assert "Refused: " in text
    assert "5 goods from 8 pages, 3 of which could not be read:" in text
    assert re.search(r"- /logo \| .*only text is fetched", text)
    assert re.search(r"- /gone \| .*404", text)
    assert re.search(r"- /moved \| .*302", text)
    assert "what does the hemp rope cost? Hemp rope costs 12.00 crowns (/ropes)" in text
    assert "and now? Hemp rope costs 9.00 crowns (/ropes)" in text
    assert "8 tool calls: fetch (3 failed)" in text
    assert "1 corrected" in text
    assert "steal" not in text


def test_a_research_assistant_over_a_folder(tmp_path):
    text = printed("03_research_assistant.ipynb", tmp_path)

    assert "6 documents, 18 sentences" in text
    assert "The architect, Ida Holm, was paid in timber [documents/history.txt, line 1]" in text
    assert int(re.search(r"sources right: (\d) of 6", text)[1]) >= 5
    assert "taught: Lorries above 12 tonnes are not allowed on the deck" in text
    assert "by teaching" in text
    assert "The main span measures 86 metres [survey of May]" in text
    assert "read again: The main span measures 86 metres" in text

"""The examples run under papermill as they are, offline and without a model, and end as they say."""

from __future__ import annotations

import re


def test_a_simple_agent(printed):
    text = printed("examples/01_simple_agent.ipynb")

    assert "600.0" in text
    assert "It remembers: Anna is allergic to hazelnuts." in text
    assert "Refused: " in text
    assert "Next: 28.4" in text
    assert "1 tool call: convert (1 failed)" in text
    assert re.search(r"The oven is ten degrees too hot\. +0\.\d{3}", text)
    assert "7 turns, 1 failed" in text
    assert "thumbs 1 up, 0 down" in text


def test_a_web_scraper_on_a_site_of_this_machine(printed):
    text = printed("examples/02_web_scraper.ipynb")

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


def test_a_research_assistant_over_a_folder(printed):
    text = printed("examples/03_research_assistant.ipynb")

    assert "6 documents, 18 sentences" in text
    assert "The architect, Ida Holm, was paid in timber [documents/history.txt, line 1]" in text
    assert int(re.search(r"sources right: (\d) of 6", text)[1]) >= 5
    assert "taught: Lorries above 12 tonnes are not allowed on the deck" in text
    assert "by teaching" in text
    assert "The main span measures 86 metres [survey of May]" in text
    assert "read again: The main span measures 86 metres" in text

"""Which source of a setting wins, and what a bad value says."""

import pytest

from project_o.config import OPTIONS, effective, setting
from project_o.errors import UsageError


def test_defaults_say_that_they_are(tmp_path):
    found = effective({}, {}, tmp_path)
    assert {name: (item.value, item.source) for name, item in found.items()} == {
        option.name: (option.default, "default") for option in OPTIONS
    }


def test_the_kernel_wins_over_the_environment_and_that_over_a_file(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.project-o]\nworkers = 3\nmode = 'fast'\nseed = 5\n")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    found = effective({"seed": 9}, {"PROJECT_O_MODE": "debug", "PROJECT_O_SEED": "7"}, below)
    assert (found["workers"].value, found["mode"].value, found["seed"].value) == (3, "debug", 9)
    assert found["workers"].source == str(tmp_path / "pyproject.toml")
    assert (found["mode"].source, found["seed"].source) == ("PROJECT_O_MODE", "%config ProjectO")


def test_our_own_file_needs_no_table(tmp_path):
    (tmp_path / "project-o.toml").write_text("history = false\n")
    assert effective({}, {}, tmp_path)["history"].value is False


@pytest.mark.parametrize(("word", "value"), [("on", True), ("0", False), ("no", False), ("TRUE", True)])
def test_words_for_yes_and_no(tmp_path, word, value):
    assert effective({}, {"PROJECT_O_HISTORY": word}, tmp_path)["history"].value is value


@pytest.mark.parametrize(
    ("chosen", "environ", "message"),
    [
        ({"mode": "quick"}, {}, "mode is 'quick'.*safe or fast or debug"),
        ({}, {"PROJECT_O_WORKERS": "many"}, "workers is 'many' .from PROJECT_O_WORKERS"),
        ({"workers": True}, {}, "workers is True"),
        ({}, {"PROJECT_O_HISTORY": "maybe"}, "history is 'maybe'"),
        ({"model": "gpt-4"}, {}, "model is 'gpt-4'.*something like ollama:qwen3"),
        ({}, {"PROJECT_O_MODEL_URL": "localhost:8000"}, "model_url is 'localhost:8000' .from PROJECT_O_MODEL_URL"),
    ],
)
def test_a_bad_value_names_the_option_its_source_and_what_it_wants(tmp_path, chosen, environ, message):
    with pytest.raises(UsageError, match=message):
        effective(chosen, environ, tmp_path)


@pytest.mark.parametrize("text", ["worker = 3", "not toml at all ["])
def test_a_bad_file_is_named(tmp_path, text):
    (tmp_path / "project-o.toml").write_text(text)
    with pytest.raises(UsageError, match=r"project-o\.toml"):
        effective({}, {}, tmp_path)


def test_one_option_is_what_it_is_among_all(tmp_path, monkeypatch):
    (tmp_path / "project-o.toml").write_text('workers = 3\nmode = "fast"\n', "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROJECT_O_SEED", "7")
    for option in OPTIONS:
        assert setting(option.name, {"mode": "debug"}) == effective({"mode": "debug"})[option.name]
    (tmp_path / "project-o.toml").write_text("workers = 4\n", "utf-8")
    assert setting("workers").value == 4

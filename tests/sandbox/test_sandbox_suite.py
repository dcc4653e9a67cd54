"""The suite of attacks as a whole: how many there are, that they are live, what gets through, what is left.

Run by ordinary users made for it, two at a time. What is chosen here is what fits into a test run; all of it is
``python -m attacks`` in this folder.
"""

import json
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from attacks import every  # noqa: F401 - registers the cases
from attacks.case import CASES, CLASSES
from attacks.settings import BY_DESIGN, SETTINGS, reason_against
from attacks.suite import Suite, table

pytestmark = pytest.mark.timeout(1200)
"""The first test waits for all the attacks, which take minutes on a busy machine."""
BREACHES = {
    ("fs_stat", "default L2"): "without a mount namespace, a call that takes a path says whether a file is there, how "
    "large it is and when it was changed; Landlock has no right for that. The strict profile has no such call",
    ("fs_stat", "evaluator L2"): "as above: an evaluator opens files by their names",
    ("build_c_existence", "strict L2"): "as above: a compiler opens files by their names, and says which it may not",
}
"""What gets through, and why. Everything else is a failure of this test."""
CASES_A_CLASS_MIN, CASES_MIN, LIVE_SHARE_MIN = 5, 80, 0.95
STRICT_BREACHES_MAX, DEFAULT_BREACHES_MAX = 1, 2

# What the other settings are for: where a layer is missing, the classes that it stands for. Builds take long.
CLASSES_IN = {
    "control": CLASSES,
    "strict": CLASSES,
    "default": ("files", "memory", "processes", "state"),
    "strict L2": ("files", "processes", "signals", "network", "state"),
    "default L2": ("files", "state"),
    "strict L1": ("files", "processes", "signals"),
    "evaluator": ("signals", "network"),
}
ELSEWHERE = """
fs_read fs_read_raw fs_stat fs_write fs_make_others fs_secret_in_home fs_proc_environ_of_others fs_chmod_outside
proc_fork proc_exec proc_ptrace sig_kill sig_pidfd net_tcp net_udp net_unix_path res_memory_malloc
time_spin_ignoring_signals result_pickle_runs_code out_colours state_segment native_read native_constructor native_fork
scratch_fill scratch_parent_folder build_c_include build_driver_reads build_driver_daemon evaluator_cat
evaluator_daemon evaluator_hoard lisp_read
"""
"""One or two of each kind, for other users and other kernels."""


def wanted(case, setting):
    if reason_against(case, setting):
        return False
    if case.evaluator_only:
        return setting in ("control", "evaluator", "evaluator L2")
    if case.kind == "builds" and setting == "strict L2":
        return case.compiler == "cc"
    if case.name in BY_DESIGN and SETTINGS[setting] and SETTINGS[setting].get("profile") == "evaluator":
        return False
    return case.kind in CLASSES_IN.get(setting, ())


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    # Not below pytest's own folder, which other users cannot enter.
    import tempfile

    with tempfile.TemporaryDirectory(prefix="o-suite-", ignore_cleanup_errors=True) as folder:
        yield Suite(Path(folder))


@pytest.fixture(scope="module")
def reports(suite):
    return suite.run([(case, setting) for case in CASES.values() for setting in SETTINGS if wanted(case, setting)])


def told(reports):
    return "\n".join(f"{r['case']} in {r['setting']} ({r.get('level', '-')}): {r.get('why', '')}" for r in reports)


def unexplained(reports):
    return [
        r
        for r in reports
        if r["setting"] != "control" and r.get("breached") and (r["case"], r["setting"]) not in BREACHES
    ]


def test_there_are_enough_of_every_class():
    count = Counter(case.kind for case in CASES.values())
    assert set(count) == set(CLASSES)
    assert min(count.values()) >= CASES_A_CLASS_MIN
    assert sum(count.values()) >= CASES_MIN


def test_every_case_is_tried_in_the_sandbox_and_every_runner_comes_to_its_end(reports):
    broken = [r for r in reports if "broken" in r]
    assert not broken, "\n".join(f"{r['case']} in {r['setting']}: {r['broken']}" for r in broken)
    tried = {r["case"] for r in reports if r["setting"] != "control" and "breached" in r}
    lacking = {r["case"] for r in reports if "lacks" in r}
    assert tried | lacking == set(CASES)
    vacuous = [r for r in reports if r.get("vacuous")]
    assert not vacuous, f"these did not attack at all:\n{told(vacuous)}"


def test_the_attacks_succeed_where_nothing_stops_them(reports):
    """The control: what does not succeed there shows nothing when it fails here."""
    controls = [r for r in reports if r["setting"] == "control"]
    assert len(controls) == len(CASES)
    controls = [r for r in controls if not r.get("lacks", "").startswith(("there is no", "written for", "it would"))]
    dead = [r for r in controls if not r.get("breached")]
    assert len(dead) <= (1 - LIVE_SHARE_MIN) * len(controls), told(dead)


def test_nothing_gets_through_that_is_not_explained(reports, capsys):
    with capsys.disabled():
        print(f"\n{table(reports, SETTINGS)}")
    assert not unexplained(reports), told(unexplained(reports))
    through = Counter(r["setting"].split()[0] for r in reports if r["setting"] != "control" and r.get("breached"))
    assert through["strict"] <= STRICT_BREACHES_MAX
    assert through["default"] <= DEFAULT_BREACHES_MAX


def test_nothing_is_left_behind(reports):
    """No process, file, shared memory or descriptor, after any attack in the sandbox."""
    left = [r for r in reports if r["setting"] != "control" and r.get("left")]
    assert not left, "\n".join(f"{r['case']} in {r['setting']}: {r['left']}" for r in left)


def test_the_levels_are_those_of_the_settings(reports):
    levels = {}
    for r in reports:
        if r["setting"] != "control" and "level" in r:
            levels.setdefault(r["setting"], set()).add(r["level"])
    for setting, found in levels.items():
        options = SETTINGS[setting]
        expected = "L1" if "landlock" in options.get("deny", ()) else "L2" if options.get("deny") else "L3"
        assert found in ({expected}, {"L2"} if expected == "L3" else {expected}), setting


def is_wrong(report):
    return bool({"broken", "lacks"} & report.keys() or report.get("left") or report.get("vacuous"))


def elsewhere(suite, **more):
    pairs = [
        (CASES[name], setting)
        for name in ELSEWHERE.split()
        for setting in ("strict", "default", "evaluator")
        if not reason_against(CASES[name], setting)
        and (setting == "strict" or CASES[name].scratch_only or CASES[name].evaluator_only or name.startswith("fs_"))
    ]
    found = suite.run(pairs, **more)
    wrong = [r for r in found if is_wrong(r)]
    if more.get("as_root"):  # what others of the superuser's made at that moment is not there a second time
        wrong = [r for r in suite.run([(CASES[r["case"]], r["setting"]) for r in wrong], **more) if is_wrong(r)]
    assert not wrong, json.dumps(wrong, indent=1)
    assert len(found) == len(pairs)
    return found


def test_without_namespaces_level_l2_is_found_and_holds(suite):
    """As in a container whose kernel refuses unshare: a filter in front of the runner does."""
    found = elsewhere(suite, no_namespaces=True)
    assert {r["level"] for r in found} == {"L2"}
    through = {(r["case"], r["setting"]) for r in found if r["breached"]}
    assert through <= {(name, setting.removesuffix(" L2")) for name, setting in BREACHES}


def test_the_superuser_has_the_same_wall(suite, lacking):
    if os.geteuid() != 0:
        lacking("root", "only the superuser can be one; the other tests run as an ordinary user already")
    found = elsewhere(suite, as_root=True)
    assert not [r for r in found if r["breached"]], told([r for r in found if r["breached"]])
    assert {r["level"] for r in found} <= {"L2", "L3"}


def test_honest_code_runs_as_an_ordinary_user_too(suite):
    assert suite.honest() == []

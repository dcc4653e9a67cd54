"""%evolve of a program in a file, in a real kernel; and of anything by a language model, where none is configured."""

from pathlib import Path

TASK = Path(__file__).resolve().parents[2] / "benchmarks" / "tasks" / "bin_packing"


def test_a_task_of_others_runs_and_shows_that_its_scores_are_self_reported(kernel):
    program, evaluator = TASK / "initial_program.py", TASK / "evaluator.py"
    ran = kernel.run(f"packed = %evolve --program {program} --evaluator {evaluator} --trials 3 --seed 0\npacked")

    assert ran.status == "ok", ran.text
    assert "self-reported" in ran.html
    assert kernel.value("packed.verdict.self_reported, packed.verdict.accepted, len(packed.trials)") == (
        "(True, False, 3)"
    )
    refused = kernel.run("packed.accept()")
    assert "self_reported=True" in refused.text
    assert "ALMOST_FULL = 0.5" in program.read_text()


def test_the_cell_is_an_evaluator_of_our_own_form_for_a_file(kernel):
    program = TASK / "initial_program.py"
    cell = (
        f"%%evolve --program {program} --trials 3 --seed 0\n"
        "def evaluate(program):\n"
        "    return {'score': -float(max(program.place([0.4, 0.3, 0.3, 0.5, 0.5, 0.2])))}\n"
    )
    ran = kernel.run(cell)

    assert ran.status == "ok", ran.text
    assert "self-reported" not in ran.text


def test_what_cannot_be_meant_says_what_to_write(kernel):
    assert "--program initial_program.py" in kernel.run("%evolve --trials 3").text
    assert "--inputs is for programs that serve" in kernel.run("%evolve --program a.py --inputs (1,)").text
    ran = kernel.run(f"%evolve --program {TASK / 'initial_program.py'} --proposer llm --trials 3")
    assert "no language model is configured; these three lines configure one" in ran.text
    assert "tokens is for a language model" in kernel.run(f"%evolve --program {TASK} --tokens 5 --trials 3").text


def test_several_files_are_one_program_and_its_diff_shows_each(kernel, tmp_path):
    main, helper = tmp_path / "main.py", tmp_path / "helper.py"
    main.write_text("import helper\n\n\ndef level():\n    return helper.step(2.0)\n")
    helper.write_text("# EVOLVE-BLOCK-START\ndef step(x):\n    return 3.0 * x\n# EVOLVE-BLOCK-END\n")
    cell = (
        f"%%evolve --program {main} {helper} --trials 6 --seed 0\n"
        "def evaluate(program):\n"
        "    return {'score': 100.0 - abs(program.level() - 60.0)}\n"
    )
    ran = kernel.run(cell)

    assert ran.status == "ok", ran.text
    assert "+++ b/helper.py" in ran.html
    assert kernel.run("found = _\nfound.accept()").status == "ok"
    assert repr(helper.read_text()) == kernel.value("dict(found.best.files)['helper.py']")
    assert "3.0 * x" not in helper.read_text()
    assert "accepted by the verdict: helper.py" in kernel.run("%o history").text

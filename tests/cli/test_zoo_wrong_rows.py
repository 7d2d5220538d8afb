"""`zoo list` and `zoo check` of a table with wrong rows: each is named, and the others are tried."""

from __future__ import annotations


def test_a_wrong_table_is_exit_2(run, zoo, tmp_path):
    ran = run("zoo", "list", zoo("steady", "fickle", fickle={"preprocess": "magic"}))
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "zoo.csv, line 3, fickle, preprocess: 'magic' is not one of" in ran.error_lines[0]
    for command in ("list", "check"):
        assert run("zoo", command, tmp_path / "nowhere").exit_code == 2


def test_check_names_every_wrong_row_and_tries_the_others(run, zoo, bright, dark):
    folder = zoo("steady", "fickle", "loud", fickle={"preprocess": "magic"}, loud={"input": "32"})
    ran = run("zoo", "check", folder, "--image", bright, "--compressed", dark, "--json")
    assert ran.exit_code == 2
    assert "line 3, fickle, preprocess: 'magic' is not one of" in ran.error_lines[0]
    assert "line 4, loud, input: '32' must be width x height" in ran.error_lines[1]
    assert [machine["name"] for machine in ran.record["machines"]] == ["steady"]
    assert [f"error: {line}" for line in ran.record["wrong_rows"]] == ran.error_lines
    assert ran.record["ratios"] is None


def test_only_one_machine_beside_wrong_rows(run, zoo):
    folder = zoo("steady", "fickle", "loud", fickle={"preprocess": "magic"}, loud={"input": "32"})
    ran = run("zoo", "check", folder, "--only", "steady", "--json", "--quiet")
    assert (ran.exit_code, len(ran.error_lines)) == (2, 2)
    assert [machine["ok"] for machine in ran.record["machines"]] == [True]
    # A row that was asked for and is wrong leaves nothing to try, wherever in the table it stands.
    ran = run("zoo", "check", folder, "--only", "loud, steady")
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "line 4, loud, input: '32' must be width x height" in ran.stderr
    ran = run("zoo", "check", folder, "--only", "lout")
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.error_lines == [f"error: {folder / 'zoo.csv'} has no machine 'lout'"]


def test_every_row_is_named_where_all_are_wrong(run, zoo):
    ran = run("zoo", "check", zoo("fickle", "loud", fickle={"fit": "stretch"}, loud={"input": "32"}))
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert [line.split(", ")[2] for line in ran.error_lines] == ["fickle", "loud"]

"""Contradictions are found before any work, with field, line and a way out."""

import pytest

from assay.project.project import Project
from assay.task.check import check
from assay.task.errors import TaskContradiction, TaskField

AMM = [
    # template's text, what is written instead, field, words
    ("gas = 900000", "gas = 100000", "[limits] gas", "takes more than 170,000 gas"),
    ("memory_mb = 1000", "memory_mb = 1", "[limits] memory_mb", "no linear or tree model"),
    ("prove_seconds = 2.0", "prove_seconds = 0.0001", "[limits] prove_seconds", "no linear or tree model"),
    ('metric = "value"', 'metric = "auc"', "[limits] metric", "does not measure a regression"),
    ('metric = "value"', "usd_per_inference = 0.01", "[limits] usd_per_inference", "the gas of one verification"),
    ("latency_blocks = 1800", "latency_blocks = 1", "[protocol] latency_blocks", "at least 2 pass"),
    ("latency_blocks = 1800", "latency_blocks = 90000", "[protocol] latency_blocks", "after the fact"),
    ('state = "the pool\'s fee"', 'model = "public"', "[protocol] model", "not implemented"),
    ("trials = 40", 'families = ["garch", "har"]', "[explore] families", "can be proven"),
    ('buy = "bought"', 'buy = "bought"\nunit = "x"', None, ""),
    ('of = "price"\nwindow = 88', 'of = "prise"\nwindow = 88', "[[data.features]] 3: of", "Did you mean price?"),
    ("LEAST(GREATEST(0.4 * prediction, 0.0005), 0.02)))\n  + ", "0))\n + (", "[value] loss", "no SQL"),
]


@pytest.mark.parametrize(("old", "new", "field", "words"), AMM)
def test_what_cannot_be(old, new, field, words, project):
    made = project()
    line = made.edit(old, new)
    found = check(made.folder)
    if field is None:
        assert found.contradictions == []
        return
    lines = [entry for entry in found.lines() if entry["severity"] == "contradiction"]
    assert [entry["field"] for entry in lines] == [field]
    assert words in lines[0]["what"] + lines[0]["todo"]
    assert abs(lines[0]["line"] - line) <= new.count("\n") + (2 if "loss" in field else 0)
    with pytest.raises(TaskContradiction) as caught:
        found.require()
    assert f"line {lines[0]['line']}: {field}" in str(caught.value)


def test_the_templates_do_not_contradict_themselves(project, rows):
    for made in (project(), project("credit-score"), project("blank", file=str(rows), target="paid")):
        found = check(made.folder)
        assert found.contradictions == [], made.folder
        found.require()


def test_private_inputs_need_trees(project):
    made = project()
    made.edit('state = "the pool\'s fee"', 'inputs = "private"')
    assert check(made.folder).contradictions == []
    made.edit("trials = 40", 'families = ["linear"]')
    assert [finding.path for finding in check(made.folder).contradictions] == [("protocol", "inputs")]


def test_a_tree_needs_more_gas_than_a_line(project):
    made = project()
    made.edit("gas = 900000", "gas = 200000")
    assert check(made.folder).contradictions == []
    made.edit("trials = 40", 'families = ["xgboost"]')
    assert [finding.path for finding in check(made.folder).contradictions] == [("limits", "gas")]


def test_a_loss_that_ignores_the_prediction(project):
    made = project("credit-score")
    made.edit("CASE WHEN prediction < 1.0 / 6 THEN 5.0 * y ELSE 1.0 * (1 - y) END", "5.0 * y")
    assert "does not depend on the prediction" in check(made.folder).contradictions[0].what


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ('target = "paid"', 'target = "payed"', "[predict] target", "Did you mean paid?"),
        ('path = "', 'path = "no', "[[data.sources]] 1: path", "Check the path"),
        ("[[data.sources]]", 'keep = ["scor"]\n\n[[data.sources]]', "[data] keep", "Did you mean score?"),
        (
            "[[data.sources]]",
            '[data.label]\nop = "forward_sum"\nof = "size"\n\n[[data.sources]]',
            "[data.label]",
            "no time",
        ),
        ("[[data.sources]]", 'entity = "score"\n\n[[data.sources]]', "[data] entity", "[data] time"),
        (
            "[[data.sources]]",
            'time = "weight"\nentity = "scor"\n\n[[data.sources]]',
            "[data] entity",
            "Did you mean score?",
        ),
        (
            "[[data.sources]]",
            'time = "weight"\nentity = "weight"\n\n[[data.sources]]',
            "[data] entity",
            "weight is the time",
        ),
        (
            "[[data.sources]]",
            'time = "weight"\nentity = "paid"\n\n[[data.sources]]',
            "[data] entity",
            "paid is the target",
        ),
        (
            "[[data.sources]]",
            '[[data.features]]\nname = "paid"\nop = "column"\n\n[[data.sources]]',
            "[[data.features]] 1",
            "is the target itself",
        ),
    ],
)
def test_names_that_nothing_provides(old, new, field, words, project, rows):
    made = project("blank", file=str(rows), target="paid")
    made.edit(old, new)
    lines = [entry for entry in check(made.folder).lines() if entry["severity"] == "contradiction"]
    assert field in [entry["field"].removesuffix(" label") for entry in lines] or field == "[data.label]"
    assert any(words in entry["what"] + entry["todo"] for entry in lines), lines


@pytest.mark.parametrize(("value", "good"), [("0.5", True), ("0", True), ("1.5", False), ("-0.1", False)])
def test_a_constant_for_two_classes_is_a_probability(value, good, project, rows):
    made = project("blank", file=str(rows), target="paid", existing=value)
    assert (check(made.folder).contradictions == []) is good


def test_a_function_that_is_not_there(project):
    made = project("credit-score")
    made.edit("existing.py:decide", "existing.py:decid")
    assert "Did you mean decide?" in check(made.folder).contradictions[0].what
    (made.folder / "existing.py").write_text("def broken(:\n")
    assert "is no Python" in check(made.folder).contradictions[0].what
    (made.folder / "existing.py").unlink()
    assert "existing.py" in check(made.folder).contradictions[0].what


def test_a_warning_is_no_contradiction(project):
    made = project()
    made.edit("latency_blocks = 1800\n", "")
    found = check(made.folder)
    assert [finding.severity for finding in found.findings] == ["warning"]
    found.require()


def test_series_without_a_time_are_found_by_the_check_and_by_the_walk(project, rows):
    made = project("blank", file=str(rows), target="paid")
    line = made.edit("[[data.sources]]", 'entity = "score"\n\n[[data.sources]]')
    (found,) = check(made.folder).contradictions
    assert (found.path, found.todo) == (("data", "entity"), "Name the time column in [data] time.")
    with pytest.raises(TaskContradiction, match=rf"line {line}: \[data\] entity: the series have no time"):
        Project(made.folder).step("data")
    made.edit('entity = "score"', 'entity = "score"\ntime = "weight"')
    assert check(made.folder).contradictions == []


def test_the_entity_of_bars_is_a_column_of_their_source(project, rows):
    made = project("blank", file=str(rows), target="paid")
    bars = (
        '[data.bars]\nevery = "1h"\ncolumns = [{name = "n", op = "count"}, {name = "paid", op = "last", of = "paid"}]'
    )
    made.edit("[[data.sources]]", f'time = "weight"\nentity = "sise"\nkeep = ["sise"]\n\n{bars}\n\n[[data.sources]]')
    listed = check(made.folder).contradictions
    assert [(found.path, found.todo[:18]) for found in listed if found.path == ("data", "entity")] == [
        (("data", "entity"), "Did you mean size?")
    ]
    made.edit('entity = "sise"\nkeep = ["sise"]', 'entity = "size"\nkeep = ["size"]')
    assert [found.path for found in check(made.folder).contradictions if found.path[0] == "data"] == []
    made.edit('name = "n"', 'name = "size"')
    with pytest.raises(TaskField, match="two columns of the bars are called size"):
        check(made.folder)

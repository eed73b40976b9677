"""Contradictions are found before any work, with field, line and a way out."""

import pytest

from assay.core.errors import AssayError
from assay.data.build import build
from assay.project.check import check
from assay.project.content import ABSENT, of_place
from assay.project.project import Project
from assay.task.errors import TaskContradiction, TaskField

SOURCES = "[[data.sources]]"
FIRST = "[[data.features]] 1: "
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
    ('part = "hour"', 'part = "hour"\nunit = "x"', None, ""),
    ('of = "price"\nperiods = 20', 'of = "prise"\nperiods = 20', "[[data.features]] 5: of", "Did you mean price?"),
    ("LEAST(GREATEST(0.4 * prediction, 0.0005), 0.02)))\n  + ", "0))\n + (", "[value] loss", "no SQL"),
]


WISHES = [
    # a line of [limits]; words of the finding, or none
    ("better_than_existing = 5", "no more than all of it can go"),
    ("better_than_existing = 0.5", ""),
    ('require = ["rmse <= 0.2"]', ""),
    ('require = [" rmse<=.2 "]', ""),
    ('require = ["rmse >= 0.2"]', "of rmse less is better"),
    ('require = ["rmse <= -1"]', "rmse is never below 0"),
    ('require = ["auc >= 0.9"]', "auc does not measure a regression"),
    ('require = ["value <= 3"]', "[value] loss is not written"),
    ('choose = "net_value"', "the best net value needs a loss that is money"),
]


@pytest.mark.parametrize(("wish", "words"), WISHES)
def test_wishes_that_no_model_fulfils(wish, words, project, rows):
    made = project("blank", file=str(rows), target="paid", type="regression")
    made.edit("better_than_existing = 0.0", wish)
    found = check(made.folder).contradictions
    assert [finding.path[0] for finding in found] == (["limits"] if words else [])
    assert words in " ".join(finding.what for finding in found)


def test_wishes_of_two_classes(project, rows):
    made = project("blank", file=str(rows), target="paid")
    made.edit("better_than_existing = 0.0", 'require = ["auc >= 0.9", "auc >= 1.5", "auc <= 0.9"]')
    found = check(made.folder).contradictions
    assert [finding.path for finding in found] == [("limits", "require", 1), ("limits", "require", 2)]
    made.edit('require = ["auc >= 0.9", "auc >= 1.5", "auc <= 0.9"]', 'require = ["auc > 0.9"]')
    with pytest.raises(TaskField, match=r"write a metric, >= or <=, and a number"):
        check(made.folder)


@pytest.mark.parametrize("written", ["{}", '"{}"', "{}.0"])
def test_whole_numbers_beyond_64_bits_want_a_scale(written, project, tmp_path):
    place = tmp_path / "wei.csv"
    lines = [f"{written.format(10**21 + 7 * n)},{n % 2},{n}" for n in range(40)]
    place.write_text("wei,paid,n\n" + "\n".join(lines) + "\n")
    made = project("blank", file=str(place), target="paid")
    task = made.folder / "task.toml"
    text = task.read_text()
    feature = '\n[[data.features]]\nname = "wei"\nop = "column"\n'
    task.write_text(text + feature)
    found = [one for one in check(made.folder).findings if one.path == ("data", "features", 0)]
    assert len(found) == 1
    assert "whole numbers of 22 digits, beyond 64 bits" in found[0].what
    assert "scale = 4" in found[0].todo
    task.write_text(text + feature + "scale = 4\n")
    assert not [one for one in check(made.folder).findings if one.path == ("data", "features", 0)]


@pytest.mark.parametrize(
    ("feature", "found"),
    [
        ('name = "f"\nop = "lag"\nof = "wei"\n', True),
        ('name = "f"\nop = "rolling_sum"\nof = "wei"\nwindow = 3\n', True),
        ('name = "f"\nop = "difference"\nof = "wei + n"\n', True),
        ('name = "f"\nop = "lag"\nof = "wei"\nscale = 4\n', False),
        ('name = "f"\nop = "column"\nof = "wei / 1000"\n', False),
        ('name = "f"\nop = "return"\nof = "wei"\n', False),
        ('name = "f"\nop = "lag"\nof = "weight"\n', False),
        ("", True),
    ],
)
def test_whatever_makes_whole_numbers_of_them_wants_a_scale(feature, found, project, tmp_path):
    place = tmp_path / "wei.csv"
    place.write_text("wei,paid,n,weight\n" + "".join(f"{10**21 + 7 * n},{n % 2},{n},{n}\n" for n in range(40)))
    made = project("blank", file=str(place), target="paid")
    task = made.folder / "task.toml"
    task.write_text(task.read_text() + ("\n[[data.features]]\n" + feature if feature else ""))
    said = [one for one in check(made.folder).findings if "beyond 64 bits" in one.what]
    assert len(said) == found
    assert all("scale = 4" in one.todo for one in said)


def test_a_regression_on_words_is_a_contradiction(project, tmp_path):
    place = tmp_path / "words.csv"
    place.write_text("a,grade\n" + "".join(f"{n}.5,{'low' if n % 3 else 'high'}\n" for n in range(40)))
    made = project("blank", file=str(place), target="grade")
    made.edit('type = "binary"', 'type = "regression"')
    found = [one for one in check(made.folder).contradictions if one.path == ("predict", "type")]
    assert [one.what for one in found] == ["grade holds text (high, low), and a regression predicts a number"]
    made.edit('type = "regression"', 'type = "binary"')
    assert not [one for one in check(made.folder).findings if one.path == ("predict", "type")]


def test_an_inventory_names_what_is_read(project, rows):
    made = project("blank", file=str(rows), target="paid")
    place = made.folder / "task.toml"
    known = 'known = "at once"\ncost = "free"\nwhy = "so"\n'
    text = place.read_text()
    place.write_text(f'{text}\n[[research.sources]]\nname = "news"\nused = false\n{known}')
    assert [finding.path for finding in check(made.folder).findings] == [("data", "sources", 0, "name")]
    place.write_text(f'{text}\n[[research.sources]]\nname = "rows"\nused = false\n{known}')
    assert [finding.path for finding in check(made.folder).contradictions] == [("research", "sources", 0, "used")]
    place.write_text(f'{text}\n[[research.works]]\ntitle = "x"\nlink = "javascript:alert(1)"\nfinding = "y"\n')
    with pytest.raises(TaskField, match=r"link"):
        check(made.folder)


def test_money_is_told_by_its_unit(project, rows):
    made = project("blank", file=str(rows), target="paid")
    made.edit('# loss = "ABS(y - prediction)"', 'loss = "ABS(y - prediction)"\nunit = "USD per decision"')
    task = check(made.folder).task
    assert (task.value.usd, task.choice) == (1.0, "net_value")
    made.edit('unit = "USD per decision"', 'unit = "basis points"\nusd_per_unit = 250.0')
    assert check(made.folder).task.value.usd == 250.0
    made.edit("usd_per_unit = 250.0", "")
    assert (check(made.folder).task.value.usd, check(made.folder).task.choice) == (None, "cheapest")


@pytest.mark.parametrize(("old", "new", "field", "words"), AMM)
def test_what_cannot_be(old, new, field, words, project):
    made = project()
    line = made.edit(old, new)
    found = check(made.folder)
    if field is None:
        assert found.contradictions == []
        return
    lines = [entry for entry in found.lines() if entry["severity"] == "contradiction"]
    # What a feature of the chain is made of is then not there, either.
    assert [entry["field"] for entry in lines if not entry["field"].endswith("onchain")] == [field]
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


FEATURE = '[[data.features]]\nname = "f"\nop = "column"\nof = "{}"\n\n'
MADE = '[[data.features]]\nname = "f"\nop = "lag"\nof = "size"\n\n'


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        (SOURCES, FEATURE.format("siz + 1") + SOURCES, "[[data.features]] 1: of", "Did you mean size?"),
        (SOURCES, FEATURE.format("LAG(size)") + SOURCES, "[[data.features]] 1: of", "no function of one row"),
        (SOURCES, FEATURE.format("size +") + SOURCES, "[[data.features]] 1: of", "is no SQL expression"),
        (SOURCES, FEATURE.format("size ; 1") + SOURCES, "[[data.features]] 1: of", "where none can be"),
        (
            SOURCES,
            '[[data.features]]\nname = "f"\nop = "imbalance"\nbuy = "size"\nsell = "waight"\n\n[[data.sources]]',
            "[[data.features]] 1: sell",
            "Did you mean weight?",
        ),
        (SOURCES, '[[data.features]]\nname = "siz"\nop = "column"\n\n[[data.sources]]', FIRST + "name", "size"),
        (
            SOURCES,
            '[[data.features]]\nname = "wrd"\nop = "category"\nvalues = ["a"]\n\n[[data.sources]]',
            FIRST + "of",
            "needs the column wrd",
        ),
        (SOURCES, '[data.label]\nof = "pade * 2"\n\n[[data.sources]]', "[data.label] of", "needs the column pade"),
        (SOURCES, 'time = "wen"\n\n[[data.sources]]', "[data] time", "needs the column wen"),
        (SOURCES, 'drop = ["wrd"]\n\n[[data.sources]]', "[data] drop", "Did you mean word?"),
        (SOURCES, 'table = "row"\n\n[[data.sources]]', "[data] table", "There are: rows"),
        (
            SOURCES,
            '[data.split]\nby = "group"\ngroup = "wrd"\n\n[[data.sources]]',
            "[data.split] group",
            "Did you mean word?",
        ),
        (
            SOURCES,
            '[[data.checks]]\ncolumn = "siz"\nrule = "finite"\n\n[[data.sources]]',
            "[[data.checks]] 1: column",
            "Did you mean size?",
        ),
        (
            SOURCES,
            '[[data.checks]]\ncolumn = "size"\nrule = "siz > 2"\n\n[[data.sources]]',
            "[[data.checks]] 1: rule",
            "Did you mean size?",
        ),
        (
            SOURCES,
            '[[data.joins]]\ntable = "quotes"\non = ["size"]\n\n[[data.sources]]',
            "[[data.joins]] 1: table",
            'no source or event makes a table "quotes"',
        ),
        (
            SOURCES,
            '[[data.joins]]\ntable = "rows"\non = ["siz"]\n\n[[data.sources]]',
            "[[data.joins]] 1: on",
            "Did you mean size?",
        ),
        ('kind = "csv"', 'kind = "csv"\nkey = ["siz"]', "[[data.sources]] 1: key", "Did you mean size?"),
        ('kind = "csv"', 'kind = "csv"\nrename = {siz = "s"}', "[[data.sources]] 1: rename", "Did you mean size?"),
        ('kind = "csv"', 'kind = "csv"\nwhere = "siz > 1"', "[[data.sources]] 1: where", "Did you mean size?"),
        ('kind = "csv"', 'kind = "csv"\ntime = "wen"', "[[data.sources]] 1: time", "needs the column wen"),
        ('kind = "csv"', 'kind = "csv"\ntypes = {siz = "text"}', "[[data.sources]] 1: types", "Did you mean size?"),
        ("decisions_per_day", 'loss = "ABS(y - prediction) * siz"\ndecisions_per_day', "[value] loss", "mean size?"),
        (SOURCES, 'keep = ["split"]\n\n[[data.sources]]\nrename = {size = "split"}', "[data] keep", "rename"),
        ("trials = 40", 'trials = 40\nfamilies = ["xgbost"]', "[explore] families", "Did you mean xgboost?"),
        (SOURCES, FEATURE.format("size").replace('"f"', '"split"') + SOURCES, FIRST + "name", "another name"),
        (SOURCES, "[data.split]\nstratify = true\n\n[[data.sources]]", "[data.split] stratify", "no classes"),
    ],
)
def test_what_building_would_refuse_is_found_before(old, new, field, words, project, rows):
    kind = "regression" if "stratify" in field else "binary"
    made = project("blank", file=str(rows), target="paid", type=kind)
    made.edit(old, new)
    lines = [entry for entry in check(made.folder).lines() if entry["severity"] == "contradiction"]
    assert [entry["field"] for entry in lines] == [field], lines
    assert words in lines[0]["what"] + lines[0]["todo"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (SOURCES, FEATURE.format("ISNAN(size / 2.0)") + SOURCES),
        (SOURCES, FEATURE.format("CASE WHEN size > 3 THEN weight END") + MADE.replace('"f"', '"g"') + SOURCES),
        (SOURCES, FEATURE.format("size") + MADE.replace('"f"', '"g"').replace('"size"', '"f"') + SOURCES),
        (SOURCES, '[[data.checks]]\ncolumn = "paid"\nrule = "one of 0, 1"\n\n[[data.sources]]'),
        ('kind = "csv"', 'kind = "csv"\nrename = {size = "s"}\nkey = ["score"]\nwhere = "s < 100"'),
        (SOURCES, '[data.label]\nop = "forward_sum"\nof = "size"\n\n[[data.sources]]\ntime = "score"'),
    ],
)
def test_what_building_takes_is_no_contradiction(old, new, project, rows):
    made = project("blank", file=str(rows), target="paid")
    made.edit(old, new)
    assert check(made.folder).contradictions == []


@pytest.mark.parametrize(
    ("written", "todo"),
    [
        ("HOUR(size)", "Write EXTRACT(HOUR FROM size)."),
        ("dayofmonth(size)", "Write EXTRACT(DAY FROM size)."),
        ("DAYOFYEAR(size)", "Write EXTRACT(DOY FROM size)."),
        ("YEAR(CAST(word AS TIMESTAMP))", "Write EXTRACT(YEAR FROM CAST(word AS TIMESTAMP))."),
        ("UNIX_TIMESTAMP(size)", "Write EXTRACT(EPOCH FROM size)."),
    ],
)
def test_functions_of_a_time_that_others_have_are_led_to_extract(written, todo, project, rows):
    made = project("blank", file=str(rows), target="paid", existing=f"{written} * 0")
    assert check(made.folder).contradictions[0].todo == todo


def test_a_function_that_the_language_has_not_is_found_in_the_existing_rule(project, rows):
    made = project("blank", file=str(rows), target="paid", existing="list_sum(list_transform([1], x -> x)) * 0")
    (finding,) = check(made.folder).contradictions
    assert "is no function of one row" in finding.what


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("siz > 3", "Did you mean size?"),
        ("WORD = 'a'", None),
        ("CASE WHEN word = 'a' THEN 1 ELSE split = 'x' END", None),
        ("SIZE / 7 + rows.weight * 0", None),
    ],
)
def test_columns_of_the_existing_rule(rule, words, project, rows):
    made = project("blank", file=str(rows), target="paid", existing=rule)
    found = [f"{finding.path[1]} {finding.todo}" for finding in check(made.folder).contradictions]
    assert found == ([] if words is None else [f"rule {words} If it was renamed, use `rename`."])


CHAIN = """
schema = "assay-task/1"
name = "t"
existing = {kind = "constant", value = 0}
predict = {target = "r", type = "regression"}
[data.label]
op = "forward_value"
of = "gas_used"
[[data.sources]]
name = "pool"
"""


@pytest.mark.parametrize(
    ("source", "ordered"),
    [
        ('kind = "cryo"\nfolder = "chain"\ndatasets = ["blocks"]', True),
        ('kind = "sql"\nurl = "$A"\nquery = "SELECT 1"\ntime = "at"', True),
        ('kind = "sql"\nurl = "$A"\nquery = "SELECT 1"', False),
    ],
)
def test_the_time_may_be_that_of_the_source(source, ordered, tmp_path):
    (tmp_path / "task.toml").write_text(CHAIN + source)
    assert ("no time to be ordered by" in str(check(tmp_path).findings)) is not ordered


@pytest.mark.parametrize(
    ("path", "there"),
    [("~/rows.csv", True), ("~/*.csv", True), ("~/none.csv", False), ("x" * 300, False), ("a***/b", False)],
)
def test_paths_are_those_that_building_reads(path, there, project, rows, monkeypatch):
    monkeypatch.setenv("HOME", str(rows.parent))
    made = project("blank", file=str(rows), target="paid")
    made.edit(f'path = "../{rows.parent.name}/rows.csv"', f'path = "{path}"')
    found = check(made.folder)
    assert [finding.path[-1] for finding in found.contradictions] == ([] if there else ["path"])
    task = found.task
    if there:
        assert build(task, made.folder, made.folder / "data").manifest.rows
        assert of_place(made.folder, path, {}) != ABSENT
    else:
        assert of_place(made.folder, path, {}) == ABSENT
        with pytest.raises(AssayError):
            build(task, made.folder, made.folder / "data")


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


@pytest.mark.parametrize(
    ("values", "kind", "answer", "words"),
    [
        ("1212", "binary", 2, None),
        ("1212", "binary", 0.4, None),
        ("1212", "binary", 3, "3 is no class of y"),
        ("3459", "multiclass", 9, None),
        ("3459", "multiclass", 0, "0 is no class of y"),
        ("abca", "multiclass", 2, None),
        ("abca", "multiclass", 3, "3 is no class of y"),
    ],
)
def test_what_decides_today_answers_one_of_the_targets_classes(values, kind, answer, words, tmp_path):
    rows = "".join(f"{number},{value}\n" for number, value in enumerate(values * 10))
    (tmp_path / "rows.csv").write_text("x,y\n" + rows)
    (tmp_path / "task.toml").write_text(
        f'schema = "assay-task/1"\nname = "own"\n[existing]\nkind = "constant"\nvalue = {answer}\n'
        f'[predict]\ntarget = "y"\ntype = "{kind}"\n'
        '[data]\n[[data.sources]]\nname = "rows"\nkind = "csv"\npath = "rows.csv"\n'
    )
    found = [str(finding) for finding in check(tmp_path).contradictions]
    assert found == [] if words is None else words in found[0]


def test_a_confidence_that_no_bootstrap_resolves_is_a_contradiction(project, rows):
    made = project("blank", file=str(rows), target="paid")
    made.edit("[limits]\n", "[limits]\nconfidence = 0.9999999\n")
    (finding,) = check(made.folder).contradictions
    assert "more than test rows that are drawn 2,000 times can tell" in finding.what
    made.edit("0.9999999", "0.99")
    assert check(made.folder).contradictions == []

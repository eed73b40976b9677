"""A wrong task.toml: which field, which line, what is allowed, what was probably meant."""

import re

import pytest

from assay.core.errors import NotFound, WrongKindOfFile
from assay.project.project import Project
from assay.task.check import check
from assay.task.errors import TaskField, TaskUnreadable
from assay.task.task import Task

MISTAKES = [
    # old, new, field, words of the message
    ("gas = 900000", "gsa = 900000", "[limits] gsa", "Did you mean gas?"),
    ("[protocol]", "[protcol]", "protcol", "Did you mean protocol?"),
    ('kind = "cryo"', 'kind = "croy"', "[[data.sources]] 1: kind", "Did you mean cryo?"),
    ('type = "regression"', 'type = "regresion"', "[predict] type", "Did you mean regression?"),
    ('op = "sum"', 'op = "smu"', "[[data.bars.columns]] 2: op", "Did you mean sum?"),
    ('op = "calendar"', 'op = "calender"', "[[data.features]] 17: op", "Did you mean calendar?"),
    ("window = 88", 'window = "many"', "[[data.features]] 11: window", "Give a whole number."),
    ("window = 88", "windw = 88", "[[data.features]] 11: windw", "Did you mean window?"),
    ("horizon = 4", "horizon = 0", "[data.label] horizon", "looks at least 1 row ahead"),
    ('schema = "assay-task/1"', 'schema = "assay-tasks"', "schema", '"assay-task/1"'),
    ("gas = 900000", "gas = 900000.5", "[limits] gas", "Give a whole number."),
    ("prove_seconds = 2.0", "prove_seconds = nan", "[limits] prove_seconds", "finite"),
    ("prove_seconds = 2.0", "prove_seconds = -1", "[limits] prove_seconds", "greater than 0"),
    ('name = "dynamic-fee"', 'name = "Dynamic Fee"', "name", "lowercase letters"),
    ('chain = "ethereum"', "chain = 1", "[protocol] chain", "Give text."),
    ("gas = 900000", "gas = true", "[limits] gas", "is true. Give a whole number."),
    ("trials = 40", 'trials = "6"', "[explore] trials", "Give a whole number."),
    ("trials = 40", "trials = 6.0", "[explore] trials", "Give a whole number."),
    ("prove_seconds = 2.0", 'prove_seconds = "2"', "[limits] prove_seconds", "Give a number."),
    ("window = 88", f"window = {10**30}", "[[data.features]] 11: window", "less than or equal to 1000000000"),
    ("horizon = 4", f"horizon = {2**63}", "[data.label] horizon", "less than or equal to 1000000000"),
    ("gas = 900000", f"gas = {10**30}", "[limits] gas", "less than or equal to"),
    ('every = "6h"', 'every = "999999999w"', "[data.bars] every", "longer than 300 years"),
    ('every = "6h"', 'every = "6 hours"', "[data.bars] every", '"50 blocks"'),
]


@pytest.mark.parametrize(("old", "new", "field", "words"), MISTAKES)
def test_the_message_names_field_line_and_what_is_allowed(old, new, field, words, project):
    made = project()
    line = made.edit(old, new)
    with pytest.raises(TaskField) as caught:
        Task.load(made.folder)
    message = str(caught.value)
    assert f"{made.file}, line {line}: {field} " in message
    assert words in message
    assert "\n" not in message


SHAPES = [
    ('[data.sources]\nname = "rows"\nkind = "csv"\npath = "rows.csv"', "single brackets", "Write [[data.sources]]"),
    ('[data]\nsources = "rows.csv"', '[data] sources is "rows.csv"', "Write a table [[data.sources]] for each."),
    ("[data]\nsources = [1]", "[[data.sources]] 1 is 1", "It is a table: write [[data.sources]]"),
    ("[[data.sources]]\nname = 'a'", "does not say its kind", "Add kind = "),
    ("data = 5", "data is 5", "It is a table: write [data]"),
    ("[[data.sources]]\nname='a'\nkind='csv'\npath='x'\nrename=5", "rename is 5", "write rename = {...}"),
    ('[[data.sources]]\nname="a"\nkind="csv"\npath="x"\n[data]\nkeep="a"', '[data] keep is "a"', "Write a list"),
]


@pytest.mark.parametrize(("data", "what", "todo"), SHAPES)
def test_tables_and_lists_are_called_so(data, what, todo, tmp_path):
    head = 'schema = "assay-task/1"\nname = "t"\nexisting = {kind = "constant", value = 0}\n'
    predict = 'predict = {target = "y", type = "regression"}\n'
    (tmp_path / "task.toml").write_text(f"{head}{predict}{data}\n")
    with pytest.raises(TaskField) as caught:
        Task.load(tmp_path)
    assert what in caught.value.what
    assert todo in caught.value.todo


def test_a_number_of_thousands_of_digits_and_a_folder_are_no_task(tmp_path):
    (tmp_path / "task.toml").write_text(f"trials = {'9' * 5000}")
    with pytest.raises(TaskUnreadable, match="Exceeds the limit"):
        Task.load(tmp_path)
    (tmp_path / "task.toml").unlink()
    (tmp_path / "task.toml").mkdir()
    for load in (Task.load, check, lambda place: Project(place).task):
        with pytest.raises(WrongKindOfFile, match=r"task\.toml is a folder, and a task is a file"):
            load(tmp_path)


@pytest.mark.parametrize(
    ("old", "field"),
    [
        ('target = "volatility_next"\n', "[predict] target is missing"),
        ("window = 88\n", "[[data.features]] 11: window is missing"),
        ('rpc = "$RPC_URL"\n', "[[data.sources]] 1 is not right: give rpc"),
        ("value = 0.0075\n", 'existing is not right: kind = "constant" needs the field value'),
    ],
)
def test_what_is_missing_is_named(old, field, project):
    made = project()
    made.edit(old, "")
    with pytest.raises(TaskField, match=re.escape(field)):
        Task.load(made.folder)


def test_several_mistakes_are_counted_in_the_order_of_the_file(project):
    made = project()
    second = made.edit("gas = 900000", "gsa = 900000")
    first = made.edit('type = "regression"', 'type = "regresion"')
    with pytest.raises(TaskField) as caught:
        Task.load(made.folder)
    assert f"line {first}: [predict] type" in str(caught.value)
    assert f"[limits] gsa (line {second})" in str(caught.value)


def test_a_file_that_is_no_toml(tmp_path):
    path = tmp_path / "task.toml"
    path.write_text('schema = "assay-task/1"\nname = dynamic\n')
    with pytest.raises(TaskUnreadable, match="line 2"):
        Task.load(path)
    path.write_bytes(b"name = '\xff'")
    with pytest.raises(TaskUnreadable, match="not UTF-8"):
        Task.load(path)
    path.write_text("a = " + "[" * 5000)
    with pytest.raises(TaskUnreadable):
        Task.load(path)


def test_no_file(tmp_path):
    with pytest.raises(NotFound, match="nowhere"):
        Task.load(tmp_path / "nowhere" / "task.toml")


def test_a_byte_order_mark_and_windows_lines_are_read(project):
    made = project()
    made.file.write_bytes(b"\xef\xbb\xbf" + made.file.read_text().replace("\n", "\r\n").encode())
    assert Task.load(made.file).predict.target == "volatility_next"
    line = made.edit("gas = 900000", "gsa = 900000")
    with pytest.raises(TaskField, match=f"line {line}: "):
        Task.load(made.file)


def test_what_a_task_says_by_default(project):
    task = Task.load(project("credit-score").folder)
    assert task.metric == "log_loss"
    assert task.latency_blocks is None
    assert task.protocol.feature_delay_blocks == 1
    task = Task.load(project(latency_blocks="30").folder)
    assert task.metric == "value"
    assert task.latency_blocks == 30

"""`assay init`: from a few answers to a task that can be read, or to nothing at all."""

import json
import shutil
import subprocess
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import StorageError
from assay.task.check import check
from assay.task.errors import AnswerMissing, ProjectExists, TemplateUnknown
from assay.task.init import init
from assay.task.sources import CsvSource
from assay.task.task import Task
from assay.task.templates import TEMPLATES, toml


def asker(*lines):
    """Types these lines, one a question, then leaves."""
    typed, asked = list(lines), []

    def ask(question, default):
        asked.append((question, default))
        if not typed:
            raise EOFError
        return typed.pop(0)

    return ask, asked


def test_four_answers_make_a_task(rows, tmp_path):
    ask, asked = asker(str(rows), "paid", "", "score")
    written = init(tmp_path / "own", "blank", {}, ask)
    task = Task.load(tmp_path / "own")
    assert [path.name for path in written] == ["task.toml", ".gitignore"]
    assert (task.predict.target, task.predict.type) == ("paid", "binary")
    assert (task.existing.kind, task.existing.column) == ("column", "score")
    assert task.data.keep == ("score",)
    assert (tmp_path / "own" / task.data.sources[0].path).resolve() == rows.resolve()
    # Four questions, and whether to ask more; the type was guessed.
    assert len(asked) == 5
    assert asked[2][1] == "binary"
    assert "size, weight, word, paid, score" in asked[1][0]


def test_a_wrong_answer_is_asked_again(rows, tmp_path):
    ask, asked = asker("nowhere.csv", str(rows), "payed", "paid", "", "")
    init(tmp_path / "own", "blank", {}, ask)
    assert "there is no file nowhere.csv" in asked[1][0]
    assert "Did you mean paid?" in asked[3][0]
    assert Task.load(tmp_path / "own").existing.value == 0.5  # the share of ones


def test_more_questions_on_request(rows, tmp_path):
    given_answers = {"file": str(rows), "target": "paid", "type": "binary", "existing": "0.3"}
    ask, asked = asker("yes", "base", "2", "10", "288", "0.01", "2500", "0.1", "0.5", "12")
    init(tmp_path / "own", "blank", given_answers, ask)
    task = Task.load(tmp_path / "own")
    assert (task.protocol.chain, task.protocol.block_seconds, task.protocol.latency_blocks) == ("base", 2.0, 10)
    assert (task.value.gas_price_gwei, task.limits.usd_per_inference, task.explore.trials) == (0.01, 0.5, 12)
    assert len(asked) == 10


@pytest.mark.parametrize(
    ("answer", "kind", "value"),
    [
        ("0.25", "constant", 0.25),
        ("nothing", "constant", 0.5),
        ("score", "column", "score"),
        ("CASE WHEN size > 3 THEN 1 ELSE 0 END", "rule", "CASE WHEN size > 3 THEN 1 ELSE 0 END"),
        ("today.py:decide", "function", "today.py:decide"),
    ],
)
def test_what_decides_today(answer, kind, value, rows, tmp_path):
    init(tmp_path / "own", "blank", {"file": str(rows), "target": "paid", "existing": answer})
    existing = Task.load(tmp_path / "own").existing
    assert existing.kind == kind
    assert value in (existing.value, existing.column, existing.rule, existing.function)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({}, "--answer file=VALUE"),
        ({"file": "x.txt"}, "neither .csv nor .parquet. If it is a table of text, call it .csv"),
        ({"file": "x.csv.gz"}, "Unpack it first"),
        ({"file": "x.xlsx"}, "Save the sheet as CSV"),
        ({"fil": "x.csv"}, 'no question is called "fil"'),
        ({"target": "size", "block_seconds": "soon"}, "is no number"),
        ({"target": "size", "chain_id": "0"}, "at least 1"),
        ({"target": "size", "existing": "scores"}, "Did you mean score?"),
        ({"target": "size", "type": "binry"}, "Did you mean binary?"),
    ],
)
def test_answers_that_are_none(answers, words, rows, tmp_path):
    if "target" in answers:
        answers |= {"file": str(rows)}
    with pytest.raises(AnswerMissing) as caught:
        init(tmp_path / "own", "blank", answers)
    assert words in str(caught.value)
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["0", "1", "1"] * 5, "binary"),
        (["good", "bad"] * 5, "binary"),
        (["0", "1", "2"] * 5, "multiclass"),
        (["a", "b", "c"] * 5, "multiclass"),
        (["0.5", "1.25", "2"] * 5, "regression"),
        ([str(number) for number in range(40)], "regression"),
    ],
)
def test_the_type_is_guessed_from_the_values(values, kind, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["x,y", *(f"{number},{value}" for number, value in enumerate(values))]))
    init(tmp_path / "own", "blank", {"file": str(path), "target": "y"})
    assert Task.load(tmp_path / "own").predict.type == kind


@pytest.mark.parametrize(
    ("values", "kind", "usual"),
    [
        (["1", "2", "2", "2"] * 5, "binary", 0.75),
        (["-1", "1"] * 10, "binary", 0.5),
        (["no", "no", "no", "yes"] * 5, "binary", 0.25),
        (["true", "false"] * 10, "binary", 0.5),
        (["3", "4", "5", "5", "9"] * 5, "multiclass", 5),
        (["0.5", "1.5", "1.5", "9.5"] * 5, "multiclass", 1.5),
        (["low", "mid", "mid", "high"] * 5, "multiclass", 2),
        (["1.5", "2.5", "inf", "-inf"] * 5, "regression", 2.0),
    ],
)
def test_the_usual_answer_is_one_of_the_classes_or_a_share(values, kind, usual, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["x,y", *(f"{number},{value}" for number, value in enumerate(values))]))
    init(tmp_path / "own", "blank", {"file": str(path), "target": "y", "type": kind})
    assert Task.load(tmp_path / "own").existing.value == usual
    assert check(tmp_path / "own").contradictions == []


def test_a_time_column_is_found(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("timestamp,x,y\n" + "\n".join(f"{1_700_000_000 + i},{i},{i * 1.5}" for i in range(30)))
    init(tmp_path / "own", "blank", {"file": str(path), "target": "y"})
    assert Task.load(tmp_path / "own").data.time == "timestamp"


def test_no_such_template(tmp_path):
    with pytest.raises(TemplateUnknown, match=r"Did you mean credit-score\?"):
        init(tmp_path / "own", "credit-scores")
    assert set(TEMPLATES) == {"blank", "dynamic-fee", "credit-score"}


def test_nothing_is_overwritten(tmp_path):
    init(tmp_path / "own", "credit-score")
    before = {path: path.read_bytes() if path.is_file() else b"" for path in (tmp_path / "own").iterdir()}
    with pytest.raises(ProjectExists, match=r"task\.toml"):
        init(tmp_path / "own", "credit-score")
    (tmp_path / "own" / "task.toml").unlink()
    with pytest.raises(ProjectExists, match=r"gitignore|existing\.py"):
        init(tmp_path / "own", "credit-score")
    assert {path.name for path in (tmp_path / "own").iterdir()} == {path.name for path in before} - {"task.toml"}


@pytest.mark.parametrize("before", [b"", b"node_modules\n/data/", b"\xff\n/.assay/\n"])
def test_a_folder_under_version_control_gets_the_lines_it_lacks(rows, tmp_path, before):
    (tmp_path / ".gitignore").write_bytes(before)
    init(tmp_path, "blank", {"file": str(rows), "target": "paid"})
    text = (tmp_path / ".gitignore").read_bytes()
    lines = text.splitlines()
    assert text.startswith(before)
    assert all(lines.count(wanted) == 1 for wanted in (b"/.assay/", b"/data/", b"/candidates/"))
    (tmp_path / "task.toml").unlink()
    init(tmp_path, "blank", {"file": str(rows), "target": "paid"})
    assert (tmp_path / ".gitignore").read_bytes() == text


def test_what_is_there_already_is_said_before_anything_is_asked(tmp_path):
    (tmp_path / "existing.py").write_text("mine")
    ask, asked = asker("yes")
    with pytest.raises(ProjectExists, match=r"existing\.py"):
        init(tmp_path, "credit-score", {}, ask)
    assert (asked, [path.name for path in tmp_path.iterdir()]) == ([], ["existing.py"])


def test_a_file_is_read_as_building_reads_it(tmp_path):
    path = tmp_path / "br[1].csv"
    path.write_text("a, b, y, z\n" + "1,2,null,\n1,3,0,None\n1,4,1,N/A\n" * 10)
    init(tmp_path / "own", "blank", {"file": str(path), "target": "y"})
    task = Task.load(tmp_path / "own")
    assert (task.predict.type, task.existing.value) == ("binary", 0.5)
    with pytest.raises(AnswerMissing, match=r"the column z of .* has no value"):
        init(tmp_path / "other", "blank", {"file": str(path), "target": "z"})
    with pytest.raises(AnswerMissing, match="too large"):
        init(tmp_path / "other", "blank", {"file": str(path), "target": "y", "existing": "1e999"})


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("date", "2024-01-{0:02}", True),
        ("time", "{0}.5", True),
        ("date", "2024-01-{1:02}", True),
        ("time", "{1}.5", False),
        ("ds", "{2}", False),
        ("date", "{0:02}/01/2024", True),
        ("Timestamp", "2024-01-{0:02}T00:00:00Z", True),
    ],
)
def test_a_column_is_the_time_if_its_values_are_times_in_whatever_order(name, value, found, tmp_path):
    path = tmp_path / "rows.csv"
    lines = [f"{value.format(i + 1, i % 7 + 1, 'ab'[i % 2])},{i * 1.5}" for i in range(28)]
    path.write_text("\n".join([f"{name},y", *lines]))
    init(tmp_path / "own", "blank", {"file": str(path), "target": "y"})
    assert Task.load(tmp_path / "own").data.time == (name if found else None)


def test_a_place_that_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        init(tmp_path / "file", "credit-score")


@given(st.text())
def test_every_text_survives_the_way_through_toml(text):
    assert tomllib.loads(f"a = {toml(text)}") == {"a": text}


@given(
    st.lists(st.one_of(st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False)))
)
def test_every_value_survives_the_way_through_toml(values):
    assert json.dumps(tomllib.loads(f"a = {toml(values)}")["a"]) == json.dumps(values)


def test_what_git_cleans_can_be_made_again(tmp_path):
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed, so its cleaning was NOT tried")
    (tmp_path / ".gitignore").write_text("*.key\nkeys/\n")
    init(tmp_path, "credit-score")
    secret = tmp_path / "keys" / "0x00" / "proving.key"
    made = [tmp_path / "data" / "rows.parquet", tmp_path / "decision" / "decision.json", tmp_path / "report.html"]
    for path in (secret, *made):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("made")
    for command in (["init", "-q"], ["clean", "-fdXq"]):
        subprocess.run([git, "-C", str(tmp_path), *command], check=True)
    assert secret.exists()
    assert not any(path.exists() for path in made)


def test_how_a_csv_is_written_is_guessed(tmp_path):
    lines = "".join(f"{day:02}.02.2024;{day * 1111 % 7},{day % 10}5;1.{100 + day}.000,5\n" for day in range(1, 25))
    path = tmp_path / "export.csv"
    path.write_bytes(("Bericht für März\nTag;y;Betrag\n" + lines).encode("cp1252"))
    init(tmp_path / "own", "blank", {"file": str(path), "target": "y", "type": "regression"})
    (source,) = Task.load(tmp_path / "own").data.sources
    assert isinstance(source, CsvSource)
    assert (source.delimiter, source.decimal, source.thousands) == (";", ",", ".")
    assert (source.skip_rows, source.encoding) == (1, "cp1252")

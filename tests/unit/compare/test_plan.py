"""A plan is written from the past, looked through, and refused by the line where it is wrong."""

import csv
import re

import pytest
from tests.unit.compare.project import made

from assay.compare.draft import entities, look
from assay.compare.errors import NotComparable, PlanUnfit, PlanUnreadable
from assay.compare.past import about, curve, detectable, enough, length_for, losses, recorded, unexplained, units
from assay.compare.plan import PLAN_FILE, parse, read
from assay.compare.power import Design, power
from assay.core.errors import ArtefactVersion
from assay.core.hashing import digest


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A project, and what was found when its plan was written."""
    folder = tmp_path_factory.mktemp("project")
    task = made(folder)
    return task, folder, look(task, folder)


def test_the_past_is_what_the_existing_process_lost(written):
    task, folder, _ = written
    with (folder / "rows.csv").open() as file:
        expected = [float(row["y"]) ** 2 for row in csv.DictReader(file)]
    assert sorted(losses(task, folder)) == pytest.approx(sorted(expected))


def test_a_plan_is_written_with_the_length_that_the_past_asks_for(written):
    _, folder, found = written
    terms = found.plan.terms
    assert (found.written, terms.design, terms.metric.of) == (True, "switchback", "loss")
    assert terms.switchback.periods == found.enough
    assert found.power >= 0.75  # 400 plays have a standard error of 2 points
    assert terms.aim.smallest_effect == pytest.approx(0.3 * 2.0, rel=0.1)
    assert found.detectable == pytest.approx(terms.aim.smallest_effect, rel=0.35)
    assert "<polyline" in found.figure.read_text()
    assert found.plan.digest == digest((folder / PLAN_FILE).read_bytes())
    assert any("would be seen in fewer than 80%" in one for one in found.said)


def test_again_it_is_looked_through_and_not_written(written):
    task, folder, _ = written
    text = (folder / PLAN_FILE).read_text()
    short = re.sub(r"\nperiods = \d+\n", "\nperiods = 40\n", text)
    assert short != text
    try:
        (folder / PLAN_FILE).write_text(short)
        found = look(task, folder)
        assert not found.written
        assert (folder / PLAN_FILE).read_text() == short
        assert found.power < 0.5
        assert any("would be enough" in one for one in found.said)
    finally:
        (folder / PLAN_FILE).write_text(text)


def test_lengths_grow_until_one_is_enough(written):
    task, folder, _ = written
    past = units(losses(task, folder), 2, 1)
    assert len(past) == len(losses(task, folder)) // 3 - 1
    found = curve(past, Design(2.0), 0.8)
    length = enough(found, 0.8)
    assert power(past, Design(2.0), length, seed=8) >= 0.7
    assert power(past, Design(2.0), length // 2, seed=8) < 0.75
    # Where few units make much of the difference the interval begins late, and a plan is longer than the arithmetic.
    assert length_for(past, Design(2.0), 0.8) == length > about(past, Design(2.0), 0.8)
    assert detectable(past, Design(2.0), length, 0.8) == pytest.approx(2.0, rel=0.4)
    assert enough(found[:1], 0.99) is None


def test_measured_outcomes_are_a_past_too(written, tmp_path):
    task, folder, _ = written
    file = tmp_path / "past.csv"
    file.write_text("outcome\n" + "\n".join(str(number % 7) for number in range(400)))
    assert recorded(file).before.shape == (400, 0)
    assert unexplained(units(recorded(file).outcome, 1)).before.shape == (399, 0)
    found = look(task, folder, past=file)
    assert found.power is not None
    assert any("fewer than the" in one for one in found.said) is (found.plan.terms.switchback.periods > 399)
    file.write_text("outcome,before\n" + "1,2\n" * 40)
    assert recorded(file).before.tolist() == [[2.0]] * 40
    file.write_text("outcome,before\n1,\n")
    with pytest.raises(NotComparable, match="line 2: there is no number for before"):
        recorded(file)
    file.write_text("result\n1\n")
    with pytest.raises(NotComparable, match="line 2: there is no number"):
        recorded(file)
    file.write_text("outcome\nnan\n")
    with pytest.raises(NotComparable, match="there is no number for an outcome"):
        recorded(file)
    file.write_text("outcome\n1,5\n")
    with pytest.raises(NotComparable, match="line 2: 2 values, and 1 columns"):
        recorded(file)


def test_what_is_asked_of_a_new_plan_is_refused_or_said(written, tmp_path):
    task, folder, _ = written
    for asked, said in (({"design": "foo"}, 'no design "foo"'), ({"new": "best"}, '"best" cannot be on trial')):
        with pytest.raises(PlanUnfit, match=said):
            look(task, tmp_path, **asked)
    assert not (tmp_path / PLAN_FILE).exists()
    found = look(task, folder, design="shadow", new="champion")
    assert found.plan.terms.design == "switchback"
    assert next(text for text in found.said if "is of a plan that is written" in text).startswith("--design shadow")


TEXT = """schema = "assay-experiment/1"
name = "one"
design = "switchback"

[switchback]
start_block = 100
period_blocks = 20
periods = 40
grace_blocks = 5
burn_in_blocks = 5

[aim]
smallest_effect = 1.0
"""


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('design = "switchback"', 'design = "entities"', "takes the table [entities]"),
        ("smallest_effect = 1.0", "smallest_effect = 0.0", "line 13: [aim] smallest_effect"),
        ("smallest_effect = 1.0", "smalest_effect = 1.0", "[aim] smalest_effect is not a field"),
        ("grace_blocks = 5", "grace_blocks = 300", "line 9: [switchback] grace_blocks"),
        ("grace_blocks = 5", "grace_blocks = 25", "longer than a period"),
        ("periods = 40", "periods = 4000000000", "[switchback] periods"),
        ("burn_in_blocks = 5", "burn_in_blocks = 20", "nothing of a period"),
        ("periods = 40\n", "", "[switchback] periods is missing"),
        ("[aim]", '[arms]\nold = "champion"\n\n[aim]', "the same process"),
        ("[aim]", '[arms]\nold = "3"\nnew = "4"\n\n[aim]', "two versions"),
        ("[aim]", "[arms]\nshare = 1.0\n\n[aim]", "[arms] share"),
        ("[aim]", "[arms]\nshare = 1e-9\n\n[aim]", "without traffic"),
        ("[aim]", '[arms]\nnew = "best"\n\n[aim]', "[arms] new"),
        ("[aim]", '[[guardrails]]\nmetric = "luck"\nat_most = 1.0\n\n[aim]', "[[guardrails]] 1: metric"),
        ("[aim]\nsmallest_effect = 1.0\n", "", "the table [aim] is missing"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_by_its_field(before, after, said):
    assert before in TEXT
    with pytest.raises(PlanUnfit) as caught:
        parse(TEXT.replace(before, after), "plan")
    assert said in caught.value.what
    assert caught.value.todo


def test_what_is_no_plan_at_all(tmp_path):
    with pytest.raises(PlanUnreadable, match="not TOML"):
        parse("schema = [", "plan")
    with pytest.raises(ArtefactVersion, match="assay-experiment/2"):
        parse(TEXT.replace("experiment/1", "experiment/2"), "plan")
    (tmp_path / PLAN_FILE).write_bytes(b"\xff")
    with pytest.raises(PlanUnreadable, match="UTF-8"):
        read(tmp_path / PLAN_FILE)


ENTITIES = """schema = "assay-experiment/1"
name = "one"
design = "entities"
metric = {of = "recorded"}
aim = {smallest_effect = 1.0}
entities = {file = "who.csv", mix_block = 10, start_block = 20, end_block = 30}
"""


def test_entities_are_addresses_each_once(tmp_path):
    terms = parse(ENTITIES, "plan").terms
    one, other = "0x" + "Ab" * 20, "0x" + "cd" * 20
    (tmp_path / "who.csv").write_text(f"entity\n{one}\n{other}\n")
    assert entities(tmp_path, terms) == [one.lower(), other]
    (tmp_path / "who.csv").write_text(f"entity\n{one}\n{one.lower()}\n")
    with pytest.raises(PlanUnfit, match="twice"):
        entities(tmp_path, terms)
    for content, said in (
        (b"entity\n0x12\n", "line 2: '0x12' is no address"),
        (b"\n\nentity\n", "has no entity"),
        (b"entity\n", "has no entity"),
        (b"entity\n\xff\n", "is not UTF-8 text"),
        (f"entity\n{one},{other}\n".encode(), "line 2: 2 values, and 1 columns"),
    ):
        (tmp_path / "who.csv").write_bytes(content)
        with pytest.raises(PlanUnfit, match=said):
            entities(tmp_path, terms)


def test_blocks_lie_in_periods():
    of = parse(TEXT, "plan").terms.switchback
    assert (of.end_block, of.first_of(2)) == (899, 120)
    assert [of.period_of(block) for block in (99, 100, 119, 120, 899, 900)] == [None, 1, 1, 2, 40, None]

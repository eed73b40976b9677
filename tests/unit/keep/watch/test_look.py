"""A model of the years before June 2007 is watched through 2008, by its own rows and what came of them."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from sqlalchemy import update
from tests.unit.keep.watch import replay
from tests.unit.serve.small import keep

from assay.keep.watch import alarms
from assay.keep.watch.look import Watcher
from assay.keep.watch.material import lines_of, strange_of, watched
from assay.record import answers, journal
from assay.record.database import Database
from assay.record.schema import answers as table
from assay.release import alias
from assay.serve.outcomes import Brought, bring

BROKEN = datetime(2008, 9, 15, tzinfo=UTC)
"""Lehman Brothers."""
ALLOWED = 50
"""Rows after that day within which an alarm on the loss has to be there: ten weeks."""


@pytest.fixture
def base(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'records.sqlite'}")
    yield made
    made.close()


def put(base, release, found, rows, first=0):
    X = rows.select([one.name for one in found.circuit.features]).to_numpy().astype(np.float32)
    times = [moment.isoformat() for moment in rows["day"].to_list()]
    replay.answer(base, release, found.circuit, X, times=times, outcomes=rows["next"].to_list(), first=first)


def by_name(seen):
    return {one.name: one for one in seen.signals}


def test_2008_breaks_the_model_and_the_alarms_come_in_time(base, found, later):
    release = keep(base, found.parts, "fee")
    said = []
    watcher = Watcher(base, found.task, "local", said.append)
    calm = later["day"].to_list().index(BROKEN)
    first = {}
    edges = [0, 150, *range(300, later.height, 25), later.height]
    for start, stop in pairwise(edges):
        put(base, release, found, later[start:stop], start)
        watcher.step()
        for one in watcher.standing():
            first.setdefault(one.signal, stop)
    # The summer of 2007 and the spring of 2008 were within what the model knew.
    assert min(first.values()) > calm
    assert first["loss-promised"] - calm <= ALLOWED
    assert "inputs-range" in first
    assert "loss-existing" not in first  # a constant does no better
    assert len(said) == len(first)
    standing = {one.signal: one for one in watcher.standing()}
    loss = standing["loss-promised"]
    assert loss.release == release.digest
    assert loss.figures["loss lately"] > 2 * loss.figures["promised"]
    assert loss.figures["surely above"] > loss.figures["at most"] > loss.figures["promised"]
    assert loss.rows.first >= 100
    assert loss.rows.last <= 100 + later.height
    assert "train again" in loss.why
    assert "where 0." in loss.why
    # What it was about is said with the days, not with when the rows were asked for.
    assert datetime(2007, 6, 1, tzinfo=UTC).timestamp() <= loss.since <= datetime(2009, 1, 1, tzinfo=UTC).timestamp()
    assert standing["inputs-range"].about[0] in {"move", "week", "month", "span"}
    seen = by_name(watcher.look())
    assert seen["fidelity"].state == "well"
    assert seen["loss-existing"].state == "well"


def test_the_promise_is_the_decision_s_and_the_loss_the_records(base, found, later):
    release = keep(base, found.parts, "fee")
    rows = later.head(120)
    put(base, release, found, rows)
    seen = Watcher(base, found.task, "local").look()
    one = by_name(seen)["loss-promised"]
    X = rows.select([feature.name for feature in found.circuit.features]).to_numpy().astype(np.float32)
    wanted = 100 * np.abs(rows["next"].to_numpy() - found.circuit.predict(X)[:, 0])
    assert one.figures["loss"] == pytest.approx(wanted.mean(), rel=1e-9)
    today = 100 * np.abs(rows["next"].to_numpy() - 0.02)
    against = by_name(seen)["loss-existing"].figures
    assert against["loss of today's process"] == pytest.approx(today.mean(), rel=1e-9)
    assert against["difference lately"] == pytest.approx((wanted - today).mean(), rel=1e-9)
    assert seen.promised[0] == pytest.approx(one.figures["promised"])
    assert seen.promised[1] < seen.promised[0] < seen.promised[2]
    assert seen.unit == "percentage points"


def test_days_like_those_it_learned_from_raise_nothing(base, found):
    """Stretches of training days in an order of their own: nothing is new in them."""
    release = keep(base, found.parts, "fee")
    watched = Watcher(base, found.task, "local")
    watched.look()
    reference = watched._known[release.digest].reference
    source = np.random.default_rng(11)
    starts = source.integers(0, len(reference.X) - 60, 8)
    places = np.concatenate([np.arange(start, start + 60) for start in starts])
    X = reference.X[places].astype(np.float32)
    # What came of them is as far from what was said as on the test rows.
    off = source.choice(reference.losses[~np.isnan(reference.losses)], len(X)) / 100
    outcomes = found.circuit.predict(X)[:, 0] + off * source.choice([-1, 1], len(X))
    for start in range(0, len(X), 60):
        own = slice(start, start + 60)
        times = ["2007-06-01"] * 60
        replay.answer(base, release, found.circuit, X[own], times=times, outcomes=outcomes[own], first=start)
        watched.step()
    assert watched.standing() == []
    states = {one.name: one.state for one in watched.look().signals}
    assert states["inputs-range"] == states["loss-promised"] == "well"


def test_an_alarm_ends_when_a_person_says_so_and_its_rows_count_no_more(base, found, later):
    release = keep(base, found.parts, "fee")
    put(base, release, found, later)
    watcher = Watcher(base, found.task, "local")
    watcher.step()
    loss = next(one for one in watcher.standing() if one.signal == "loss-promised")
    assert alarms.clear(base, "fee", loss, "we know, and retrain on Monday")
    watcher.step()
    assert "loss-promised" not in {one.signal for one in watcher.standing()}
    assert by_name(watcher.look())["loss-promised"].figures["rows"] == 0


def test_an_alarm_of_any_kind_that_a_person_took_back_needs_new_rows(base, found, later):
    release = keep(base, found.parts, "fee")
    put(base, release, found, later)
    watcher = Watcher(base, found.task, "local")
    watcher.step()
    taken = {one.signal for one in watcher.standing()}
    assert taken >= {"loss-promised", "inputs-range"}
    for one in watcher.standing():
        assert alarms.clear(base, "fee", one, "we know", who="me")
    watcher.step()
    assert watcher.standing() == []
    assert "counts no more" in by_name(watcher.look())["inputs-range"].said
    put(base, release, found, later[300:420], later.height)
    with base.begin() as connection:  # they are asked for after that, as everything that is new
        new = table.c.period >= 100 + later.height
        connection.execute(update(table).where(new).values(created=table.c.created + 4e9))
    watcher.step()
    again = {one.signal: one for one in watcher.standing()}
    assert "inputs-range" in again
    assert again["inputs-range"].rows.count <= 120
    assert journal.read(base, "fee", [alarms.CLEARED])[0].who == "me"


def test_looks_at_rows_that_were_forgotten_are_spent(base, found, later):
    release = keep(base, found.parts, "fee")
    put(base, release, found, later.head(150))
    watcher = Watcher(base, found.task, "local")
    before = by_name(watcher.look())["inputs-moved"].figures["look"]
    old = [one.id for one in answers.find(base, "fee", periods=True, limit=150)[-100:]]
    assert answers.forget(base, ids=old).rows == 100
    seen = watcher.look()
    assert (before, by_name(seen)["inputs-moved"].figures["look"]) == (3, 3)
    assert by_name(seen)["inputs-moved"].rows.count == 50
    assert any("alpha bounds no longer all looks" in note for note in seen.notes)


def test_alarms_about_a_release_that_decides_no_more_end(base, found, later):
    release = keep(base, found.parts, "fee")
    put(base, release, found, later)
    watcher = Watcher(base, found.task, "local")
    watcher.step()
    assert watcher.standing()
    again = replace(found.parts, public=found.parts.public | {"model-card.md": b"another"})
    second = keep(base, again, "fee")
    alias.promote(base, second, who="test", why="retrained")
    watcher.step()
    assert watcher.standing() == []
    last = journal.read(base, "fee", [alarms.CLEARED])[-1]
    assert last.why == f"{second.name} decides now"


def test_without_the_private_part_it_says_what_it_cannot_see(base, found, later):
    release = keep(base, found.parts, "fee", private=False)
    put(base, release, found, later.head(100))
    seen = Watcher(base, found.task, "local").look()
    states = by_name(seen)
    for name in ("inputs-range", "inputs-moved", "outputs-moved", "loss-promised", "fidelity"):
        assert states[name].state == "unknown"
        assert "private part" in states[name].said
    assert any("private part" in note for note in seen.notes)


def test_outcomes_that_change_count_as_they_now_are_and_missing_ones_not(base, found, later):
    release = keep(base, found.parts, "fee")
    put(base, release, found, later.head(80))
    watcher = Watcher(base, found.task, "local")
    before = by_name(watcher.look())["loss-promised"].figures
    one = answers.find(base, "fee", periods=True, limit=1)[0]
    answers.observe(base, one.id, one.outcome + 1.0)
    after = by_name(watcher.look())["loss-promised"].figures
    assert after["loss"] - before["loss"] == pytest.approx(100 / 80, abs=0.1)
    with base.begin() as connection:
        connection.execute(update(table).where(table.c.id == one.id).values(outcome=None))
    assert by_name(watcher.look())["loss-promised"].figures["rows"] == before["rows"] - 1


def test_what_is_brought_of_answers_of_the_endpoint_counts_as_what_the_chain_says(base, found, later):
    release = keep(base, found.parts, "fee")
    put(base, release, found, later.head(80))
    figures = by_name(Watcher(base, found.task, "local").look())["loss-promised"].figures
    came = {one.id: one.outcome for one in answers.find(base, "fee", limit=80)}
    with base.begin() as connection:
        asked = {"chain": None, "period": None, "settle": False, "state": "answered", "outcome": None}
        connection.execute(update(table).values(**asked))
    silent = by_name(Watcher(base, found.task, None).look())
    assert silent["loss-promised"].said == "no row has an outcome yet"
    assert silent["outcomes-missing"].state == "unknown"
    for name, outcome in came.items():
        assert bring(base, name, Brought(outcome, "me"))[1]
    for chain in (None, "local"):  # a service with a chain, of which no period is answered
        seen = by_name(Watcher(base, found.task, chain).look())
        assert seen["loss-promised"].figures == pytest.approx(figures)
        assert seen["outcomes-missing"].said == "what came of 80 of 80 answers was brought; 0 were corrected"
        assert seen["periods-missing"].state == "unknown"
    one = next(iter(came))
    bring(base, one, Brought(came[one] + 1.0, "me", "a", "it was mistyped"))
    seen = by_name(Watcher(base, found.task, None).look())
    assert seen["loss-promised"].figures["loss"] > figures["loss"]
    assert seen["outcomes-missing"].figures["changed"] == 1


def test_of_an_answer_to_several_rows_each_has_its_own_outcome(base, found, later):
    release = keep(base, found.parts, "fee")
    put(base, release, found, later.head(2))
    first, second = answers.find(base, "fee", limit=2)[::-1]
    outputs = {name: first.outputs[name] + second.outputs[name] for name in first.outputs}
    both = {"row": first.row + second.row, "outputs": outputs, "period": None, "outcome": None}
    with base.begin() as connection:
        connection.execute(update(table).where(table.c.id == first.id).values(**both))
        connection.execute(table.delete().where(table.c.id == second.id))

    def came():
        return lines_of(watched(base, release), answers.find(base, "fee")).outcomes

    bring(base, first.id, Brought([None, second.outcome], "me"))
    assert came() == pytest.approx([np.nan, second.outcome], nan_ok=True)
    bring(base, first.id, Brought([first.outcome, None], "me"))
    assert came() == pytest.approx([first.outcome, second.outcome])


@pytest.mark.parametrize(
    ("came", "labels", "number"),
    [
        ("7", ("3", "7"), 1),
        (7, ("3", "7"), 1),
        (7.0, ("3", "7"), 1),  # as the chain's rows have it
        (1, ("3", "7"), np.nan),
        (1.0, ("0", "1"), 1),
        (True, ("0", "1"), 1),
        (True, ("false", "true"), 1),
        ("mid", ("high", "low", "mid"), 2),
        (2.0, ("high", "low", "mid"), 2),
        (3.0, ("high", "low", "mid"), np.nan),
        ("huge", ("high", "low", "mid"), np.nan),
    ],
)
def test_what_came_is_a_class_by_its_name_or_value(base, found, later, came, labels, number):
    release = keep(base, found.parts, "fee")
    put(base, release, found, later.head(1))
    one = replace(answers.find(base, "fee", limit=1)[0], outcome=came)
    of = replace(watched(base, release), labels=labels)
    assert lines_of(of, [one]).outcomes == pytest.approx([number], nan_ok=True)
    assert strange_of(of, [one]) == np.isnan(number)


def test_a_proof_that_says_otherwise_than_the_model_is_an_alarm(base, found, later):
    release = keep(base, found.parts, "fee")
    put(base, release, found, later.head(30))
    one = answers.find(base, "fee", periods=True, limit=1)[0]
    wrong = {"integers": [["12345"]], "values": one.outputs["values"]}
    with base.begin() as connection:
        connection.execute(update(table).where(table.c.id == one.id).values(outputs=wrong))
    signal = by_name(Watcher(base, found.task, "local").look())["fidelity"]
    assert (signal.state, signal.figures["differing"]) == ("alarm", 1.0)


def test_nothing_decides_nothing_is_watched(base, found):
    seen = Watcher(base, found.task, None).step()
    assert (seen.release, seen.signals) == (None, ())
    assert seen.notes == ("no release decides",)

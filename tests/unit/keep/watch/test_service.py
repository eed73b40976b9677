"""How a release is served, against its limits: outcomes, proofs, latency, money."""

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.keep.watch import replay
from tests.unit.serve.small import keep

from assay.keep.watch import material, service
from assay.keep.watch.service import DAY, Served
from assay.record import answers, schema, transactions
from assay.record.database import Database
from assay.record.transactions import Transaction
from assay.task.task import Task


@pytest.fixture
def base(tmp_path):
    found = Database(f"sqlite:///{tmp_path / 'records.sqlite'}")
    yield found
    found.close()


@pytest.fixture
def served(base, found):
    """Forty answers of a release whose bars are four blocks, in the middle of a day."""
    release = keep(base, found.parts, "fee")
    of = material.watched(base, release)
    bars = {"every": "4 blocks", "columns": [{"name": "close", "op": "last", "of": "close"}]}
    data = of.task.data.model_copy(
        update={
            "bars": type(of.task.data)
            .model_validate(of.task.data.model_dump(mode="json", exclude_unset=True) | {"bars": bars})
            .bars
        }
    )
    of = replace(of, task=of.task.model_copy(update={"data": data}))
    X = of.reference.X[:40].astype(np.float32)
    replay.answer(base, release, of.circuit, X, times=["2007-06-01"] * 40, outcomes=[0.01] * 40)

    def look(head=150, edit=None, **changed):
        kept = material.answers_of(base, "fee", release, "local")
        kept = [one if edit is None else edit(place, one) for place, one in enumerate(kept)]
        now = replay.FIRST + DAY / 2
        return Served(of, found.task, kept, "local", head, now, **changed)

    return look


def named(found, name):
    return next(one for one in found if one.name == name)


def test_well_served_is_well(base, served):
    found = [*service.outcomes(served(), base), *service.proving(served()), service.faithful(served(), base)]
    assert {one.name: one.state for one in found} == {
        "periods-missing": "well",
        "outcomes-missing": "well",
        "proving-slow": "well",
        "proving-failed": "well",
        "periods-expired": "well",
        "fidelity": "well",
    }


def test_outcomes_that_never_arrive_are_an_alarm_that_names_them(base, served):
    # A label sees five rows of four blocks ahead, one block is waited, two bars are grace.
    look = served(head=139 + 29, edit=lambda place, one: replace(one, outcome=None) if place >= 30 else one)
    found = named(service.outcomes(look, base), "outcomes-missing")
    assert (found.state, found.rows.count, found.rows.first) == ("alarm", 9, 130)
    assert found.rows.answers[0] == f"ans_{30:032x}"
    # Before they can be known nothing is missing.
    look = served(head=130 + 29, edit=lambda place, one: replace(one, outcome=None) if place >= 30 else one)
    assert named(service.outcomes(look, base), "outcomes-missing").state == "well"
    # Single ones that are missing are chance; many are not.
    look = served(head=300, edit=lambda place, one: replace(one, outcome=None) if place == 12 else one)
    assert named(service.outcomes(look, base), "outcomes-missing").state == "well"
    look = served(
        head=300, edit=lambda place, one: replace(one, outcome=None) if place % 3 == 0 and place < 36 else one
    )
    assert named(service.outcomes(look, base), "outcomes-missing").state == "alarm"


def test_periods_without_answers_are_an_alarm(base, served):
    assert named(service.outcomes(served(head=139 + 17), base), "periods-missing").state == "well"
    found = named(service.outcomes(served(head=139 + 18), base), "periods-missing")
    assert (found.state, found.figures["blocks since the last"]) == ("alarm", 17.0)


def slow(place, one):
    return replace(one, timeline=[["fixed", 10.0], ["proven", 10.0 + 1.5 * (place >= 20)]])


@pytest.mark.parametrize(
    ("name", "edit", "count"),
    [
        ("proving-slow", slow, 20),
        ("proving-failed", lambda place, one: replace(one, state="refused") if place % 10 == 0 else one, 4),
        ("periods-expired", lambda place, one: replace(one, state="expired") if place % 10 == 0 else one, 4),
    ],
)
def test_slow_refused_and_late_answers_are_alarms(served, name, edit, count):
    found = named(service.proving(served(edit=edit)), name)
    assert (found.state, found.rows.count) == ("alarm", count)
    assert found.since is not None


@pytest.mark.parametrize("name", ["proving-slow", "proving-failed", "periods-expired", "outcomes-missing", "latency"])
def test_what_a_person_took_back_counts_no_more(base, served, name):
    since = replay.FIRST + 60.0 * 37  # two answers are asked for after that

    def state(after):
        edit = {"proving-slow": slow}.get(name)
        look = served(head=400, edit=edit or (lambda _, one: replace(one, state=STATES.get(name, one.state))))
        if name == "outcomes-missing":
            look = replace(look, kept=[replace(one, outcome=None) for one in look.kept])
        if name == "latency":
            late = sent(base, f"late {after}", block=100_000).id
            look = replace(look, kept=[replace(one, transaction=late) for one in look.kept])
        look = replace(look, after=after)
        found = [*service.outcomes(look, base), *service.proving(look), service.latency(look, base)]
        return named(found, name).state

    assert state({}) == "alarm"
    assert state({name: since}) != "alarm"


STATES = {"proving-failed": "refused", "periods-expired": "expired"}


def test_periods_that_stay_away_have_as_long_again_once_taken_back(base, served):
    look = replace(served(head=10_000), now=replay.FIRST + DAY)
    assert named(service.outcomes(look, base), "periods-missing").state == "alarm"
    span = 16 * look.task.block_seconds
    for age, state in ((span - 1, "well"), (span + 1, "alarm")):
        taken = replace(look, after={"periods-missing": look.now - age})
        assert named(service.outcomes(taken, base), "periods-missing").state == state


def test_two_of_many_are_chance(served):
    edit = lambda place, one: replace(one, state="refused") if place in {3, 9} else one  # noqa: E731
    assert named(service.proving(served(edit=edit)), "proving-failed").state == "between"


def sent(base, subject, *, gas=200_000, price=10**9, ok=True, block=0, state="mined", purpose="settle"):
    with base.begin() as connection:
        wanted = Transaction("local", "0x" + "a" * 40, 0, purpose, subject, "0x" + "c" * 40, "0x", 400_000)
        signed = {"hash": "0x" + "d" * 64, "raw": "0x", "max_fee": 2, "priority_fee": 1, "cancels": False}
        kept, _ = transactions.keep_in(base, connection, wanted, 0, lambda _nonce: signed)
    moved = transactions.move(base, kept, "broadcast")
    mined = {"block": block, "block_hash": "0x", "gas_used": gas, "price": price, "ok": ok}
    return transactions.move(base, moved, state, **({"mined": mined} if state == "mined" else {}))


def now(base, look):
    with base.read() as connection:
        return replace(look, now=base.now(connection) + 1)


def test_blocks_until_an_answer_acts_are_counted_against_the_limit(base, served):
    ids = [sent(base, f"ans_{place:032x}", block=100 + place + (11 if place % 8 == 0 else 5)).id for place in range(40)]
    look = served(edit=lambda place, one: replace(one, transaction=ids[place]))
    found = service.latency(look, base)
    assert (found.state, found.rows.count, found.figures["median blocks"]) == ("alarm", 5, 5.0)
    assert found.rows.first == 100


def test_money_is_the_record_s(base, served):
    for place in range(10):
        sent(base, f"ans_{place:032x}", gas=200_000, price=10**9)
    found = service.money(now(base, served()), base)
    assert named(found, "money-gas").figures["usd an answer"] == pytest.approx(200_000e-9 * 3000)
    sent(base, "feed", gas=50_000, purpose="post")
    sent(base, "verifier", gas=1, price=3 * 10**15, purpose="deploy")  # what is deployed is no answer's cost
    each = named(service.money(now(base, served()), base), "money-gas").figures["usd an answer"]
    assert each == pytest.approx(205_000e-9 * 3000)
    assert named(found, "money-gas").state == "alarm"  # 0.6 USD, and the limit is half of one
    assert named(found, "money-spent").figures["spent"] == pytest.approx(10 * 200_000e-9)
    assert named(found, "money-spent").state == "well"
    assert named(found, "money-wasted").state == "well"
    for place in range(10, 14):
        sent(base, f"ans_{place:032x}", gas=2_000_000, ok=False)
    found = service.money(now(base, served()), base)
    assert named(found, "money-wasted").state == "alarm"
    assert named(found, "money-wasted").rows.count == 4
    assert named(found, "money-spent").state == "alarm"
    # Yesterday's do not count.
    late = replace(served(), now=now(base, served()).now + 2 * DAY)
    assert named(service.money(late, base), "money-spent").figures["spent"] == 0.0


def test_what_was_refused_on_chain_or_cancelled_is_no_answer(base, served):
    ids = [sent(base, f"ans_{place:032x}", gas=20_000, ok=place == 0, block=103).id for place in range(10)]
    gone = sent(base, "ans_gone", gas=21_000, block=103)
    with base.begin() as connection:
        attempts = [gone.attempts[0] | {"cancels": True}]
        mined = gone.mined | {"hash": attempts[0]["hash"]}
        where = schema.transactions.c.id == gone.id
        connection.execute(schema.transactions.update().where(where).values(attempts=attempts, mined=mined))
    cost = named(service.money(now(base, served()), base), "money-gas")
    assert (cost.state, cost.figures["answers"]) == ("alarm", 1.0)  # 0.06 USD each, and one answer for all of it
    assert cost.figures["usd an answer"] == pytest.approx((10 * 20_000 + 21_000) * 1e-9 * 3000)
    look = served(edit=lambda place, one: replace(one, transaction=[*ids, gone.id][place % 11]))
    assert service.latency(look, base).figures["median blocks"] == -13.5  # of answers 0, 11, 22, 33
    look = served(edit=lambda place, one: replace(one, transaction=gone.id))
    assert service.latency(look, base).state == "unknown"


def test_answers_of_no_chain_have_neither_periods_nor_gas(base, served):
    look = served()
    look = replace(look, chain=None, kept=[replace(one, chain=None, period=None, outcome=None) for one in look.kept])
    states = {one.state for one in [*service.outcomes(look, base), *service.money(look, base)]}
    assert states == {"unknown"}


def test_the_answers_that_say_otherwise_are_named(base, served):
    wrong = lambda place, one: replace(one, outputs=one.outputs | {"integers": [["1"]]}) if place == 7 else one  # noqa: E731
    found = service.faithful(served(edit=wrong), base)
    assert (found.state, found.rows.answers, found.since) == ("alarm", (f"ans_{7:032x}",), replay.FIRST + 60.0 * 7)


def test_the_release_s_own_model_is_asked(base, served, found):
    look = served()
    assert service.faithful(look, base).figures == {"rows": 40.0, "differing": 0.0}
    wrong = answers.find(base, "fee", periods=True, limit=1)[0]
    assert wrong.outputs["values"][0][0] == pytest.approx(float(found.circuit.predict([wrong.row[0]])[0, 0]))
    assert isinstance(found.task, Task)

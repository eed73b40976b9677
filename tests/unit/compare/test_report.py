"""What a report says, of the chain and the records alone: against an experiment played by hand, and sums by hand."""

import csv
import json
import shutil
from dataclasses import replace

import pytest
from tests.unit.compare.staged import Stage

from assay.chain.node import LocalNode
from assay.cli.main import run
from assay.compare import running
from assay.compare.effect import scores
from assay.compare.errors import PlanNotOnChain
from assay.compare.report import report
from assay.compare.result import result, units_of
from assay.record import transactions
from assay.record.database import Database

PERIODS = 40


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """An experiment that ran to its end: the model says 1 where 1 happens, and the existing process says 0."""
    with LocalNode() as node:
        stage = Stage(tmp_path_factory.mktemp("ended"), node.url)
        start = stage.plan(periods=PERIODS, more="[money]\nhours = 2.0\nusd_per_hour = 50.0\n")
        stage.starter().run()
        for number in range(PERIODS):
            ended = {"settled": False, "ended": "reverted"} if number == 7 else {}
            stage.answered(start + 6 * number + 1, 1.0, 1.0 + 0.1 * (number % 3), **ended)
        steward = stage.steward()
        for number in range(PERIODS):
            stage.to(start + 6 * number)
            steward.step()
            stage.to(start + 6 * number + 2)
            steward.step()
        stage.to(start + 6 * PERIODS + 3)
        steward.step()
        yield stage, running.named(stage.database, "fee", None)
        stage.database.close()


def test_a_gain_is_shown_with_its_money(ended):
    stage, one = ended
    assert one.over.kind == "experiment.ended"
    found, total, made = report(stage.database, stage.folder, one, stage.on)
    assert found.verdict == "gain"
    gain, low, high = found.now
    assert low < 1.0 < high
    assert 0.5 < low < gain < high
    assert gain == pytest.approx(scores(units_of(found)).mean())
    assert found.p_value < 0.01
    assert found.ratio < 20
    decided = [unit for unit in found.units if unit.new]
    assert total.decisions == len(decided)
    assert total.gain == pytest.approx(gain * len(decided))
    lines = {line.name: line for line in total.lines}
    settled = [each for each in found.new if each.settled]
    assert lines["settlements"].count == len(settled) == PERIODS - 1
    assert lines["settlements"].usd == pytest.approx((PERIODS - 1) * 250_000 * 1e9 / 1e18 * 3000)
    # What failed was paid for, too, once, however often it was sent.
    failed = lines["failed"]
    assert (failed.count, failed.gas, failed.usd) == (1, 30_000, pytest.approx(30_000 * 2e9 / 1e18 * 3000))
    assert "1 were sent again for more, and of each one was paid" in failed.source
    assert lines["draws"].count == PERIODS
    assert lines["deployments"].count == 2
    assert lines["deployments"].gas > 500_000
    assert total.once == pytest.approx(lines["deployments"].usd + 100.0)
    # At the break-even price of gas nothing is left of the gain but what the machine took.
    gas = lines["settlements"].gas + lines["draws"].gas + failed.gas
    paid = total.break_even_gwei * 1e-9 * gas * 3000
    assert paid + lines["machine"].usd == pytest.approx(total.gain)
    assert total.return_ == pytest.approx((total.gain - total.running - total.once) / (total.running + total.once))
    assert total.yearly[1] < total.yearly[0] < total.yearly[2]
    names = {path.name for path in made}
    assert names == {"report.html", "units.csv", "effect.svg", "summary.json", "experiment.toml"}


def test_the_rows_say_what_the_page_does(ended):
    stage, one = ended
    report(stage.database, stage.folder, one, stage.on)
    place = stage.folder / "experiments" / "one"
    with (place / "units.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["unit"] for row in rows] == [str(number) for number in range(1, PERIODS + 1)]
    found = result(stage.database, stage.folder, one, stage.on)
    assert [float(row["outcome"]) for row in rows] == [unit.outcome for unit in found.units]
    # Of the answer that came to nothing the existing process's loss counts, whatever was drawn.
    assert float(rows[7]["outcome"]) == pytest.approx(1.1)
    said = json.loads((place / "summary.json").read_text())
    assert (said["verdict"], said["units"], said["plan"]) == ("gain", PERIODS, one.plan.digest)
    page = (place / "report.html").read_text()
    assert said["words"] in page
    assert one.plan.digest in page
    assert "<polyline" in page
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "").replace(one.plan.text, "")


def test_where_gas_costs_nothing_there_is_no_price_that_eats_the_gain(ended, monkeypatch):
    stage, one = ended
    find = transactions.find
    free = [replace(each, mined=each.mined | {"price": "0"}) for each in find(stage.database, "local") if each.mined]
    monkeypatch.setattr(transactions, "find", lambda *_, **__: free)
    _, total, _ = report(stage.database, stage.folder, one, stage.on)
    assert {line.usd for line in total.lines if line.gas} == {0.0}
    assert total.break_even_gwei == pytest.approx(
        (total.gain - total.running) / sum(line.gas for line in total.lines if line.name != "deployments") / 3000 * 1e9
    )
    assert total.once == 100.0  # the hours alone


def test_a_stranger_computes_it_again_without_the_records(ended, tmp_path, capsys):
    """By a node's address and what the report wrote; what was changed in it is found."""
    stage, one = ended
    found, _, _ = report(stage.database, stage.folder, one, stage.on)
    place = stage.folder / "experiments" / "one"
    (url,) = stage.node.urls

    def again(*more, plan=place / "experiment.toml", draw=one.draw, code=0):
        arguments = ["experiment", "recompute", str(plan), draw, "--chain", url, "-C", str(tmp_path), "--json", *more]
        assert run(arguments) == code
        printed = capsys.readouterr()
        return printed.err if code else json.loads(printed.out)

    said = again("--units", str(place / "units.csv"), "--out", str(tmp_path / "arms.csv"))
    assert said["plan"] == one.plan.digest
    assert said["arms"] == {unit.name: "new" if unit.new else "old" for unit in found.units}
    assert (said["gain"], said["low"], said["high"]) == found.now
    assert (said["verdict"], said["units"]) == (found.verdict, PERIODS)
    assert "the contract's address follows from Assay's code" in said["said"][0]
    assert not (tmp_path / ".assay").exists()
    rows = (place / "units.csv").read_text().splitlines()
    assert (tmp_path / "arms.csv").read_text().splitlines() == [",".join(row.split(",")[:3]) for row in rows]
    swapped = {"new": "old", "old": "new"}[rows[5].split(",")[1]]
    for changed, why in (
        ([*rows[:5], f"5,{swapped},{rows[5].split(',', 2)[2]}", *rows[6:]], "5 is there"),
        ([*rows[:5], *rows[6:]], "has nothing of 5"),
        ([*rows, rows[5]], "is there twice"),
        ([*rows, "41,new,yes,1.0,,1"], "the chain has no unit 41"),
        ([*rows[:5], f"{rows[5].rsplit(',', 3)[0]},nan,,1", *rows[6:]], "5 has no numbers"),
    ):
        (tmp_path / "units.csv").write_text("\n".join(changed) + "\n")
        assert why in again("--units", str(tmp_path / "units.csv"), code=2)
    (tmp_path / "other.toml").write_text(one.plan.text.replace("smallest_effect = 0.5", "smallest_effect = 0.4"))
    assert "compare/plan-not-on-chain" in again(plan=tmp_path / "other.toml", code=2)
    assert "compare/plan-not-on-chain" in again(draw=stage.old, code=2)
    assert "nonsense is no address" in again(draw="nonsense", code=2)
    assert "is by the operator's records alone" in said["doubts"][0]


def test_a_plan_that_the_chain_does_not_know_is_not_reported(ended, tmp_path):
    from assay.compare.plan import parse

    stage, one = ended
    shutil.copytree(stage.folder, tmp_path / "other")
    database = Database.of_project(tmp_path / "other")
    changed = replace(one, plan=parse(one.plan.text + "\n# longer\n", "plan"))
    with pytest.raises(PlanNotOnChain, match="is of the plan"):
        report(database, tmp_path / "other", changed, stage.on)
    late = replace(one, block=one.plan.terms.start_block)
    with pytest.raises(PlanNotOnChain, match="not on local before"):
        report(database, tmp_path / "other", late, stage.on)
    assert not (tmp_path / "other" / "experiments").exists() or not list((tmp_path / "other").glob("experiments/*/x"))
    database.close()

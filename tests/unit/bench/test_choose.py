"""The choice and its words, on candidates whose figures are written down here."""

import pytest

from assay.bench.choose import choose
from assay.bench.decision import Decision, Row
from assay.bench.errors import DecisionDamaged
from assay.bench.facts import Evidence, Fidelity, Interval, Measured, Net
from assay.bench.limits import meets
from assay.bench.words import amount, blocks_more, percent, plural, seconds, usd
from assay.core.errors import ArtefactVersion
from assay.models.cost.economics import latency, usd_per_inference
from assay.models.search.front import Front, Pruned
from assay.task.task import Task

FRONT = Front(
    schema="assay-front/1",
    dataset="d",
    study="s",
    calibration="c",
    metric="rmse",
    trials=9,
    seed=1,
    folds=3,
    candidates=(),
)
BASE = 1.0


def task(value=None, **limits):
    return Task.model_validate(
        {
            "schema": "assay-task/1",
            "name": "choice",
            "existing": {"kind": "constant", "value": 0.0},
            "predict": {"target": "y", "type": "regression"},
            "data": {"sources": [{"name": "rows", "kind": "csv", "path": "rows.csv"}]},
            "value": value or {},
            "limits": limits,
        }
    )


def sure(gain, width=0.02, **more):
    """Evidence of a gain, plus or minus so much."""
    interval = Interval(low=gain - width, high=gain + width)
    facts = {"confidence": 0.9, "unit": "rows", "blocks": 100, "length": 1, "metrics": {}}
    return Evidence(**facts | {"improvement": interval, "difference": interval} | more)


def row(question, name, loss, *, gas=None, prove=0.1, memory=80.0, cv=None, ok=True, base=BASE, width=0.02, **more):
    """A candidate; one without gas is not proven."""
    measured = None
    if gas is not None:
        measured = Measured(
            prove_seconds=prove,
            first_prove_seconds=prove,
            verify_seconds=0.003,
            inference_seconds=0.001,
            memory_mb=memory,
            proof_bytes=1280,
            calldata_bytes=2000,
            gas=gas,
            deployment_gas=2_000_000,
            contract_bytes=9000,
            proving_key_bytes=50_000,
            setup_seconds=0.2,
        )
    made = Row(
        id=name,
        family=name,
        title=name.capitalize(),
        provable=measured is not None,
        cv=loss if cv is None else cv,
        test={"rmse": loss},
        improvement=BASE - loss,
        evidence=sure(base - loss, width),
        fidelity=Fidelity(rows=100, differing=0 if ok else 3, ok=ok) if measured else None,
        measured=measured,
        usd_per_inference=usd_per_inference(question.value, gas=gas, prove_seconds=prove) if gas else 0.0,
        latency_blocks=latency(question, inference_seconds=0.001, prove_seconds=prove if gas else 0.0),
        meets={},
        **more,
    )
    return made.model_copy(update={"meets": meets(question, made, base - loss)})


def decided(*, front=FRONT, others=(), **limits):
    question = task(**limits)
    rows = [
        row(question, "linear", 0.9, gas=200_000, prove=0.01, memory=40),
        row(question, "tree", 0.85, gas=300_000, prove=0.05),
        row(question, "xgboost", 0.7, gas=310_000, prove=13.0, memory=400),
        row(question, "garch", 0.6),
        row(question, "existing", BASE),
        *(row(question, **other) for other in others),
    ]
    return choose(question, rows, front)


def test_the_cheapest_that_meets_every_limit():
    found = decided(better_than_existing=0.05)
    assert (found.chosen, found.binding, found.nearest) == ("linear", None, None)
    first, second, *others = found.reasons
    assert "cheapest candidate that meets every limit: 0.60 USD an inference, 10 ms to prove, 200,000 gas" in first
    assert "2 blocks from the data to the action" in first
    assert "10 % better than the existing process (rmse 0.9 against 1)" in second
    assert any("Tree (tree) is 5.6 % better" in text and "costs 50 % more an inference" in text for text in others)
    assert any("Garch, a reference that is not proven, is 33 % better" in text for text in others)


def test_accuracy_has_its_price():
    found = decided(better_than_existing=0.12)
    assert found.chosen == "tree"
    assert any(
        "Linear (linear) costs 33 % less an inference, but is only 10 % better than the existing process, not 12 %"
        in text
        for text in found.reasons
    )
    assert "Asking for 12 % over the existing process costs 0.30 USD an inference: Linear (linear)" in found.limits[-1]


def test_what_each_limit_costs():
    found = decided(better_than_existing=0.12, latency_blocks=2, gas=320_000)
    assert found.chosen == "tree"
    assert "One block more latency would allow Xgboost (xgboost), 18 % better." in found.limits
    assert "The limit on gas (320,000 gas) keeps out no candidate that is better." in found.limits
    free = decided(better_than_existing=0.12, latency_blocks=2, gas=320_000, memory_mb=500, prove_seconds=20.0)
    (said,) = [text for text in free.limits if "no candidate that is better" in text]  # not one sentence a limit
    assert said.startswith("The limits on ")
    for words in ("gas (320,000 gas)", "memory (500 MB)", "proving time (20 s)"):
        assert words in said
    assert said.endswith(" keep out no candidate that is better.")
    found = decided(better_than_existing=0.12, prove_seconds=1.0)
    assert "A limit on proving time of 13 s instead of 1 s would allow Xgboost (xgboost), 18 % better." in found.limits
    found = decided(better_than_existing=0.12, memory_mb=100)
    assert "A limit on memory of 400 MB instead of 100 MB" in found.limits[0]


def test_trials_that_were_not_trained_are_counted():
    pruned = (Pruned(trial=3, family="forest", limits=("gas",)), Pruned(trial=4, family="tree", limits=("gas",)))
    found = decided(front=FRONT.model_copy(update={"pruned": pruned}), gas=305_000)
    assert "2 trials of 9 were not trained, because their predicted cost breaks it." in found.limits[0]


def test_equally_cheap_ones_are_told_apart_without_the_test_rows():
    twin = {"name": "twin", "loss": 0.95, "gas": 200_500, "prove": 0.01, "cv": 0.5}
    found = decided(others=[twin], better_than_existing=0.0)
    assert found.chosen == "twin"
    assert any(
        "Linear (linear) is 5.3 % better on the test rows, but is equally cheap and less accurate in the "
        "cross-validation" in text
        for text in found.reasons
    )


def test_worse_than_today_is_said_where_no_limit_forbids_it():
    bad = {"name": "bad", "loss": 1.2, "gas": 100_000, "prove": 0.01}
    found = decided(others=[bad], confidence=0.0)
    assert found.chosen == "bad"
    assert "20 % worse than the existing process" in found.reasons[1]
    assert found.reasons[1].endswith("no limit forbids that: set better_than_existing or confidence in [limits].")
    assert decided(others=[bad]).chosen == "linear"
    assert decided(others=[bad], better_than_existing=0.0).chosen == "linear"


def test_a_circuit_that_differs_from_its_model_is_never_chosen():
    wrong = {"name": "wrong", "loss": 0.5, "gas": 100_000, "prove": 0.01, "ok": False}
    found = decided(others=[wrong])
    assert found.chosen == "linear"
    assert any(
        "Wrong (wrong) is 44 % better" in text and "does not say what the model says" in text for text in found.reasons
    )


def test_what_cannot_be_converted_is_said():
    question = task()
    broken = row(question, "tree", 0.5, gas=1).model_copy(
        update={
            "measured": None,
            "usd_per_inference": 0.0,
            "fidelity": Fidelity(rows=0, differing=0, ok=False, problem="the values of wei are too large."),
        }
    )
    broken = broken.model_copy(update={"meets": meets(question, broken, 0.5)})
    found = choose(question, [broken, row(question, "linear", 0.9, gas=200_000)], FRONT)
    assert found.chosen == "linear"
    assert "Tree (tree) cannot be proven: the values of wei are too large." in found.reasons
    assert choose(question, [broken], FRONT).chosen is None


def test_none_qualifies_and_the_nearest_is_named():
    found = decided(better_than_existing=0.4, gas=250_000)
    # Linear misses the improvement by 0.3, the tree by 0.25; Xgboost by 0.1, and the gas by 0.24 of the limit.
    assert (found.chosen, found.binding) == (None, "gas")
    assert (found.nearest.id, found.nearest.limit) == ("xgboost", "gas")
    assert found.nearest.excess == pytest.approx(0.24)
    assert found.reasons[1] == "It also is only 30 % better than the existing process, not 40 %."
    assert found.reasons[0].startswith("No candidate meets every limit. The nearest is")
    found = decided(gas=150_000)
    assert (found.chosen, found.binding, found.nearest.id) == (None, "gas", "linear")
    assert found.nearest.excess == pytest.approx(1 / 3)
    assert "it breaks the limit on gas (200,000 gas; the limit is 150,000 gas)" in found.reasons[0]
    assert found.reasons[-1] == "Without that limit, 3 candidates would qualify."
    assert found.limits == ("3 of 3 candidates break the limit on gas.",)


def test_a_gain_that_may_be_chance_is_not_good_enough():
    lucky = {"name": "lucky", "loss": 0.8, "gas": 100_000, "prove": 0.01, "width": 0.3}
    found = decided(others=[lucky], better_than_existing=0.05)
    assert found.chosen == "linear"
    said = next(text for text in found.reasons if "Lucky" in text)
    assert "may be no better than the existing process: with 90 % confidence it is 10 % worse to 50 % better" in said
    assert any("Asking for 90 % confidence in the improvement costs" in text for text in found.limits)
    assert decided(others=[lucky], better_than_existing=0.05, confidence=0.0).chosen == "lucky"
    few = {"name": "few", "loss": 0.5, "gas": 100_000, "width": 0.0}
    question = task(better_than_existing=0.05)
    unknown = row(question, **few).model_copy(update={"evidence": sure(0.5, improvement=None, difference=None)})
    unknown = unknown.model_copy(update={"meets": meets(question, unknown, 0.5)})
    found = choose(question, [unknown, row(question, "existing", BASE)], FRONT)
    assert "has too few test rows to tell a gain from chance" in found.reasons[0]


def test_nothing_is_sure_enough():
    question = task(better_than_existing=0.0)
    rows = [row(question, "linear", 0.9, gas=200_000, width=0.2), row(question, "existing", BASE)]
    found = choose(question, rows, FRONT)
    assert (found.chosen, found.binding, found.nearest.id) == (None, "confidence", "linear")
    assert found.nearest.excess == pytest.approx(0.1)
    assert found.headline == (
        "No candidate is good enough: the nearest, Linear, may be no better than the existing process: with 90 % "
        "confidence it is 10 % worse to 30 % better."
    )
    assert found.limits[-1] == "1 of 1 candidate breaks the limit on confidence in the improvement."


def test_the_headline_says_what_cross_validation_and_test_rows_say():
    question = task(better_than_existing=0.05)
    today = row(question, "existing", BASE)

    def headline(**more):
        return choose(question, [row(question, "linear", 0.9, gas=200_000, **more), today], FRONT).headline

    agreed = headline(cv_improvement=0.09, cv_better=4, cv_folds=4)
    assert agreed == (
        "Linear is good enough: against what decides today it is 10 % better on the test rows (8.0 % to 12 % better "
        "with 90 % confidence) and 9.0 % better in the cross-validation."
    )
    differ = headline(cv_improvement=-0.18, cv_better=1, cv_folds=4)
    assert differ == (
        "Cross-validation and test rows disagree about Linear, which is chosen: against what decides today it is 18 % "
        "worse in the cross-validation and 10 % better on the test rows (8.0 % to 12 % better with 90 % confidence)."
    )
    assert headline(cv_improvement=0.3).startswith("Cross-validation and test rows disagree")
    assert headline(cv_improvement=0.15).startswith("Linear is good enough")
    near = [row(question, "linear", 0.99, gas=200_000, cv_improvement=-0.1), today]
    assert choose(question, near, FRONT).headline.startswith(
        "Cross-validation and test rows disagree about the nearest candidate, Linear:"
    )


def test_limits_on_a_metric_itself():
    found = decided(require=["rmse <= 0.75"])
    assert found.chosen == "xgboost"
    assert any("Asking for rmse <= 0.75 costs" in text for text in found.limits)
    assert any("breaks the limit rmse <= 0.75 (its rmse is 0.9)" in text for text in found.reasons)
    none = decided(require=["rmse <= 0.1"])
    assert (none.chosen, none.binding, none.nearest.id) == (None, "rmse <= 0.1", "xgboost")
    assert none.nearest.excess == pytest.approx(6.0)


def test_where_the_loss_is_money_the_best_net_value_is_chosen():
    value = {"loss": "ABS(y - prediction)", "unit": "USD per decision", "decisions_per_day": 24.0}
    question = task(value, metric="rmse")
    assert question.choice == "net_value"

    def worth(name, loss, gas, usd):
        net = Net(usd=usd, gain_usd=usd + 100, cost_usd=100, interval=Interval(low=usd - 50, high=usd + 50))
        return row(question, name, loss, gas=gas, net=net)

    today = row(question, "existing", BASE)
    rows = [worth("linear", 0.9, 200_000, 1000.0), worth("tree", 0.85, 300_000, 12_345.0), today]
    found = choose(question, rows, FRONT)
    assert found.chosen == "tree"
    assert "the one of the best net value a year on the test rows" in found.reasons[0]
    assert "Its net value is 12,300 USD a year (between 12,300 USD and 12,400 USD with 90 % confidence)" in " ".join(
        found.reasons
    )
    assert any("Linear (linear) costs 33 % less an inference, but is worth less a year" in one for one in found.reasons)
    losing = [worth("linear", 0.9, 200_000, -40.0), today]
    none = choose(question, losing, FRONT)
    assert (none.chosen, none.binding) == (None, "net_value")
    assert "is not worth what it costs (-40 USD a year)" in none.reasons[0]
    assert choose(task(value, metric="rmse", choose="cheapest"), rows, FRONT).chosen == "linear"


def test_nothing_was_trained():
    question = task(gas=1000)
    front = FRONT.model_copy(update={"pruned": (Pruned(trial=0, family="tree", limits=("gas",)),)})
    found = choose(question, [row(question, "existing", BASE)], front)
    assert (found.chosen, found.binding, found.nearest) == (None, "gas", None)
    assert "No candidate was trained" in found.reasons[0]


def test_blocks_from_the_data_to_the_action():
    question = task()
    quick = latency(question, inference_seconds=0.1, prove_seconds=1.0)
    assert (quick.feature_delay, quick.inclusion, quick.total) == (1, 1, 2)
    assert quick.proving == pytest.approx(1 / 12)
    assert latency(question, inference_seconds=1.0, prove_seconds=12.0).total == 3


def test_money_for_an_answer():
    value = task().value
    assert usd_per_inference(value, gas=200_000, prove_seconds=3600.0) == pytest.approx(0.6 + 0.1)


def test_a_decision_and_its_file(tmp_path):
    question = task()
    decision = Decision(
        schema="assay-decision/1",
        dataset="d",
        study="s",
        metric="rmse",
        rows=(row(question, "tree", 0.8, gas=300_000), row(question, "existing", BASE)),
        chosen="tree",
        reasons=("one",),
        limits=(),
        test_rows=10,
        test_looks=1,
        basis="b",
    )
    path = decision.save(tmp_path)
    assert Decision.load(tmp_path) == decision
    assert [one.qualifies for one in decision.rows] == [True, False]
    path.write_text(path.read_text().replace("assay-decision/1", "assay-decision/2"))
    with pytest.raises(ArtefactVersion):
        Decision.load(tmp_path)
    path.write_text("{}")
    with pytest.raises(DecisionDamaged):
        Decision.load(tmp_path)


def test_words():
    assert [percent(share) for share in (0.0004, 0.0123, 0.5, 1.234)] == ["0.04 %", "1.2 %", "50 %", "123 %"]
    assert [seconds(number) for number in (0.0123, 0.9, 3.456)] == ["12.3 ms", "900 ms", "3.46 s"]
    assert [usd(number) for number in (0.000123, 0.57, 12.345)] == ["0.00012 USD", "0.57 USD", "12.35 USD"]
    assert (plural(1, "block"), plural(2, "block")) == ("1 block", "2 blocks")
    assert (blocks_more(1.0), blocks_more(3.0)) == ("One block", "3 blocks")
    assert amount("latency_blocks", 2.0) == "2 blocks"
    assert amount("memory_mb", 1234.4) == "1,234 MB"


def test_gas_and_money_keep_out_the_same_candidate():
    found = decided(gas=250_000, usd_per_inference=0.7, better_than_existing=0.0)
    assert found.chosen == "linear"
    said = next(text for text in found.limits if text.startswith("The limit on gas (250,000 gas) alone keeps out no"))
    assert "together with that on" in said
    assert said.endswith("it keeps out Xgboost (xgboost), 22 % better.")


def test_a_process_without_loss_is_beaten_by_a_gain():
    question = task(better_than_existing=0.1, confidence=0.0)
    rows = [
        row(question, "linear", -0.5, gas=200_000, base=0.0).model_copy(
            update={"improvement": None, "evidence": sure(0.5, improvement=None)}
        ),
        row(question, "existing", 0.0, base=0.0),
    ]
    rows[0] = rows[0].model_copy(update={"meets": meets(question, rows[0], float("inf"))})
    found = choose(question, rows, FRONT)
    assert found.chosen == "linear"
    assert "On the test rows it is better than the existing process (rmse -0.5 against 0)." in found.reasons
    worse = rows[0].model_copy(update={"test": {"rmse": 0.5}, "meets": meets(question, rows[0], -float("inf"))})
    found = choose(question, [worse, rows[1]], FRONT)
    assert (found.chosen, found.binding) == (None, "better_than_existing")
    assert "is worse than the existing process" in found.reasons[0]


def test_nearly_equal_costs_are_called_so():
    others = [
        {"name": "b", "loss": 0.5, "gas": 201_000, "cv": 0.5},
        {"name": "c", "loss": 0.4, "gas": 202_600, "cv": 0.4},
    ]
    found = decided(others=[other | {"prove": 0.01} for other in others])
    assert found.chosen == "b"
    assert "the cheapest within 1 %, the most accurate in the cross-validation" in found.reasons[0]
    assert any("C (c) is 20 % better on the test rows, but costs 0.8 % more" in text for text in found.reasons)

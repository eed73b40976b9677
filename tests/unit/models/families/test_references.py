"""The reference models of volatility: their formulas, and that they never see what is not known yet."""

import numpy as np
import pytest
from tests.unit.models.small import panel, problem, rows

from assay.models.families.registry import family
from assay.models.rows import Rows
from assay.models.search.trial import judge

NAMES = ["ewma", "garch", "har"]


def question(**changes):
    return problem(timed=True, reach=2, returns="x0", **changes)


@pytest.mark.parametrize("name", NAMES)
def test_the_future_does_not_reach_back(name):
    known = rows(timed=True)
    one = family(name)
    fitted = one.fit({}, question(), known.between(0, 250), 0)
    before = fitted.predict(known)
    frame = known.frame.with_columns(x0=np.where(np.arange(400) > 300, 9.0, known.frame["x0"].to_numpy()))
    y = np.where(np.arange(400) > 300, 9.0, known.y)
    after = fitted.predict(Rows(known.X, y, frame))
    # The target of row 301 is known two rows later, a return of row 301 in that row.
    first = 301 if name == "garch" else 303
    assert np.array_equal(after[:first], before[:first])
    assert not np.array_equal(after[first:], before[first:])
    assert np.array_equal(fitted.predict(known, 120), before[120:])


@pytest.mark.parametrize("name", NAMES)
def test_it_is_read_again_and_not_proven(name, tmp_path):
    known, one = rows(timed=True), family(name)
    fitted = one.fit({}, question(), known, 0)
    again = one.load(tmp_path / fitted.save(tmp_path), question())
    assert np.array_equal(again.predict(known), fitted.predict(known))
    assert fitted.size() is None
    assert (one.provable, one.searched) == (False, False)
    assert "time" in one.refuses(problem(returns="x0"), known)
    assert "binary" in one.refuses(problem("binary", timed=True), known)
    assert one.refuses(question(entity="account", time="time"), known) == "is for one series"


@pytest.mark.parametrize("name", NAMES)
def test_a_label_that_does_not_say_how_far_it_looks_has_no_past(name):
    assert "[data.label] horizon" in family(name).refuses(question(unsaid=True), rows(timed=True))


def test_a_model_of_the_past_gains_nothing_by_a_label_that_looks_far_ahead():
    """A ready-made mean of the next 20 rows of noise: its neighbour, 1 row old, would nearly be it."""
    random = np.random.default_rng(0)
    noise = random.lognormal(0, 0.5, 1020)
    means = np.convolve(noise, np.ones(20) / 20, "valid")[1:]
    known = rows(timed=True, count=1000)
    known = Rows(known.X, means[:1000], known.frame)
    errors = {}
    for reach in (1, 20):
        asked = problem(timed=True, reach=reach)
        fitted = family("har").fit({}, asked, known.between(0, 700), 0)
        errors[reach] = np.mean((fitted.predict(known, 720) - known.y[720:]) ** 2)
    constant = np.mean((known.y[:700].mean() - known.y[720:]) ** 2)
    assert errors[1] < 0.5 * constant  # what it would win by seeing the future
    assert errors[20] > 0.9 * constant


def test_what_looks_at_the_rows_before_is_not_judged_on_several_series():
    own = panel()
    fitted = family("har").fit({}, problem(timed=True, reach=1), rows(timed=True), 0)
    with pytest.raises(ValueError, match="of other series"):
        judge(problem(timed=True, entity="account", time="time"), fitted, own, past=own)


def test_ewma_is_the_weighted_mean_of_squares():
    known = rows(timed=True)
    fitted = family("ewma").fit({}, question(), known, 0)
    mean = fitted.level**2
    found = fitted.predict(known)
    for row in range(60):
        past = known.y[row - 2] if row >= 2 else fitted.level
        mean = fitted.decay * mean + (1 - fitted.decay) * past**2
        assert found[row] == pytest.approx(np.sqrt(mean))


def test_har_finds_the_weights_that_made_the_target():
    random = np.random.default_rng(0)
    y = list(1 + 0.1 * random.normal(size=22))
    for _ in range(3000):
        past = np.array(y)
        y.append(0.1 + 0.4 * past[-1] + 0.3 * past[-5:].mean() + 0.2 * past[-22:].mean() + 0.01 * random.normal())
    own = rows(timed=True, count=len(y))
    own.y[:] = y
    fitted = family("har").fit({}, problem(timed=True, reach=1), own, 0)
    assert fitted.weights == pytest.approx([0.1, 0.4, 0.3, 0.2], abs=0.06)


def test_garch_forecasts_as_the_library_does():
    from arch import arch_model

    random = np.random.default_rng(1)
    variance, returns = 1.0, []
    for _ in range(1500):
        value = np.sqrt(variance) * random.normal()
        returns.append(0.01 * value)
        variance = 0.05 + 0.1 * value**2 + 0.85 * variance
    own = rows(timed=True, count=1500)
    own = Rows(own.X, np.abs(own.y), own.frame.with_columns(x0=np.array(returns)))
    fitted = family("garch").fit({}, question(), own, 0)
    assert (fitted.alpha, fitted.beta) == pytest.approx((0.1, 0.85), abs=0.08)
    theirs = arch_model(np.array(returns) * 100, mean="Constant", vol="GARCH", rescale=False).fit(disp="off")
    expected = np.sqrt(theirs.forecast(horizon=1, reindex=False).variance.to_numpy()[-1, 0]) / 100
    assert fitted.volatility(own)[-1] == pytest.approx(expected, rel=0.02)
    assert "log_return" in family("garch").refuses(problem(timed=True, returns=None), own)
    assert "negative" in family("garch").refuses(question(), Rows(own.X, -own.y, own.frame))

"""The classifier, the rule it competes with, and what both are worth on days that neither has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo.data import MONTH, Bools, Dataset, Floats, Split

TREES = 100
DEPTHS = (4, 5, 6)
RATES = (0.02, 0.05, 0.1)
SEED = 7
RESAMPLES = 2000
LABELS = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "auc": "AUC", "log_loss": "log loss"}


@dataclass(frozen=True)
class Metrics:
    """Of one forecaster on the test days; all but `log_loss` are better when larger."""

    accuracy: float
    balanced_accuracy: float
    auc: float
    log_loss: float


@dataclass(frozen=True)
class Forecaster:
    """What one of them says of every test day.

    Attributes
    ----------
    name, short
        For people, in a table and in a figure.
    turbulent
        Its verdict, bool[N].
    score
        What ranks the days, for the area under the ROC curve, float64[N].
    probability
        Of a turbulent day, float64[N].
    """

    name: str
    short: str
    turbulent: Bools
    score: Floats
    probability: Floats


@dataclass(frozen=True)
class Candidate:
    """One setting tried and its log loss on the validation days."""

    depth: int
    rate: float
    log_loss: float


@dataclass(frozen=True)
class Trained:
    """The chosen classifier, and all that were tried."""

    classifier: Any
    chosen: Candidate
    tried: list[Candidate]


@dataclass(frozen=True)
class Edge:
    """By how much the model's accuracy exceeds another's (`over` is its short name), with a 95 % interval."""

    over: str
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Study:
    """The forecasting problem and how everyone does on it.

    Attributes
    ----------
    data, parts, trained
        What was learned from.
    forecasters
        Model, existing rule, references, in this order.
    measured
        Metrics on the test days by name of forecaster, in the same order.
    edges
        Of the model over each of the others.
    """

    data: Dataset
    parts: Split
    trained: Trained
    forecasters: list[Forecaster]
    measured: dict[str, Metrics]
    edges: list[Edge]

    @property
    def truth(self) -> Bools:
        """What the test days turned out to be."""
        return self.data.y[self.parts.test]

    @property
    def rows(self) -> NDArray[np.float32]:
        """Feature rows of the test days, float32[N, F]."""
        return self.data.X[self.parts.test]


def study(data: Dataset, parts: Split) -> Study:
    """Train, and measure everyone on the test days."""
    trained = train(data, parts)
    everyone = forecasters(trained, data, parts)
    truth = data.y[parts.test]
    measured = {forecaster.name: measure(forecaster, truth) for forecaster in everyone}
    edges = [edge(everyone[0], other, truth) for other in everyone[1:]]
    return Study(data, parts, trained, everyone, measured, edges)


def train(data: Dataset, parts: Split) -> Trained:
    """Fit on the training days, choose depth and learning rate on the validation days."""
    from sklearn.metrics import log_loss

    tried: list[tuple[Candidate, Any]] = []
    for depth in DEPTHS:
        for rate in RATES:
            classifier = _classifier(depth, rate).fit(data.X[parts.train], data.y[parts.train])
            probability = classifier.predict_proba(data.X[parts.validation])[:, 1]
            loss = float(log_loss(data.y[parts.validation], probability))
            tried.append((Candidate(depth, rate, loss), classifier))
    chosen, classifier = min(tried, key=lambda pair: pair[0].log_loss)
    return Trained(classifier, chosen, [candidate for candidate, _ in tried])


def _classifier(depth: int, rate: float) -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(
        n_estimators=TREES,
        max_depth=depth,
        learning_rate=rate,
        min_child_weight=10,
        subsample=0.7,
        colsample_bytree=0.5,
        reg_lambda=5.0,
        random_state=SEED,
        n_jobs=1,  # a few thousand rows: threads cost more than they bring
    )


def forecasters(trained: Trained, data: Dataset, parts: Split) -> list[Forecaster]:
    """The model, the existing rule, and two references, on the test days; the model comes first."""
    probability = trained.classifier.predict_proba(data.X[parts.test])[:, 1].astype(np.float64)
    usual = float(data.y[parts.train].mean() > 0.5)
    rules = {
        ("existing rule", "rule"): data.today.astype(np.float64),
        ("last week's mean", "last week's mean"): data.week - 0.5,
        ("always the same", "same answer"): np.full(len(data.y), usual),
    }
    model = Forecaster("XGBoost model", "model", probability > 0.5, probability, probability)
    return [model, *(_by_sign(*names, score, data, parts) for names, score in rules.items())]


def _by_sign(name: str, short: str, score: Floats, data: Dataset, parts: Split) -> Forecaster:
    """A forecaster that says "turbulent" above one half; its two probabilities are the training days' frequencies."""
    says = score > 0.5
    before, truth = says[parts.train], data.y[parts.train]
    frequency = {side: float(truth[before == side].mean()) for side in (False, True) if (before == side).any()}
    verdict = says[parts.test]
    probability = np.array([frequency[bool(side)] for side in verdict])
    return Forecaster(name, short, verdict, score[parts.test], probability)


def measure(forecaster: Forecaster, truth: Bools) -> Metrics:
    """Its metrics on the test days."""
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss, roc_auc_score

    return Metrics(
        accuracy=float(accuracy_score(truth, forecaster.turbulent)),
        balanced_accuracy=float(balanced_accuracy_score(truth, forecaster.turbulent)),
        auc=float(roc_auc_score(truth, forecaster.score)),
        log_loss=float(log_loss(truth, forecaster.probability)),
    )


def edge(model: Forecaster, other: Forecaster, truth: Bools) -> Edge:
    """How much more often the model is right, with a 95 % interval.

    Days that follow each other are alike, so whole months are resampled and not days.

    Source: Künsch (1989), moving-block bootstrap.
    """
    gain = (model.turbulent == truth).astype(np.float64) - (other.turbulent == truth)
    random = np.random.default_rng(SEED)
    starts = random.integers(0, len(gain) - MONTH + 1, size=(RESAMPLES, -(-len(gain) // MONTH)))
    days: NDArray[np.int64] = (starts[:, :, None] + np.arange(MONTH)).reshape(RESAMPLES, -1)[:, : len(gain)]
    low, high = np.quantile(gain[days].mean(axis=1), [0.025, 0.975])
    return Edge(other.short, float(gain.mean()), float(low), float(high))


def verdict(measured: dict[str, Metrics]) -> str:
    """One honest sentence: where the model is better than the existing rule, and where it is not."""
    (_, model), (_, rule), *_ = measured.items()
    wins: list[str] = []
    losses: list[str] = []
    for metric, label in LABELS.items():
        ours, theirs = getattr(model, metric), getattr(rule, metric)
        better = ours < theirs if metric == "log_loss" else ours > theirs
        (wins if better else losses).append(label)
    if not losses:
        return "The model beats the existing rule on all four metrics."
    if not wins:
        return "The existing rule is as good as the model or better on all four metrics: keep the rule."
    return f"The model beats the existing rule on {listed(wins)}, but not on {listed(losses)}."


def listed(words: list[str]) -> str:
    """The words in a row, with "and" before the last."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]

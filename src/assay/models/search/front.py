"""The front: the candidates that no other one beats in accuracy, proving time and gas together."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.core import documents
from assay.core.shown import Shown
from assay.models.candidate import Summary
from assay.models.errors import CandidateDamaged
from assay.models.families.registry import family
from assay.models.metrics import loss_of

if TYPE_CHECKING:
    import os

    from assay.models.candidate import Score
    from assay.models.rows import Kind

FILE = "front.json"

SAME_COST = 0.02
"""Predicted costs that differ by less count as equal: predictions are not that exact."""


class Pruned(BaseModel):
    """A trial that was not trained, because its predicted cost breaks limits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    trial: int
    family: str
    limits: tuple[str, ...]


class Failed(BaseModel):
    """A trial that did not come to an end, with what its library said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    trial: int
    family: str
    what: str


class Front(Shown, BaseModel):
    """What an exploration found.

    Attributes
    ----------
    dataset
        Content hash of the dataset.
    study
        Name of the study in `study.sqlite`; explorations with the same one are the same.
    calibration
        Digest of the calibration that costs were predicted with.
    metric
        What candidates were compared by.
    candidates
        All that were trained, the best first; the existing process and the reference models among them.
    pruned, failed
        Trials without a candidate.
    skipped
        Families that cannot learn from this data, with the reason.
    trials, seed, folds
        As in [explore].
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal["assay-front/1"] = Field("assay-front/1", alias="schema")
    dataset: str
    study: str
    calibration: str
    metric: str
    trials: int
    seed: int
    folds: int
    candidates: tuple[Summary, ...]
    pruned: tuple[Pruned, ...] = ()
    failed: tuple[Failed, ...] = ()
    skipped: dict[str, str] = {}

    @property
    def best(self) -> list[Summary]:
        """The front itself, the most accurate first."""
        return [candidate for candidate in self.candidates if candidate.front]

    @property
    def references(self) -> list[Summary]:
        """The existing process and the models that are not proven."""
        return [candidate for candidate in self.candidates if not candidate.provable]

    def without(self, names: set[str]) -> Front:
        """The front as it is when these candidates are no candidates: those that only they beat are on it then."""
        kept = [one for one in self.candidates if one.id not in names]
        return self.model_copy(update={"candidates": tuple(flagged(kept))})

    def told(self, kind: Kind) -> list[str]:
        """What was not tried or failed although it is for such targets, in a sentence each."""
        said = [f"{len(self.failed)} trials failed, the first because: {one.what}" for one in self.failed[:1]]
        if self.pruned:
            said.append(f"{len(self.pruned)} trials were not trained: their predicted cost breaks a limit")
        untried = {name: reason for name, reason in self.skipped.items() if family(name).meant(kind, reason)}
        return said + [f"{name} was not tried: it {reason}" for name, reason in untried.items()]

    def _facts(self) -> list[tuple[str, str]]:
        unproven = len([one for one in self.candidates if not one.provable])
        return [
            ("best", ", ".join(one.id for one in self.best)),
            ("candidates", f"{len(self.candidates)}, of which {unproven} are references"),
            ("trials", f"{self.trials} ({len(self.pruned)} pruned, {len(self.failed)} failed)"),
            ("metric", self.metric),
        ]

    def save(self, folder: Path) -> Path:
        """Write `front.json` into `folder`, whole or not at all."""
        path = folder / FILE
        documents.write(path, self)
        return path

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Front:
        """Read what `save` wrote.

        Raises
        ------
        StorageError
            There is no such file.
        CandidateDamaged
            It holds no front.
        ArtefactVersion
            It was written by another release.
        """
        path = Path(folder) / FILE
        return documents.read(path, cls, damaged=CandidateDamaged, todo="Run `assay explore` again.")


def contenders(candidates: list[Summary]) -> list[Summary]:
    """Those that were judged on a sample, and may be the most accurate once they are judged on all rows.

    First the best itself, until it was judged so: a sample's luck is gone with it. Then those that would be better than
    it by what the folds leave open between both, and by the most that any has gained by learning from all rows.
    """
    provable = [one for one in flagged(candidates) if one.provable]
    if not provable or provable[0].sample:
        return provable[:1]
    best = provable[0]
    gained = [_loss(one, one.sample_cv) - _loss(one, one.cv) for one in provable if one.sample_cv is not None]
    gain = max([0.0, *(one for one in gained if math.isfinite(one))])
    reach = _loss(best, best.cv) + gain
    return [one for one in provable if one.sample and _loss(one, one.cv) - _open(one, best) <= reach]


def _open(one: Summary, best: Summary) -> float:
    """Half of the interval of the mean difference between two losses over the same folds, with 90 % confidence."""
    from scipy.special import stdtrit  # type: ignore[import-untyped]  # it has no stubs

    pairs = zip(one.cv.folds, best.cv.folds, strict=True)
    apart = [loss_of(one.metric, own) - loss_of(one.metric, other) for own, other in pairs]
    # Of one fold, nothing is known.
    if len(apart) < 2 or not all(map(math.isfinite, apart)):
        return math.inf if all(map(math.isfinite, one.cv.folds)) else 0.0
    return float(stdtrit(len(apart) - 1, 0.95) * statistics.stdev(apart) / math.sqrt(len(apart)))


def _loss(one: Summary, score: Score) -> float:
    return loss_of(one.metric, score.mean)


def flagged(candidates: list[Summary]) -> list[Summary]:
    """The candidates, the best first, with those on the front marked; equal models count once."""
    ordered = sorted(candidates, key=lambda one: (_loss(one, one.cv), one.predicted.prove_seconds, one.id))
    provable = [one for one in ordered if one.provable]
    front = {one.id for one in provable if not any(_dominates(other, one) for other in provable)}
    return [one.model_copy(update={"front": one.id in front}) for one in ordered]


def _dominates(one: Summary, other: Summary) -> bool:
    """At least as good in everything, and really better in something."""
    losses = [_loss(one, one.cv), _loss(other, other.cv)]
    costs = [(summary.predicted.prove_seconds, summary.predicted.gas) for summary in (one, other)]
    if losses[0] > losses[1] or any(a > b * (1 + SAME_COST) for a, b in zip(*costs, strict=True)):
        return False
    if losses[0] < losses[1]:
        return True
    # The same accuracy: cheaper, or the same model under another name.
    return costs[0] < costs[1] or (costs[0] == costs[1] and one.id < other.id)

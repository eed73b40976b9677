"""Whether an experiment is what it says: the draw by itself, the split of the traffic, and what is carried over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from assay.compare.effect import Units

    Floats = NDArray[np.float64]
    Arms = NDArray[np.bool_]

DRAWS = 9999
"""Draws of a randomisation test: its least p-value is 1 in this and one."""

_AT_ONCE = 500


def randomisation(units: Units, seed: int = 7) -> float:
    """The chance of a difference as large as this one if no unit's outcome hung on its arm (Fisher's exact test).

    Arms are drawn again, as they were, and the difference computed again from the same outcomes, less what the
    covariates explain. It looks once: at the end of a plan, not at every look. Units of a cluster are drawn one by one.
    """
    rest = _unexplained(units.outcome, units.before)
    return _p_value(rest, units.treated, units.share, seed)


def carry_over(units: Units, order: int = 1, seed: int = 7, drawn: Mapping[int, bool] | None = None) -> float:
    """The chance of the dependence seen on the arm `order` blocks before if nothing were carried so far.

    For a switchback of one pool, whose blocks are the units' clusters; `drawn` says the arms of all blocks where some
    have no outcome, and so are no units. Every block is either focal or not: the arms of the blocks `order` before
    focal ones are drawn again while focal blocks keep arm and outcome, which, without carry-over, says what would have
    been seen (Bojinov, Simchi-Levi, Zhao, Design and Analysis of Switchback Experiments, arXiv 2009.00148, Section 5;
    focal units: Athey, Eckles, Imbens, 2018). Both halves are tested, and the smaller p-value doubled.

    What explains an outcome may be of focal blocks alone: the block before it, whose own effect hangs on the arm that
    is drawn again, would show that effect as one that is carried over. The focal block before it is taken.
    """
    arms = dict(zip(units.cluster.tolist(), units.treated.tolist(), strict=True)) | dict(drawn or {})
    outcomes = dict(zip(units.cluster.tolist(), units.outcome.tolist(), strict=True))
    there = np.array([block - order in arms for block in units.cluster.tolist()], dtype=np.bool_)
    both = []
    for half in (0, 1):
        focal = np.flatnonzero(there & ((units.cluster // order) % 2 == half))
        outcome, blocks = units.outcome[focal], units.cluster[focal].tolist()
        mean = float(outcome.mean()) if len(focal) else 0.0
        earlier = [outcomes.get(block - 2 * order, mean) for block in blocks]
        rest = _unexplained(outcome, np.column_stack([earlier, units.treated[focal].astype(np.float64)]))
        before = np.array([arms[block - order] for block in blocks], dtype=np.bool_)
        both.append(_p_value(rest, before, units.share, seed + half))
    return min(1.0, 2 * min(both))


def sample_ratio(treated: Arms, share: float) -> Floats:
    """(units,): evidence against the split that was agreed, at every look; 1 / alpha or more at any look is an alarm.

    A mixture of Bernoulli shares over a Beta distribution around `share`, against `share` itself: an e-process, so that
    it passes 1 / alpha with chance alpha at most, over all looks (Lindon and Malek, Anytime-valid inference for
    multinomial count data, 2022).
    """
    from scipy.special import betaln  # type: ignore[import-untyped]  # it has no stubs

    new = np.cumsum(treated, dtype=np.float64)
    old = np.arange(1, len(treated) + 1) - new
    with np.errstate(over="ignore"):
        found = np.exp(
            betaln(_WEIGHT * share + new, _WEIGHT * (1 - share) + old)
            - betaln(_WEIGHT * share, _WEIGHT * (1 - share))
            - new * np.log(share)
            - old * np.log1p(-share)
        )
    return np.asarray(found, dtype=np.float64)


_WEIGHT = 100.0
"""How near the agreed share a fault is looked for: this many units' worth of it."""


def _unexplained(outcome: Floats, explained_by: Floats) -> Floats:
    rows = np.column_stack([np.ones(len(outcome)), explained_by])
    return np.asarray(outcome - rows @ np.linalg.lstsq(rows, outcome, rcond=None)[0])


def _p_value(outcome: Floats, treated: Arms, share: float, seed: int) -> float:
    source = np.random.default_rng(seed)
    difference = _difference(outcome, share)
    seen = abs(float(difference(treated[np.newaxis])[0]))
    as_large = 0
    for start in range(0, DRAWS, _AT_ONCE):
        drawn = source.random((min(_AT_ONCE, DRAWS - start), len(outcome))) < share
        # Sums that differ in the order of their terms alone are equal.
        as_large += int((np.abs(difference(drawn)) >= seen * (1 - 1e-12)).sum())
    return (1 + as_large) / (1 + DRAWS)


def _difference(outcome: Floats, share: float) -> Callable[[Arms], Floats]:
    """Horvitz and Thompson's difference of the arms, for each draw (draws, units)."""
    total = float(outcome.sum())

    def of(treated: Arms) -> Floats:
        new = treated @ outcome
        return np.asarray(new / share - (total - new) / (1 - share))

    return of

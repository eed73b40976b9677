"""The search: Optuna proposes parameters for accuracy, proving time and gas at once; its memory is an SQLite file.

Each family has a study of its own and a share of the trials that grows with the number of its parameters: in
one study for all, the cheapest family is never dominated and draws the trials of the others to itself.

Trials go in rounds of a fixed size. All of a round are proposed from what earlier rounds found, before any of
it runs, each with a seed of its own. So the proposals do not depend on how many run at once, or on which ends
first, and a search that was interrupted goes on as it would have.
"""

from __future__ import annotations

import json
import sqlite3
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core import files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

    from assay.models.families.family import Family, Params
    from assay.models.rows import Problem

FILE = "study.sqlite"
ROUND = 6
"""Trials that are proposed at once; more workers than this do not help, fewer find the same."""

_RANDOM_FIRST = 5
"""Trials of a family before its proposals follow what it found."""

_INDEX, _PARAMS = "index", "params"


@dataclass(frozen=True)
class Proposal:
    """A model to try.

    Attributes
    ----------
    index
        Counted from 0 over the whole search.
    trial
        Optuna's number for it in its family's study.
    """

    index: int
    trial: int
    family: str
    params: Params


@dataclass(frozen=True)
class Told:
    """A proposal that has ended, and what was noted beside it."""

    proposal: Proposal
    notes: dict[str, Any]


class Search:
    """A search that is kept in `folder/study.sqlite`, under a name that says what it searches."""

    def __init__(self, folder: Path, name: str, families: Sequence[Family], problem: Problem, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._path = folder / FILE
        self._families = {family.name: family for family in families}
        self._problem = problem
        self._seed = seed
        with self._stored():
            folder.mkdir(parents=True, exist_ok=True)
            self._storage = _storage(self._path)
            self._studies = {
                family: optuna.create_study(
                    storage=self._storage,
                    study_name=f"{name}/{family}",
                    directions=["minimize"] * 3,
                    load_if_exists=True,
                )
                for family in self._families
            }
            self._drop_unfinished_proposals()

    def round(self, trials: int) -> list[Proposal]:
        """The proposals of the next round that have no result; empty when the first `trials` have one.

        Rounds are always proposed whole, also where `trials` ends within one, so that a longer search later
        finds what it would have found at once.
        """
        with self._stored():
            proposed = self._proposed()
            open_ = [_proposal(name, trial) for name, trial in proposed.values() if not trial.state.is_finished()]
            start = len(proposed)
            # A round that was cut short while it was proposed is completed first: no result of it is known yet.
            if start % ROUND or (not open_ and start < trials):
                order = _schedule(self._weights(), (start // ROUND + 1) * ROUND)
                open_ += [self._propose(index, order[index]) for index in range(start, len(order))]
            return sorted((one for one in open_ if one.index < trials), key=lambda one: one.index)

    def tell(self, proposal: Proposal, objectives: tuple[float, float, float] | None, *, pruned: bool = False) -> None:
        """Keep a result: loss, seconds, gas; or none, if the trial was pruned or failed."""
        from optuna.trial import TrialState

        study = self._studies[proposal.family]
        with self._stored(), _quiet():
            if objectives is not None:
                study.tell(proposal.trial, objectives)
            else:
                study.tell(proposal.trial, state=TrialState.PRUNED if pruned else TrialState.FAIL)

    def told(self, trials: int) -> list[Told]:
        """Those of the first `trials` that have ended, in order."""
        with self._stored():
            proposed = self._proposed()
        ended = [proposed[index] for index in sorted(proposed) if index < trials]
        return [Told(_proposal(name, one), one.user_attrs) for name, one in ended if one.state.is_finished()]

    def note(self, proposal: Proposal, **facts: Any) -> None:
        """Keep facts beside a proposal, before its result is told."""
        study = self._studies[proposal.family]._study_id  # noqa: SLF001 - Optuna offers no other way to an older trial
        with self._stored():
            identifier = self._storage.get_trial_id_from_study_id_trial_number(study, proposal.trial)
            for name, value in facts.items():
                self._storage.set_trial_user_attr(identifier, name, value)

    def close(self) -> None:
        """Let go of the file."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    def _proposed(self) -> dict[int, tuple[str, FrozenTrial]]:
        """All proposals by index, with their family."""
        return {
            trial.user_attrs[_INDEX]: (name, trial)
            for name, study in self._studies.items()
            for trial in study.get_trials(deepcopy=False)
            if _PARAMS in trial.user_attrs
        }

    def _drop_unfinished_proposals(self) -> None:
        """A proposal that was interrupted while it was made is made again."""
        from optuna.trial import TrialState

        for study in self._studies.values():
            for trial in study.get_trials(deepcopy=False):
                if not trial.state.is_finished() and _PARAMS not in trial.user_attrs:
                    study.tell(trial.number, state=TrialState.FAIL)

    def _weights(self) -> dict[str, int]:
        return {name: max(len(family.defaults(self._problem)), 1) for name, family in self._families.items()}

    def _propose(self, index: int, name: str) -> Proposal:
        family, study = self._families[name], self._studies[name]
        with _quiet():
            study.sampler = self._sampler(index, family, study)
            trial = study.ask()
            params = family.space(_Suggest(trial), self._problem)
        trial.set_user_attr(_INDEX, index)
        trial.set_user_attr(_PARAMS, json.dumps(params))
        return Proposal(index, trial.number, name, params)

    def _sampler(self, index: int, family: Family, study: Study) -> Any:
        """A family's first trial are its defaults; the others follow what was found."""
        from optuna.samplers import PartialFixedSampler, TPESampler

        seed = int(np.random.SeedSequence([self._seed, index]).generate_state(1)[0])
        # Without the liar: what else is in the round must not count.
        sampler = TPESampler(seed=seed, n_startup_trials=_RANDOM_FIRST, constant_liar=False)
        if any(_PARAMS in trial.user_attrs for trial in study.get_trials(deepcopy=False)):
            return sampler
        return PartialFixedSampler(family.defaults(self._problem), sampler)

    @contextmanager
    def _stored(self) -> Iterator[None]:
        """Say in Assay's words that the file cannot be used."""
        from optuna.exceptions import StorageInternalError
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with files.translated(self._path, "write"):
                yield
        except (SQLAlchemyError, StorageInternalError) as error:
            raise files.storage_error(_os_error(error), self._path, "use") from error


class _Suggest:
    """A trial's suggestions in the words of the models room."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def integer(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        return self._trial.suggest_int(name, low, high, log=log)

    def number(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        return self._trial.suggest_float(name, low, high, log=log)

    def choice(self, name: str, options: Sequence[Any]) -> Any:
        return self._trial.suggest_categorical(name, list(options))


def _schedule(weights: dict[str, int], trials: int) -> list[str]:
    """Whose turn each trial is: every family once, then each as often as its weight says."""
    order = list(weights)[:trials]
    counts = dict.fromkeys(weights, 1)
    while len(order) < trials:
        name = min(weights, key=lambda one: counts[one] / weights[one])
        counts[name] += 1
        order.append(name)
    return order


def _proposal(family: str, trial: FrozenTrial) -> Proposal:
    attributes = trial.user_attrs
    return Proposal(attributes[_INDEX], trial.number, family, json.loads(attributes[_PARAMS]))


def _storage(path: Path) -> Any:
    from optuna.storages import RDBStorage
    from sqlalchemy.pool import StaticPool

    # By a function and not by an address: a path may hold any character.
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(str(path), check_same_thread=False, timeout=30)
        # Whole after any interruption of the program; after one of the power the trials' folders are still there.
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    return RDBStorage("sqlite:///study", engine_kwargs={"creator": connect, "poolclass": StaticPool})


def _os_error(error: BaseException) -> OSError:
    import errno

    while error.__cause__ is not None:
        error = error.__cause__
    text = " ".join(str(error).split())
    if "readonly" in text or "unable to open" in text:
        return OSError(errno.EACCES, text)
    if "disk is full" in text or "disk I/O" in text:
        return OSError(errno.ENOSPC, text)
    return OSError(errno.EIO, f"{text:.120}; delete it to begin anew")


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna warns of parts of it that may change; the tests hold those that are used here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

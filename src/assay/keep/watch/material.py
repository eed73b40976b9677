"""What the watch looks at: a release's answers in order, and what its private part holds of the training rows."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core import files, jsontext
from assay.core.errors import AssayError
from assay.data.dataset.dataset import MANIFEST_FILE, ROWS_FILE, Dataset
from assay.keep.watch.alarms import Rows as Told
from assay.keep.watch.drift import Trained
from assay.keep.watch.realised import judges_probabilities, left_over, losses, stated
from assay.keep.watch.realised import rows_of as losses_of
from assay.models.existing import ExistingProcess
from assay.models.rows import problem_of, rows_of
from assay.record import answers, artefacts
from assay.release.make import private_digests
from assay.release.parts import CIRCUIT_FILE
from assay.task.read import parse
from assay.transpile.circuit.circuit import Circuit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.keep.watch.signal import Signal
    from assay.models.families.family import Fitted
    from assay.models.rows import Problem, Rows
    from assay.record.answers import Answer
    from assay.record.database import Database
    from assay.record.releases import Release
    from assay.task.task import Task

    Floats = NDArray[np.float64]

MOST = 20_000
"""Rows that are looked at, the newest; of more the oldest are left out, and that is said."""
_EVALUATED = 2_000
"""Training rows that the circuit is evaluated on, the last ones, for the spread of its outputs."""
_DATASET = "dataset/rows.parquet"


@dataclass(frozen=True)
class Lines:
    """Rows that were answered, the oldest first; one line each, also where one answer has several.

    Attributes
    ----------
    ids
        Of the answers.
    periods
        Blocks; -1 where there is none.
    times
        (rows,): of the row's bar, else when it was asked; seconds since 1970.
    created
        (rows,): when it was asked.
    X
        (rows, features), NaN where missing.
    outputs
        (rows, outputs), NaN before it is proven.
    ended
        (rows,): whether a value within the model ended before its own do, as the prover said.
    outcomes, existing
        (rows,): what came of it, and what today's process decided; NaN where that is not known.
    columns
        Other columns of the dataset that were kept with it.
    """

    ids: tuple[str, ...]
    periods: NDArray[np.int64]
    times: Floats
    created: Floats
    X: Floats
    outputs: Floats
    ended: NDArray[np.bool_]
    outcomes: Floats
    existing: Floats
    columns: tuple[dict[str, Any], ...] = field(repr=False)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ids)

    def of(self, index: NDArray[Any] | slice) -> Lines:
        """Some of them: by a mask, places or a slice."""
        places = np.arange(len(self))[index]
        arrays = {
            name: getattr(self, name)[places]
            for name in ("periods", "times", "created", "X", "outputs", "ended", "outcomes", "existing")
        }
        ids, columns = (tuple(own[place] for place in places) for own in (self.ids, self.columns))
        return Lines(ids, columns=columns, **arrays)

    def since(self, moment: float) -> Lines:
        """Those that were asked for later."""
        return self.of(self.created > moment)

    def last(self, count: int) -> Lines:
        """The last ones."""
        return self.of(slice(max(len(self) - count, 0), None))

    def rows(self) -> Told:
        """Which answers they are, for an alarm."""
        if not len(self):
            return Told(0)
        ends = [int(self.periods[place]) for place in (0, -1)]
        first, last = (end if end >= 0 else None for end in ends)
        return Told(len(self), first, last, tuple(dict.fromkeys((self.ids[0], self.ids[-1]))))

    def named(self, signal: Signal) -> Signal:
        """A signal with the rows that it is about: the last `signal.rows.count`, or all."""
        own = self.last(signal.rows.count or len(self))
        return replace(signal, rows=own.rows(), since=float(own.times[0]) if len(own) else None)


@dataclass(frozen=True)
class Reference:
    """What a release's private part says of the rows that its model learned from and was judged on.

    Attributes
    ----------
    problem
        The question.
    X
        (rows, features) of the training rows.
    features
        Each input as it was in training.
    outputs
        Each output on the training rows; empty where the circuit takes none of them: `why` says it.
    existing
        Today's process with what its answers were worth in training; None if it is a function of earlier rows, too.
    losses
        (test rows,): the loss of the circuit's answers, NaN where a row has none.
    residuals
        (test rows, classes): what happened less the probability, of a classifier; else none.
    against
        (test rows,): the loss less that of today's process; empty where that cannot be run here.
    """

    problem: Problem
    X: Floats
    features: tuple[Trained, ...]
    outputs: tuple[Trained, ...]
    why: str
    existing: Fitted | None
    losses: Floats
    residuals: Floats
    against: Floats


@dataclass(frozen=True)
class Watched:
    """A release, its circuit, and what is known of its training; `absent` says why `reference` is None."""

    release: Release
    task: Task
    decision: dict[str, Any]
    names: tuple[str, ...]
    circuit: Circuit | None
    reference: Reference | None
    absent: str
    labels: tuple[str, ...] = ()


def watched(database: Database, release: Release) -> Watched:
    """Read a release; what its private part would say is said to be missing where that is not held here."""
    import tomllib

    def part(name: str) -> bytes:
        return artefacts.get(database, release.public["parts"][name]["digest"])

    text = part("task.toml").decode()
    task = parse(tomllib.loads(text), text, "the release's task.toml")
    has = MANIFEST_FILE in release.public["parts"]
    manifest: Any = jsontext.parse(part(MANIFEST_FILE)) if has else {"features": []}
    decision: Any = jsontext.parse(part("decision.json"))
    names = tuple(one["name"] for one in manifest["features"])
    circuit, reference, absent = None, None, ""
    try:
        private = private_digests(release)
        circuit = Circuit.from_json(artefacts.get(database, private[CIRCUIT_FILE]))
        reference = _reference(task, part(MANIFEST_FILE), artefacts.get(database, private[_DATASET]), circuit)
    except (AssayError, KeyError) as error:
        what = error.what if isinstance(error, AssayError) else f"the release has no {error.args[0]}"
        absent = f"nothing to compare with: {what}"
    return Watched(release, task, decision, names, circuit, reference, absent, tuple(manifest.get("classes", ())))


def _reference(task: Task, manifest: bytes, rows: bytes, circuit: Circuit) -> Reference:
    with tempfile.TemporaryDirectory(prefix="assay-watch-") as name:  # mode 0700
        place = Path(name)
        files.write(place / MANIFEST_FILE, manifest)
        files.write(place / ROWS_FILE, rows)
        dataset = Dataset.load(place)
        problem = problem_of(task, dataset)
        train, test = rows_of(dataset, "train"), rows_of(dataset, "test")
        frames = {split: dataset.windows(split).select(dataset.inputs) for split in ("train", "test")}
    X = np.asarray(train.X, dtype=np.float64)
    timed = problem.timed or problem.ahead > 0
    features = tuple(Trained.of(name, X[:, at], timed=timed) for at, name in enumerate(problem.features))
    outputs, why = _outputs(circuit, frames["train"].tail(_EVALUATED), timed=timed)
    existing = ExistingProcess().fit({}, problem, train, 0) if problem.existing.kind != "function" else None
    try:
        said = circuit.predict(frames["test"])
        found = losses(task, problem, circuit.answers, margins=said, y=test.y, frame=test.frame)
        left = np.zeros((0, 0))
        if problem.kind != "regression":
            left = left_over(problem, stated(problem, circuit.answers, said), test.y)
    except AssayError as error:
        why = why or error.what
        found, left = np.zeros(0), np.zeros((0, 0))
    against = _against(task, problem, existing, test, found)
    return Reference(problem, X, features, outputs, why, existing, found, left, against)


def _against(task: Task, problem: Problem, existing: Fitted | None, test: Rows, found: Floats) -> Floats:
    if existing is None or not len(found):
        return np.zeros(0)
    try:
        said = existing.probability(test) if judges_probabilities(task) else existing.predict(test)
        return found - losses_of(task, problem, said, test.y, test.frame)
    except AssayError:  # the watch says so of the live rows, too
        return np.zeros(0)


def _outputs(circuit: Circuit, frame: Any, *, timed: bool) -> tuple[tuple[Trained, ...], str]:
    try:
        said = circuit.predict(frame)
    except AssayError as error:
        return (), f"the circuit takes none of the training rows: {error.what}"
    return tuple(Trained.of(name, said[:, at], timed=timed) for at, name in enumerate(circuit.outputs)), ""


def lines_of(of: Watched, kept: list[Answer]) -> Lines:
    """The rows of answers, the oldest first; of answers whose rows were forgotten there are none."""
    found: list[tuple[Answer, int]] = [(one, place) for one in kept if one.row for place in range(len(one.row))]
    inputs = len(of.circuit.features) if of.circuit is not None else len(found[0][0].row[0]) if found else 0
    width = len(of.circuit.outputs) if of.circuit is not None else 1
    outputs = np.full((len(found), width), np.nan)
    for line, (one, place) in enumerate(found):
        if one.outputs:
            outputs[line] = one.outputs["values"][place]
    return Lines(
        ids=tuple(one.id for one, _ in found),
        periods=np.array([-1 if one.period is None else one.period for one, _ in found], dtype=np.int64),
        times=np.array([_time(one) for one, _ in found], dtype=np.float64),
        created=np.array([one.created for one, _ in found], dtype=np.float64),
        X=np.array([[_number(value) for value in one.row[place]] for one, place in found]).reshape(-1, inputs),
        outputs=outputs,
        ended=np.array([place in (one.outputs or {}).get("ended", ()) for one, place in found], dtype=np.bool_),
        outcomes=np.array([_outcome(one, place, of.labels) for one, place in found], dtype=np.float64),
        existing=np.array([_number(one.evidence.get("existing")) for one, _ in found], dtype=np.float64),
        columns=tuple(one.evidence.get("columns") or {} for one, _ in found),
    )


def answers_of(database: Database, project: str, release: Release, chain: str | None) -> list[Answer]:
    """The newest answers of a release, the oldest first; one more than `MOST` if there are more.

    Of a chain its periods; where none was answered yet, and of no chain, what was asked for at the endpoint.
    """
    if chain is not None:
        found = answers.find(database, project, chain=chain, periods=True, release=release.digest, limit=MOST + 1)
        if found:
            return found[::-1]
    own = {None, chain}
    found = answers.find(database, project, release=release.digest, limit=MOST + 1)
    return [one for one in found if one.period is None and one.chain in own][::-1]


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _outcome(one: Answer, place: int, labels: tuple[str, ...]) -> float:
    """What came of a row: of an answer to several they are a list."""
    if isinstance(one.outcome, list):
        came = one.outcome[place] if len(one.outcome) == len(one.row) else None
    else:
        came = one.outcome if len(one.row) == 1 else None
    if came is None:
        return float("nan")
    return _class(came, labels) if labels else _number(came) if not isinstance(came, str) else float("nan")


def _class(came: Any, labels: tuple[str, ...]) -> float:
    """The number of a class, by its name or by its value in the target: 7.0 is "7"; NaN of one that is not known."""
    text = str(came).lower() if isinstance(came, bool) else str(came)
    for name in (str(came), text):
        if name in labels:
            return float(labels.index(name))
    if isinstance(came, str):
        return float("nan")
    try:
        values = [float(label) for label in labels]
    except ValueError:  # classes with names: a number is a class's place
        values = [float(place) for place in range(len(labels))]
    return float(values.index(float(came))) if float(came) in values else float("nan")


def strange_of(of: Watched, kept: list[Answer]) -> int:
    """Rows of which something came that the model does not know: a class that training did not have."""
    rows = [(one, place) for one in kept if one.row for place in range(len(one.row))]
    lists = [one.outcome if isinstance(one.outcome, list) else [one.outcome] * len(one.row) for one, _ in rows]
    said = [own[place] if place < len(own) else None for own, (_, place) in zip(lists, rows, strict=True)]
    return sum(
        came is not None and np.isnan(_outcome(one, place, of.labels))
        for came, (one, place) in zip(said, rows, strict=True)
    )


def _time(one: Answer) -> float:
    """Of the bar, where the row has one."""
    said = one.evidence.get("time")
    try:
        moment = datetime.fromisoformat(str(said))
    except ValueError:
        return one.created
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()

"""`assay certify`: prove every test row of a release under its key, and say what follows."""

from __future__ import annotations

import base64
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import assay
from assay.data.dataset.canonical import canonical
from assay.data.dataset.dataset import MANIFEST_FILE, ROWS_FILE, Dataset
from assay.keep.certify.certificate import PARTS, Certificate, context_of
from assay.keep.certify.claim import claim
from assay.keep.certify.shown import hidden_rows
from assay.prove.keys import PROVING_KEY_FILE, VERIFYING_KEY_FILE, ProvingKey, VerifyingKey
from assay.prove.prove import prove
from assay.release.make import take
from assay.release.parts import DATASET_ROWS, TEST_ROWS
from assay.task.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from assay.prove.proof import Proof
    from assay.record.database import Database
    from assay.record.releases import Release


def certify(database: Database, release: Release, *, progress: Callable[[str], None]) -> Certificate:
    """Prove all test rows, in the largest batches that the key allows.

    Parameters
    ----------
    progress
        Told how far it is.

    Raises
    ------
    PrivatePartAbsent, ReleaseAltered
        The keys or the rows are not held here, or are not the release's.
    NothingToCertify
        The rows cannot be judged by what may be shown of them.
    """
    with tempfile.TemporaryDirectory(prefix="assay-keys-") as name:  # mode 0700
        place = Path(name) / "release"
        take(database, release, place)
        dataset, task = _dataset(place), Task.load(place)
        key, public = ProvingKey.load(place / PROVING_KEY_FILE), VerifyingKey.load(place / VERIFYING_KEY_FILE)
        parts = {part: base64.b64encode((place / part).read_bytes()).decode() for part in PARTS}
    about, frame = dataset
    hidden = task.protocol.inputs == "private"
    shown = hidden_rows(frame, task, about.manifest) if hidden else frame
    rows = canonical(shown)
    proofs = _proofs(key, frame.select(about.inputs), rows.root, progress)
    progress("Judging the proven outputs")
    outputs = np.concatenate([proof.outputs for proof in proofs])
    named = release.private.get(TEST_ROWS)
    return Certificate(
        schema="assay-certificate/1",
        assay=assay.__version__,
        release=release.public,
        parts=parts,
        hidden=hidden,
        inputs=None if hidden else key.interface,
        columns=rows.columns,
        rows=rows.rows,
        root=rows.root,
        salt=None if hidden or named is None else named["salt"],
        proofs=[base64.b64encode(proof.to_bytes()).decode() for proof in proofs],
        claim=claim(task, about.manifest, rows.frame(), outputs, public.answers or key.answers),
    )


def _dataset(place: Path) -> tuple[Dataset, pl.DataFrame]:
    """The release's dataset and its test rows, the inputs of each among their columns."""
    folder = (place / DATASET_ROWS).parent
    shutil.copyfile(place / MANIFEST_FILE, folder / MANIFEST_FILE)
    (place / DATASET_ROWS).rename(folder / ROWS_FILE)
    dataset = Dataset.load(folder)
    return dataset, dataset.windows("test")


def _proofs(key: ProvingKey, inputs: pl.DataFrame, root: str, progress: Callable[[str], None]) -> list[Proof]:
    found = []
    total = inputs.height
    for first in range(0, total, key.max_batch):
        batch = inputs[first : first + key.max_batch]
        progress(f"Proving rows {first + 1} to {first + batch.height} of {total:,}")
        given: Any = batch
        found.append(prove(key, given, context=context_of(root, first, total)))
    return found

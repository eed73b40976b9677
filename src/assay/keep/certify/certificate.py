"""`cert.json`: the rows, a proof of what the model says of each, and what follows from them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.bench.facts import Alone, Interval
from assay.core import documents, files, jsontext
from assay.core.hashing import digest
from assay.data.dataset.canonical import Canonical
from assay.keep.errors import CertificateAltered

if TYPE_CHECKING:
    import os

SCHEMA = "assay-certificate/1"
PARTS = ("task.toml", "manifest.json", "verifying.key")
"""The release's public parts that a certificate holds: what was asked, of which data, under which key."""
_AGAIN = "Ask whoever made it for the file again."
_BEGINS = re.compile(rb'\s*\{\s*"schema"\s*:\s*"assay-certificate/')
_HEAD = 200
_LARGEST = 256 << 20
"""Bytes: some 300,000 rows. What is larger is not read into memory because somebody sent it."""


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Claim(_Facts):
    """What the proofs and the rows say together.

    Attributes
    ----------
    rows
        How many were judged: all test rows.
    metric, value
        The task's metric on them, by the proven outputs.
    sure
        Its interval, and how the rows were put together for it.
    existing, improvement, interval
        The same metric of the process that decides today, how much of its loss is gone, and where that lies; None
        where a stranger cannot run that process.
    without
        Why there is no comparison; empty if there is one.
    """

    rows: int
    metric: str
    value: float
    sure: Alone
    existing: float | None = None
    improvement: float | None = None
    interval: Interval | None = None
    without: str = ""


class Certificate(_Facts):
    """The content of `cert.json`.

    Attributes
    ----------
    release
        The release's public part; its digest is the release's.
    parts
        `PARTS` by name, in base64.
    inputs
        How a row becomes words: the circuit without its model, as JSON, of which the release names the digest with the
        rows'. None where the rows are hidden.
    columns, rows
        See `assay.data.dataset.canonical`. Of hidden rows only what the metric needs is shown.
    root
        The digest that stands for them all.
    salt
        By which the release names the rows; None where it does not, or the rows are hidden.
    proofs
        In base64, in the order of the rows; the context of each says its place and the root.
    claim
        What follows.
    """

    schema_: Literal["assay-certificate/1"] = Field("assay-certificate/1", alias="schema")
    assay: str
    release: dict[str, Any]
    parts: dict[str, str]
    hidden: bool
    inputs: str | None
    columns: list[list[str]]
    rows: list[list[Any]]
    root: str
    salt: str | None
    proofs: list[str]
    claim: Claim

    @property
    def canonical(self) -> Canonical:
        """The rows as the tree is made of them."""
        return Canonical(self.columns, self.rows)

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write it, whole or not at all; the digest of the file, which a gate can ask for."""
        documents.write(Path(path), self, over='"assay-certificate/')
        return digest(files.read(Path(path)))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Certificate:
        """Read it; that it holds is for `verify` to say.

        Raises
        ------
        CertificateAltered
            It is no certificate, or damaged.
        ArtefactVersion
            A newer release of Assay wrote it.
        """
        with files.translated(Path(path), "read"):
            size = Path(path).stat().st_size
        if size > _LARGEST:
            raise CertificateAltered(
                f"{path} has {size >> 20:,} MiB, and certificates of up to {_LARGEST >> 20} MiB are read",
                "Certify fewer test rows: one takes about 1 kB.",
            )
        return documents.read(Path(path), cls, damaged=CertificateAltered, todo=_AGAIN)


def is_certificate(path: Path) -> bool:
    """Whether a file says that it is one of these, of whatever version, be it whole or cut short."""
    if not path.is_file():
        return False
    with files.translated(path, "read"), path.open("rb") as file:
        if _BEGINS.match(file.read(_HEAD)):
            return True
    if path.stat().st_size > _LARGEST:
        return False
    try:
        found = jsontext.parse(files.read(path))
    except ValueError:
        return False
    return isinstance(found, dict) and str(found.get("schema")).startswith("assay-certificate/")


def context_of(root: str, first: int, rows: int) -> int:
    """What the proof of the rows from `first` on is bound to, of all `rows`: no proof fits another place or list."""
    said = bytes.fromhex(root) + first.to_bytes(8, "big") + rows.to_bytes(8, "big")
    return int.from_bytes(hashlib.sha256(SCHEMA.encode() + b"\0" + said).digest(), "big")

"""`measurements.json`: what was measured of each candidate, and who has looked at the test rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.bench.errors import DecisionDamaged
from assay.bench.facts import Evaluation
from assay.core import documents
from assay.core.errors import ArtefactVersion, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FILE = "measurements.json"


class Measurements(BaseModel):
    """What decisions keep for the next one.

    Attributes
    ----------
    measured
        Evaluations, by a digest of all that they follow from.
    looks
        By the hash of a dataset: for each time that new models were judged on its test rows, their hashes.
    """

    # A broken candidate's margins may be infinite, for which JSON has no number.
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="strings")

    schema_: Literal["assay-measurements/1"] = Field("assay-measurements/1", alias="schema")
    measured: dict[str, Evaluation] = Field(default_factory=dict)
    looks: dict[str, list[list[str]]] = Field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Measurements:
        """Read what `save` wrote; nothing, or another release's, is empty: candidates are measured again.

        Raises
        ------
        DecisionDamaged
            The file holds no measurements.
        """
        todo = "Delete it; candidates are measured again."
        try:
            return documents.read(folder / FILE, cls, damaged=DecisionDamaged, todo=todo)
        except (NotFound, ArtefactVersion):
            return cls(schema="assay-measurements/1")

    def save(self, folder: Path) -> None:
        """Write `measurements.json` into `folder`, whole or not at all."""
        documents.write(folder / FILE, self)

    def look(self, dataset: str, models: Iterable[str]) -> int:
        """How often models that were new then were judged on this dataset's test rows, this time included."""
        looks = self.looks.setdefault(dataset, [])
        new = sorted(set(models) - {model for look in looks for model in look})
        if new or not looks:
            looks.append(new)
        return len(looks)

"""How far the report's figures hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.bench.words import plural
from assay.report.dataset import drifting
from assay.report.words import PARTS

if TYPE_CHECKING:
    from assay.report.material import Material

_FEW = 500
_NAMED = 5


def validity(material: Material) -> list[str]:
    """Sentences that anyone who acts on the report should have read."""
    return [*_of_the_data(material), *_of_the_decision(material), *_of_proofs(material), *_of_costs(material)]


def _of_the_data(material: Material) -> list[str]:
    manifest = material.manifest
    if manifest is None:
        return []
    said = []
    test = manifest.rows["test"]
    if test.first_time and test.last_time:
        said.append(
            f"The figures on the test rows are about {test.first_time[:10]} to {test.last_time[:10]}. A market, a pool "
            "or a group of borrowers that changes makes them obsolete; watch the model once it is in use."
        )
    elif manifest.split == "random":
        said.append(
            "Rows were parted at random, so the test rows are like the training rows. They do not say how the model "
            "does on people or days that are unlike them."
        )
    if test.rows < _FEW:
        said.append(f"The test set has {plural(test.rows, 'row')} only: differences of a few per cent may be chance.")
    drifted = drifting(material)
    if drifted:
        named = ", ".join(drifted[:_NAMED]) + (f" and {len(drifted) - _NAMED} more" if drifted[_NAMED:] else "")
        said.append(
            f"The test rows differ from the training rows by more than one standard deviation in the mean of {named}."
        )
    if manifest.quarantined:
        said.append(f"{plural(manifest.quarantined, 'row')} were set aside; the model says nothing about such rows.")
    return said


def _of_the_decision(material: Material) -> list[str]:
    decision = material.decision
    if decision is None:
        return []
    said = []
    if decision.test_looks > 1:
        said.append(
            f"The {PARTS['test'][0]} rows have been looked at by {decision.test_looks} decisions on different "
            "candidates. They are no longer unseen, and the figures flatter a little."
        )
    if decision.chosen is None:
        said.append("No candidate was chosen; the figures are those of candidates that are not good enough.")
    return said


def _of_proofs(material: Material) -> list[str]:
    task = material.task
    said = [
        (
            "A proof shows that the one agreed model gave this answer for these inputs. It does not show that the "
            "model is good or fair, how it was trained, or that the inputs are true: the contract has to know where "
            "they are from."
        ),
        "Whoever sees many inputs with their answers can train a copy of the model, with or without proofs.",
        "The prover and the contracts have been tested, but no third party has audited them.",
    ]
    if task.protocol.inputs == "private":
        said.append("The inputs stay hidden; a contract that acts on them has to check what they were taken from.")
    if material.key is not None and material.key.srs == "development":
        said.append(
            "The keys were made with a development reference string: whoever made it could forge proofs. It is for "
            "trying things out, and Assay refuses to deploy such a contract on a public chain. Import the string of a "
            "public ceremony before anything depends on a proof."
        )
    return said


def _of_costs(material: Material) -> list[str]:
    if material.decision is None:
        return []
    said = (
        "Times and memory were measured on one machine, gas on a local node; on other machines times differ. Blocks "
        "are counted as if a transaction got into the next one, which a crowded chain does not promise."
    )
    return [said]

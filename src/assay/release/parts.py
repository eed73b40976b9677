"""The parts of a release: what a stranger needs to check it, and what only its owner may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.bench.decision import Decision
from assay.chain.compile import compile_solidity
from assay.chain.solidity import CONTRACT_NAME, solidity
from assay.core import files
from assay.data.features.functions import code_files
from assay.models.candidate import Candidate
from assay.models.search.explore import FOLDER as CANDIDATES
from assay.prove.keys import PROVING_KEY_FILE, VERIFYING_KEY_FILE, VerifyingKey
from assay.release.errors import NothingToRelease
from assay.task.task import TASK_FILE

if TYPE_CHECKING:
    from pathlib import Path

CIRCUIT_FILE = "circuit.json"
SOURCE_FILE, CREATION_FILE, RUNTIME_FILE = "Verifier.sol", "Verifier.creation.bin", "Verifier.runtime.bin"
_CHOSEN = "decision/chosen"


@dataclass(frozen=True)
class Parts:
    """Contents by name.

    Attributes
    ----------
    model_id
        Identity of the verifying key.
    public
        Task, manifest, decision, report, model card, verifying key, Solidity source and bytecode.
    private
        Circuit, proving key, model, dataset, and the project's own Python files.
    """

    model_id: str
    public: dict[str, bytes]
    private: dict[str, bytes]


def gather(project: Path) -> Parts:
    """Read what a decided project has made.

    Raises
    ------
    NothingToRelease
        There is no decision, or it has no keys.
    ToolMissing
        The Solidity compiler is not installed: the release holds the compiled contract.
    """
    decision = Decision.load(project / "decision")
    chosen = project / _CHOSEN
    if decision.chosen is None or not (chosen / PROVING_KEY_FILE).exists():
        raise NothingToRelease(
            f"{project} has no chosen model with keys", "Decide first: `assay run`; or look at `assay status`."
        )
    key = VerifyingKey.load(chosen / VERIFYING_KEY_FILE)
    public = {
        TASK_FILE: files.read(project / TASK_FILE),
        "manifest.json": files.read(project / "data" / "manifest.json"),
        "decision.json": files.read(project / "decision" / "decision.json"),
        "report.html": files.read(project / "report.html"),
        "model-card.md": files.read(project / "model-card.md"),
        VERIFYING_KEY_FILE: files.read(chosen / VERIFYING_KEY_FILE),
        **contract(key),
    }
    model = Candidate.load(project / CANDIDATES / decision.chosen, project).model_path
    private = {
        CIRCUIT_FILE: files.read(chosen / CIRCUIT_FILE),
        PROVING_KEY_FILE: files.read(chosen / PROVING_KEY_FILE),
        f"model/{model.name}": files.read(model),
        "dataset/rows.parquet": files.read(project / "data" / "rows.parquet"),
    }
    for path in code_files(project):
        private[f"code/{path.relative_to(project).as_posix()}"] = files.read(path)
    return Parts(key.model_id, public, private)


def contract(key: VerifyingKey) -> dict[str, bytes]:
    """The verifier's source and its bytecode, so that neither deploying nor serving needs a compiler."""
    text = solidity(key)
    compiled = compile_solidity({SOURCE_FILE: text})[CONTRACT_NAME]
    return {
        SOURCE_FILE: text.encode(),
        CREATION_FILE: compiled.bytecode,
        RUNTIME_FILE: compiled.runtime,
    }

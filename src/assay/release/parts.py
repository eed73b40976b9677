"""The parts of a release: what a stranger needs to check it, and what only its owner may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.bench.decision import Decision
from assay.chain.compile import compile_solidity
from assay.chain.solidity import CONTRACT_NAME, solidity
from assay.core import files
from assay.core.hashing import digest
from assay.data.dataset.canonical import canonical
from assay.data.dataset.dataset import ROWS_FILE, Dataset
from assay.data.features.functions import code_files
from assay.models.candidate import read_record
from assay.project.steps import CANDIDATES
from assay.prove.keys import PROVING_KEY_FILE, VERIFYING_KEY_FILE, ProvingKey, VerifyingKey
from assay.release.errors import NothingToRelease
from assay.task.task import TASK_FILE

if TYPE_CHECKING:
    from pathlib import Path

CIRCUIT_FILE = "circuit.json"
SOURCE_FILE, CREATION_FILE, RUNTIME_FILE = "Verifier.sol", "Verifier.creation.bin", "Verifier.runtime.bin"
DATASET_ROWS, TEST_ROWS = "dataset/rows.parquet", "dataset/test-rows.txt"
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
        Circuit, proving key, model, dataset, what stands for its test rows, and the project's own Python files.
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
    candidate = project / CANDIDATES / decision.chosen
    model = candidate / read_record(candidate).file
    private = {
        CIRCUIT_FILE: files.read(chosen / CIRCUIT_FILE),
        PROVING_KEY_FILE: files.read(chosen / PROVING_KEY_FILE),
        f"model/{model.name}": files.read(model),
        DATASET_ROWS: files.read(project / "data" / ROWS_FILE),
        TEST_ROWS: test_rows(Dataset.load(project / "data"), ProvingKey.load(chosen / PROVING_KEY_FILE)),
    }
    for path in code_files(project):
        private[f"code/{path.relative_to(project).as_posix()}"] = files.read(path)
    return Parts(key.model_id, public, private)


def test_rows(dataset: Dataset, key: ProvingKey) -> bytes:
    """What a release keeps of its test rows before anybody knows how good it is on them."""
    rows = canonical(dataset.windows("test"))
    return statement(rows.root, len(rows.rows), key.interface)


def statement(root: str, rows: int, interface: str) -> bytes:
    """How many rows, what stands for them all, and how they become words: none can be chosen afterwards."""
    return f"{rows} rows {root}, read by {digest(interface.encode())}\n".encode()


def contract(key: VerifyingKey) -> dict[str, bytes]:
    """The verifier's source and its bytecode, so that neither deploying nor serving needs a compiler."""
    text = solidity(key)
    compiled = compile_solidity({SOURCE_FILE: text})[CONTRACT_NAME]
    return {
        SOURCE_FILE: text.encode(),
        CREATION_FILE: compiled.bytecode,
        RUNTIME_FILE: compiled.runtime,
    }

"""Verifiable machine learning: from a question, by data and models, to a proof that an Ethereum contract accepts.

>>> import assay
>>> circuit = assay.transpile(model)              # doctest: +SKIP
>>> keys = assay.setup(circuit)                   # doctest: +SKIP
>>> proof = assay.prove(keys.proving_key, X)      # doctest: +SKIP
>>> assay.verify(keys.verifying_key, proof)       # doctest: +SKIP
True
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from assay.core.errors import AssayError

if TYPE_CHECKING:
    from assay.chain.solidity import solidity
    from assay.data.dataset.dataset import Dataset
    from assay.data.features.decorator import feature
    from assay.project.project import Project
    from assay.prove.errors import InvalidProof
    from assay.prove.keys import Keys, ProvingKey, VerifyingKey
    from assay.prove.proof import Proof
    from assay.prove.prove import prove
    from assay.prove.setup import setup
    from assay.prove.verify import verify
    from assay.serve.client import Client
    from assay.task.task import Task
    from assay.transpile.api import transpile
    from assay.transpile.circuit.circuit import Circuit
    from assay.transpile.fidelity.fidelity import FidelityReport, fidelity

__version__ = "0.1.0"

__all__ = [
    "AssayError",
    "Circuit",
    "Client",
    "Dataset",
    "FidelityReport",
    "InvalidProof",
    "Keys",
    "Project",
    "Proof",
    "ProvingKey",
    "Task",
    "VerifyingKey",
    "__version__",
    "feature",
    "fidelity",
    "prove",
    "setup",
    "solidity",
    "transpile",
    "verify",
]

# Where each public name lives; imported at first use, so that `import assay` costs milliseconds.
_HOMES = {
    "Circuit": "assay.transpile.circuit.circuit",
    "Client": "assay.serve.client",
    "Dataset": "assay.data.dataset.dataset",
    "FidelityReport": "assay.transpile.fidelity.fidelity",
    "InvalidProof": "assay.prove.errors",
    "Keys": "assay.prove.keys",
    "Project": "assay.project.project",
    "Proof": "assay.prove.proof",
    "ProvingKey": "assay.prove.keys",
    "Task": "assay.task.task",
    "VerifyingKey": "assay.prove.keys",
    "feature": "assay.data.features.decorator",
    "fidelity": "assay.transpile.fidelity.fidelity",
    "prove": "assay.prove.prove",
    "setup": "assay.prove.setup",
    "solidity": "assay.chain.solidity",
    "transpile": "assay.transpile.api",
    "verify": "assay.prove.verify",
}


class _Package(ModuleType):
    """Keeps `assay.transpile` and `assay.prove` the functions, though rooms of the same names exist.

    Importing a submodule sets it as an attribute of its package, which would put the module in the
    function's place. Rooms are reached by `from assay.transpile.rows.rows import ...`.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'assay' has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

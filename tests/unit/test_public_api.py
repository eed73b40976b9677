"""The public members are exactly these, and each is what it says."""

import inspect
import subprocess
import sys
from types import ModuleType

import pytest

import assay

MEMBERS = [
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


def test_public_members_are_exactly_these():
    assert assay.__all__ == MEMBERS
    assert dir(assay) == MEMBERS


@pytest.mark.parametrize("name", [name for name in MEMBERS if name != "__version__"])
def test_every_member_is_a_documented_class_or_function(name):
    member = getattr(assay, name)
    assert inspect.isfunction(member) or inspect.isclass(member)
    assert inspect.getdoc(member)


@pytest.mark.parametrize("room", ["transpile", "prove"])
def test_importing_a_room_first_leaves_the_verb_callable(room):
    program = f"import assay.{room}.errors, assay; assert callable(assay.{room}), assay.{room}"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_no_member_is_a_module():
    assert not any(isinstance(getattr(assay, name), ModuleType) for name in MEMBERS)


def test_an_unknown_member_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'prvoe'"):
        _ = assay.prvoe


def test_importing_the_package_imports_nothing_heavy():
    program = (
        "import sys; from assay.cli import commands, main; commands.register();"
        "heavy = {'numpy', 'pydantic', 'polars', 'xgboost', 'lightgbm', 'sklearn', 'web3'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

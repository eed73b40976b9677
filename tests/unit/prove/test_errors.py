import re
from pathlib import Path

import pytest

from assay.core.errors import AssayError, StorageError
from assay.prove import errors
from assay.prove.errors import InvalidProof, KeyVersion, MalformedProof, OtherModel, ProveError, from_core

CRATES = Path(__file__).parents[3] / "crates"
CODES = sorted(
    {
        code
        for source in CRATES.glob("*/src/**/*.rs")
        for code in re.findall(r'=>\s*"((?:proof|key|srs|circuit|rows|batch|io)(?:/[a-z-]+)?)"', source.read_text())
    }
)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("proof/invalid", InvalidProof),
        ("proof/malformed", MalformedProof),
        ("proof/other-model", OtherModel),
        ("key/version", KeyVersion),
        ("srs/too-small", errors.SrsTooSmall),
        ("io", StorageError),
    ],
)
def test_each_code_of_the_core_has_its_class(code, kind):
    error = from_core(code, "it happened")
    assert type(error) is kind
    assert error.code == code
    assert str(error).startswith("it happened")


def test_the_crates_state_their_codes():
    assert "proof/invalid" in CODES


@pytest.mark.parametrize("code", CODES)
def test_no_code_in_the_crates_is_unknown_here(code):
    assert type(from_core(code, "x")) not in {ProveError, AssayError}


def test_a_code_of_a_newer_core_keeps_its_family():
    assert type(from_core("proof/odd", "x")) is InvalidProof
    assert from_core("proof/odd", "x").code == "proof/odd"
    assert type(from_core("weather", "x")) is ProveError

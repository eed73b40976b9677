import pickle

import pytest

from assay.core.errors import AssayError, DiskFull, StorageError
from assay.prove.errors import InvalidProof


def leaves(kind):
    yield kind
    for child in kind.__subclasses__():
        yield from leaves(child)


def test_message_is_what_then_what_to_do():
    assert str(AssayError("it broke", "Mend it.")) == "it broke. Mend it."
    assert str(AssayError("it broke.", "Mend it.")) == "it broke. Mend it."
    assert str(AssayError("it broke")) == "it broke"


def test_message_is_one_line_whatever_it_quotes():
    assert str(AssayError("a\nb\t c", "d\r\ne")) == "a b c. d e"


def test_an_instance_may_have_a_finer_code_than_its_class():
    assert AssayError("x", code="a/b").code == "a/b"
    assert AssayError("x").code == AssayError.code


def test_only_what_can_pass_by_itself_is_worth_a_retry():
    assert DiskFull("x").retry
    assert not StorageError("x").retry


def test_errors_cross_process_boundaries_whole():
    error = pickle.loads(pickle.dumps(InvalidProof("it is wrong", code="proof/odd")))  # noqa: S301  (our own bytes)
    assert type(error) is InvalidProof
    assert (error.what, error.todo, error.code) == ("it is wrong", InvalidProof.advice, "proof/odd")


@pytest.mark.parametrize("kind", [kind for kind in leaves(AssayError) if kind.__module__.startswith("assay.")])
def test_every_code_is_a_path_of_plain_words(kind):
    assert all(part.replace("-", "").isalnum() and part.islower() for part in kind.code.split("/"))
    assert kind.__doc__

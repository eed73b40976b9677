"""What the report says of a task alone: who is trusted with the inputs; it has words for every kind of source."""

from typing import get_args

from tests.unit.task.test_onchain import column, of_state, proven, task

from assay.report.dataset import _KINDS
from assay.report.question import facts
from assay.task.sources import AnySource

TRUSTED = "Who is trusted with the inputs"


def test_who_is_trusted_with_the_inputs():
    hidden = column("price") | {"name": "step"}
    assert facts_of(task(column("price"), hidden, drop=["step"])) == (
        "nobody: the consumer's contract computes them from the market's own history (f)"
    )
    assert facts_of(of_state(proven("reserve"))).startswith("nobody: a feed's contract computes them from proofs")
    signed = {"name": "income", "op": "column", "of": "p", "onchain": "feed"}
    said = facts_of(task(signed, {"name": "age", "op": "lag", "of": "price"}))
    assert said.startswith("the signers of a feed, who vouch for them together (income); whoever posts the rows")
    assert said.endswith("(age)")
    # Where a task says nothing of it, neither does the report.
    assert facts_of(task(column("price") | {"onchain": None})) is None


def facts_of(made):
    return dict(facts(made)).get(TRUSTED)


def test_every_kind_of_source_has_words():
    (union, *_) = get_args(AnySource)
    kinds = {kind for source in get_args(union) for kind in get_args(source.model_fields["kind"].annotation)}
    assert set(_KINDS) == kinds

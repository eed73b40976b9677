"""A local node and compiled verifiers, made once a run."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from assay.chain.compile import compile_solidity
from assay.chain.deploy import Chain, Deployment
from assay.chain.node import LocalNode
from assay.chain.solidity import render

from .shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .trapdoor import Model


@pytest.fixture(scope="session")
def node() -> Iterator[LocalNode]:
    with LocalNode() as running:
        yield running


@pytest.fixture(scope="session")
def chain(node: LocalNode) -> Chain:
    return Chain(node.url)


@pytest.fixture(scope="session")
def deployed(chain: Chain) -> Callable[[str], tuple[Model, Deployment]]:
    """Give the model of a named shape and its verifier on the node."""
    made: dict[str, tuple[Model, Deployment]] = {}

    def get(name: str) -> tuple[Model, Deployment]:
        if name not in made:
            make, changes, _ = SHAPES[name]
            model = make(random.Random(name), **changes)
            source = render(model.vk)
            contract = compile_solidity({"Verifier.sol": source.text})[source.name]
            made[name] = model, chain.deploy_verifier(contract, source)
        return made[name]

    return get

"""A real node and a real account for everything that is sent."""

import pytest
from tests.unit.settle.small import Key

from assay.chain.node import LocalNode
from assay.record.database import Database
from assay.settle.node import Node
from assay.settle.outbox import Outbox
from assay.settle.policy import WEI, Policy


@pytest.fixture
def anvil():
    with LocalNode() as node:
        yield node


@pytest.fixture
def node(anvil):
    return Node("local", 31337, (anvil.url,))


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'records.sqlite'}")
    yield made
    made.close()


@pytest.fixture
def outbox(database, node):
    key = Key()
    node.ask("anvil_setBalance", key.address, hex(10 * WEI))
    policy = Policy(spend_per_day=WEI, creates=True, bump_after=0.0, confirmations=2)
    return Outbox(database, node, key, policy, "me")

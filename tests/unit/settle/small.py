"""A signing key in memory, and the least contract that keeps a word and refuses zero."""

import os
import time

from eth_keys.datatypes import PrivateKey

from assay.settle.outbox import Call

# Keeps calldata's first word in slot 0, and reverts if it is zero.
STORE = "0x600d8060095f395ff3" + "5f358060095" + "75f5ffd5b5f5500"


class Key:
    def __init__(self, secret=None):
        self._key = PrivateKey(secret or os.urandom(32))

    @property
    def address(self):
        return self._key.public_key.to_checksum_address()

    def sign(self, digest):
        signature = self._key.sign_msg_hash(digest)
        return signature.v, signature.r, signature.s


def to(subject, target="0x" + "22" * 20, **changes):
    return Call(**({"purpose": "settle", "subject": subject, "to": target, "data": "0x", "value": 1} | changes))


def taken(node, kept):
    """Wait until a node that makes a block for each transaction has done so."""
    while not any(node.receipt(one["hash"]) for one in kept.attempts):
        time.sleep(0.01)


def mine(node, blocks=1):
    node.ask("anvil_mine", hex(blocks))

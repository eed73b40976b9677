"""Generated verifiers on a local node, and their verdicts on many calls at once."""

from __future__ import annotations

import json
import urllib.request
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.agreement.reference import is_network

from assay.chain.compile import compile_solidity
from assay.chain.deploy import Chain
from assay.chain.solidity import render
from assay.prove.calldata import verify_calldata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.agreement.proofs import Proof

    from assay.chain.node import LocalNode

TRUE, FALSE = f"0x{1:064x}", f"0x{0:064x}"
# Calls in one request: enough that the request itself costs nothing, few enough that it stays small.
AT_ONCE = 100


class Contracts:
    """A node and the verifiers on it."""

    def __init__(self, node: LocalNode) -> None:
        self.node = node
        self.chain = Chain(node.url)
        self._deployed: dict[tuple[bytes, str], str] = {}

    def verifier(self, key: bytes, change: Callable[[str], str] = lambda text: text) -> str:
        """The address of the key's verifier, or of one whose source was changed."""
        # What a network's key commits to is in no key: here the tests made it.
        unchecked = is_network(key)
        source = render(key, unchecked=unchecked)
        text = change(source.text)
        if (key, text) not in self._deployed:
            contract = compile_solidity({"Verifier.sol": text})[source.name]
            self._deployed[key, text] = self.chain.deploy_verifier(contract, source, unchecked=unchecked).address
        return self._deployed[key, text]

    def accepts(self, proof: Proof, change: Callable[[str], str] = lambda text: text) -> bool:
        (verdict,) = self.verdicts(self.verifier(proof.key, change), [proof])
        return verdict

    def verdicts(self, address: str, proofs: Iterable[Proof]) -> list[bool]:
        """Whether the verifier accepts each. A call that reverts says nothing, and fails the test."""
        calls = [{"to": address, "data": "0x" + verify_calldata(proof.body, proof.words).hex()} for proof in proofs]
        found = []
        for start in range(0, len(calls), AT_ONCE):
            answers = self._answers("eth_call", [[call, "latest"] for call in calls[start : start + AT_ONCE]])
            found += [_verdict(answer) for answer in answers]
        return found

    def states(self, proof: Proof) -> list[str]:
        """What keccak256 gave, in order, while the verifier read the proof: 64 hexadecimal digits each."""
        address = self.verifier(proof.key)
        call = {"to": address, "data": "0x" + verify_calldata(proof.body, proof.words).hex()}
        options = {"disableStorage": True, "enableMemory": False, "disableMemory": True}
        (answer,) = self._answers("debug_traceCall", [[call, "latest", options]])
        steps = answer["result"]["structLogs"]
        return [
            after["stack"][-1].removeprefix("0x").rjust(64, "0")
            for step, after in pairwise(steps)
            if step["op"] in {"KECCAK256", "SHA3"}
        ]

    def _answers(self, method: str, parameters: list[list[object]]) -> list[dict]:
        batch = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": one} for number, one in enumerate(parameters)
        ]
        request = urllib.request.Request(  # noqa: S310  the node of this test, on the loopback interface
            self.node.url, json.dumps(batch).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return sorted(json.load(answer), key=lambda one: one["id"])


def _verdict(answer: dict) -> bool:
    assert answer.get("result") in {TRUE, FALSE}, answer
    return answer["result"] == TRUE

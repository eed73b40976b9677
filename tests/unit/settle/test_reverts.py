"""Refusals in words; the encoder of another library makes the bytes."""

import pytest
from eth_abi import encode

from assay.core.keccak import keccak256
from assay.settle.reverts import decoded

ABI = [
    {"type": "function", "name": "settle", "inputs": []},
    {
        "type": "error",
        "name": "Late",
        "inputs": [{"type": "uint64", "name": "posted"}, {"type": "bytes32", "name": "row"}],
    },
    {
        "type": "error",
        "name": "Bad",
        "inputs": [{"type": "tuple", "name": "line", "components": [{"type": "uint24"}, {"type": "int256[]"}]}],
    },
]


def raised(signature, types=(), values=()):
    return "0x" + (keccak256(signature.encode())[:4] + encode(types, values)).hex()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", "it gives no reason"),
        ("0x", "it gives no reason"),
        (raised("Error(string)", ["string"], ["too old"]), "too old"),
        (raised("Panic(uint256)", ["uint256"], [0x11]), "a sum or product left its range"),
        (raised("Panic(uint256)", ["uint256"], [0x99]), "Panic(0x99)"),
        (
            raised("Late(uint64,bytes32)", ["uint64", "bytes32"], [7, b"\xab" * 32]),
            f"Late(posted=7, row=0x{'ab' * 32})",
        ),
        (raised("Late(uint64,bytes32)"), "Late"),
        (raised("Bad((uint24,int256[]))", ["(uint24,int256[])"], [(3, [-1])]), "Bad(line=(3, (-1,)))"),
        ("0x12345678", "an error of its own, 0x12345678"),
        ("0x08c379a0ff", "a reason that cannot be read"),
    ],
)
def test_what_a_contract_refuses_with(data, said):
    assert decoded(data, ABI) == said

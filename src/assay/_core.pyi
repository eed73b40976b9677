"""The native prover and verifier (crates/python). Long calls release the GIL.

Every function raises `CoreError`, whose two arguments are a stable code and one sentence.
"""

from collections.abc import Sequence
from typing import Any, TypedDict, final

__all__ = [
    "CoreError",
    "Prover",
    "ceremonies",
    "check_key",
    "check_key_itself",
    "check_published",
    "msm_floor",
    "proof_info",
    "proof_pack",
    "published",
    "required_degree",
    "setup",
    "srs_generate",
    "srs_import",
    "srs_info",
    "srs_verify",
    "verify",
    "vk_info",
]

class CoreError(Exception): ...

class _SrsInfo(TypedDict):
    degree: int
    digest: str
    kind: str
    tau_g2: str
    squares: int
    ceremony: str | None

class _Ceremony(TypedDict):
    name: str
    tau_g2: str
    source: str
    also: list[str]

class _ProofInfo(TypedDict):
    rows: int
    features: int
    outputs: int
    scale_bits: int
    public_words: list[str]
    output_integers: list[list[str]]
    vk_digest: str
    srs_kind: str
    body: bytes
    input_commitment: bytes | None
    context: bytes

def srs_generate(path: str, degree: int) -> None: ...
def srs_import(source: str, path: str) -> _SrsInfo: ...
def srs_info(path: str) -> _SrsInfo: ...
def srs_verify(path: str) -> _SrsInfo: ...
def ceremonies() -> list[_Ceremony]: ...
def required_degree(circuit_json: str, batch: int) -> int: ...
def setup(circuit_json: str, srs_path: str, max_batch: int, parts: int | None = None) -> tuple[bytes, bytes]: ...
def verify(vk: bytes, proof: bytes) -> None: ...
def check_key(vk: bytes, srs_path: str, circuit_json: str | None = None) -> None: ...
def check_key_itself(vk: bytes) -> None: ...
def published(pk: bytes) -> tuple[str, bytes]: ...
def check_published(vk: bytes, srs_path: str, circuit_json: str, blinds: bytes) -> None: ...
def proof_info(proof: bytes) -> _ProofInfo: ...
def proof_pack(vk: bytes, rows: int, words: Sequence[bytes], body: bytes) -> bytes: ...
def msm_floor(sizes: Sequence[int]) -> list[float]: ...
def vk_info(vk: bytes) -> dict[str, Any]: ...

@final
class Prover:
    def __new__(cls, pk: bytes, srs_path: str) -> Prover: ...
    def prove(
        self, words: bytes, missing: bytes, rows: int, opening: bytes | None, context: bytes
    ) -> tuple[bytes, list[int]]: ...

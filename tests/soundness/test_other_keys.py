"""A proof under anything but its own key: other models, other strings, other setups, changed bytes of the key."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.agreement.circuits import forest, linear
from tests.agreement.proofs import Proof, Workshop, native_refusal, reference_refusal
from tests.agreement.reference import Refused, is_network, networks, parse_key

from assay import _core

from .attacks import P
from .targets import SECRET, SHAPES, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = len(b"assay-vk/3\0") + 4 + 12 * 4


def both_refuse(proof: Proof) -> None:
    assert native_refusal(proof) is not None
    assert reference_refusal(proof) is not None


def test_another_setup_of_the_same_model(workshop: Workshop, shape: Shape, proof: Proof) -> None:
    """The commitments are blinded afresh, so the key is another one."""
    key, _ = workshop.new_keys(shape.circuit)
    assert key != proof.key
    assert len(key) == len(proof.key)
    both_refuse(proof.with_(key=key))


def test_the_same_model_on_another_string(tmp_path_factory: pytest.TempPathFactory, workshop: Workshop) -> None:
    shape = SHAPES["trees, 3 rows"]
    proof = shape.proof(workshop)
    other = Workshop.with_new_srs(tmp_path_factory.mktemp("other") / "dev.srs", (1 << 10) + 64)
    both_refuse(proof.with_(key=other.keys(shape.circuit)[0]))
    # Not even with tau alone exchanged.
    both_refuse(proof.with_(key=proof.key[:-128] + other.keys(shape.circuit)[0][-128:]))


def test_another_model_of_the_same_shape(workshop: Workshop) -> None:
    for mine, other in [
        (forest(41, trees=2, depth=2, full=True), forest(42, trees=2, depth=2, full=True)),
        (linear(43), linear(44)),
    ]:
        rng = random.Random(1)
        proof = workshop.prove(mine, [mine.random_row(rng)])
        key, _ = workshop.keys(other)
        assert key[:HEADER] == proof.key[:HEADER]
        both_refuse(proof.with_(key=key))


def test_another_scale_or_greatest_batch(workshop: Workshop, shape: Shape, proof: Proof) -> None:
    both_refuse(proof.with_(key=workshop.keys(replace(shape.circuit, scale_bits=21))[0]))
    both_refuse(proof.with_(key=workshop.keys(shape.circuit, 2 if shape.rows <= 2 else 8)[0]))


def test_keys_of_other_shapes(workshop: Workshop, proof: Proof) -> None:
    for other in SHAPES.values():
        key, _ = workshop.keys(other.circuit)
        if key != proof.key:
            assert native_refusal(proof.with_(key=key)) is not None


def changed_keys(key: bytes) -> Iterator[tuple[str, bytes]]:
    """Each byte changed in three ways, and each 4-byte field of the header to numbers that make sense elsewhere."""
    for i, byte in enumerate(key):
        for mask in (0x01, 0x80, 0xFF):
            yield f"byte {i} xor {mask:#x}", _with(key, i, bytes([byte ^ mask]))
    for start in range(HEADER - 12 * 4, HEADER, 4):
        value = int.from_bytes(key[start : start + 4], "big")
        for other in {0, 1, value - 1, value + 1, value // 2, value * 2, (1 << 32) - 1} - {value, -1}:
            yield f"field at {start} = {other}", _with(key, start, other.to_bytes(4, "big"))
    for cut in (1, 32, 64, 128):
        yield f"without its last {cut} bytes", key[:-cut]
        yield f"with {cut} bytes more", key + bytes(cut)
    yield "empty", b""


def _with(key: bytes, start: int, part: bytes) -> bytes:
    return key[:start] + part + key[start + len(part) :]


def exchanged_points(key: bytes) -> Iterator[tuple[str, bytes]]:
    """Keys that are well formed: points exchanged, negated, replaced by others of the key."""
    first = (len(key) - HEADER - 4) % 64
    starts = range(HEADER + 4 + first, len(key) - 128, 64)
    parts = [key[start : start + 64] for start in starts]
    for i, start in enumerate(starts):
        x, y = parts[i][:32], int.from_bytes(parts[i][32:], "big")
        yield f"point {i} negated", _with(key, start, x + (P - y).to_bytes(32, "big"))
        for j, part in enumerate(parts):
            if i != j:
                yield f"point {i} = point {j}", _with(key, start, part)
        if i:
            yield f"points {i - 1} and {i} exchanged", _with(key, start - 64, parts[i] + parts[i - 1])


def well_formed(key: bytes) -> bool:
    """Whether the plain reader takes the key; the native one takes no key that it refuses."""
    try:
        (networks.parse_network_key if is_network(key) else parse_key)(key)
    except Refused:
        return False
    return True


def test_no_changed_key_verifies_the_proof(proof: Proof) -> None:
    changed = list(changed_keys(proof.key))
    assert len(changed) > 3 * len(proof.key)
    for name, key in changed:
        other = proof.with_(key=key)
        assert native_refusal(other) is not None, name
        if not well_formed(key):
            continue
        assert reference_refusal(other) is not None, name


def test_a_changed_key_is_not_the_proofs_even_in_the_proofs_own_file(proof: Proof) -> None:
    """Here the file still names the old key's digest."""
    container = proof.container()
    _core.verify(proof.key, container)
    for _, key in changed_keys(proof.key):
        with pytest.raises(_core.CoreError):
            _core.verify(key, container)


def test_exchanged_commitments(proof: Proof) -> None:
    changed = list(exchanged_points(proof.key))
    assert changed
    for number, (name, key) in enumerate(changed):
        if key == proof.key:
            continue
        assert native_refusal(proof.with_(key=key)) == "proof/invalid", name
        if number % 5 == 0:
            assert reference_refusal(proof.with_(key=key)) == "the pairing check fails", name


@pytest.mark.parametrize("point", [bytes(64), bytes(31) + b"\1" + bytes(31) + b"\3"], ids=["(0, 0)", "off the curve"])
def test_keys_with_points_that_are_none(proof: Proof, point: bytes) -> None:
    start = len(proof.key) - 128 - 64
    key = _with(proof.key, start, point)
    assert not well_formed(key)
    with pytest.raises(_core.CoreError):
        _core.vk_info(key)


def test_linear_keys_have_zero_for_the_fields_that_they_lack(workshop: Workshop) -> None:
    """A field that nothing reads would be a second encoding of the same key, and one for other verifiers to read."""
    key, _ = workshop.keys(SHAPES["linear, 3 rows"].circuit)
    fields = ["F", "K", "scale_bits", "lane", "T", "D", "st", "g", "N", "q", "L"]
    taken = []
    for number, field in enumerate(fields):
        if field in {"T", "D", "N", "q", "L"}:
            changed = _with(key, HEADER - 12 * 4 + 4 * number, (1).to_bytes(4, "big"))
            assert not well_formed(changed)
            try:
                _core.vk_info(changed)
            except _core.CoreError:
                continue
            taken.append(field)
    assert taken == []


def test_every_byte_of_the_file(proof: Proof) -> None:
    """Magic, digest, header, words, lengths and body: no byte may change."""
    container = proof.container()
    for i, byte in enumerate(container):
        for mask in (0x01, 0x80):
            with pytest.raises(_core.CoreError) as refused:
                _core.verify(proof.key, container[:i] + bytes([byte ^ mask]) + container[i + 1 :])
            assert refused.value.args[0].startswith(("proof/", "key/")), i
    for other in (b"", container[:-1], container + b"\0", container[1:], container * 2):
        with pytest.raises(_core.CoreError):
            _core.verify(proof.key, other)


def test_private_proofs_belong_to_their_commitment(workshop: Workshop) -> None:
    """Another opening, another input, and the commitments of both under each other's proofs."""
    shape = SHAPES["trees, private pairs, 2 rows"]
    mine, twin = shape.proof(workshop), shape.proof(workshop)
    assert mine.words == twin.words
    assert mine.body != twin.body
    reopened = shape.proof(workshop, opening=bytes(32 - len(b"2")) + b"2")
    other = shape.proof(workshop, seed=2, opening=SECRET)
    outputs = mine.words[2:]
    assert reopened.words[2:] == outputs
    for stranger in (reopened, other):
        assert native_refusal(stranger) is None
        assert stranger.words[:2] != mine.words[:2]
        both_refuse(mine.with_(words=(*stranger.words[:2], *outputs)))
        both_refuse(stranger.with_(words=(*mine.words[:2], *stranger.words[2:])))
        both_refuse(mine.with_(words=stranger.words))
        both_refuse(mine.with_(body=stranger.body))

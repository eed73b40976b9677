"""Keys: what a prover keeps secret with its model, and what everyone may have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from assay.core import files
from assay.core.envelope import Envelope, load, save
from assay.core.errors import ArtefactDamaged, AssayError
from assay.core.shown import Shown
from assay.prove import srs as references
from assay.prove import wiring
from assay.prove.check import KeyCheck, check_key
from assay.prove.native import native

if TYPE_CHECKING:
    from os import PathLike

    import numpy as np
    from numpy.typing import NDArray

    from assay._core import Prover
    from assay.transpile.circuit.answers import Answers
    from assay.transpile.circuit.circuit import Circuit
    from assay.transpile.rows.saturated import Saturated

PROVING_KEY_FILE = "proving.key"
VERIFYING_KEY_FILE = "verifying.key"

_VERSION = 1
_SRS = ("digest", "degree", "kind")


@dataclass(frozen=True, eq=False, repr=False)
class _Key(Shown):
    """Bytes of the native core in an envelope.

    Attributes
    ----------
    content
        The key itself, in the native core's format.
    about
        Facts beside it: the reference string it was made with, and the most rows of one proof.
    place
        The file that it was read from, to find what lies beside it; None if it was just made.
    """

    content: bytes
    about: dict[str, Any]
    place: Path | None = None

    KIND = "key"
    FILE = ""
    SECRET = False
    AGAIN = ""

    def save(self, path: str | PathLike[str]) -> None:
        """Write the key to `path`, whole or not at all.

        Raises
        ------
        KeyInPlace
            Another proving key is there. It cannot be made again, so it is not replaced.
        StorageError
            The file cannot be written.
        """
        save(self._envelope, Path(path), version=_VERSION, secret=self.SECRET)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a key from its file, or from the folder that it is in under its usual name.

        Raises
        ------
        StorageError
            There is no such file, or it may not be read.
        ArtefactDamaged
            The file is not a key of this kind, or was truncated or altered.
        ArtefactVersion
            The key was made by another release and cannot be read.
        """
        place = Path(path)
        place = place / cls.FILE if place.is_dir() else place
        envelope = load(place, kind=cls.KIND, version=_VERSION, todo=cls.AGAIN)
        srs, batch = envelope.about.get("srs"), envelope.about.get("max_batch")
        if not isinstance(srs, dict) or set(srs) != set(_SRS) or not isinstance(batch, int):
            raise ArtefactDamaged(f"{place} does not say which reference string it was made with.", cls.AGAIN)
        return cls(envelope.content, envelope.about, place)

    @property
    def digest(self) -> str:
        """SHA-256 of the key's content and facts: 64 hexadecimal digits."""
        return self._envelope.digest

    @property
    def max_batch(self) -> int:
        """The most rows that one proof may cover."""
        return int(self.about["max_batch"])

    @property
    def srs_kind(self) -> str:
        """Where the reference string is from: "development" or "ceremony"."""
        return str(self.about["srs"]["kind"])

    def _facts(self) -> list[tuple[str, str]]:
        facts = [("up to", f"{self.max_batch} rows a proof"), ("reference string", self.srs_kind)]
        return [*facts, ("size", f"{len(self):,} bytes"), *([("file", str(self.place))] if self.place else [])]

    def __len__(self) -> int:
        """Return the size of the key in bytes."""
        return len(self.content)

    def __eq__(self, other: object) -> bool:
        """Compare by content."""
        return isinstance(other, _Key) and type(self) is type(other) and self.digest == other.digest

    def __hash__(self) -> int:
        """Hash by content."""
        return hash(self.digest)

    @property
    def _envelope(self) -> Envelope:
        return Envelope(self.KIND, self.content, self.about)


class VerifyingKey(_Key):
    """Everything that checking a proof needs, and nothing that must stay secret."""

    KIND = "verifying-key"
    FILE = VERIFYING_KEY_FILE
    AGAIN = "Fetch it again from whoever made it."

    @classmethod
    def new(cls, content: bytes, *, srs: dict[str, Any], max_batch: int, circuit: Circuit | None = None) -> Self:
        """Wrap a key that the native core made; `circuit` says what its outputs mean, and a network's wiring."""
        about = {"srs": srs, "max_batch": max_batch}
        if circuit is None:
            return cls(content, about)
        network = wiring.public(circuit)
        beside = {} if network is None else {"network": network}
        return cls(content, about | {"answers": circuit.answers.to_dict()} | beside)

    @cached_property
    def answers(self) -> Answers | None:
        """What the outputs mean, as whoever made the key says; no part of what is proven. None if nobody did."""
        from assay.transpile.circuit.answers import Answers

        said = self.about.get("answers")
        return Answers.of(said, int(self.info["outputs"])) if isinstance(said, dict) else None

    @cached_property
    def info(self) -> dict[str, Any]:
        """What the native core says of the key: its shape, its points, its identity."""
        return describe(self.content)

    def _facts(self) -> list[tuple[str, str]]:
        try:
            about = self.info
        except AssayError:
            return [("content", "no key that can be read"), *super()._facts()]
        shape = f"{about['kind']}, {about['features']} features, {about['outputs']} outputs, {about['inputs']} inputs"
        return [("model", about["digest"][:10]), ("of", shape), *super()._facts()]

    @property
    def model_id(self) -> str:
        """The model's identity, the contract's `modelId`: hash of the key's bytes, 0x and 64 hexadecimal digits."""
        return str(self.info["digest"])

    @cached_property
    def check(self) -> KeyCheck:
        """What is known here of the key's public parts and of its stamp.

        Raises
        ------
        KeyForged
            The key does not prove that its public parts are the protocol's, or its stamp is not what its reference
            string says.
        """
        return check_key(self.content, self.about["srs"], wiring.read(self.about.get("network")))


class ProvingKey(_Key):
    """The model in the prover's form. It is as secret as the model, and nothing makes the same one again."""

    KIND = "proving-key"
    FILE = PROVING_KEY_FILE
    SECRET = True
    AGAIN = "Restore it from your backup; the same proving key cannot be made again."

    @classmethod
    def new(cls, content: bytes, *, circuit: Circuit, srs: dict[str, Any], max_batch: int) -> Self:
        """Wrap a key that the native core made for this circuit."""
        return cls(content, {"srs": srs, "max_batch": max_batch, "interface": _interface(circuit).to_json()})

    @property
    def answers(self) -> Answers:
        """What the outputs mean; no part of what is proven."""
        return self._circuit.answers

    @property
    def interface(self) -> str:
        """How rows become words and outputs answers: the circuit without its model, as JSON."""
        return str(self.about.get("interface"))

    def encode(self, X: Any) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
        """Turn one row or a batch into the words that are proven, as `Circuit.encode` does."""
        return self._circuit.encode(X)

    @property
    def features(self) -> list[str]:
        """The names of the features, in the order of a row's words."""
        return [feature.name for feature in self._circuit.features]

    def saturate(self, X: Any) -> tuple[NDArray[np.uint64], NDArray[np.bool_], list[Saturated]]:
        """As `encode`, with values outside a declared range moved to its end, and which those are."""
        from assay.transpile.rows.encode import saturate

        return saturate(self._circuit, X)

    def rounded(self, X: Any) -> int:
        """How many rows have numbers that proving rounds to float32, though the model's own library does not."""
        from assay.transpile.rows.encode import rounded

        return rounded(self._circuit, X) if self._circuit.meta.get("reads") == "float64" else 0

    @cached_property
    def _circuit(self) -> Circuit:
        from assay.transpile.circuit.circuit import Circuit

        return Circuit.from_json(self.interface)

    @cached_property
    def prover(self) -> Prover:
        """The native prover with this key and its reference string in memory; made at first use."""
        srs = references.find(**self.about["srs"])
        with native(self.content) as core:
            prover: Prover = core.Prover(self.content, str(srs.path))
        return prover


@dataclass(frozen=True, repr=False)
class Keys(Shown):
    """The two keys of one circuit."""

    proving_key: ProvingKey
    verifying_key: VerifyingKey

    def _facts(self) -> list[tuple[str, str]]:
        return [("verifying key", repr(self.verifying_key)), ("proving key", repr(self.proving_key))]

    @property
    def model_id(self) -> str:
        """The model's identity, the contract's `modelId`: 0x and 64 hexadecimal digits."""
        return self.verifying_key.model_id

    def save(self, folder: str | PathLike[str]) -> None:
        """Write `proving.key` and `verifying.key` into `folder`, both or none; raises as `ProvingKey.save` does."""
        with files.folder(folder) as place:
            self.proving_key.save(place / PROVING_KEY_FILE)
            self.verifying_key.save(place / VERIFYING_KEY_FILE)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Self:
        """Read both keys; raises as `ProvingKey.load` does."""
        place = Path(folder)
        return cls(ProvingKey.load(place / PROVING_KEY_FILE), VerifyingKey.load(place / VERIFYING_KEY_FILE))


def describe(content: bytes) -> dict[str, Any]:
    """Return what the native core says of a verifying key's bytes; raises `KeyRefused` for all it would not use."""
    with native(content) as core:
        return dict(core.vk_info(content))


def _interface(circuit: Circuit) -> Circuit:
    """The circuit's inputs and outputs around an empty model: the model itself is in the native key."""
    import numpy as np

    from assay.transpile.circuit.circuit import Tree
    from assay.transpile.circuit.network.network import empty

    outputs = len(circuit.outputs)
    nothing = np.zeros(1, dtype=np.int32)
    leaf = Tree(nothing - 1, np.zeros(1, dtype=np.uint64), nothing, nothing, np.zeros((1, outputs), dtype=np.int64))
    return replace(
        circuit,
        base=[0] * outputs,
        trees=[leaf] if circuit.kind == "trees" else [],
        weights=[[0] * len(circuit.features)] * outputs if circuit.kind == "linear" else [],
        network=None if circuit.network is None else empty(circuit.network),
        meta=circuit.answers.to_dict() | {name: circuit.meta[name] for name in ("reads",) if name in circuit.meta},
    )

"""Setup: from a circuit to its keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from assay.core.arguments import expect
from assay.prove import srs as references
from assay.prove.errors import CircuitRefused
from assay.prove.keys import Keys, ProvingKey, VerifyingKey
from assay.prove.native import native
from assay.transpile.circuit.circuit import Circuit
from assay.transpile.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

LARGEST_DEFAULT_BATCH = 128
LARGEST_DEFAULT_DEGREE = (1 << 19) + references.SLACK
# A network's key holds its wiring for every number of rows, and its setup commits to each: not for more than are asked.
LARGEST_DEFAULT_NETWORK_DEGREE = (1 << 15) + (1 << 13)


def setup(
    circuit: Circuit,
    *,
    max_batch: int | None = None,
    srs: str | PathLike[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Keys:
    """Make the proving and the verifying key of a circuit.

    Parameters
    ----------
    circuit
        What `assay.transpile` returned.
    max_batch
        The most rows that one proof may cover. Larger batches need a larger reference
        string. By default 128, or as many as the reference string allows for a large model; of a network
        as many as 40,960 powers allow (`fitting_batch`).
    srs
        A reference string's file in Assay's form. By default an imported ceremony that is large
        enough, else a development string from the cache, generated if there is none.
    progress
        Called with a line of text when a new step begins.

    Returns
    -------
    The two keys. The proving key holds the model and is as secret as it; the verifying key is public.

    Raises
    ------
    WrongType
        `circuit` is something else.
    OptionError
        `max_batch` is no positive whole number.
    CircuitRefused
        The circuit is beyond what the prover takes.
    SrsTooSmall
        `srs` has too few powers; the message says how many are needed.
    StorageError
        The cache folder cannot be read or written.
    """
    expect(circuit, Circuit, name="circuit", call="assay.setup(assay.transpile(model))")
    if max_batch is not None and (type(max_batch) is not int or max_batch < 1):
        raise OptionError(
            f"max_batch is {max_batch!r:.40}", "Give a positive whole number, the most rows of one proof."
        )
    text = circuit.to_json()
    batch = max_batch or fitting_batch(text, srs=srs)
    degree = required_degree(text, batch)
    _require_memory(degree, circuit)
    reference = references.read(Path(srs)) if srs else references.for_degree(degree, progress=progress)
    references.require(reference, degree)
    if progress is not None:
        progress("Committing to the model")
    with native() as core:
        pk, vk = core.setup(text, str(reference.path), batch)
    pinned = {"digest": reference.digest, "degree": reference.degree, "kind": reference.kind}
    return Keys(
        ProvingKey.new(pk, circuit=circuit, srs=pinned, max_batch=batch),
        VerifyingKey.new(vk, srs=pinned, max_batch=batch, circuit=circuit),
    )


# Of each power a point of 64 bytes, and the least number of polynomials of that length that setup holds at once.
_BYTES_A_POWER = 64 + 3 * 32
# Of a network's matrix a number of the field for each entry: it is longer than any polynomial where it is in parts.
_BYTES_A_WEIGHT = 32


def _require_memory(degree: int, circuit: Circuit) -> None:
    """Refuse what cannot fit, before minutes of work on it."""
    weights = circuit.network.slots * circuit.network.columns if circuit.network else 0
    needed, there = _BYTES_A_POWER * degree + _BYTES_A_WEIGHT * weights, memory()
    if there is not None and needed > there:
        raise CircuitRefused(
            f"the circuit needs {degree:,} powers of the reference string"
            f"{f' and has a matrix of {weights:,} entries' if weights else ''}, so at least {needed / 1e9:.1f} GB of "
            f"memory, and this machine has {there / 1e9:.1f} GB.",
            "Train a smaller model, lower --max-batch, or use a larger machine.",
        )


def memory() -> int | None:
    """Bytes of memory that this machine has; None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not on every system
        return None


_NETWORK = '{"schema":"assay-circuit/1","kind":"network",'


def fitting_batch(text: str, most: int = LARGEST_DEFAULT_BATCH, *, srs: str | PathLike[str] | None = None) -> int:
    """The most rows a proof, up to `most`, that a reference string reaches.

    Parameters
    ----------
    text
        The circuit, as JSON.
    most
        Rows that are wanted. Fewer are a power of two.
    srs
        The string's file. By default an imported ceremony if one is large enough for a proof of one row, else a
        development string of 2^19 powers, which takes seconds to make.
    """
    if srs is not None:
        limit = references.read(Path(srs)).degree
    else:
        limit = max((one.degree for one in references.available() if one.kind == "ceremony"), default=0)
        if limit < required_degree(text, 1):
            limit = LARGEST_DEFAULT_DEGREE
    if text.startswith(_NETWORK):
        limit = min(limit, max(LARGEST_DEFAULT_NETWORK_DEGREE, required_degree(text, 1)))
    batch = most
    while batch > 1 and required_degree(text, batch) > limit:
        batch = 1 << ((batch - 1).bit_length() - 1)
    return batch


def required_degree(text: str, batch: int) -> int:
    """The highest power of the secret that setup and proofs of `batch` rows need; raises `CircuitRefused`."""
    with native() as core:
        return int(core.required_degree(text, batch))

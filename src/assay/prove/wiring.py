"""The public part of a network's circuit, beside its verifying key.

A key's commitments to a network's wiring can be compared only with the wiring itself (docs/spec/networks.md,
section 8), which stands in no key. So it stands beside the bytes, compressed: whoever has the key's file and its
reference string checks it without asking anybody. It is public: nothing of the weights is in it.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from assay.prove.errors import KeyForged

if TYPE_CHECKING:
    from assay.transpile.circuit.circuit import Circuit

_LARGEST = 1 << 27  # of the text, in bytes
_LONGEST = 1 << 19  # of what stands beside the key


def public(circuit: Circuit) -> str | None:
    """What to write beside the key; None where the key needs nothing, or the network is too large for a header."""
    if circuit.network is None:
        return None
    bare = replace(circuit, network=replace(circuit.network, weights=[]), meta={})
    text = base64.b64encode(zlib.compress(bare.to_json().encode(), 9)).decode()
    return text if len(text) <= _LONGEST else None


def read(text: object) -> str | None:
    """The `circuit.json` without weights that `public` wrote; None if there is none.

    Raises
    ------
    KeyForged
        It is not such a text.
    """
    if text is None:
        return None
    try:
        inflate = zlib.decompressobj()
        found = inflate.decompress(base64.b64decode(str(text), validate=True), _LARGEST)
        if inflate.eof:
            return found.decode()
    except (ValueError, binascii.Error, zlib.error):
        pass
    raise KeyForged("what stands beside the verifying key as its network's wiring is none.")

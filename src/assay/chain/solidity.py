"""The Solidity verifier of a model: one self-contained contract, its constants those of the verifying key."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from assay.chain import networks
from assay.chain.context import context
from assay.chain.errors import KeyNotSupported
from assay.chain.key import MAGIC, Key
from assay.chain.shared import require_sharing, shared_context
from assay.core.arguments import expect
from assay.prove.check import check_key, require
from assay.prove.errors import NativeModuleMissing, ProveError
from assay.prove.keys import VerifyingKey, describe

if TYPE_CHECKING:
    from jinja2 import Environment

    from assay.prove.check import KeyCheck

CONTRACT_NAME = "AssayVerifier"
SHARED_NAME = "AssaySharedVerifier"
_LONGEST_COMMENT = 300


@dataclass(frozen=True)
class VerifierSource:
    """A generated verifier.

    Attributes
    ----------
    text
        The Solidity source; it imports nothing.
    name
        Name of the contract in it.
    model_id
        Digest of the verifying key, 0x and 64 hexadecimal digits; of a shared verifier that of its shape.
    development
        Whether the key was made from a development SRS.
    check
        What is known of the key's public parts and of that stamp.
    """

    text: str
    name: str
    model_id: str
    development: bool
    check: KeyCheck


def solidity(verifying_key: VerifyingKey, *, name: str = CONTRACT_NAME, unchecked: bool = False) -> str:
    """Write the Solidity source of the contract that verifies proofs under `verifying_key`.

    Parameters
    ----------
    verifying_key
        The key that `assay.setup` returned or `VerifyingKey.load` read.
    name
        Name of the contract.
    unchecked
        Write it for a key that says it is of a ceremony although nothing here confirms it. The source then says
        "KEY NOT CHECKED".

    Returns
    -------
        A source file that imports nothing and compiles with solc 0.8.24 or later.

    Raises
    ------
    KeyNotSupported
        The key is not of this release's format.
    KeyUnchecked
        The key is stamped ceremony, and its `[tau]_2` is neither known nor of a string that was imported here.
    KeyForged
        The key does not prove itself, or its stamp is not what its reference string says.
    """
    expect(verifying_key, VerifyingKey, name="verifying_key", call="assay.solidity(keys.verifying_key)")
    key = _readable(verifying_key.content)
    meaning = "" if verifying_key.answers is None else verifying_key.answers.describe()
    require(verifying_key.check, unchecked=unchecked)
    return _write(key, verifying_key.content, verifying_key.check, name, meaning).text


def render(
    vk: bytes, *, name: str = CONTRACT_NAME, unchecked: bool = False, known: KeyCheck | None = None
) -> VerifierSource:
    """Write the verifier of a key's bytes (docs/spec/protocol.md, section 7).

    Parameters
    ----------
    vk
        The bytes.
    name
        Name of the contract.
    unchecked
        As for `solidity`; deploying the contract has to be told so too.
    known
        What `VerifyingKey.check` says of it: of a network it knows the wiring, which the bytes do not hold.

    Raises
    ------
    KeyNotSupported
        The native verifier refuses the key or it is not of this release's format, or `name` is no identifier.
    KeyUnchecked, KeyForged
        As for `solidity`.
    """
    key, check = _readable(vk), known or check_key(vk)
    require(check, unchecked=unchecked)
    return _write(key, vk, check, name)


def render_shared(vk: bytes, *, name: str = SHARED_NAME, unchecked: bool = False) -> VerifierSource:
    """Write the verifier of all models that have a key's shape and reference string (`assay.chain.shared`).

    Parameters
    ----------
    vk
        The bytes of one of their keys.
    name
        Name of the contract.
    unchecked
        As for `solidity`.

    Raises
    ------
    KeyNotSupported, KeyUnchecked, KeyForged
        As for `render`; a network's key has no shared verifier.
    """
    require_sharing(vk)
    key, check = _readable(vk), check_key(vk)
    require(check, unchecked=unchecked)
    return _write(key, vk, check, name, shared=True)


def _write(
    key: Key | networks.NetworkKey,
    vk: bytes,
    check: KeyCheck,
    name: str,
    meaning: str = "",
    *,
    shared: bool = False,
) -> VerifierSource:
    if not (name.isascii() and name.isidentifier()):
        raise KeyNotSupported(f"{name!r} is not a name for a contract.", "Use letters, digits and underscores.")
    if isinstance(key, networks.NetworkKey):
        file, values = "networks/verifier.sol.j2", networks.context(key, vk)
    else:
        file, values = "verifier.sol.j2", shared_context(key, vk) if shared else context(key, vk)
    doubt = "" if check.checked else comment(check.note)
    template = environment().get_template(file)
    text = template.render(name=name, meaning=comment(meaning), doubt=doubt, **values)
    digest = values["shape_digest" if shared else "digest"]
    return VerifierSource(text, name, f"0x{digest}", key.development, check)


def comment(text: str) -> str:
    """A stranger's text as one line of a comment: printable ASCII, and no more than a line has room for."""
    plain = text.encode("ascii", "backslashreplace").decode()
    plain = "".join(letter if letter.isprintable() else " " for letter in plain).replace("*/", "* /")
    return plain if len(plain) <= _LONGEST_COMMENT else plain[: _LONGEST_COMMENT - 3] + "..."


@cache
def environment() -> Environment:
    """The templates, each compiled once."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("assay.chain"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  Solidity is no markup; every value is a number or a checked identifier
    )


def _readable(vk: bytes) -> Key | networks.NetworkKey:
    """Read the key, once the native verifier has: a contract must not accept under a key that it refuses."""
    try:
        describe(vk)
    except NativeModuleMissing:
        raise
    except ProveError as error:
        raise KeyNotSupported(error.what, "Make the keys again with `assay transpile`.") from error
    return networks.NetworkKey.parse(vk) if vk[len(MAGIC)] == networks.KIND else Key.parse(vk)

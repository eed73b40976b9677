"""Who signs: a keystore file (version 3) or a key management service, behind one interface; keys are never shown."""

from __future__ import annotations

import getpass
import json
import os
from typing import TYPE_CHECKING, Any, Protocol

from assay.core import files
from assay.core.errors import MissingLibrary
from assay.settle.errors import KeyUnreadable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Half the order of secp256k1: a signature's s may not be above it (EIP-2).
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class Signer(Protocol):
    """Signs digests; nothing else is asked of a key."""

    @property
    def address(self) -> str:
        """The account, with its checksum."""
        ...

    def sign(self, digest: bytes) -> tuple[int, int, int]:
        """(parity, r, s) of a 32-byte digest; s in the lower half."""
        ...


def sign_transaction(signer: Signer, fields: Mapping[str, Any]) -> tuple[str, str]:
    """(hash, raw bytes), both 0x-hexadecimal, of an EIP-1559 transaction."""
    from eth_account.typed_transactions.typed_transaction import TypedTransaction
    from eth_utils.address import to_checksum_address
    from eth_utils.crypto import keccak

    to = fields["to"] and to_checksum_address(fields["to"])
    draft = {**fields, "type": 2, "to": to}
    parity, r, s = signer.sign(bytes(TypedTransaction.from_dict(draft).hash()))
    raw = bytes(TypedTransaction.from_dict({**draft, "v": parity, "r": r, "s": s}).encode())
    return "0x" + keccak(raw).hex(), "0x" + raw.hex()


class Keystore:
    """A key in a keystore file.

    Parameters
    ----------
    path
        The file, version 3 of the format, as every wallet writes it.
    passphrase_file
        A file that holds the passphrase; without it the terminal is asked.

    Raises
    ------
    KeyUnreadable
        The file is no keystore, others may read it, or the passphrase is wrong.
    """

    def __init__(self, path: Path, passphrase_file: Path | None = None) -> None:
        _require_private(path)
        key = _private_key(_decrypted(path, _passphrase(path, passphrase_file)))
        self._address = str(key.public_key.to_checksum_address())

        # In a closure: a field would be printed with the object's others, in a log or a traceback's variables.
        def sign(digest: bytes) -> tuple[int, int, int]:
            signature = key.sign_msg_hash(digest)
            return int(signature.v), int(signature.r), int(signature.s)

        self._sign = sign

    @property
    def address(self) -> str:
        """The account."""
        return self._address

    def sign(self, digest: bytes) -> tuple[int, int, int]:
        """(parity, r, s); deterministic (RFC 6979)."""
        return self._sign(digest)

    def __repr__(self) -> str:
        """Show the account only."""
        return f"Keystore({self.address})"

    def __reduce__(self) -> str:
        """Refuse to be written anywhere."""
        raise TypeError("a signing key is not passed to other processes")


def create_keystore(path: Path, passphrase: str, key: bytes | None = None) -> str:
    """Write a new keystore file (mode 0600), of a new key unless one is given; returns its account.

    Raises
    ------
    KeyUnreadable
        A file is there already: a key is never overwritten.
    """
    from eth_account import Account

    secret = key if key is not None else os.urandom(32)
    content = json.dumps(Account.encrypt(secret, passphrase)).encode()
    with files.translated(path, "write"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise KeyUnreadable(f"{path} is there already, and a key is never overwritten", "Name another.") from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    return str(_private_key(secret).public_key.to_checksum_address())


class _Published:
    """A key that everybody knows: for local chains only."""

    def __init__(self, secret: bytes) -> None:
        self._key = _private_key(secret)

    @property
    def address(self) -> str:
        """The account."""
        return str(self._key.public_key.to_checksum_address())

    def sign(self, digest: bytes) -> tuple[int, int, int]:
        """(parity, r, s)."""
        signature = self._key.sign_msg_hash(digest)
        return int(signature.v), int(signature.r), int(signature.s)


def development_key() -> Signer:
    """The first account of the mnemonic that Anvil and Hardhat publish: it has funds on local chains only."""
    return _Published(bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"))


class Kms:
    """A key in AWS KMS (ECC_SECG_P256K1): the key never leaves it, digests are sent to it.

    Parameters
    ----------
    key
        Its id, alias or ARN. Credentials and region are boto3's own.
    client
        A boto3 client; made if absent.
    """

    def __init__(self, key: str, client: Any = None) -> None:
        self._key = key
        self._client = client if client is not None else _kms_client()
        self._public = _public_key(_asked(lambda: self._client.get_public_key(KeyId=key))["PublicKey"])

    @property
    def address(self) -> str:
        """The account."""
        return str(self._public.to_checksum_address())

    def sign(self, digest: bytes) -> tuple[int, int, int]:
        """(parity, r, s): the service's s may be in the upper half, and it does not say the parity."""
        from eth_keys.datatypes import Signature
        from eth_keys.exceptions import BadSignature

        request = {"KeyId": self._key, "Message": digest, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
        r, s = _der(_asked(lambda: self._client.sign(**request))["Signature"])
        s = min(s, _ORDER - s)
        for parity in (0, 1):
            try:
                if Signature(vrs=(parity, r, s)).recover_public_key_from_msg_hash(digest) == self._public:
                    return parity, r, s
            except BadSignature:
                continue
        raise KeyUnreadable("the service's signature is not of its own key", "Check the key's kind: ECC_SECG_P256K1.")

    def __repr__(self) -> str:
        """Show the account only."""
        return f"Kms({self.address})"


def _kms_client() -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise MissingLibrary("Signing by AWS KMS needs boto3", "Run `pip install 'assay[kms]'`.") from error
    # Nonce and signature are kept in one transaction of the records, for which others wait 30 s at most.
    return boto3.client("kms", config=Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 3}))


def _asked(call: Any) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return call()
    except (BotoCoreError, ClientError) as error:
        raise KeyUnreadable(f"the key management service refuses ({error})", "Check the key and its policy.") from None


def _public_key(der: bytes) -> Any:
    from eth_keys.datatypes import PublicKey

    # SubjectPublicKeyInfo of secp256k1 is 88 bytes; the last 64 are the point.
    if len(der) != 88 or der[23] != 4:
        raise KeyUnreadable("the service's key is of another curve", "Make one of the kind ECC_SECG_P256K1.")
    return PublicKey(der[-64:])


def _der(signature: bytes) -> tuple[int, int]:
    """The two integers of an ASN.1 signature."""
    if len(signature) < 8 or signature[0] != 0x30 or signature[1] != len(signature) - 2:
        raise KeyUnreadable("the service's signature cannot be read", "Check the key's kind: ECC_SECG_P256K1.")
    found, at = [], 2
    for _ in range(2):
        length = signature[at + 1]
        found.append(int.from_bytes(signature[at + 2 : at + 2 + length], "big"))
        at += 2 + length
    return found[0], found[1]


def _private_key(secret: bytes) -> Any:
    from eth_keys.datatypes import PrivateKey

    return PrivateKey(secret)


def _passphrase(path: Path, file: Path | None) -> str:
    if file is not None:
        _require_private(file)
        return files.read(file).decode(errors="replace").rstrip("\r\n")
    try:
        return getpass.getpass(f"Passphrase of {path}: ")
    except EOFError:
        raise KeyUnreadable(f"nobody is there to give the passphrase of {path}", "Name a passphrase_file.") from None


def _require_private(path: Path) -> None:
    with files.translated(path, "read"):
        mode = path.stat().st_mode
    if mode & 0o077:
        raise KeyUnreadable(f"others may read {path} (mode {mode & 0o777:04o})", f"Run `chmod 600 {path}`.")


def _decrypted(path: Path, passphrase: str) -> bytes:
    from eth_account import Account

    content = files.read(path)
    try:
        return bytes(Account.decrypt(json.loads(content), passphrase))
    except (ValueError, TypeError, KeyError) as error:
        said = "the passphrase is wrong" if "MAC" in str(error) else "it is no keystore of version 3"
        raise KeyUnreadable(f"{path} cannot be opened: {said}", "Check the file and the passphrase.") from None

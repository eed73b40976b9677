import os
import pickle

import pytest
from eth_account import Account

from assay.settle.errors import KeyUnreadable
from assay.settle.signer import Keystore, Kms, create_keystore, sign_transaction

FIELDS = {"chainId": 1, "nonce": 3, "to": "0x" + "11" * 20, "value": 7, "data": "0xabcd", "gas": 50_000}
FIELDS |= {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**9}
SECRET = bytes(range(1, 33))


@pytest.fixture(scope="module")
def keystore(tmp_path_factory):
    place = tmp_path_factory.mktemp("key")
    create_keystore(place / "key.json", "open sesame", SECRET)
    (place / "pass").write_text("open sesame\n")
    (place / "pass").chmod(0o600)
    return place


def test_a_keystore_signs_as_the_ethereum_library_does(keystore):
    signer = Keystore(keystore / "key.json", keystore / "pass")
    expected = Account.from_key(SECRET).sign_transaction(FIELDS)
    assert sign_transaction(signer, FIELDS) == ("0x" + expected.hash.hex(), "0x" + expected.raw_transaction.hex())
    assert signer.address == Account.from_key(SECRET).address


def test_what_is_secret_is_neither_shown_nor_passed_on(keystore):
    signer = Keystore(keystore / "key.json", keystore / "pass")
    assert SECRET.hex() not in repr(vars(signer)) + repr(signer)
    with pytest.raises(TypeError):
        pickle.dumps(signer)
    assert (keystore / "key.json").stat().st_mode & 0o777 == 0o600


def test_keystores_that_cannot_be_used(keystore, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("close sesame")
    wrong.chmod(0o600)
    with pytest.raises(KeyUnreadable, match="passphrase is wrong"):
        Keystore(keystore / "key.json", wrong)
    with pytest.raises(KeyUnreadable, match="no keystore"):
        Keystore(wrong, keystore / "pass")
    with pytest.raises(KeyUnreadable, match="never overwritten"):
        create_keystore(keystore / "key.json", "x")
    wrong.chmod(0o644)
    with pytest.raises(KeyUnreadable, match="others may read"):
        Keystore(keystore / "key.json", wrong)


def test_a_key_management_service_signs_valid_transactions(monkeypatch):
    """Of many signatures about half come with s in the upper half, which a chain refuses."""
    import boto3
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256
    from moto import mock_aws
    from moto.kms.utils import ECDSAPrivateKey

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    # moto hashes every message; the service itself takes a digest as it is where MessageType says so.
    taken_as_it_is = ec.ECDSA(utils.Prehashed(SHA256()))
    monkeypatch.setattr(
        ECDSAPrivateKey, "sign", lambda key, message, _name: key.private_key.sign(message, taken_as_it_is)
    )
    with mock_aws():
        client = boto3.client("kms")
        made = client.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_SECG_P256K1")["KeyMetadata"]["KeyId"]
        signer = Kms(made, client)
        for nonce in range(16):
            _, raw = sign_transaction(signer, FIELDS | {"nonce": nonce})
            assert Account.recover_transaction(raw) == signer.address
            _, r, s = signer.sign(os.urandom(32))
            assert r > 0
            assert 0 < s <= 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
        with pytest.raises(KeyUnreadable, match="refuses"):
            Kms("absent", client)
        rsa = client.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["KeyId"]
        with pytest.raises(KeyUnreadable, match="another curve"):
            Kms(rsa, client)

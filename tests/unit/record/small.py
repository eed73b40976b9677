"""The least of each record."""

from assay.record import releases
from assay.record.answers import Answer
from assay.record.transactions import Transaction

RELEASE = "ab" * 32
ACCOUNT = "0x" + "11" * 20


def release(database, version=1, digest=RELEASE, project="fee"):
    with database.begin() as connection:
        return releases.keep_in(database, connection, releases.Release(digest, project, version, {"name": project}))


def asked(**changes):
    return Answer(**({"project": "fee", "release": RELEASE, "row": [[1, None]], "fingerprint": "f"} | changes))


def wanted(subject="answer", **changes):
    content = {"chain": "local", "account": ACCOUNT, "nonce": 0, "purpose": "settle", "subject": subject}
    return Transaction(**(content | {"to": ACCOUNT, "data": "0x00", "gas": 21_000} | changes))


def signer(nonce):
    return {"hash": f"0x{nonce:064x}", "raw": "0x02", "max_fee": "1", "priority_fee": "1", "cancels": False}

"""The judge stands outside: it knows what was accepted, reads the records and the canonical chain, and compares."""

from tests.unit.serve.chain import settled

from assay.record import answers, transactions


def verdict(database, node, consumer, account, accepted, *, refused=()):
    """Faults, in sentences; none if every accepted question ended once and the chain says the same.

    Parameters
    ----------
    accepted
        Context of each question by the answer's id.
    """
    found = {one.id: one for one in answers.find(database, None, limit=10**6)}
    faults = [f"{name} was accepted and is not there" for name in accepted if name not in found]
    faults += [f"{name} is there and was never accepted" for name in found if name not in accepted]
    faults += [f"{one.id} is {one.state}, which is no end" for one in found.values() if not one.ended]
    bad = [one for one in found.values() if one.ended and one.state != "settled" and one.id not in refused]
    faults += [f"{one.id} is {one.state}: {one.error}" for one in bad]
    sent = transactions.find(database, node.chain, account)
    nonces = [one.nonce for one in sent]
    if nonces != list(range(len(nonces))):
        faults.append(f"the nonces have a gap: {nonces}")
    if node.count(account) != len(nonces):
        faults.append(f"the chain has {node.count(account)} transactions, and the records {len(nonces)}")
    events = sorted(context for context, _ in settled(node, consumer))
    wanted = sorted(accepted[one.id] for one in found.values() if one.state == "settled" and one.id in accepted)
    if events != wanted:
        faults.append(f"the consumer's events are {events}, and settled are {wanted}")
    return faults

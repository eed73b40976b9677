"""The judge stands outside: it knows what was accepted, reads the records and the canonical chain, and compares."""

from tests.unit.serve.chain import settled

import assay
from assay.prove.proof import Proof
from assay.record import answers, artefacts, transactions
from assay.serve.models import Models


def verdict(database, node, consumer, account, accepted, *, refused=(), joined=()):
    """Faults, in sentences; none if every accepted question ended once and the chain says the same.

    Parameters
    ----------
    accepted
        Context of each question by the answer's id.
    joined
        Ids of questions that settle nothing, and may be proven together.
    """
    found = {one.id: one for one in answers.find(database, None, limit=10**6)}
    faults = [f"{name} was accepted and is not there" for name in (*accepted, *joined) if name not in found]
    faults += [f"{name} is there and was never accepted" for name in found if name not in {*accepted, *joined}]
    faults += [f"{one.id} is {one.state}, which is no end" for one in found.values() if not one.ended]
    bad = [one for one in found.values() if one.ended and one.state != _end(one) and one.id not in refused]
    faults += [f"{one.id} is {one.state}: {one.error}" for one in bad]
    faults += [fault for name in joined if name in found for fault in _shown(database, found[name])]
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


def _end(one):
    return "settled" if one.settle else "answered"


def _shown(database, one):
    """What is wrong with a proof of several questions, as this one's asker sees it."""
    if one.state != "answered":
        return []
    proof = Proof.from_json(artefacts.get(database, one.proof))
    assay.verify(Models(database).verifying(one.release), proof)
    at = (one.evidence.get("joined") or {"first": 0})["first"]
    words = Models(database).of(one.release).words(one.row)
    shown = [str(word) for word in proof.public_inputs[at * len(words[0]) :][: len(words[0])]]
    integers = [[str(value) for value in row] for row in proof.output_integers[at : at + 1]]
    faults = [f"{one.id} has a proof of other rows"] if shown != words[0] else []
    return faults + ([f"{one.id} has a proof of other outputs"] if integers != one.outputs["integers"] else [])

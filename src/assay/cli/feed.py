"""`assay feed`: rows that signers vouch for, on their way from the one who knows them to the chain."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.app import feed_app
from assay.cli.options import Json, Passphrase
from assay.cli.output import Output

if TYPE_CHECKING:
    from assay.settle.feed import FeedRow, SignedRow
    from assay.settle.signer import Signer

_ADDRESS = r"0x and 40 digits"
_LONGEST = 10 * 525_600
RowFile = Annotated[Path, typer.Argument(metavar="FILE", help="What `assay feed row` wrote.")]


@feed_app.command("row")
def row(
    proof: Annotated[Path, typer.Argument(metavar="PROOF", help="A proof of the row: its words, or its commitment.")],
    *,
    feed: Annotated[str, typer.Option("--feed", metavar="ADDRESS", help="The SignedFeed contract.")],
    chain_id: Annotated[
        int, typer.Option("--chain-id", metavar="N", min=1, max=2**64 - 1, help="The chain that it is on.")
    ],
    consumer: Annotated[str, typer.Option("--consumer", metavar="ADDRESS", help="The contract that the row is for.")],
    period: Annotated[int, typer.Option("--period", min=1, max=2**64 - 1, help="Above that of every row before it.")],
    minutes: Annotated[float, typer.Option("--minutes", min=0.1, help="How long the signatures count.")] = 60.0,
    version: Annotated[
        int,
        typer.Option(
            "--version", min=0, max=2**32 - 1, help="The registry's version; 0 if the consumer pins one model."
        ),
    ] = 0,
    epoch: Annotated[
        int,
        typer.Option(
            "--epoch", metavar="N", min=1, max=2**64 - 1, help="The feed's set of signers now, its epoch(): 1 at first."
        ),
    ] = 1,
    subject: Annotated[
        str | None,
        typer.Option("--subject", metavar="ADDRESS", help="Of whom the row is, where the proof hides it."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it.")],
    json: Json = False,
) -> None:
    """Write a row down for its signers: which contract, which period, until when, and its words."""
    from assay.core import documents, files
    from assay.prove.proof import Proof
    from assay.settle.errors import RowUnfit
    from assay.settle.feed import FeedRow, of_proof

    for address in (feed, consumer, *([subject] if subject else [])):
        if len(address) != 42 or not address.startswith("0x") or set(address[2:].lower()) - set("0123456789abcdef"):
            raise RowUnfit(f"{address:.50} is no address", f"Give {_ADDRESS}.")
    if not minutes <= _LONGEST:
        raise RowUnfit(f"signatures that count for {minutes:g} minutes", f"Give {_LONGEST:,} at most, ten years.")
    expires = int(time.time() + 60 * minutes)
    words = (0, 0) if subject else ()
    drafted = FeedRow(chain_id, feed, consumer, version, epoch, period, expires, words, subject)
    made = of_proof(drafted, Proof.from_json(files.read(proof)))
    documents.write(out, made.document(), over='"assay-signed-row/')
    _tell(Output(json=json), out, made, made.document())


@feed_app.command("sign")
def sign(
    file: RowFile,
    *,
    key: Annotated[str, typer.Option("--key", metavar="KEY", help="A keystore file, or kms:KEY.")],
    passphrase_file: Passphrase = None,
    json: Json = False,
) -> None:
    """Add one signer's signature to the file, and print what was signed."""
    from assay.core import documents

    found, made = _read(file)
    signature = made.signed(_signer(key, passphrase_file))
    kept = [one for one in found.signatures if one.signer.lower() != signature.signer.lower()]
    signed = made.document(made.checked([*kept, signature]))
    documents.write(file, signed)
    _tell(Output(json=json), file, made, signed)


@feed_app.command("calldata")
def calldata(file: RowFile, *, json: Json = False) -> None:
    """Check the file's signatures and print the call of the feed that brings the row: anybody may send it."""
    found, made = _read(file)
    data = made.calldata(found.signatures)
    fields = {"to": made.feed, "data": data, "signers": [one.signer for one in found.signatures]}
    Output(json=json).result(fields, data)


def _signer(key: str, passphrase_file: Path | None) -> Signer:
    from assay.settle.signer import Keystore, Kms

    if key.startswith("kms:"):
        return Kms(key.removeprefix("kms:"))
    return Keystore(Path(key), passphrase_file)


def _read(file: Path) -> tuple[SignedRow, FeedRow]:
    from assay.core import documents
    from assay.settle.errors import RowUnfit
    from assay.settle.feed import SignedRow, of_document

    found = documents.read(file, SignedRow, damaged=RowUnfit, todo="Write it again: `assay feed row`.")
    return found, of_document(found)


def _tell(output: Output, file: Path, made: FeedRow, document: SignedRow) -> None:
    signers = [one.signer for one in document.signatures]
    until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(made.expires))
    what = "commitment" if made.subject else "words"
    whom = f"{made.consumer}{f', of {made.subject}' if made.subject else ''}"
    lines = [
        f"{file}: signed by {', '.join(signers) or 'nobody yet'}",
        f"  for {whom}, period {made.period}, version {made.version}, until {until}",
        f"  by the feed {made.feed} on chain {made.chain_id}, its signers of epoch {made.epoch}",
        f"  {what}: {' '.join(hex(word) for word in made.words)}",
    ]
    output.result({"file": str(file), "digest": "0x" + made.digest().hex(), "signers": signers}, "\n".join(lines))

"""What a service is started with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from assay.task.outputs import OutputSpec


@dataclass(frozen=True)
class Settings:
    """One service.

    Attributes
    ----------
    project
        Its folder: where `.assay` with the first key and, without another address, the database is.
    database
        Address of the database.
    name
        Name of the project: what settles, brings answers elsewhere and forgets rows does so for its answers alone.
    host, port
        Where the endpoint listens; port 0 takes a free one.
    hosts
        Host headers that are answered beside the loopback's names.
    chain
        The chain that answers are settled on; None for no settlement.
    most_waiting
        Answers that may wait for a proof.
    most_bytes
        Longest body that is read.
    most_rows
        Rows of one request.
    longest_wait
        Seconds that `Prefer: wait` may ask for.
    outputs
        Where each answer also goes.
    keep_rows
        Seconds that the rows of questions are kept, from when they were asked; None for ever.
    """

    project: Path
    database: str
    name: str = ""
    host: str = "127.0.0.1"
    port: int = 8787
    hosts: tuple[str, ...] = ()
    chain: str | None = None
    most_waiting: int = 1000
    most_bytes: int = 1 << 20
    most_rows: int = 128
    longest_wait: float = 60.0
    outputs: tuple[OutputSpec, ...] = ()
    keep_rows: int | None = None

"""A replay that is kept: Cryo's files of its blocks and logs, and the chain's state at its end.

    python history.py history --from 2012-01-01 --to 2018-11-30
    python history.py history-2006 --from 2006-01-01 --to 2008-03-31 --observed

make the two folders anew, which takes minutes: a node takes longer for each block the more it has. The same days make
the same chain, block by block. The second one's pool keeps its own history.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prices import Day, days

from assay.core import files

if TYPE_CHECKING:
    from assay.task.task import Task

CHAIN, STATE, ABOUT = "chain", "state.json.gz", "replay.json"
FIRST, LAST = "2012-01-01", "2018-11-30"
FEE, SEED = 3000, 7
_TOGETHER = 1_000_000
"""Blocks in a file: one file of each dataset is the smallest."""


@dataclass(frozen=True)
class Kept:
    """A replay that is kept in a folder.

    Attributes
    ----------
    days
        The days that were replayed.
    pool
        The pool's address.
    last_block
        The newest block; its state is `state`.
    """

    days: list[Day]
    pool: str
    last_block: int
    state: str

    @property
    def last(self) -> str:
        """The date of the last day."""
        return self.days[-1].date

    @classmethod
    def load(cls, folder: Path) -> Kept:
        """Read what `keep` wrote."""
        about = json.loads(files.read(folder / ABOUT))
        state = gzip.decompress(files.read(folder / STATE)).decode()
        return cls(days(about["from"], about["to"]), about["pool"], about["last_block"], state)


def keep(folder: Path, first: str, last: str, *, observed: bool = False) -> Kept:
    """Replay the days, collect the chain with Cryo and keep it, with the state, in `folder`.

    Parameters
    ----------
    observed
        Whether the pool keeps its own history (`Market.observed`).
    """
    from market import Market, node

    from assay.data.collect import collect

    history = days(first, last)
    with files.scratch() as work, node() as local:
        market = (Market.observed if observed else Market.open)(local.url, history[0].prices[0], FEE)
        market.begin()
        market.replay(history, random.Random(SEED), lambda words: _say(f"history: {words}"))  # noqa: S311
        pool, block = market.contract.address, market.rpc.block()
        _say(f"history: collecting blocks 1 to {block}")
        collect(_task(work, pool, local.url, block), work)
        state = market.rpc.state()
        shutil.rmtree(folder, ignore_errors=True)
        (folder / CHAIN).mkdir(parents=True)
        for path in sorted((work / CHAIN / "chain").iterdir()):
            _packed(path, folder / CHAIN / path.name)
    about = {"from": history[0].date, "to": history[-1].date, "days": len(history), "last_block": block, "pool": pool}
    files.write(folder / ABOUT, json.dumps(about | {"fee": FEE, "seed": SEED}, indent=1) + "\n")
    files.write(folder / STATE, gzip.compress(state.encode(), mtime=0))
    return Kept(history, pool, block, state)


def _task(folder: Path, pool: str, url: str, block: int) -> Task:
    """The question's own, so that what is kept is what its sources ask for."""
    from assay.task.init import init
    from assay.task.task import Task

    answers = {"pool": pool, "rpc": url, "start_block": "1", "end_block": str(block), "chain_id": "31337"}
    init(folder / "task", "dynamic-fee", answers)
    task = Task.load(folder / "task")
    settings = {"chunk_size": _TOGETHER, "reorg_buffer": 0, "timeout_seconds": 3600.0}
    source: Any = task.data.sources[0].model_copy(update=settings)
    return task.model_copy(update={"data": task.data.model_copy(update={"sources": (source,)})})


def _packed(source: Path, target: Path) -> None:
    """Copy a file; rows are packed tighter than Cryo packs them, and stay the same."""
    import polars as pl

    if source.suffix == ".parquet":
        rows = pl.read_parquet(source, glob=False)
        rows.write_parquet(target, compression="zstd", compression_level=19, statistics=False)
    else:
        shutil.copy(source, target)


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def main() -> int:
    """Make the folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).with_name("history"))
    parser.add_argument("--from", dest="first", metavar="DATE", default=FIRST, help="the first trading day")
    parser.add_argument("--to", dest="last", metavar="DATE", default=LAST, help="the last trading day")
    parser.add_argument("--observed", action="store_true", help="in a pool that keeps its own history")
    options = parser.parse_args()
    kept = keep(options.folder, options.first, options.last, observed=options.observed)
    size = sum(path.stat().st_size for path in options.folder.rglob("*") if path.is_file())
    _say(f"history: {len(kept.days)} days, {kept.last_block} blocks, {size / 1e6:.1f} MB in {options.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

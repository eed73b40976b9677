"""Whether the chain that answers are settled on is as it must be; its nodes are asked every few seconds at most."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assay.core.errors import AssayError
from assay.settle.network import network
from assay.settle.status import chains

if TYPE_CHECKING:
    from pathlib import Path

    from assay.record.database import Database
    from assay.settle.network import Network
    from assay.task.task import Task

_SECONDS = 5.0
_BLOCKS, _LEAST = 20, 120.0
"""A newest block that is older than so many blocks take, and so many seconds, is no news."""


@dataclass
class ChainReady:
    """One chain as `/v2/health/ready` sees it.

    A node answers and is on it, blocks come, the account has funds, what was deployed is there, and the registry's
    default is the release that decides here.
    """

    database: Database
    project: Path
    task: Task
    name: str
    _found: list[str] = field(default_factory=list)
    _looked: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def problems(self) -> list[str]:
        """A sentence each; none if answers can be settled.

        While somebody looks, others are told what was found before: nodes that hang would keep all of them.
        """
        if not self._lock.acquire(blocking=self._looked == float("-inf")):
            return list(self._found)
        try:
            if time.monotonic() - self._looked >= _SECONDS:
                self._found = self._look()
                self._looked = time.monotonic()
            return list(self._found)
        finally:
            self._lock.release()

    def _look(self) -> list[str]:
        try:
            on = network(self.task, self.name)
            found = [
                f"{self.name}: {one}" for one in chains(self.database, self.project, self.task, self.name)[0].problems
            ]
            if found or on.local:  # a local chain makes blocks when it is told to
                return found
            return self._stale(on)
        except AssayError as error:
            return [f"{self.name}: [{error.code}] {error.what}"]

    def _stale(self, on: Network) -> list[str]:
        age = time.time() - on.node.time()
        allowed = max(_LEAST, _BLOCKS * float(on.spec.block_seconds or 12.0))
        return [f"{self.name}: the newest block is {age:.0f} s old"] if age > allowed else []

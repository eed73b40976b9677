"""Clients that ask one address as fast as it answers, each in turn: `python -m benchmarks.load < QUESTION.json`.

A process of its own, with aiohttp on uvloop, on the cores of what it measures. A question: `url`, `headers`, `bodies`
(sent in turn), `clients`, `seconds` or `count`. It prints the answers' number, the seconds, and every latency.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import uvloop


async def ask(question: dict[str, Any]) -> dict[str, Any]:
    """Ask until the time is over, or all has been asked."""
    bodies = itertools.cycle([json.dumps(body).encode() for body in question["bodies"]])
    headers = {**question["headers"], "Content-Type": "application/json"}
    taken: list[float] = []
    wrong: list[int] = []
    left = iter(range(question["count"])) if "count" in question else itertools.count()
    start = time.perf_counter()
    until = start + question.get("seconds", 3600.0)

    async def client(session: aiohttp.ClientSession, turns: Iterator[int]) -> None:
        while time.perf_counter() < until and next(turns, None) is not None:
            begun = time.perf_counter()
            async with session.post(question["url"], data=next(bodies), headers=headers) as answer:
                await answer.read()
                if answer.status != 200:
                    wrong.append(answer.status)
            taken.append(time.perf_counter() - begun)

    connector = aiohttp.TCPConnector(limit=question["clients"])
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=300)) as session:
        await asyncio.gather(*(client(session, left) for _ in range(question["clients"])))
    return {"answers": len(taken), "seconds": time.perf_counter() - start, "latencies": sorted(taken), "wrong": wrong}


if __name__ == "__main__":
    json.dump(uvloop.run(ask(json.load(sys.stdin))), sys.stdout)

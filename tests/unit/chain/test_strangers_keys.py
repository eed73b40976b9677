"""What reading a stranger's key costs: work that grows with its bytes, counted, and memory within a limit."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
from collections import Counter

import pytest

from assay.chain.key import Missing, View
from assay.chain.solidity import render
from assay.core import keccak

from .trapdoor import linear_model, tree_model

RULES = [Missing.REFUSE, Missing.LOW, Missing.HIGH, Missing.ZERO]


def many_views(features: int, each: int) -> bytes:
    """A key whose features have so many different views, which are most of its bytes."""
    every = [(rule, zero) for rule in RULES for zero in (False, True)][:each]
    views = [View(feature, *kind) for feature in range(features) for kind in every]
    return tree_model(random.Random(1), features=features, stride=64, groups=1024, table=16384, views=views, limbs=3).vk


def one_view_each(features: int) -> bytes:
    views = [View(feature, Missing.LOW, False) for feature in range(features)]
    return tree_model(random.Random(1), features=features, stride=64, groups=1024, table=16384, views=views, limbs=3).vk


def few_views_of_many(features: int) -> bytes:
    """Features that no view reads: each is a line of the contract."""
    views = [View(0, Missing.LOW, False)]
    return tree_model(random.Random(1), features=features, stride=64, groups=1024, table=16384, views=views, limbs=3).vk


def many_outputs(outputs: int) -> bytes:
    shape = {"features": 6, "stride": 8, "lane": 200, "outputs": outputs, "groups": outputs}
    return linear_model(random.Random(1), **shape).vk


def wide(features: int) -> bytes:
    return linear_model(random.Random(1), features=features, stride=2 * features).vk


def work(act) -> int:
    """Instructions of Python that run, those of comprehensions and of compiled templates included."""
    counted: Counter[str] = Counter()

    def trace(frame, event, _argument):
        if frame.f_code.co_filename == keccak.__file__:
            return None  # linear by its nature, and so much that the rest would not show
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        counted[event] += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(before)
    return counted["opcode"]


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (lambda n: many_views(n, 8), 150),
        (lambda n: many_views(n, 2), 300),
        (one_view_each, 400),
        (few_views_of_many, 500),
        (many_outputs, 256),
        (wide, 512),
    ],
)
def test_twice_the_key_is_at_most_three_times_the_work(make, size):
    small, large = make(size), make(2 * size)
    render(small)  # what is loaded and compiled once does not count
    assert work(lambda: render(large)) <= 3 * work(lambda: render(small))


MEMORY = 1 << 30
SCRIPT = """
import sys
from assay.chain.errors import KeyNotSupported
from assay.chain.solidity import render
from assay.core import keccak
vk = sys.stdin.buffer.read()
try:
    print(len(render(vk).text))
except KeyNotSupported as error:
    print(error.code)
"""


@pytest.mark.parametrize("vk", [many_views(7000, 8), few_views_of_many(1 << 16), b"assay-vk/3\0" + b"\xff" * 300])
def test_no_key_takes_much_memory(vk):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], input=vk, capture_output=True, preexec_fn=limit, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-500:]
    assert done.stdout

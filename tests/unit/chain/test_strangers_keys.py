"""What reading a stranger's key costs: work that grows with its bytes, counted, and memory within a limit."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
from collections import Counter

import pytest
from tests.agreement.network_prover import NetworkKeyOf
from tests.agreement.reference.networks.key import HEAD, MAGIC
from tests.agreement.reference.pairing import G2
from tests.agreement.reference.transcript import word

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


def network(*, features=3, outputs=1, block=1 << 18, limbs=2, log_rows=1, slots=32, columns=8) -> bytes:
    """A network's key says in its first 87 bytes how large it is; all its points are the generator."""
    head = HEAD.pack(
        2, 0, 0, 4, features, outputs, 4, 13, 0, 0, block, 1, max(512, slots), 0, limbs, log_rows, 0, 2, 3, 1, 0,
        slots, columns, -7,
    )  # fmt: skip
    shape = NetworkKeyOf(head)
    packs = [*shape.table_packs, ("w",)]
    packs += [pack for log in range(log_rows + 1) for pack in shape.packs(shape.wiring, 1 << log)]
    (x0, x1), (y0, y1) = G2
    return MAGIC + head + b"".join(map(word, [1, 2] * len(packs) + [x1, x0, y1, y0]))


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
        (lambda n: network(log_rows=n), 4),
        (lambda n: network(features=n), 1 << 14),
        (lambda n: network(outputs=n), 1 << 11),
        (lambda n: network(slots=n, columns=n, block=1 << 14), 1 << 10),
        (lambda n: network(limbs=n), 2),
    ],
)
def test_twice_the_key_is_at_most_three_times_the_work(make, size):
    small, large = make(size), make(2 * size)
    render(small, unchecked=True)  # what is loaded and compiled once does not count
    assert work(lambda: render(large, unchecked=True)) <= 3 * work(lambda: render(small, unchecked=True))


MEMORY = 1 << 30
SCRIPT = """
import sys
from assay.chain.errors import KeyNotSupported
from assay.chain.solidity import render
from assay.core import keccak
vk = sys.stdin.buffer.read()
try:
    print(len(render(vk, unchecked=True).text))
except KeyNotSupported as error:
    print(error.code)
"""


GREATEST = network(features=1 << 16, outputs=1 << 12, block=1 << 20, limbs=4, log_rows=6, slots=1 << 23, columns=8)


@pytest.mark.parametrize(
    "vk", [many_views(7000, 8), few_views_of_many(1 << 16), GREATEST, b"assay-vk/3\0" + b"\xff" * 300]
)
def test_no_key_takes_much_memory(vk):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], input=vk, capture_output=True, preexec_fn=limit, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-500:]
    assert done.stdout

"""AssayWords.sol says what Python's encoder says, and docs/guides/words.md shows what works."""

from __future__ import annotations

import random
import re
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay.chain.compile import compile_solidity, read_sources
from assay.data.features.features import make
from assay.task.data import ColumnFeature
from assay.transpile.circuit.circuit import Circuit, Feature
from assay.transpile.errors import NotANumber, OutOfRange
from assay.transpile.rows.encode import encode

ROOT = Path(__file__).parents[3]
CONTRACTS = ROOT / "contracts"
GUIDE = (ROOT / "docs" / "guides" / "words.md").read_text(encoding="utf-8")
MANY = 300


@pytest.fixture(scope="module")
def words(chain):
    sources = {f"src/{name}": text for name, text in read_sources(CONTRACTS / "src", paths=["AssayWords.sol"]).items()}
    sources |= read_sources(CONTRACTS, paths=["test/helpers/Words.sol"])
    return chain.deploy(compile_solidity(sources)["Words"])


@pytest.fixture
def ask(chain, words):
    """Ask for many words of one function; None where it refused."""
    from web3 import Web3

    contract = Web3().eth.contract(abi=words.abi)

    def answers(function: str, calls: list[tuple]) -> list[int | None]:
        data = [contract.encode_abi(function, args=list(call)) for call in calls]
        returned, values = chain.call(words, "all", data)
        return [value if fine else None for fine, value in zip(returned, values, strict=True)]

    return answers


def encoded(feature: Feature, values) -> list[int | None]:
    """The encoder's words of a column, each alone; None where it refuses."""
    circuit = Circuit("trees", "public", [feature], ["y"], 0, [0])
    found = []
    for value in values:
        try:
            row, missing = encode(circuit, [[value]])
        except (NotANumber, OutOfRange):
            found.append(None)
        else:
            found.append(1 << 32 if missing[0, 0] else int(row[0, 0]))
    return found


def ratios(rng: random.Random) -> list[tuple[int, int]]:
    """Numerators and denominators of every size, and those whose quotients are near ties and limits."""
    sizes = [(rng.randrange(256), rng.randrange(1, 193)) for _ in range(MANY)]
    found = [(rng.randrange(-(1 << a), 1 << a), rng.randrange(1, 1 << b)) for a, b in sizes]
    for bits in (24, 53):
        for _ in range(40):
            odd, place = rng.randrange(1 << bits, 2 << bits) | 1, rng.randrange(100)
            found += [(odd + d, 1 << place) for d in (-1, 0, 1)] + [((odd << 60) + d, 1 << 60) for d in (-1, 0, 1)]
    found += [(n, d) for n in (0, 1, -1, 3, 5) for d in (1, 1 << 149, 1 << 150, (1 << 150) + 1, (1 << 192) - 1)]
    return [*found, ((1 << 24) - 1, 1 << 150), (-(1 << 255), 1), ((1 << 255) - 1, 3), ((1 << 128) - (1 << 103), 1)]


def nearest(value: Fraction, dtype: str) -> int | None:
    """The bits of the nearest number, from numpy's own neighbours and exact fractions; None beyond the largest."""
    kind, bits = (np.float32, np.uint32) if dtype == "f" else (np.float64, np.uint64)
    try:
        # A first guess; its neighbours are compared exactly.
        with np.errstate(all="ignore"):
            guess = kind(value.numerator / value.denominator)
            if np.isinf(guess):
                guess = np.copysign(np.finfo(kind).max, guess)
            near = [np.nextafter(guess, kind(-np.inf)), guess, np.nextafter(guess, kind(np.inf))]
    except OverflowError:
        return None
    unit = Fraction(2) ** (128 if dtype == "f" else 1024)
    exact = [Fraction(float(x)) if np.isfinite(x) else unit * (1 if x > 0 else -1) for x in near]
    best = min(range(3), key=lambda i: (abs(exact[i] - value), int(near[i].view(bits)) & 1))
    if not np.isfinite(near[best]):
        return None
    sign = 1 << (31 if dtype == "f" else 63)
    magnitude = int(near[best].view(bits)) & ~sign
    return magnitude | (sign if value < 0 else 0)


@pytest.mark.parametrize(("function", "dtype"), [("float32Bits", "f"), ("float64Bits", "d")])
def test_quotients_round_to_the_nearest_once(ask, function, dtype):
    pairs = ratios(random.Random(function))
    expected = [nearest(Fraction(n, d), dtype) for n, d in pairs]
    assert ask(function, pairs) == expected
    assert any(word is None for word in expected) == (dtype == "f")


def test_float64_quotients_are_pythons(ask):
    pairs = [(n, d) for n, d in ratios(random.Random(3)) if n]
    values = ask("float64Bits", pairs)
    assert [struct.unpack(">d", value.to_bytes(8, "big"))[0] for value in values] == [n / d for n, d in pairs]


def doubles(rng: random.Random) -> list[float]:
    """Random bit patterns, random numbers of float32's range with and without ties, and special ones."""
    patterns = [struct.unpack(">d", rng.randbytes(8))[0] for _ in range(MANY)]
    in_range = [np.ldexp(rng.uniform(-1, 1), rng.randrange(-152, 130)) for _ in range(MANY)]
    tied = [np.ldexp((rng.randrange(1 << 24, 1 << 25) | 1), rng.randrange(-180, 104)) for _ in range(MANY)]
    special = [0.0, -0.0, 1e-35, -1e-35, 1e300, 3.4028235677973366e38, 3.4028235e38, 1e-46, 7e-46, float("inf")]
    return [float(x) for x in patterns + in_range + tied + special if not np.isnan(x)]


def test_keys_of_doubles_are_the_encoders(ask):
    values = doubles(random.Random(1))
    bits = [(int.from_bytes(struct.pack(">d", value), "big"),) for value in values]
    narrowed = ask("narrow", bits)
    kept = [value is not None for value in narrowed]
    keys = iter(ask("float32Key", [(value,) for value in narrowed if value is not None]))
    assert [next(keys) if fine else None for fine in kept] == encoded(Feature("x", "float32"), values)


def test_keys_of_float64_keep_their_order(ask):
    values = sorted(doubles(random.Random(2)))
    bits = [(int.from_bytes(struct.pack(">d", value), "big"),) for value in values]
    keys = ask("float64Key", bits)
    assert all((a < b) == (x < y) for a, b, x, y in zip(keys, keys[1:], values, values[1:], strict=False))


def test_whole_numbers_are_the_encoders(ask):
    rng = random.Random(4)
    for low, high in [(0, 1 << 32), (-500, 500), (-(1 << 63), (1 << 63) - 1), (7, 7)]:
        values = [low, high, low - 1, high + 1, *(rng.randrange(low - 9, high + 10) for _ in range(50))]
        feature = Feature("x", "integer", low=low, high=high)
        assert ask("integerWord", [(value, low, high) for value in values]) == encoded(feature, values)


def test_scaled_whole_numbers_are_those_of_the_dataset(ask):
    rng = random.Random(6)
    values = [0, 10**12, 10**12 - 1, 1 - 10**12, -(10**12), *(rng.randrange(-(10**30), 10**30) for _ in range(50))]
    spec = ColumnFeature(name="millionths", op="column", of="wei", scale=12)
    rows = pl.DataFrame({"wei": pl.Series(values, dtype=pl.Int128)})
    scaled = make(rows, [spec], time=None, project=Path()).frame["millionths"].to_list()
    assert [int(value) for value in scaled] == [int(Fraction(value, 10**12)) for value in values]
    low, high = -(1 << 62), 1 << 62
    feature = Feature("x", "integer", low=low, high=high)
    assert ask("scaledWord", [(value, 12, low, high) for value in values]) == encoded(feature, scaled)


def test_fixed_points_are_the_encoders(ask):
    """Of doubles, which a contract has as the same fractions."""
    rng = random.Random(5)
    for bits, low, high in [(0, -10, 10), (20, -(1 << 40), 1 << 40), (36, -(1 << 62), 1 << 62)]:
        feature = Feature("x", "fixed", low=low, high=high, bits=bits)
        ties = [float(Fraction(2 * k + 1, 2 << bits)) for k in range(-6, 6)]
        values = [*ties, *(rng.uniform(low, high) / (1 << bits) * 1.01 for _ in range(100))]
        fractions = [Fraction(value) for value in values]
        calls = [(f.numerator, f.denominator, bits, low, high) for f in fractions]
        assert ask("fixedWord", calls) == encoded(feature, values)


def test_outputs_are_rounded_down(ask):
    rng = random.Random(6)
    calls, expected = [], []
    for _ in range(MANY):
        integer, scale, unit = rng.randrange(-(1 << 191), 1 << 191), rng.randrange(1025), 10 ** rng.randrange(19)
        calls.append((integer % (1 << 256), scale, unit))
        expected.append((integer * unit >> scale) % (1 << 256))
    answers = ask("toFixed", calls)
    assert [value % (1 << 256) for value in answers] == expected
    assert ask("toFixed", [(1 << 254, 0, 4), (-(1 << 255) % (1 << 256), 0, 2), (5, 1, 1 << 255)]) == [None] * 3


def test_the_guides_contract_makes_the_encoders_words(chain):
    """The page's example, compiled and called."""
    (example,) = re.findall(r"```solidity\n(.*?)```", GUIDE, re.DOTALL)
    sources = {f"assay/{n}": t for n, t in read_sources(CONTRACTS / "src", paths=["AssayWords.sol"]).items()}
    contract = chain.deploy(compile_solidity(sources | {"Features.sol": example})["Features"])
    rng = random.Random(7)
    for _ in range(20):
        price, reserve, trades = rng.randrange(1, 10**24), rng.randrange(1 << 112), rng.randrange(100_000)
        row = chain.call(contract, "row", price, reserve, trades)
        values = encoded(Feature("price", "float32"), [price / 10**18])
        values += encoded(Feature("reserve", "float32"), [np.float32(reserve / 10**6)])
        values += encoded(Feature("trades", "integer", low=0, high=100_000), [trades])
        assert row == [*values, 1 << 32]
    assert chain.call(contract, "forecast", (-3 << 42) % (1 << 256), 44) == -75 * 10**16

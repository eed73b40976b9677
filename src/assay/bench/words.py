"""Amounts, limits and shares in plain words."""

from __future__ import annotations

_LIMITS = {
    "prove_seconds": "proving time",
    "memory_mb": "memory",
    "gas": "gas",
    "usd_per_inference": "money an inference",
    "latency_blocks": "latency",
    "better_than_existing": "improvement over the existing process",
    "fidelity": "fidelity",
}


def limit_words(name: str) -> str:
    """A limit's name for a person."""
    return _LIMITS.get(name, name)


def amount(name: str, number: float) -> str:
    """A number with the unit of the limit of that name."""
    if name == "prove_seconds":
        return seconds(number)
    if name == "memory_mb":
        return f"{number:,.0f} MB"
    if name == "gas":
        return f"{number:,.0f} gas"
    if name == "usd_per_inference":
        return usd(number)
    if name == "latency_blocks":
        return plural(round(number), "block")
    return percent(number)


def seconds(number: float) -> str:
    """A time."""
    return f"{number * 1e3:.3g} ms" if number < 0.9995 else f"{number:.3g} s"


def usd(number: float) -> str:
    """An amount of money."""
    return f"{number:,.2f} USD" if number >= 0.095 else f"{number:.2g} USD"


def percent(share: float) -> str:
    """A share: 0.05 is 5 %."""
    number = 100 * share
    if abs(number) >= 9.95:
        return f"{number:,.0f} %"
    return f"{number:.1f} %" if abs(number) >= 0.095 else f"{number:.1g} %"


def than(gain: float) -> str:
    """How much better or worse: "5.6 % better"; without a number where it is relative to nothing."""
    word = "better" if gain > 0 else "worse"
    return f"{percent(abs(gain))} {word}" if abs(gain) != float("inf") else word


def plural(number: int, noun: str) -> str:
    """1 block, 2 blocks."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def blocks_more(number: float) -> str:
    """One block, or how many, at the start of a sentence."""
    count = round(number)
    return "One block" if count == 1 else f"{count} blocks"

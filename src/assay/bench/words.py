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
    "confidence": "confidence in the improvement",
    "net_value": "net value a year",
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


def signed(share: float) -> str:
    """A change with its direction: "5.6 % better", "no change"."""
    return than(share) if share else "no change"


def change(share: float | None) -> str:
    """A change with its sign: "+5.6 %"; nothing where it is not known."""
    return "" if share is None else f"{'+' * (share > 0)}{percent(share)}"


def span(low: float, high: float) -> str:
    """Between two changes, with their signs: "-2.1 % to +9 %"."""
    return f"{change(low)} to {change(high)}"


def between(low: float, high: float) -> str:
    """Between two changes: "3 % to 11 % better", "2 % worse to 9 % better"."""
    if low > 0 or high < 0:
        ends = sorted((abs(low), abs(high)))
        return f"{percent(ends[0])} to {than(ends[1] if high > 0 else -ends[1])}"
    return f"{signed(low)} to {signed(high)}"


def dollars(number: float) -> str:
    """An amount of money that may be large or a loss: "12,300 USD", "-40 USD"."""
    if abs(number) >= 1e4:
        digits = 3 - len(str(int(abs(number))))
        return f"{round(number, digits):,.0f} USD"
    return f"{number:,.0f} USD" if abs(number) >= 10 else f"{number:,.2f} USD"


def plural(number: int, noun: str) -> str:
    """1 block, 2 blocks."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def blocks_more(number: float) -> str:
    """One block, or how many, at the start of a sentence."""
    count = round(number)
    return "One block" if count == 1 else f"{count} blocks"

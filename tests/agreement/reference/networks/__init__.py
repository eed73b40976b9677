"""Networks (docs/spec/networks.md)."""

from .key import LANE_BITS, LANES, NetworkKey, padded, parse_network_key
from .relation import Challenges, public_sum, total
from .verify import CONSTANT, Combination, Opening, Statement, points_of, read_words, replayed, unevaluated, verify

__all__ = [
    "CONSTANT",
    "LANES",
    "LANE_BITS",
    "Challenges",
    "Combination",
    "NetworkKey",
    "Opening",
    "Statement",
    "padded",
    "parse_network_key",
    "points_of",
    "public_sum",
    "read_words",
    "replayed",
    "total",
    "unevaluated",
    "verify",
]

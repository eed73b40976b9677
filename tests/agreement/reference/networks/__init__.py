"""Networks (docs/spec/networks.md)."""

from .key import LANE_BITS, LANES, NetworkKey, padded, parse_network_key
from .relation import Challenges, total
from .verify import verify

__all__ = ["LANES", "LANE_BITS", "Challenges", "NetworkKey", "padded", "parse_network_key", "total", "verify"]

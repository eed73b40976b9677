"""Networks (docs/spec/networks.md)."""

from .key import NetworkKey, parse_network_key
from .relation import Challenges, total
from .verify import verify

__all__ = ["Challenges", "NetworkKey", "parse_network_key", "total", "verify"]

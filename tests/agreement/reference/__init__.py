"""An independent verifier in plain Python: integers and keccak256, nothing of the package.

Written from docs/spec/protocol.md alone, in the page's names. It is slow (about 0.05 s a proof) and for tests only.
"""

from .field import Refused
from .itself import check_itself
from .key import parse_key
from .verify import is_network, verify

__all__ = ["Refused", "check_itself", "is_network", "parse_key", "verify"]

"""The replay: real prices, synthetic traders, a real pool contract on a real node."""

from __future__ import annotations

import gzip
import json
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prices import BLOCKS_A_DAY, TICKS, Day
from traders import Intent, Pool, Trade, arbitrage, intents, noise

from assay.chain.compile import compile_solidity, read_sources
from assay.chain.deploy import Chain, Deployment, Receipt
from assay.chain.node import LocalNode
from assay.core.keccak import keccak256

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from assay.chain.compile import CompiledContract

CONTRACTS = Path(__file__).parents[2] / "contracts" / "src"
SOURCES = ["examples/ConstantProductPool.sol", "examples/FixedFee.sol", "interfaces/IFeeSource.sol"]
OBSERVED = [*SOURCES, "examples/ChosenFee.sol", "examples/ObservedPool.sol"]
BAR_SECONDS, BARS_KEPT = 6 * 3600, 128
"""Of a pool that keeps its own history: as the task's bars are, and more than its longest window."""
OWNER = 3
"""Which of the node's accounts owns the pool: it chooses whom the pool asks for its fee."""

START = 1_893_456_000
"""2030-01-01, the time of the first block: a node's clock does not go back, and a fixed one repeats exactly."""

BLOCK_SECONDS = 86_400 // BLOCKS_A_DAY
"""A node takes longer for each block the more it has, so a day has few."""

RESERVE = 10**21
"""What the pool has of asset 0 at first: 1,000, with 18 decimals."""

_SWAP = keccak256(b"swap(bool,uint112,uint256)")[:4]
_GAS = 200_000


def node() -> LocalNode:
    """A node whose first block always has the same time: the same trades make the same chain, block by block."""
    return LocalNode(timeout=60, began=START - BLOCK_SECONDS)


@dataclass
class Result:
    """What the pool's liquidity providers got, as shares of the pool's value."""

    days: int = 0
    trades: int = 0
    from_noise: float = 0.0
    to_arbitrage: float = 0.0

    def add(self, trade: Trade) -> None:
        """Count a trade."""
        self.trades += 1
        if trade.arbitrage:
            self.to_arbitrage -= trade.result
        else:
            self.from_noise += trade.result

    @property
    def basis_points_a_day(self) -> float:
        """What a day gave, in basis points of the pool's value."""
        return 1e4 * (self.from_noise - self.to_arbitrage) / max(self.days, 1)

    def __str__(self) -> str:
        """One line for a person."""
        noise, arbitrage = (1e4 * total / max(self.days, 1) for total in (self.from_noise, self.to_arbitrage))
        return (
            f"{self.basis_points_a_day:+.3f} basis points of the pool a day: {noise:.3f} from noise traders, "
            f"less {arbitrage:.3f} to arbitrageurs"
        )


@dataclass
class Market:
    """A pool on a node, and the traders' accounts."""

    chain: Chain
    contract: Deployment
    pool: Pool
    rpc: Rpc
    fee: int
    result: Result = field(default_factory=Result)

    @classmethod
    def open(cls, url: str, first_price: float, fee: int) -> Market:
        """Deploy a pool with a fixed fee; its address is the same on every fresh node."""
        chain, rpc = Chain(url), Rpc(url)
        rpc.call("evm_setNextBlockTimestamp", START)
        rpc.call("anvil_setBlockTimestampInterval", BLOCK_SECONDS)
        compiled = compile_solidity(read_sources(CONTRACTS, paths=SOURCES))
        source = chain.deploy(compiled["FixedFee"], fee)
        pool = compiled["ConstantProductPool"]
        return cls.of(chain, rpc, pool, source.address, price=first_price, fee=fee)

    @classmethod
    def observed(cls, url: str, first_price: float, fee: int) -> Market:
        """The same with a pool that keeps its own history, and asks whom its owner chooses: at first a fixed fee."""
        chain, rpc = Chain(url), Rpc(url)
        rpc.call("evm_setNextBlockTimestamp", START)
        rpc.call("anvil_setBlockTimestampInterval", 1)  # the pool's first price is there in the first bar
        compiled = compile_solidity(read_sources(CONTRACTS, paths=OBSERVED))
        fixed = chain.deploy(compiled["FixedFee"], fee)
        chosen = chain.deploy(compiled["ChosenFee"], rpc.account(OWNER), fixed.address)
        cash = int(first_price * RESERVE)
        pool = chain.deploy(compiled["ObservedPool"], chosen.address, RESERVE, cash, BAR_SECONDS, BARS_KEPT)
        rpc.call("anvil_setBlockTimestampInterval", BLOCK_SECONDS)
        rpc.at(START + rpc.block() * BLOCK_SECONDS)
        return cls(chain, pool, Pool(RESERVE, cash), rpc, fee)

    @classmethod
    def of(cls, chain: Chain, rpc: Rpc, pool: CompiledContract, source: str, *, price: float, fee: int) -> Market:
        """Deploy a pool that takes its fee from the contract `source`, where it is `fee` now."""
        cash = int(price * RESERVE)
        contract = chain.deploy(pool, source, RESERVE, cash)
        return cls(chain, contract, Pool(RESERVE, cash), rpc, fee)

    @classmethod
    def resume(cls, url: str, state: str, address: str, fee: int) -> Market:
        """Go on with a pool in the state that `Rpc.state` gave, on a fresh node: its blocks follow that state's."""
        Rpc(url).load(state)
        return cls.there(url, address, fee)

    @classmethod
    def there(cls, url: str, address: str, fee: int) -> Market:
        """Go on with a pool on a node that is there."""
        chain, rpc = Chain(url), Rpc(url)
        rpc.go_on()
        name = "ConstantProductPool"
        compiled = compile_solidity(read_sources(CONTRACTS, paths=SOURCES), only=[name])[name]
        contract = Deployment(compiled.name, address, compiled.abi, Receipt("", 0, 0))
        reserves = (int(chain.call(contract, name)) for name in ("reserve0", "reserve1"))
        return cls(chain, contract, Pool(*reserves), rpc, fee)

    def begin(self) -> None:
        """Deploying took the blocks before; the first day begins at midnight."""
        self.rpc.automine(on=False)
        self.rpc.mine(BLOCKS_A_DAY - self.rpc.block() % BLOCKS_A_DAY)

    def replay(self, days: list[Day], source: random.Random, progress: Callable[[str], None]) -> None:
        """Trade through the days; at the end the contract has what the arithmetic says."""
        self.rpc.automine(on=False)
        for number, day in enumerate(days):
            wishes = intents(day, source)
            for block in range(BLOCKS_A_DAY):
                self.trade(day, block, wishes)
            self.result.days += 1
            if number % 50 == 0:
                progress(f"day {number} of {len(days)}, {self.result.trades:,} trades")
        self.compare()

    def trade(self, day: Day, block: int, wishes: list[Intent]) -> list[Trade]:
        """Mine one block of the day: arbitrage first where the price moves, then the wishes of that block."""
        made = self.made(day, block, wishes)
        self.rpc.block_of(self.contract.address, made)
        return made

    def hold(self, day: Day, block: int, wishes: list[Intent]) -> list[Trade]:
        """Send the same trades for the block that is mined next."""
        made = self.made(day, block, wishes)
        self.rpc.send(self.contract.address, made)
        return made

    def made(self, day: Day, block: int, wishes: list[Intent]) -> list[Trade]:
        """The trades of a block, by the pool's arithmetic alone."""
        price = day.prices[max(number for number, tick in enumerate(TICKS) if tick <= block)]
        trades = [arbitrage(self.pool, price, self.fee)] if block in TICKS else []
        trades += [noise(self.pool, price, self.fee, wish) for wish in wishes if wish.block == block]
        made = [trade for trade in trades if trade is not None]
        for trade in made:
            self.result.add(trade)
        return made

    def compare(self) -> None:
        """Stop if the contract does not hold what the arithmetic says."""
        held = tuple(self.chain.call(self.contract, name) for name in ("reserve0", "reserve1"))
        if held != (self.pool.reserve0, self.pool.reserve1):
            raise AssertionError(f"the contract holds {held}, not {self.pool}")


class Rpc:
    """Plain JSON-RPC to a local node: a block of many trades in two requests."""

    def __init__(self, url: str) -> None:
        self._url = url
        accounts = self.call("eth_accounts")
        self._traders = {True: accounts[1], False: accounts[2]}
        self._nonces = dict.fromkeys(self._traders, 0)

    def account(self, number: int) -> str:
        """One of the node's accounts, with its checksum."""
        from eth_utils.address import to_checksum_address

        return str(to_checksum_address(self.call("eth_accounts")[number]))

    def state(self) -> str:
        """The chain's state and its newest block, without those before: a node that loads it goes on from there."""
        dumped = json.loads(gzip.decompress(bytes.fromhex(self.call("anvil_dumpState").removeprefix("0x"))))
        newest = [one for one in dumped["blocks"] if int(one["header"]["number"], 16) == dumped["best_block_number"]]
        kept = dumped | {"blocks": newest, "transactions": [], "historical_states": None}
        return json.dumps(kept, sort_keys=True, separators=(",", ":"))

    def load(self, state: str) -> None:
        """Take over a state; the next block follows its newest one."""
        self.call("anvil_loadState", "0x" + gzip.compress(state.encode()).hex())
        self.call("evm_setNextBlockTimestamp", int(self._newest()["timestamp"], 16) + BLOCK_SECONDS)
        self.call("anvil_setBlockTimestampInterval", BLOCK_SECONDS)

    def go_on(self) -> None:
        """The traders sent transactions before."""
        for trader, account in self._traders.items():
            self._nonces[trader] = int(self.call("eth_getTransactionCount", account, "latest"), 16)

    def _newest(self) -> dict[str, str]:
        return dict(self.call("eth_getBlockByNumber", "latest", False))  # noqa: FBT003  the protocol's own argument

    def call(self, method: str, *parameters: Any) -> Any:
        """One request."""
        return self._send([(method, list(parameters))])[0]

    def block(self) -> int:
        """Number of the newest block."""
        return int(self.call("eth_blockNumber"), 16)

    def times(self, first: int, last: int, at_once: int) -> list[tuple[int, int]]:
        """Numbers and times of blocks, both ends included, asked for so many at once."""
        found = []
        for start in range(first, last + 1, at_once):
            numbers = range(start, min(last + 1, start + at_once))
            blocks = self._send([("eth_getBlockByNumber", [hex(number), False]) for number in numbers])
            found += [(number, int(block["timestamp"], 16)) for number, block in zip(numbers, blocks, strict=True)]
        return found

    def automine(self, *, on: bool) -> None:
        """Whether each transaction is mined at once."""
        self.call("evm_setAutomine", on)

    def now(self) -> int:
        """The newest block's time."""
        return int(self._newest()["timestamp"], 16)

    def at(self, time: int) -> None:
        """The next block's time, in seconds since 1970."""
        self.call("evm_setNextBlockTimestamp", time)

    def next_address(self, account: str, after: int = 0) -> str:
        """Where a contract will be that an account deploys, after so many other transactions."""
        import rlp
        from eth_utils.address import to_checksum_address

        nonce = int(self.call("eth_getTransactionCount", account, "latest"), 16) + after
        made = keccak256(rlp.encode([bytes.fromhex(account.removeprefix("0x")), nonce]))
        return str(to_checksum_address(made[-20:]))

    def mine(self, count: int) -> None:
        """Mine empty blocks."""
        if count > 0:
            self.call("anvil_mine", hex(count))

    def block_of(self, address: str, trades: list[Trade]) -> None:
        """Mine one block with these trades; the arbitrageur pays more for gas and so comes first."""
        self.send(address, trades)
        self.call("evm_mine")

    def send(self, address: str, trades: list[Trade]) -> None:
        """Send these trades for the block that is mined next."""
        if trades:
            self._send([("eth_sendTransaction", [self._transaction(address, trade)]) for trade in trades])

    def _transaction(self, address: str, trade: Trade) -> dict[str, str]:
        nonce = self._nonces[trade.arbitrage]
        self._nonces[trade.arbitrage] += 1
        words = (int(trade.zero_in), trade.amount, 0)
        return {
            "from": self._traders[trade.arbitrage],
            "to": address,
            "data": "0x" + (_SWAP + b"".join(word.to_bytes(32, "big") for word in words)).hex(),
            "gas": hex(_GAS),
            "gasPrice": hex(20_000_000_000 if trade.arbitrage else 10_000_000_000),
            "nonce": hex(nonce),
        }

    def _send(self, calls: list[tuple[str, list[Any]]]) -> list[Any]:
        batch = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}
            for number, (method, parameters) in enumerate(calls)
        ]
        request = urllib.request.Request(  # noqa: S310  the address of a node that this script started
            self._url, json.dumps(batch).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            found = sorted(json.load(answer), key=lambda one: int(one["id"]))
        for one in found:
            if "error" in one:
                raise RuntimeError(one["error"]["message"])
        return [one["result"] for one in found]

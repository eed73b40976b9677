"""Put contracts on a chain, call them and read what the calls cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from assay.chain.context import LOCAL_CHAIN_IDS
from assay.chain.errors import (
    DevelopmentKeyRefused,
    NoAccount,
    NodeRefused,
    NodeUnreachable,
    TransactionReverted,
)
from assay.core.errors import MissingLibrary
from assay.core.keccak import keccak256
from assay.prove.check import require

if TYPE_CHECKING:
    from collections.abc import Callable

    from web3 import Web3

    from assay.chain.compile import CompiledContract
    from assay.chain.solidity import VerifierSource
    from assay.prove.check import KeyCheck


@dataclass(frozen=True)
class Receipt:
    """What a mined transaction did.

    Attributes
    ----------
    transaction
        Hash of the transaction, 0x and 64 hexadecimal digits.
    gas_used
        Gas of the whole transaction: base cost, calldata and execution.
    block
        Number of its block.
    """

    transaction: str
    gas_used: int
    block: int


@dataclass(frozen=True)
class Deployment:
    """A contract on a chain."""

    name: str
    address: str
    abi: list[dict[str, Any]]
    receipt: Receipt


class Chain:
    """A connection to one Ethereum node and the account that signs.

    Parameters
    ----------
    url
        HTTP address of the node.
    private_key
        Signs every transaction; without it the node's first unlocked account does,
        which only development nodes have. It is never printed or stored.

    Raises
    ------
    MissingLibrary
        The library web3 is not installed.
    NodeUnreachable
        Nothing answers at `url`.
    """

    def __init__(self, url: str, *, private_key: str | None = None) -> None:
        self._web3 = _connect(url)
        self.chain_id: int = self._web3.eth.chain_id
        self._signer = self._web3.eth.account.from_key(private_key) if private_key else None

    @cached_property
    def account(self) -> str:
        """Address that pays.

        Raises
        ------
        NoAccount
            No key was given and the node has no unlocked account.
        """
        if self._signer is not None:
            return str(self._signer.address)
        accounts = self._web3.eth.accounts
        if not accounts:
            raise NoAccount("The node has no unlocked account.", "Give the private key of a funded account.")
        return str(accounts[0])

    def deploy(self, contract: CompiledContract, *arguments: Any) -> Deployment:
        """Deploy a contract that holds no verifying key, such as a consumer.

        Raises
        ------
        TransactionReverted
            Its constructor refused.
        """
        factory = self._web3.eth.contract(abi=contract.abi, bytecode=contract.bytecode)
        mined = self._mine(factory.constructor(*arguments).build_transaction, contract.name, contract.abi)
        return Deployment(contract.name, str(mined["contractAddress"]), contract.abi, _receipt(mined))

    def deploy_verifier(
        self, contract: CompiledContract, source: VerifierSource, *, unchecked: bool = False
    ) -> Deployment:
        """Deploy a generated verifier.

        Parameters
        ----------
        contract
            `source.text`, compiled.
        source
            What `assay.chain.solidity.render` returned.
        unchecked
            Deploy it although nothing here confirms that the key is of a ceremony, as it says.

        Raises
        ------
        DevelopmentKeyRefused
            The key was made from a development SRS and the chain is not
            local. Whoever ran that setup could forge proofs that this contract accepts.
        KeyUnchecked
            The source was written `unchecked`, and this call was not told so.
        """
        require_deployable(
            source.model_id, source.check, development=source.development, chain_id=self.chain_id, unchecked=unchecked
        )
        return self.deploy(contract)

    def send(self, target: Deployment, function: str, *arguments: Any) -> Receipt:
        """Send a transaction that calls `function` of `target` and wait until it is mined.

        Raises
        ------
        TransactionReverted
            The contract refused; `reason` is the name of its error.
        """
        bound = self._bound(target, function, arguments)
        return _receipt(self._mine(bound.build_transaction, f"{target.name}.{function}", target.abi))

    def call(self, target: Deployment, function: str, *arguments: Any) -> Any:
        """Return what `function` of `target` returns, without a transaction.

        Raises
        ------
        TransactionReverted
            The contract refused.
        """
        bound = self._bound(target, function, arguments)
        return _named(lambda: bound.call({"from": self.account}), f"{target.name}.{function}", target.abi)

    def code_hash(self, address: str) -> bytes:
        """Return keccak256 of the code that stands at `address`, as `CompiledContract.code_hash` says it, 32 bytes."""
        place = self._web3.to_checksum_address(address)
        return keccak256(bytes(_named(lambda: self._web3.eth.get_code(place), address, [])))

    def send_calldata(self, target: Deployment, calldata: bytes, *, gas: int | None = None) -> Receipt:
        """Send a transaction with exactly these bytes, well-formed or not.

        Raises
        ------
        TransactionReverted
            The contract refused.
        """
        limit = {} if gas is None else {"gas": gas}
        draft = {"to": target.address, "data": calldata, "from": self.account, **limit}
        return _receipt(self._mine(lambda _: draft, target.name, target.abi))

    def call_calldata(self, target: Deployment, calldata: bytes, *, gas: int | None = None) -> bytes:
        """Return the bytes that a call with exactly these bytes returns.

        Raises
        ------
        TransactionReverted
            The contract refused.
        """
        limit = {} if gas is None else {"gas": gas}
        draft: Any = {"to": target.address, "data": calldata, "from": self.account, **limit}
        return bytes(_named(lambda: self._web3.eth.call(draft), target.name, target.abi))

    def _bound(self, target: Deployment, function: str, arguments: tuple[Any, ...]) -> Any:
        contract = self._web3.eth.contract(address=self._web3.to_checksum_address(target.address), abi=target.abi)
        return contract.get_function_by_name(function)(*arguments)

    def _mine(self, build: Callable[[Any], Any], what: str, abi: list[dict[str, Any]]) -> Any:
        eth = self._web3.eth
        draft = _named(lambda: build({"from": self.account}), what, abi)
        if self._signer is None:
            sent = _named(lambda: eth.send_transaction(draft), what, abi)
        else:
            signed = self._signer.sign_transaction(self._filled(draft))
            sent = _named(lambda: eth.send_raw_transaction(signed.raw_transaction), what, abi)
        mined = _named(lambda: eth.wait_for_transaction_receipt(sent), what, abi)
        if mined["status"] != 1:
            raise TransactionReverted(f"The transaction to {what} was mined but reverted.")
        return mined

    def _filled(self, draft: dict[str, Any]) -> Any:
        """Add what a node would fill in for its own accounts."""
        eth = self._web3.eth
        filled: Any = {
            "chainId": self.chain_id,
            "nonce": eth.get_transaction_count(self._web3.to_checksum_address(self.account)),
            "value": 0,
            **draft,
        }
        if "gas" not in filled:
            filled["gas"] = eth.estimate_gas(filled)
        if "maxFeePerGas" not in filled:
            tip = eth.max_priority_fee
            filled["maxPriorityFeePerGas"] = tip
            filled["maxFeePerGas"] = 2 * eth.get_block("latest")["baseFeePerGas"] + tip
        return filled


def require_deployable(model_id: str, check: KeyCheck, *, development: bool, chain_id: int, unchecked: bool) -> None:
    """Refuse to bring a key's verifier onto a chain where it could be forged, or where nothing confirms it.

    Parameters
    ----------
    check
        What is known of the key here.
    development
        Whether it was made from a development SRS.
    unchecked
        Whether a key that nothing here confirms may go there all the same.

    Raises
    ------
    DevelopmentKeyRefused, KeyUnchecked
        See `Chain.deploy_verifier`.
    """
    if development and chain_id not in LOCAL_CHAIN_IDS:
        raise DevelopmentKeyRefused(
            f"The verifying key {model_id} was made from a development SRS, and chain {chain_id} "
            "is not a local one: whoever generated that SRS can forge proofs.",
            "Import a ceremony's SRS with `assay srs import FILE` and run the setup again.",
        )
    require(check, unchecked=unchecked)


def _connect(url: str) -> Web3:
    try:
        from web3 import HTTPProvider, Web3
    except ImportError as error:
        raise MissingLibrary(
            "Speaking to an Ethereum node needs the library web3, which is not installed.",
            "Install it with `pip install 'assay[chain]'`.",
        ) from error
    web3 = Web3(HTTPProvider(url))
    if not web3.is_connected():
        raise NodeUnreachable(f"No Ethereum node answers at {_without_secrets(url)}.", "Check the address.")
    return web3


def _named(action: Callable[[], Any], what: str, abi: list[dict[str, Any]]) -> Any:
    """Run `action`; a revert leaves as TransactionReverted with the contract error's name."""
    from requests.exceptions import RequestException
    from web3.exceptions import ContractLogicError, TimeExhausted, Web3RPCError

    try:
        return action()
    except Web3RPCError as error:
        said = (error.rpc_response or {}).get("error", {})
        raise NodeRefused(f"The node did not take {what}: {said.get('message', error)}.") from error
    except (RequestException, TimeExhausted) as error:
        raise NodeUnreachable(f"The node stopped answering during {what}.", "Check that it runs.") from error
    except ContractLogicError as error:
        reason = _reason(error, abi)
        raise TransactionReverted(f"{what} reverted: {reason}.", reason=reason) from error


def _reason(error: Any, abi: list[dict[str, Any]]) -> str:
    """Name of the custom error that the revert data carries, or the text of the revert."""
    from web3 import Web3

    data = error.data if isinstance(error.data, str) else ""
    for entry in abi:
        if entry.get("type") == "error":
            signature = f"{entry['name']}({','.join(field['type'] for field in entry['inputs'])})"
            if data[:10] == Web3.keccak(text=signature)[:4].to_0x_hex():
                return str(entry["name"])
    return str(error.message or "no reason given").rstrip(".")


def _receipt(mined: Any) -> Receipt:
    return Receipt(mined["transactionHash"].to_0x_hex(), int(mined["gasUsed"]), int(mined["blockNumber"]))


def _without_secrets(url: str) -> str:
    """The address without path and credentials: hosted nodes put access keys there."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.26;

import {BaseHook} from "@openzeppelin/uniswap-hooks/src/base/BaseHook.sol";
import {BaseOverrideFee} from "@openzeppelin/uniswap-hooks/src/fee/BaseOverrideFee.sol";
import {IHooks} from "@uniswap/v4-core/src/interfaces/IHooks.sol";
import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";
import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {SwapParams} from "@uniswap/v4-core/src/types/PoolOperation.sol";
import {FeeSourceHook} from "../../src/consumers/FeeSourceHook.sol";
import {IFeeSource} from "../../src/interfaces/IFeeSource.sol";
import {PoolActor} from "../helpers/PoolActor.sol";
import {Test, Vm} from "../helpers/Vm.sol";

contract ScriptedFee is IFeeSource {
    uint24 public fee;

    function set(uint24 fee_) external {
        fee = fee_;
    }
}

/// @notice The hook with Uniswap's own pool manager, from the bytecode that its package publishes: no source of it is
///         compiled here (it is not of a free licence yet), and the interfaces that are imported are all MIT.
contract FeeSourceHookTest is Test {
    string private constant MANAGER = "../node_modules/@uniswap/v4-core/out/PoolManager.sol/PoolManager.json";
    /// @dev After initialize (bit 12), before swap (bit 7).
    uint160 private constant BITS = 0x1080;

    IPoolManager private _manager;
    ScriptedFee private _source;
    FeeSourceHook private _hook;
    PoolActor private _actor;

    function setUp() public {
        bytes memory code = abi.encodePacked(vm.getCode(MANAGER), abi.encode(address(this)));
        address made;
        assembly {
            made := create(0, add(code, 0x20), mload(code))
        }
        _manager = IPoolManager(made);
        _source = new ScriptedFee();
        _source.set(3000);
        _hook = FeeSourceHook(_deployAt(BITS));
        _actor = new PoolActor(_manager);
        _actor.open(_hook, _actor.dynamicFee());
    }

    function testFuzzASwapPaysWhatTheSourceSays(uint24 fee, uint64 amount) public {
        vm.assume(amount > 0);
        _source.set(fee);
        uint24 paid = fee > 100_000 ? 100_000 : fee;
        vm.recordLogs();
        uint256 bought = _actor.swap(amount);
        assertEq(_feeOfSwap(), paid);
        // What comes off besides the fee, rounded up, is what trading against 10^24 moves the price.
        uint256 net = uint256(amount) - (uint256(amount) * paid + 999_999) / 1e6;
        if (bought > net || bought + net * net / 1e24 + 4 < net) revert("not the fee");
    }

    function testTheFeeChangesBetweenTwoSwaps() public {
        uint256 before = _actor.swap(1e18);
        _source.set(10_000);
        uint256 later = _actor.swap(1e18);
        if (later >= before) revert("a higher fee gave more");
        _source.set(3000);
        if (_actor.swap(1e18) <= later) revert("a lower fee gave less");
    }

    function testOnlyPoolsOfADynamicFee() public {
        PoolActor other = new PoolActor(_manager);
        // The manager wraps what a hook reverts with.
        try other.open(_hook, 3000) {
            revert("opened");
        } catch (bytes memory reason) {
            if (!_contains(reason, BaseOverrideFee.NotDynamicFee.selector)) revert("another reason");
        }
    }

    function testOnlyTheManagerAsksTheHook() public {
        PoolKey memory key;
        SwapParams memory params;
        vm.expectRevert(abi.encodeWithSelector(BaseHook.NotPoolManager.selector));
        _hook.beforeSwap(address(this), key, params, "");
    }

    function testAnAddressWithOtherBitsIsRefused() public {
        if (_deployAt(BITS | 1) != address(0)) revert("deployed");
        if (_deployAt(0x80) != address(0)) revert("deployed");
    }

    /// @notice Deploy the hook where the low 14 bits of its address are these; zero if its constructor refuses.
    function _deployAt(uint160 bits) private returns (address made) {
        bytes memory code = abi.encodePacked(type(FeeSourceHook).creationCode, abi.encode(_manager, _source));
        bytes32 digest = keccak256(code);
        uint256 salt;
        while (uint160(uint256(keccak256(abi.encodePacked(hex"ff", this, salt, digest)))) & 0x3fff != bits) {
            ++salt;
        }
        assembly {
            made := create2(0, add(code, 0x20), mload(code), salt)
        }
    }

    function _feeOfSwap() private returns (uint24 fee) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IPoolManager.Swap.selector) continue;
            (,,,,, fee) = abi.decode(logs[i].data, (int128, int128, uint160, uint128, int24, uint24));
        }
    }

    function _contains(bytes memory text, bytes4 part) private pure returns (bool) {
        for (uint256 i = 0; i + 4 <= text.length; ++i) {
            bytes4 here;
            assembly {
                here := mload(add(add(text, 0x20), i))
            }
            if (here == part) return true;
        }
        return false;
    }
}

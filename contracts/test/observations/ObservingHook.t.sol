// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.26;

import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";
import {FixedFee} from "../../src/examples/FixedFee.sol";
import {Observation} from "../../src/interfaces/IObservations.sol";
import {ObservingHook} from "../../src/observations/ObservingHook.sol";
import {PoolActor} from "../helpers/PoolActor.sol";
import {Test, Vm} from "../helpers/Vm.sol";

/// @notice The hook with Uniswap's own pool manager; see FeeSourceHook.t.sol.
contract ObservingHookTest is Test {
    string private constant MANAGER = "../node_modules/@uniswap/v4-core/out/PoolManager.sol/PoolManager.json";
    /// @dev After initialize (bit 12), before swap (bit 7), after swap (bit 6).
    uint160 private constant BITS = 0x10c0;
    uint256 private constant PRICE_UNIT = 1e9;
    uint256 private constant VOLUME_UNIT = 1e15;
    uint256 private constant BEGAN = 500_000 * 3600;
    /// @dev What PoolActor gives, and what the pool takes of a trade, in hundredths of a basis point.
    uint256 private constant LIQUIDITY = 1e24;
    uint24 private constant FEE = 3000;

    IPoolManager private _manager;
    ObservingHook private _hook;
    PoolActor private _actor;
    bytes32 private _pool;

    function setUp() public {
        vm.warp(BEGAN);
        bytes memory code = abi.encodePacked(vm.getCode(MANAGER), abi.encode(address(this)));
        address made;
        assembly {
            made := create(0, add(code, 0x20), mload(code))
        }
        _manager = IPoolManager(made);
        _hook = ObservingHook(_deploy());
        _actor = new PoolActor(_manager);
        vm.recordLogs();
        _actor.open(_hook, _actor.dynamicFee());
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IPoolManager.Initialize.selector) _pool = logs[i].topics[1];
        }
    }

    /// @notice Against the price that Uniswap's own event says, to the last unit, and against what a constant product gives.
    function testFuzzABarHasThePoolsPriceAndWhatWasTraded(uint64[3] memory amounts) public {
        uint256 volume;
        uint256 net = LIQUIDITY;
        vm.recordLogs();
        for (uint256 i = 0; i < 3; ++i) {
            uint256 amount = uint256(amounts[i]) * 1000 + 1e15;
            vm.warp(BEGAN + 3600 + i * 600);
            _actor.swap(amount);
            volume += amount / VOLUME_UNIT;
            net += amount * (1_000_000 - FEE) / 1_000_000;
        }
        uint256 root = _lastRoot();
        // The root is about 2^96, so that nothing is rounded but the price itself.
        uint256 price = root * root * PRICE_UNIT >> 192;
        uint256 byProduct = PRICE_UNIT * LIQUIDITY * LIQUIDITY / (net * net);
        if (price > byProduct + 1 || byProduct > price + 1) revert Unequal(price, byProduct);
        vm.warp(BEGAN + 7200);
        uint256[] memory lags = new uint256[](2);
        lags[1] = 1;
        (bool known, uint256 end, uint256 every, Observation[] memory values) = _hook.observe(_pool, lags);
        if (!known) revert("unknown");
        assertEq(end, BEGAN + 7200);
        assertEq(every, 3600);
        assertEq(values[0].price, price);
        assertEq(values[0].volume - values[1].volume, volume);
        // The next bar's trade finds the same price before its own.
        _actor.swap(1e22);
        (,,, values) = _hook.observe(_pool, new uint256[](1));
        assertEq(values[0].price, price);
    }

    /// @notice Volume costs gas alone, any number of it; but it erases no history, and a price that was moved back is nothing.
    function testVolumeIsForgedForGasAndTheHistoryStays() public {
        uint256[] memory lags = new uint256[](3);
        (lags[1], lags[2]) = (1, 2);
        for (uint256 i = 0; i < 3; ++i) {
            vm.warp(BEGAN + i * 3600);
            _actor.swap(1e18);
        }
        int256[2] memory liquidity = [int256(5e30), 1.1e34];
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(BEGAN + (3 + i) * 3600);
            (bool known,,, Observation[] memory before) = _hook.observe(_pool, lags);
            if (!known) revert("unknown");
            _actor.forge(liquidity[i]);
            (bool still,,, Observation[] memory values) = _hook.observe(_pool, lags);
            if (!still || keccak256(abi.encode(values)) != keccak256(abi.encode(before))) revert("erased");
            vm.warp(BEGAN + (4 + i) * 3600);
            (still,,, values) = _hook.observe(_pool, lags);
            if (!still) revert("erased");
            // Rounding moves the price by the very least.
            if (values[0].price + 1 < before[0].price || values[0].price > before[0].price + 1) {
                revert("another price");
            }
            if (values[0].volume - values[1].volume < 1e11) revert("it cost something");
        }
    }

    function testOnlyTheManagerRecords() public view {
        // What only the manager may call is BaseHook's to hold; the history itself has no function that writes.
        (bool known,,,) = _hook.observe(bytes32(uint256(1)), new uint256[](1));
        if (known) revert("a pool that is none");
    }

    /// @dev The root of the price with 96 bits behind the point, as the manager said it after the last trade.
    function _lastRoot() private returns (uint256 root) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IPoolManager.Swap.selector) {
                (,, root) = abi.decode(logs[i].data, (int128, int128, uint160));
            }
        }
    }

    function _deploy() private returns (address made) {
        bytes memory code = abi.encodePacked(
            type(ObservingHook).creationCode,
            abi.encode(_manager, new FixedFee(FEE), PRICE_UNIT, VOLUME_UNIT, uint32(3600), uint16(100))
        );
        bytes32 digest = keccak256(code);
        uint256 salt;
        while (uint160(uint256(keccak256(abi.encodePacked(hex"ff", this, salt, digest)))) & 0x3fff != BITS) {
            ++salt;
        }
        assembly {
            made := create2(0, add(code, 0x20), mload(code), salt)
        }
    }
}

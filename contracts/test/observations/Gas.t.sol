// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Series} from "../helpers/Series.sol";
import {Test} from "../helpers/Vm.sol";

/// @notice What a trade pays for being recorded, in a ring whose slots have all been written. Each test is one
///         transaction: `setUp` is another, before it.
contract ObservationsGasTest is Test {
    uint256 private constant MOST = 10_000;
    uint256 private constant BEGAN = 500_000 * 3600;
    uint16 private constant SIZE = 90;

    Series private _series;
    uint256 private _now;

    function setUp() public {
        _now = BEGAN;
        vm.warp(_now);
        _series = new Series(1e12, 3600, SIZE);
        for (uint256 i = 0; i < 2 * SIZE; ++i) {
            vm.warp(_now += 3600);
            _series.trade(1e12 + i * 1e9, 1000);
        }
        vm.warp(_now + 60);
    }

    /// @notice A trade in a bar that has one: what all but a few trades pay.
    function testInABarColdAtMostTenThousand() public {
        vm.cool(address(_series));
        _most(_series.trade(3e12, 1000), MOST);
    }

    /// @notice The first trade of a bar, where nothing else of the transaction touched the history.
    function testTheFirstOfABarCold() public {
        vm.warp(_now + 3600);
        vm.cool(address(_series));
        _most(_series.trade(3e12, 1000), 14_000);
    }

    /// @notice The same after the transaction has read the history, as a pool does that asks a fee made of it.
    function testTheFirstOfABarWarmAtMostTenThousand() public {
        vm.warp(_now + 3600);
        uint256[] memory lags = new uint256[](2);
        (lags[0], lags[1]) = (1, SIZE);
        _series.observe(0, lags);
        _most(_series.trade(3e12, 1000), MOST);
    }

    /// forge-config: default.fuzz.runs = 64
    /// @notice Looking up a day's, week's and month's bars of six hours, whatever bars had no trade: what a row of the
    ///         template dynamic-fee looks up. The whole row is measured by benchmarks/observations.py.
    function testFuzzWhateverTheGapsLookingUpIsAtMostSixtyThousand(uint256 seed) public {
        Series series = new Series(1e12, 3600, 89);
        uint256 gaps = seed % 6 + 1;
        for (uint256 i = 0; i < 95; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.warp(_now += 3600 * (1 + (seed >> 8) % gaps));
            series.trade(1e12 + i * 1e9, 1000);
        }
        vm.warp(_now + 3600);
        uint256[] memory lags = new uint256[](5);
        (lags[1], lags[2], lags[3], lags[4]) = (1, 4, 20, 88);
        vm.cool(address(series));
        uint256 gas_ = gasleft();
        (bool known,,,) = series.observe(0, lags);
        gas_ -= gasleft();
        if (!known) revert("unknown");
        _most(gas_, 60_000);
    }

    function _most(uint256 gas_, uint256 most) private pure {
        if (gas_ > most) revert Unequal(gas_, most);
    }
}

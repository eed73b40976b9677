// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Observation} from "../../src/interfaces/IObservations.sol";
import {Observations} from "../../src/observations/Observations.sol";
import {PlainHistory, Series} from "../helpers/Series.sol";
import {Test} from "../helpers/Vm.sol";

contract ObservationsTest is Test {
    uint32 private constant HOUR = 3600;
    uint16 private constant SIZE = 12;
    uint256 private constant BEGAN = 500_000 * 3600;
    /// @dev The volume of the last whole bar; those before have less.
    uint256 private constant NEWEST = 1 << 48;

    Series private _series;
    PlainHistory private _plain;

    function setUp() public {
        vm.warp(BEGAN);
        _open(1e12);
    }

    // ---------------------------------------------------------------- by hand

    function testByHand() public {
        _trade(1 hours, 1.1e12, 5);
        _trade(1 hours + 1, 1.2e12, 6);
        _trade(3 hours, 0.9e12, 7);
        vm.warp(BEGAN + 4 hours);
        // Bars: the first of one price; 1.2e12 (up 20 %); the same; 0.9e12 (down 25 %).
        _equal(0, Observation(0.9e12, 4.3e12, 200_000 ** 2 + 250_000 ** 2, NEWEST));
        _equal(1, Observation(1.2e12, 3.4e12, 200_000 ** 2, NEWEST - 7));
        _equal(2, Observation(1.2e12, 2.2e12, 200_000 ** 2, NEWEST - 7));
        _equal(3, Observation(1e12, 1e12, 0, NEWEST - 18));
        _unknown(4);
        (, uint256 end,,) = _series.observe(0, new uint256[](0));
        assertEq(end, BEGAN + 4 hours);
    }

    function testNoBarIsOverYet() public {
        _unknown(0);
        _trade(HOUR - 1, 2e12, 1);
        _unknown(0);
        vm.warp(BEGAN + HOUR);
        _equal(0, Observation(2e12, 2e12, 0, NEWEST));
        _unknown(1);
    }

    function testAMarketThatNeverStartedIsUnknownAndItsTradesAreNone() public {
        Series other = new Series(1e12, HOUR, SIZE);
        (bool known,,,) = other.observe(bytes32(uint256(1)), new uint256[](1));
        if (known) revert("known");
    }

    function testStartsOnceAndWithSoundTerms() public {
        vm.expectRevert(abi.encodeWithSelector(Observations.StartedAlready.selector));
        _series.start(0, 1, HOUR, SIZE);
        vm.expectRevert(abi.encodeWithSelector(Observations.BadTerms.selector));
        _series.start(bytes32(uint256(1)), 1, 11, SIZE);
        vm.expectRevert(abi.encodeWithSelector(Observations.BadTerms.selector));
        _series.start(bytes32(uint256(1)), 1, HOUR, 1);
        _series.start(bytes32(uint256(1)), 1, HOUR, SIZE);
    }

    // ---------------------------------------------------------------- what is over stays

    /// @notice A swap there and back in one block, or in any block of a later bar, changes nothing that a row is made of.
    function testFuzzNoTradeChangesABarThatIsOver(uint64[6] memory prices, uint32 later, uint256 wild) public {
        for (uint256 i = 0; i < 6; ++i) {
            _trade(i * 2000, uint256(prices[i]) % 9e12 + 1e12, i);
        }
        vm.warp(BEGAN + 4 hours + later % HOUR);
        Observation[] memory before = new Observation[](3);
        for (uint256 i = 0; i < 3; ++i) {
            before[i] = _at(i);
        }
        _series.trade(wild % 1e15 + 1, 1e6);
        for (uint256 i = 0; i < 3; ++i) {
            _equal(i, before[i]);
        }
        _series.trade(before[0].price, 1e6);
        for (uint256 i = 0; i < 3; ++i) {
            _equal(i, before[i]);
        }
    }

    // ---------------------------------------------------------------- against the definition

    /// forge-config: default.fuzz.runs = 48
    /// @notice Whatever happens: gaps, many trades in a block, a ring that is full, prices and amounts that do not fit.
    function testFuzzTheRingSaysWhatTheDefinitionSays(uint256 seed) public {
        uint256 now_;
        for (uint256 i = 0; i < 40; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            // The same block, the same bar, the next one, or a gap of up to 16 bars.
            uint256 kind = seed % 8;
            now_ += kind < 2 ? 0 : kind < 4 ? seed >> 8 & 1023 : kind < 7 ? HOUR : (seed >> 8 & 15) * HOUR;
            _trade(now_, _price(seed >> 16), _amount(seed >> 96));
            _compare();
            _together(seed);
            if (seed >> 200 & 3 == 0) {
                now_ += (seed >> 202 & 7) * HOUR;
                vm.warp(BEGAN + now_);
                _compare();
            }
        }
    }

    function testABarThatEndsWithoutAPriceStartsAnew() public {
        uint256[6] memory prices = [uint256(1), type(uint56).max, 1, 0, uint256(type(uint56).max) + 1, 1e12];
        for (uint256 i = 0; i < 6; ++i) {
            _trade(i * HOUR, prices[i], 1);
            _compare();
        }
        // A price that does not fit is no price, and what comes after it starts anew.
        vm.warp(BEGAN + 6 hours);
        _compare();
        _equal(0, Observation(1e12, 1e12, 0, NEWEST));
        _unknown(1);
        _series.trade(type(uint256).max, type(uint256).max);
        vm.warp(BEGAN + 7 hours);
        _unknown(0);
    }

    /// @notice A swap there and back leaves no trace, wherever the price was in between.
    function testFuzzAPriceThatDoesNotFitWithinABarIsNothing(uint256 wild) public {
        _trade(1, 1.1e12, 5);
        _trade(2 hours, 1.2e12, 6);
        _trade(3 hours, wild % 2 == 0 ? 0 : wild, 7);
        _equal(0, Observation(1.2e12, 3.4e12, 90_909 ** 2, NEWEST));
        _equal(2, Observation(1.1e12, 1.1e12, 0, NEWEST - 6));
        _trade(3 hours, 1.2e12, 7);
        _compare();
        vm.warp(BEGAN + 4 hours);
        _equal(0, Observation(1.2e12, 4.6e12, 90_909 ** 2, NEWEST));
        _equal(3, Observation(1.1e12, 1.1e12, 0, NEWEST - 20));
    }

    /// @notice No amount ends the history, and differences are right though the sum wraps around.
    function testFuzzAnyVolumeWrapsAround(uint256[4] memory traded) public {
        for (uint256 i = 0; i < 4; ++i) {
            _trade(i * HOUR, 1e12, traded[i]);
            _compare();
        }
        vm.warp(BEGAN + 4 hours);
        uint256 since;
        for (uint256 lag = 0; lag < 4; ++lag) {
            _equal(lag, Observation(1e12, (4 - lag) * 1e12, 0, NEWEST - since));
            since = (since + traded[3 - lag] % NEWEST) % NEWEST;
        }
    }

    function testSumsThatDoNotFitStartAnew() public {
        // A return of 2^26 millionths has a square beyond 52 bits.
        _trade(2 hours, 1e6, 0);
        _trade(3 hours, 1e6 + (1 << 26), 0);
        vm.warp(BEGAN + 4 hours);
        _compare();
        _equal(0, Observation(1e6 + (1 << 26), 1e6 + (1 << 26), 0, NEWEST));
        _unknown(1);
        // Sums of prices: 2^56 - 1 over 65,536 bars fit in 72 bits, and no more.
        _open(type(uint56).max);
        vm.warp(BEGAN + 4 hours + 65_000 * uint256(HOUR));
        _series.trade(type(uint56).max, 0);
        _equal(0, Observation(type(uint56).max, uint256(type(uint56).max) * 65_000, 0, NEWEST));
        vm.warp(BEGAN + 4 hours + 66_000 * uint256(HOUR));
        _series.trade(type(uint56).max, 0);
        vm.warp(BEGAN + 4 hours + 66_001 * uint256(HOUR));
        _equal(0, Observation(type(uint56).max, type(uint56).max, 0, NEWEST));
        _unknown(1);
    }

    // ---------------------------------------------------------------- how

    function _open(uint256 price) private {
        _series = new Series(price, HOUR, SIZE);
        _plain = new PlainHistory(price, HOUR);
    }

    function _trade(uint256 time, uint256 price, uint256 traded) private {
        vm.warp(BEGAN + time);
        _series.trade(price, traded);
        _plain.trade(price, traded);
    }

    function _price(uint256 seed) private pure returns (uint256) {
        uint256 kind = seed % 32;
        if (kind == 0) return 0;
        if (kind == 1) return seed;
        if (kind == 2) return seed % (1 << 56);
        if (kind == 3) return 1;
        return 1e12 + (seed >> 8) % 1e11;
    }

    function _amount(uint256 seed) private pure returns (uint256) {
        if (seed % 64 == 0) return seed;
        return seed % 32 == 1 ? (seed >> 8) % (1 << 48) : (seed >> 8) % 1e6;
    }

    /// @dev Both say the same of every bar that the ring must still have, and the ring knows no bar that never was.
    function _compare() private {
        _plain.advance();
        for (uint256 lag = 0; lag < SIZE + 2; ++lag) {
            (bool wanted, uint256 price, uint256 prices, uint256 squares, uint256 volume) = _plain.known(lag);
            (bool known,,, Observation[] memory values) = _series.observe(0, _lags(lag));
            if (known && !wanted) revert("a bar that never was");
            if (!known && wanted && lag < SIZE) revert("a bar is lost");
            if (known) _same(values[0], Observation(price, prices, squares, volume));
        }
    }

    /// @dev Several lags at once, in any order: the search goes on from where the one before ended.
    function _together(uint256 seed) private view {
        uint256[] memory lags = new uint256[](5);
        for (uint256 i = 0; i < 5; ++i) {
            lags[i] = (seed >> 8 * i) % SIZE;
        }
        (bool known,,, Observation[] memory values) = _series.observe(0, lags);
        for (uint256 i = 0; i < 5 && known; ++i) {
            _equal(lags[i], values[i]);
        }
    }

    function _at(uint256 lag) private view returns (Observation memory) {
        (bool known,,, Observation[] memory values) = _series.observe(0, _lags(lag));
        if (!known) revert("unknown");
        return values[0];
    }

    function _equal(uint256 lag, Observation memory wanted) private view {
        _same(_at(lag), wanted);
    }

    function _unknown(uint256 lag) private view {
        (bool known,,, Observation[] memory values) = _series.observe(0, _lags(lag));
        if (known || values[0].price != 0) revert("known");
    }

    function _same(Observation memory one, Observation memory other) private pure {
        assertEq(one.price, other.price);
        assertEq(one.prices, other.prices);
        assertEq(one.squares, other.squares);
        assertEq(one.volume, other.volume);
    }

    function _lags(uint256 lag) private pure returns (uint256[] memory lags) {
        lags = new uint256[](1);
        lags[0] = lag;
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AssayWords} from "../src/AssayWords.sol";
import {Words} from "./helpers/Words.sol";
import {Test} from "./helpers/Vm.sol";

/// @dev What any numbers must satisfy; tests/unit/chain/test_words.py compares with Python's encoder.
contract AssayWordsTest is Test {
    Words private _words;

    function setUp() public {
        _words = new Words();
    }

    function testFuzzKeysKeepTheOrder(int128 a, int128 b, uint64 d) public view {
        vm.assume(d != 0 && a <= b);
        if (_words.float32Word(a, d) > _words.float32Word(b, d)) revert("float32");
        if (_words.float64Word(a, d) > _words.float64Word(b, d)) revert("float64");
    }

    function testFuzzWholeNumbersUpToTheFractionAreExact(int24 value, int48 wide) public view {
        assertEq(_value(_words.float32Bits(value, 1), 23, 127), _abs(value));
        assertEq(_value(_words.float64Bits(wide, 1), 52, 1023), _abs(wide));
    }

    function testFuzzTheNearestFloat(uint128 n, uint64 d) public view {
        vm.assume(d != 0);
        _isNearest(n, d, _words.float32Bits(int256(uint256(n)), d), 23, 127);
        _isNearest(n, d, _words.float64Bits(int256(uint256(n)), d), 52, 1023);
    }

    function testFuzzADoubleOfAFloatNarrowsToIt(int24 value, uint8 shift) public view {
        assertEq(
            _words.narrow(_words.float64Bits(value, 1 << shift % 100)), _words.float32Bits(value, 1 << shift % 100)
        );
    }

    function testFuzzSignsAreMirrored(int128 a, uint64 d) public view {
        vm.assume(d != 0 && a > 0);
        assertEq(_words.float32Bits(-int256(a), d), _words.float32Bits(a, d) | 1 << 31);
        assertEq(_words.float64Bits(-int256(a), d), _words.float64Bits(a, d) | 1 << 63);
    }

    function testFuzzIntegersCountFromTheLeast(int256 low, int256 value, int256 high) public {
        if (low <= value && value <= high) {
            unchecked {
                assertEq(_words.integerWord(value, low, high), uint256(value) - uint256(low));
            }
        } else {
            vm.expectRevert(abi.encodeWithSelector(AssayWords.OutOfRange.selector));
            _words.integerWord(value, low, high);
        }
    }

    function testFuzzFixedPointsAreWithinHalfAUnit(int96 n, uint64 d, uint8 bits) public view {
        vm.assume(d != 0 && bits < 64);
        int256 low = -(int256(1) << 200);
        int256 rounded = int256(_words.fixedWord(n, d, bits, low, -low)) + low;
        int256 twice = 2 * (rounded * int256(uint256(d)) - (int256(n) << bits));
        if (twice > int256(uint256(d)) || -twice > int256(uint256(d))) revert("more than half a unit");
    }

    function testFuzzWadIsTheFloor(int128 integer, uint8 scaleBits) public view {
        int256 wad = _words.toWad(uint256(int256(integer)), scaleBits);
        int256 exact = int256(integer) * 1e18;
        if (scaleBits > 190) return;
        if (wad << scaleBits > exact || (wad + 1) << scaleBits <= exact) revert("not the floor");
    }

    function testWhatIsNoNumber() public {
        bytes memory refusal = abi.encodeWithSelector(AssayWords.NotANumber.selector);
        vm.expectRevert(refusal);
        _words.float32Key(0x7fc00000);
        vm.expectRevert(refusal);
        _words.float32Key(0xff800001);
        vm.expectRevert(refusal);
        _words.float64Key(0x7ff8000000000000);
        vm.expectRevert(refusal);
        _words.narrow(0xfff0000000000001);
        for (uint256 i = 0; i < 2; ++i) {
            uint256 d = i << 192;
            vm.expectRevert(abi.encodeWithSelector(AssayWords.BadDenominator.selector, d));
            _words.float32Bits(1, d);
            vm.expectRevert(abi.encodeWithSelector(AssayWords.BadDenominator.selector, d));
            _words.fixedWord(1, d, 0, 0, 1);
        }
    }

    function testWhatIsTooLarge() public {
        bytes memory refusal = abi.encodeWithSelector(AssayWords.OutOfRange.selector);
        int256 half = (int256(1) << 128) - (int256(1) << 103);
        assertEq(_words.float32Bits(half - 1, 1), 0x7f7fffff);
        vm.expectRevert(refusal);
        _words.float32Bits(half, 1);
        vm.expectRevert(refusal);
        _words.toWad(1 << 254, 0);
        vm.expectRevert(refusal);
        _words.fixedWord(int256(1) << 200, 1, 60, 0, type(int256).max);
    }

    function testZerosAndTheMissing() public view {
        assertEq(_words.float32Key(0x80000000), 0x80000000);
        assertEq(_words.float32Key(0), 0x80000000);
        assertEq(_words.float64Key(1 << 63), 1 << 63);
        assertEq(_words.float32Key(0x7f800000), 0xff800000);
        assertEq(_words.float32Key(0xff800000), 0x007fffff);
        assertEq(_words.missing(32), 1 << 32);
        assertEq(_words.missing(64), 1 << 64);
        assertEq(uint256(_words.toWad(type(uint256).max, 64)), type(uint256).max);
    }

    /// @dev |n/d - f| is not above |n/d - g| for the floats g beside f, with all three times d·2^1074.
    function _isNearest(uint256 n, uint256 d, uint256 bits, uint256 fraction, uint256 bias) private pure {
        (uint256 top, int256 exponent) = _parts(bits, fraction, bias);
        // f = top·2^exponent; half a unit beside it is (2·top ± 1)·2^(exponent-1).
        uint256 left = n;
        uint256 right = d;
        if (exponent >= 1) right <<= uint256(exponent - 1);
        else left <<= uint256(1 - exponent);
        if (left > (2 * top + 1) * right || (top != 0 && left < (2 * top - 1) * right)) revert("not the nearest");
    }

    function _parts(uint256 bits, uint256 fraction, uint256 bias) private pure returns (uint256 top, int256 exponent) {
        uint256 field = bits >> fraction;
        top = bits & ((1 << fraction) - 1);
        if (field != 0) top |= 1 << fraction;
        exponent = int256(field == 0 ? 1 : field) - int256(bias + fraction);
    }

    /// @dev The magnitude of a whole number's float.
    function _value(uint256 bits, uint256 fraction, uint256 bias) private pure returns (uint256) {
        bits &= (1 << (fraction == 23 ? 31 : 63)) - 1;
        if (bits == 0) return 0;
        (uint256 top, int256 exponent) = _parts(bits, fraction, bias);
        return exponent >= 0 ? top << uint256(exponent) : top >> uint256(-exponent);
    }

    function _abs(int256 value) private pure returns (uint256) {
        return uint256(value < 0 ? -value : value);
    }
}

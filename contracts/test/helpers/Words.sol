// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AssayWords} from "../../src/AssayWords.sol";

/// @notice The library's functions from outside, so that what reverts can be seen.
contract Words {
    function float32Key(uint32 bits) external pure returns (uint256) {
        return AssayWords.float32Key(bits);
    }

    function float64Key(uint64 bits) external pure returns (uint256) {
        return AssayWords.float64Key(bits);
    }

    function float32Word(int256 numerator, uint256 denominator) external pure returns (uint256) {
        return AssayWords.float32Word(numerator, denominator);
    }

    function float64Word(int256 numerator, uint256 denominator) external pure returns (uint256) {
        return AssayWords.float64Word(numerator, denominator);
    }

    function float32Bits(int256 numerator, uint256 denominator) external pure returns (uint32) {
        return AssayWords.float32Bits(numerator, denominator);
    }

    function float64Bits(int256 numerator, uint256 denominator) external pure returns (uint64) {
        return AssayWords.float64Bits(numerator, denominator);
    }

    function narrow(uint64 bits) external pure returns (uint32) {
        return AssayWords.narrow(bits);
    }

    function scaledWord(int256 value, uint256 scale, int256 low, int256 high) external pure returns (uint256) {
        return AssayWords.scaledWord(value, scale, low, high);
    }

    function integerWord(int256 value, int256 low, int256 high) external pure returns (uint256) {
        return AssayWords.integerWord(value, low, high);
    }

    function fixedWord(int256 numerator, uint256 denominator, uint256 bits, int256 low, int256 high)
        external
        pure
        returns (uint256)
    {
        return AssayWords.fixedWord(numerator, denominator, bits, low, high);
    }

    function missing(uint256 keyBits) external pure returns (uint256) {
        return AssayWords.missing(keyBits);
    }

    function toWad(uint256 word, uint256 scaleBits) external pure returns (int256) {
        return AssayWords.toWad(word, scaleBits);
    }

    function toFixed(uint256 word, uint256 scaleBits, uint256 unit) external pure returns (int256) {
        return AssayWords.toFixed(word, scaleBits, unit);
    }

    /// @notice Many calls at once: (whether it returned, its word or 0).
    function all(bytes[] calldata calls) external view returns (bool[] memory returned, uint256[] memory words) {
        returned = new bool[](calls.length);
        words = new uint256[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool fine, bytes memory answer) = address(this).staticcall(calls[i]);
            returned[i] = fine;
            if (fine) words[i] = abi.decode(answer, (uint256));
        }
    }
}

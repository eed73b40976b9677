// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title The words of a verifier's public inputs, from a contract's own numbers
/// @notice A contract that computes a model's features itself makes its input words here, and reads its outputs here.
///         Every function gives the word that Assay's encoder gives for the same number, or reverts where that refuses.
/// @dev docs/guides/words.md says which function a feature needs. Rounding is to the nearest, ties to even, as IEEE
///      754 has it, and happens once.
library AssayWords {
    /// @notice The bits are those of no number; a value that is not there is `missing`.
    error NotANumber();
    /// @notice The value is beyond what the feature's words can say.
    error OutOfRange();
    /// @notice The denominator is zero, or 2^192 or more.
    error BadDenominator(uint256 denominator);

    /// @dev Largest denominators below this leave room for 53 bits of quotient in 256.
    uint256 private constant DENOMINATORS = 1 << 192;
    uint256 private constant WAD = 1e18;

    // ---------------------------------------------------------------- keys of floating-point features

    /// @notice The word of a float32 feature, from the number's bits; -0.0 counts as 0.0.
    function float32Key(uint32 bits) internal pure returns (uint256) {
        if (bits & 0x7fffffff > 0x7f800000) revert NotANumber();
        return _key(bits, 32);
    }

    /// @notice The word of a float64 feature, from the number's bits; -0.0 counts as 0.0.
    function float64Key(uint64 bits) internal pure returns (uint256) {
        if (bits & 0x7fffffffffffffff > 0x7ff0000000000000) revert NotANumber();
        return _key(bits, 64);
    }

    /// @notice The word of the float32 nearest to numerator / denominator.
    function float32Word(int256 numerator, uint256 denominator) internal pure returns (uint256) {
        return _key(float32Bits(numerator, denominator), 32);
    }

    /// @notice The word of the float64 nearest to numerator / denominator.
    function float64Word(int256 numerator, uint256 denominator) internal pure returns (uint256) {
        return _key(float64Bits(numerator, denominator), 64);
    }

    /// @notice The word of a missing value, for keys of so many bits (`shape().keyBits`).
    function missing(uint256 keyBits) internal pure returns (uint256) {
        return 1 << keyBits;
    }

    // ---------------------------------------------------------------- bits of floating-point numbers

    /// @notice The float32 nearest to numerator / denominator; reverts from 2^128 on, as the encoder does.
    function float32Bits(int256 numerator, uint256 denominator) internal pure returns (uint32) {
        uint256 magnitude = _round(_abs(numerator), denominator, 23, 127);
        if (magnitude >= 0x7f800000) revert OutOfRange();
        return uint32(numerator < 0 ? magnitude | 1 << 31 : magnitude);
    }

    /// @notice The float64 nearest to numerator / denominator: Python's `numerator / denominator`, exactly.
    function float64Bits(int256 numerator, uint256 denominator) internal pure returns (uint64) {
        uint256 magnitude = _round(_abs(numerator), denominator, 52, 1023);
        return uint64(numerator < 0 ? magnitude | 1 << 63 : magnitude);
    }

    /// @notice The float32 nearest to a float64: what the encoder makes of a float64 column.
    /// @dev Infinities stay; a finite number from 2^128 on reverts, as the encoder does.
    function narrow(uint64 bits) internal pure returns (uint32) {
        uint256 sign = uint256(bits >> 63) << 31;
        uint256 exponent = bits >> 52 & 0x7ff;
        uint256 fraction = bits & 0xfffffffffffff;
        if (exponent == 0x7ff) {
            if (fraction != 0) revert NotANumber();
            return uint32(sign | 0x7f800000);
        }
        // Below 2^-150 everything is zero: the smallest float32 is 2^-149, and half of it is a tie.
        if (exponent < 1023 - 150) return uint32(sign);
        // fraction·2^(exponent - 1075), as a quotient that `_round` takes.
        uint256 top = fraction | 1 << 52;
        uint256 magnitude;
        if (exponent >= 1075) {
            if (exponent > 1023 + 128) revert OutOfRange();
            magnitude = _round(top << (exponent - 1075), 1, 23, 127);
        } else {
            uint256 down = 1075 - exponent;
            // Zeros behind the last bit of the fraction are taken out, down to a denominator that is allowed; what
            // remains of a deeper shift is a sticky bit, since no tie lies there.
            if (down > 190) {
                uint256 drop = down - 190;
                uint256 rest = top & ((1 << drop) - 1);
                top = top >> drop | (rest == 0 ? 0 : 1);
                down = 190;
            }
            magnitude = _round(top, 1 << down, 23, 127);
        }
        if (magnitude >= 0x7f800000) revert OutOfRange();
        return uint32(sign | magnitude);
    }

    // ---------------------------------------------------------------- whole numbers and fixed points

    /// @notice The word of a whole number whose feature was declared from `low` to `high`.
    function integerWord(int256 value, int256 low, int256 high) internal pure returns (uint256) {
        if (value < low || value > high) revert OutOfRange();
        unchecked {
            return uint256(value) - uint256(low);
        }
    }

    /// @notice The word of a whole number whose feature has a `scale` in task.toml: it is divided by 10^scale, towards
    ///         zero, and then declared from `low` to `high`. Wei with scale 12 are millionths of an ether.
    function scaledWord(int256 value, uint256 scale, int256 low, int256 high) internal pure returns (uint256) {
        if (scale > 76) revert BadDenominator(scale);
        return integerWord(value / int256(10 ** scale), low, high);
    }

    /// @notice The word of a linear model's feature: numerator / denominator in units of 2^-bits, counted from `low`.
    /// @param low Least integer of the feature, in units of 2^-bits as the circuit has it.
    /// @param high Greatest integer of the feature.
    function fixedWord(int256 numerator, uint256 denominator, uint256 bits, int256 low, int256 high)
        internal
        pure
        returns (uint256)
    {
        if (denominator == 0 || denominator >= DENOMINATORS) revert BadDenominator(denominator);
        uint256 magnitude = _abs(numerator);
        if (bits > 255 || magnitude >> (255 - bits) != 0) revert OutOfRange();
        uint256 rounded = _nearest(magnitude << bits, denominator);
        // At most 2^255, the magnitude of the least integer.
        if (rounded >> 255 != 0) revert OutOfRange();
        return integerWord(numerator < 0 ? -int256(rounded) : int256(rounded), low, high);
    }

    // ---------------------------------------------------------------- outputs

    /// @notice An output word as a number with 18 decimals, rounded down (towards minus infinity).
    /// @param word The output's integer in two's complement, as it stands in the public inputs.
    /// @param scaleBits `shape().scaleBits`: the output is its integer times 2^-scaleBits.
    function toWad(uint256 word, uint256 scaleBits) internal pure returns (int256) {
        return toFixed(word, scaleBits, WAD);
    }

    /// @notice An output word in units of 1 / unit, rounded down; reverts where that needs more than 256 bits.
    function toFixed(uint256 word, uint256 scaleBits, uint256 unit) internal pure returns (int256 result) {
        int256 integer = int256(word);
        if (unit > uint256(type(int256).max)) revert OutOfRange();
        unchecked {
            result = integer * int256(unit);
            // The only product whose quotient overflows is -1 times the least integer, and no unit is negative.
            if (unit != 0 && result / int256(unit) != integer) revert OutOfRange();
        }
        // An arithmetic shift rounds down, and by 256 or more leaves the sign.
        return result >> scaleBits;
    }

    // ---------------------------------------------------------------- how

    /// @dev Order-preserving: the bits with the sign set, or all of them turned for a negative number.
    function _key(uint256 bits, uint256 width) private pure returns (uint256) {
        uint256 sign = 1 << (width - 1);
        if (bits == sign) bits = 0;
        return bits & sign == 0 ? bits | sign : ~bits & ((1 << width) - 1);
    }

    function _abs(int256 value) private pure returns (uint256) {
        unchecked {
            return value < 0 ? 0 - uint256(value) : uint256(value);
        }
    }

    /// @dev The bits of the number nearest to n / d, without a sign; from the format's infinity on if it is too large.
    /// @param fraction Bits of the fraction.
    /// @param bias Of the exponent.
    function _round(uint256 n, uint256 d, uint256 fraction, uint256 bias) private pure returns (uint256) {
        if (d == 0 || d >= DENOMINATORS) revert BadDenominator(d);
        if (n == 0) return 0;
        // n / d lies in [2^e, 2^(e+1)).
        int256 e = int256(_length(n)) - int256(_length(d));
        if (e >= 0 ? n >> uint256(e) < d : n << uint256(-e) < d) --e;
        int256 least = 1 - int256(bias);
        bool normal = e >= least;
        // The quotient's last bit is worth 2^unit.
        int256 unit = (normal ? e : least) - int256(fraction);
        uint256 quotient = unit >= 0 ? _nearest(n, d << uint256(unit)) : _nearest(n << uint256(-unit), d);
        // A quotient that was rounded up to the next power of two carries into the exponent, as it must.
        return normal ? (uint256(e - least) << fraction) + quotient : quotient;
    }

    /// @dev n / d, ties to even.
    function _nearest(uint256 n, uint256 d) private pure returns (uint256 quotient) {
        quotient = n / d;
        uint256 rest = n % d;
        // rest > d - rest is 2·rest > d without overflow.
        if (rest > d - rest || (rest == d - rest && quotient & 1 == 1)) ++quotient;
    }

    /// @dev Number of bits of a positive number.
    function _length(uint256 x) private pure returns (uint256 length) {
        for (uint256 step = 128; step != 0; step >>= 1) {
            if (x >> step != 0) {
                x >>= step;
                length += step;
            }
        }
        ++length;
    }
}

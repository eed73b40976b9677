// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Observed} from "../../src/observations/Observed.sol";

/// @notice A market whose trades a test makes up, and what one of them costs.
contract Series is Observed {
    constructor(uint256 price, uint32 every, uint16 size) {
        _start(0, price, every, size);
    }

    /// @notice Record a trade.
    /// @return gas_ What recording took.
    function trade(uint256 price, uint256 traded) external returns (uint256 gas_) {
        gas_ = gasleft();
        _record(0, price, traded);
        gas_ -= gasleft();
    }

    /// @notice Start what is started, or another series.
    function start(bytes32 series, uint256 price, uint32 every, uint16 size) external {
        _start(series, price, every, size);
    }
}

/// @notice A market's history by its definition: every bar since it began to count, one after the other.
/// @dev No ring, no packing, no gaps: what Observations must say.
contract PlainHistory {
    uint256 public immutable every;
    /// @notice The number of the first bar that counts, and the values at the end of each.
    uint256 public first;
    uint256[] public price;
    uint256[] public prices;
    uint256[] public squares;
    uint256[] public volume;
    bool public counts;

    constructor(uint256 price_, uint256 every_) {
        every = every_;
        _begin(price_, 0);
    }

    function trade(uint256 price_, uint256 traded) external {
        advance();
        if (!counts) _begin(price_, 0);
        uint256 last = price.length - 1;
        price[last] = price_;
        // Without an end; of an amount only what it is modulo 2^48 can count.
        volume[last] += traded % (1 << 48);
    }

    /// @notice Append the bars that are over. What no longer fits begins anew with the bar whose sums do not; after a bar
    ///         without a price nothing counts until the next trade.
    function advance() public {
        while (counts && first + price.length <= block.timestamp / every) {
            uint256 last = price.length - 1;
            if (price[last] == 0 || price[last] > type(uint56).max) {
                counts = false;
                return;
            }
            if (last == 0) {
                prices[0] = price[0];
            } else {
                uint256 before = price[last - 1];
                uint256 change = (price[last] > before ? price[last] - before : before - price[last]) * 1e6 / before;
                prices[last] = prices[last - 1] + price[last];
                squares[last] = squares[last - 1] + (change < 1 << 26 ? change * change : 1 << 52);
                if (prices[last] >= 1 << 72 || squares[last] >= 1 << 52) {
                    uint256 kept = volume[last];
                    uint256 bar = first + last;
                    _begin(price[last], kept);
                    first = bar;
                    prices[0] = price[0];
                    last = 0;
                }
            }
            price.push(price[last]);
            prices.push(0);
            squares.push(0);
            volume.push(volume[last]);
        }
    }

    /// @notice The values so many bars before the last whole one.
    function known(uint256 lag) external view returns (bool, uint256, uint256, uint256, uint256) {
        uint256 bar = block.timestamp / every - 1 - lag;
        if (!counts || bar < first) return (false, 0, 0, 0, 0);
        uint256 i = bar - first;
        uint256 since = volume[block.timestamp / every - 1 - first] - volume[i];
        return (true, price[i], prices[i], squares[i], (1 << 48) - since % (1 << 48));
    }

    function _begin(uint256 price_, uint256 traded) private {
        delete price;
        delete prices;
        delete squares;
        delete volume;
        counts = true;
        first = block.timestamp / every;
        price.push(price_);
        prices.push(0);
        squares.push(0);
        volume.push(traded);
    }
}

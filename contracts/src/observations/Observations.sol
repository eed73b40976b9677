// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Observation} from "../interfaces/IObservations.sol";

/// @title A ring buffer of a market's bars: price, cumulative price, squared returns and volume, in whole numbers
/// @notice A pool or hook calls `start` once and `record` after each trade; anyone may then compute features of the bars
///         that are over. A bar is `every` seconds of the chain's clock, from a multiple of `every` since 1970 on.
///
///         What a bar says is settled when it is over: its price is the one after its last trade, which the first
///         trade of a later bar finds and writes down *before* its own counts. So no trade changes a bar that a row is
///         made of, and whoever wants a false price in one must leave it standing at the end of a block, to everybody's
///         arbitrage, when nobody knows yet whether a block of the same bar follows.
///
///         Volume is what anybody says by trading with themselves. Where liquidity can be added and taken away around a
///         trade, as in a Uniswap v4 pool, any number costs gas alone: nothing of worth may hang on it.
/// @dev One slot (`head`) is written in each trade; the first trade of a bar writes one more (`ring`). Entries are of bars
///      with trades only, and what lies between follows from them: a gap costs nothing.
///
///      Sums count from the start. Those of prices and squared returns never wrap around: a bar that *ends* with a price
///      of 0 or 2^56, a return of 2^26 millionths, or a sum that does not fit its bits makes the history *start anew*.
///      Until it is long enough again there is no row, and consumers fall back. Volume wraps around at 2^48, so that no
///      amount can do that: differences of it are modulo 2^48. Nothing here reverts because of a price or an amount: it
///      can stop no trade.
library Observations {
    /// @dev head: price 56, volume 48, bar 28, newest 16, count 16, size 16, every 32 bits, from the lowest.
    ///      ring: price 56, prices 72, squares 52, volume 48, bar 28.
    struct Store {
        uint256 head;
        uint256[1 << 16] ring;
    }

    /// @dev What `read` takes out of the store once, for all lags.
    /// @param last The last whole bar.
    /// @param newest The entry of the newest bar with trades that is over, whether it stands in the ring or not yet.
    /// @param above Whether it does not stand there yet.
    /// @param index Where the newest entry of the ring stands.
    /// @param count Entries in the ring.
    /// @param size Places in the ring.
    /// @param near An entry of the ring that was looked up before, zero if none was: the search goes on from it.
    /// @param place How many places it is before the ring's newest.
    struct Reader {
        uint256 last;
        uint256 newest;
        bool above;
        uint256 index;
        uint256 count;
        uint256 size;
        uint256 near;
        uint256 place;
    }

    /// @notice Returns are counted in millionths.
    uint256 internal constant RETURN_UNIT = 1_000_000;

    uint256 private constant PRICE = (1 << 56) - 1;
    uint256 private constant PRICES = (1 << 72) - 1;
    uint256 private constant SQUARES = (1 << 52) - 1;
    uint256 private constant VOLUME = (1 << 48) - 1;
    uint256 private constant BAR = (1 << 28) - 1;
    uint256 private constant SHORT = (1 << 16) - 1;
    /// @dev Returns from here on have squares that do not fit, whatever else: products stay small.
    uint256 private constant LARGEST_RETURN = 1 << 26;

    error BadTerms();
    error StartedAlready();

    /// @notice Begin the history of a market.
    /// @param price Its price now.
    /// @param every Seconds in a bar: at least 12, so that the number of a bar has 28 bits until 2072.
    /// @param size Most bars that are kept, at least 2: one more than the longest window of a feature.
    function start(Store storage self, uint256 price, uint32 every, uint16 size) internal {
        if (self.head != 0) revert StartedAlready();
        if (every < 12 || size < 2) revert BadTerms();
        if (price > PRICE) price = 0;
        self.head = price | _bar(every) << 104 | uint256(size) << 164 | uint256(every) << 180;
    }

    /// @notice Record a trade.
    /// @param price The price after it.
    /// @param traded What was traded; 2^48 is as good as nothing.
    function record(Store storage self, uint256 price, uint256 traded) internal {
        uint256 head = self.head;
        if (head == 0) return;
        uint256 count = head >> 148 & SHORT;
        uint256 newest = head >> 132 & SHORT;
        uint256 bar = _bar(head >> 180);
        uint256 volume = head >> 56 & VOLUME;
        unchecked {
            // The bar of the trade before is over: its price is what this trade found.
            if (head >> 104 & BAR != bar && head & PRICE != 0) {
                uint256 entry = _entry(head, count == 0 ? 0 : self.ring[newest]);
                if (count == 0 || entry == 0) {
                    (count, newest) = (1, 0);
                    if (entry == 0) entry = _entry(head, 0);
                } else {
                    uint256 size = head >> 164 & SHORT;
                    newest = newest + 1 == size ? 0 : newest + 1;
                    if (count != size) ++count;
                }
                self.ring[newest] = entry;
            }
            // After a bar that ended with a price that does not fit, the history starts anew; one within a bar is nothing.
            if (head & PRICE == 0 && head >> 104 & BAR != bar) count = 0;
            if (price > PRICE) price = 0;
            volume = volume + traded & VOLUME;
        }
        self.head = price | volume << 56 | bar << 104 | newest << 132 | count << 148 | head >> 164 << 164;
    }

    /// @notice The state of the history now; `lookUp` gives what was known at a bar.
    function read(Store storage self) internal view returns (Reader memory reader) {
        uint256 head = self.head;
        if (head == 0) return reader;
        reader.count = head >> 148 & SHORT;
        reader.index = head >> 132 & SHORT;
        reader.size = head >> 164 & SHORT;
        uint256 bar = _bar(head >> 180);
        if (bar == 0) return reader;
        reader.last = bar - 1;
        reader.newest = reader.count == 0 ? 0 : self.ring[reader.index];
        if (head >> 104 & BAR == bar) return reader;
        if (head & PRICE == 0) {
            // The head's bar ended with a price that does not fit.
            reader.newest = 0;
            return reader;
        }
        // Nobody traded since the end of the head's bar: what the next trade will write, it is already.
        uint256 entry = _entry(head, reader.newest);
        if (entry == 0) (entry, reader.count) = (_entry(head, 0), 0);
        reader.newest = entry;
        reader.above = true;
    }

    /// @notice What was known at the end of a bar.
    /// @param lag How many bars before the last whole one.
    function lookUp(Store storage self, Reader memory reader, uint256 lag)
        internal
        view
        returns (bool known, Observation memory found)
    {
        if (reader.newest == 0 || lag > reader.last) return (false, found);
        unchecked {
            uint256 bar = reader.last - lag;
            uint256 entry = reader.newest;
            if (entry >> 228 > bar) entry = _find(self, reader, bar);
            if (entry == 0) return (false, found);
            found.price = entry & PRICE;
            // Bars since without a trade have its price.
            found.prices = (entry >> 56 & PRICES) + found.price * (bar - (entry >> 228));
            found.squares = entry >> 128 & SQUARES;
            // Counted back from the newest, which has 2^48: so later ones are never less, though the sum wraps around.
            found.volume = (1 << 48) - ((reader.newest >> 180) - (entry >> 180) & VOLUME);
        }
        return (true, found);
    }

    /// @notice Seconds in a bar, zero before the start.
    function barSeconds(Store storage self) internal view returns (uint256) {
        return self.head >> 180;
    }

    /// @dev The ring's last entry that is of `bar` or before, zero if there is none. The newest is of a later bar.
    function _find(Store storage self, Reader memory reader, uint256 bar) private view returns (uint256 entry) {
        unchecked {
            if (reader.count == 0) return 0;
            // Entries are of different bars, so one that is so many places older is at least so many bars older.
            uint256 low;
            uint256 high = (reader.newest >> 228) - bar - (reader.above ? 1 : 0);
            if (reader.near != 0 && reader.near >> 228 > bar) {
                low = reader.place + 1;
                high = reader.place + (reader.near >> 228) - bar;
            }
            if (high >= reader.count) high = reader.count - 1;
            if (low > high) return 0;
            entry = _place(self, reader, high);
            if (entry >> 228 > bar) return 0;
            // If there are gaps, `high` is of a bar before; what is sought is the first place that is not of a later one.
            while (low < high && entry >> 228 != bar) {
                uint256 middle = (low + high) / 2;
                uint256 found = _place(self, reader, middle);
                if (found >> 228 > bar) low = middle + 1;
                else (high, entry) = (middle, found);
            }
            (reader.near, reader.place) = (entry, high);
        }
    }

    /// @dev The entry so many places before the ring's newest.
    function _place(Store storage self, Reader memory reader, uint256 back) private view returns (uint256) {
        unchecked {
            return self.ring[reader.index >= back ? reader.index - back : reader.index + reader.size - back];
        }
    }

    /// @dev The entry of the head's bar, after the entry before it (zero for none); zero where its sums do not fit.
    function _entry(uint256 head, uint256 before) private pure returns (uint256) {
        unchecked {
            uint256 price = head & PRICE;
            uint256 bar = head >> 104 & BAR;
            uint256 rest = price | (head >> 56 & VOLUME) << 180 | bar << 228;
            if (before == 0) return rest | price << 56;
            uint256 last = before & PRICE;
            uint256 change = (price > last ? price - last : last - price) * RETURN_UNIT / last;
            uint256 prices = (before >> 56 & PRICES) + last * (bar - (before >> 228) - 1) + price;
            if (change >= LARGEST_RETURN || prices > PRICES) return 0;
            uint256 squares = (before >> 128 & SQUARES) + change * change;
            return squares > SQUARES ? 0 : rest | prices << 56 | squares << 128;
        }
    }

    function _bar(uint256 seconds_) private view returns (uint256) {
        return block.timestamp / seconds_ & BAR;
    }
}

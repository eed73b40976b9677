// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AssayWords} from "../../AssayWords.sol";
import {IStateFeed, ITakesRows} from "../IStateFeed.sol";
import {Header, StateProof} from "../StateProof.sol";
import {UniswapV2Mean} from "./UniswapV2Mean.sol";

/// @title A feed that nobody has to trust: each period's row is the mean price of a Uniswap v2 pair, as a float32
/// @notice Name this contract as a consumer's `feed`. Anyone posts a period's row with proofs of the pair's slots at the
///         last blocks of the period before and of the period.
/// @dev Whoever posts chooses nothing: the pair is pinned, the period is the last that is over and its blocks follow from
///      it, and it comes once for each consumer. A period that was not posted before the next is over has no row any
///      more; if it had, whoever posts after a pause could choose among them. Bars are numbered as `every = "N blocks"`
///      numbers them: block b is in bar b / N. Nor is there a row where the chain has forgotten the blocks (8,191).
contract MeanPriceFeed is IStateFeed {
    /// @notice The pair whose price it is.
    address public immutable pair;
    /// @notice Blocks of a period.
    uint256 public immutable period;
    /// @notice Last block of the last period that was posted.
    mapping(address consumer => uint256) public lastOf;

    /// @notice The mean of the period that ends with a block, times 2^112.
    event MeanPosted(address indexed consumer, uint256 indexed number, uint256 mean);

    error WrongCount(uint256 expected, uint256 actual);
    error WrongBlock(uint256 expected, uint256 actual);
    error PeriodNotNew(uint256 last, uint256 actual);
    error NoPeriod();

    constructor(address pair_, uint256 period_) {
        if (period_ == 0) revert NoPeriod();
        (pair, period) = (pair_, period_);
    }

    /// @inheritdoc IStateFeed
    function stateOf(uint256 number) external view returns (address, uint256[] memory blocks, bytes32[] memory) {
        blocks = new uint256[](2);
        (blocks[0], blocks[1]) = (number - period, number);
        return (pair, blocks, UniswapV2Mean.slots());
    }

    /// @inheritdoc IStateFeed
    function post(address consumer, StateProof[] calldata proofs) external {
        if (proofs.length != 2) revert WrongCount(2, proofs.length);
        (Header memory start, uint256 sumStart) = UniswapV2Mean.cumulative(proofs[0], 0, pair);
        (Header memory end, uint256 sumEnd) = UniswapV2Mean.cumulative(proofs[1], 0, pair);
        // Of the last period that is over.
        uint256 last = block.number / period * period - 1;
        if (end.number != last) revert WrongBlock(last, end.number);
        if (start.number + period != last) revert WrongBlock(last - period, start.number);
        if (last <= lastOf[consumer]) revert PeriodNotNew(lastOf[consumer], last);
        lastOf[consumer] = last;
        uint256 mean = UniswapV2Mean.mean(start, sumStart, end, sumEnd);
        emit MeanPosted(consumer, last, mean);
        uint256[] memory row = new uint256[](1);
        // Less than 2^224, since reserves have 112 bits.
        row[0] = AssayWords.float32Word(int256(mean), UniswapV2Mean.SCALE);
        ITakesRows(consumer).postRow(row);
    }
}

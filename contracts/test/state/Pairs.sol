// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.26;

import {Header, StateProof} from "../../src/state/StateProof.sol";
import {MeanPriceFeed} from "../../src/state/examples/MeanPriceFeed.sol";
import {UniswapV3Mean} from "../../src/state/examples/UniswapV3Mean.sol";

/// @notice Storage in the layout that Uniswap v2's pairs document, kept as they document it. None of their code.
contract PairLayout {
    uint256[6] private _token; // supply, balances, allowances, domain, nonces, factory
    uint256[2] private _tokens;
    uint112 private _reserve0;
    uint112 private _reserve1;
    uint32 private _time;
    uint256 public price0;
    uint256 public price1;

    /// @notice The reserves are these from now on.
    function sync(uint112 reserve0, uint112 reserve1) external {
        unchecked {
            uint256 since = uint32(uint32(block.timestamp) - _time);
            if (since != 0 && _reserve0 != 0 && _reserve1 != 0) {
                price0 += (uint256(_reserve1) << 112) / _reserve0 * since;
                price1 += (uint256(_reserve0) << 112) / _reserve1 * since;
            }
        }
        (_reserve0, _reserve1, _time) = (reserve0, reserve1, uint32(block.timestamp));
    }
}

/// @notice Storage in the layout that Uniswap v3's pools document. None of their code.
contract PoolLayout {
    struct State {
        uint160 price;
        int24 tick;
        uint16 index;
        uint16 cardinality;
        uint16 next;
        uint8 fee;
        bool unlocked;
    }

    struct Observation {
        uint32 time;
        int56 sum;
        uint160 liquidity;
        bool written;
    }

    State private _state; // slot 0
    uint256[7] private _others;
    Observation[65_535] private _ring; // from slot 8 on

    constructor(int24 tick, uint16 cardinality) {
        _state = State(1 << 96, tick, 0, cardinality, cardinality, 0, true);
        _ring[0] = Observation(uint32(block.timestamp), 0, 0, true);
    }

    /// @notice The tick is this from now on.
    function move(int24 tick) external {
        Observation memory newest = _ring[_state.index];
        uint32 time = uint32(block.timestamp);
        if (time != newest.time) {
            uint16 index = (_state.index + 1) % _state.cardinality;
            int56 sum = newest.sum + int56(_state.tick) * int56(uint56(time - newest.time));
            _ring[index] = Observation(time, sum, 1, true);
            _state.index = index;
        }
        _state.tick = tick;
    }
}

/// @notice The examples behind calls.
contract Means {
    uint256 public word;
    uint256 public count;

    function postRow(uint256[] calldata row) external {
        word = row[0];
        ++count;
    }

    function meanTick(StateProof calldata proof, address pool, uint256 window, uint256 older)
        external
        view
        returns (Header memory head, int256 mean)
    {
        return UniswapV3Mean.meanTick(proof, 0, pool, window, older);
    }
}

//! Where rows of the model's table stand (spec 4.2).

/// The position in `V` of node row `row`: the positions that are no multiple of `ratio`, in order.
pub fn position(row: usize, ratio: usize) -> usize {
    row / (ratio - 1) * ratio + 1 + row % (ratio - 1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn node_rows_are_the_positions_between_range_rows() {
        for ratio in [2, 4, 8] {
            let positions: Vec<_> = (0..3 * (ratio - 1))
                .map(|row| super::position(row, ratio))
                .collect();
            let expected: Vec<_> = (0..3 * ratio).filter(|p| p % ratio != 0).collect();
            assert_eq!(positions, expected);
        }
    }
}

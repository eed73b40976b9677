//! The rules of a network's public part (`docs/spec/networks-circuit.md`, section 6), each with its number.
//!
//! With them every input has at most one output for every hidden matrix, honest or not.

use super::network::{Network, Table, FIRST_SLOT, INPUT_LIMIT};
use super::order::order;
use crate::Error;
use std::collections::{BTreeMap, HashSet};
use std::ops::RangeInclusive;

const NUMBER: i64 = 1 << 52;
const ID: i64 = 1 << 40;

impl Network {
    /// Holds the network to every rule; gives each listed row a level above those of the rows that it needs.
    pub(super) fn check(&self, features: usize, outputs: usize) -> Result<Vec<u32>, Error> {
        self.check_sizes(features, outputs)?;
        self.check_tables()?;
        self.check_special_rows()?;
        self.check_addresses()?;
        self.check_positions()?;
        self.check_weights()?;
        order(self).ok_or_else(|| broken(10, "rows need one another in a circle"))
    }

    fn check_sizes(&self, features: usize, outputs: usize) -> Result<(), Error> {
        let ranges: [(&str, u32, RangeInclusive<u32>); 5] = [
            ("limb_bits", self.limb_bits, 4..=16),
            ("limbs", self.limbs, 1..=4),
            ("low_bits", self.low_bits, 1..=12),
            ("output_bits", self.output_bits, 0..=60),
            ("q_shift", self.q_shift, 0..=63),
        ];
        for (name, value, range) in ranges {
            need(range.contains(&value), 1, || format!("{name} is {value}"))?;
        }
        need(self.shift() <= 40, 1, || {
            format!("the shift is {} bits", self.shift())
        })?;
        let sizes = [
            ("rows", self.rows, 3..=24),
            ("slots", self.slots, 3..=24),
            ("columns", self.columns, 1..=20),
        ];
        for (name, size, logs) in sizes {
            let fits = size.is_power_of_two() && logs.contains(&size.trailing_zeros());
            need(fits, 1, || format!("{name} is {size}"))?;
        }
        let listed = self.listed();
        need(
            !self.tables.is_empty() && self.q_table < self.tables.len(),
            1,
            || format!("q_table is {}", self.q_table),
        )?;
        need((1..self.rows).contains(&listed), 1, || {
            format!("{listed} rows are listed of {}", self.rows)
        })?;
        for (what, found, wanted) in [
            ("input rows", self.input_rows.len(), features),
            ("input centres", self.input_centres.len(), features),
            ("output rows", self.output_rows.len(), outputs),
        ] {
            need(found == wanted, 1, || {
                format!("there are {found} {what} for {wanted}")
            })?;
        }
        Ok(())
    }

    /// Rules 2 and 3.
    fn check_tables(&self) -> Result<(), Error> {
        let identity = &self.tables[0];
        let exact = identity.base == 0
            && identity.low <= 0
            && identity.high() > 0
            && identity.slope.iter().all(|slope| *slope == 1)
            && (identity.low..)
                .zip(&identity.offset)
                .all(|(k, offset)| *offset == k << self.low_bits);
        need(exact, 2, || "table 0 is not the identity".into())?;
        need(identity.ends.is_empty(), 2, || "table 0 has ends".into())?;
        let mut ids: Vec<(i64, i64)> = Vec::new();
        for table in &self.tables {
            let (first, last) = (table.first_id(), table.base + table.high() - 1);
            let name = &table.name;
            need(first > -ID && last < ID, 2, || {
                format!("an id of table {name} has more than 40 bits")
            })?;
            let mut sizes = table.slope.iter().chain(&table.offset);
            need(sizes.all(|v| v.abs() < NUMBER), 2, || {
                format!("table {name} has a slope or offset of more than 52 bits")
            })?;
            need(in_lanes(table, self.low_bits), 3, || {
                format!("table {name} has a fixed point outside the lanes")
            })?;
            ids.push((first, last));
        }
        ids.sort_unstable();
        need(ids.windows(2).all(|pair| pair[0].1 < pair[1].0), 2, || {
            "two tables share an id".into()
        })
    }

    /// Rule 8, and row 0.
    fn check_special_rows(&self) -> Result<(), Error> {
        let cells = &self.cells;
        let listed = self.listed();
        let given: HashSet<usize> = self.given().collect();
        let outputs: HashSet<usize> = self.output_rows.iter().copied().collect();
        let special = || self.given().chain(self.output_rows.iter().copied());
        need(special().all(|row| row > 0 && row < listed), 8, || {
            "an input or output row is not listed".into()
        })?;
        let count = self.input_rows.len() + 1 + self.output_rows.len();
        let all: HashSet<usize> = special().collect();
        need(all.len() == count, 8, || {
            "an input or output row stands twice".into()
        })?;
        for row in special().chain([0]) {
            let reads = cells.a[row] != 0 && !outputs.contains(&row);
            let fields = [
                &cells.b,
                &cells.slot,
                &cells.position,
                &cells.product,
                &cells.max,
            ];
            let used =
                reads || fields.iter().any(|field| field[row] != 0) || cells.column[row] != -1;
            need(!used, 8, || {
                format!("row {row}, an input, output or reserved one, has a field")
            })?;
        }
        for row in 0..listed.saturating_sub(1) {
            let multiplies = given.contains(&row) || cells.product[row] != 0;
            need(!(multiplies && given.contains(&(row + 1))), 8, || {
                format!("input row {} stands below a row that multiplies", row + 1)
            })?;
            need(!(given.contains(&row) && cells.b[row + 1] != 0), 8, || {
                format!("row {}, below an input row, reads by b", row + 1)
            })?;
        }
        Ok(())
    }

    /// Rule 4, and of rule 7 that no argument of a max row is read.
    fn check_addresses(&self) -> Result<(), Error> {
        let outputs: HashSet<usize> = self.output_rows.iter().copied().collect();
        for (name, column) in [("a", &self.cells.a), ("b", &self.cells.b)] {
            for (row, address) in column.iter().enumerate() {
                let target = usize::try_from(address.unsigned_abs()).unwrap_or(usize::MAX);
                need(target < self.listed(), 4, || {
                    format!("row {row} reads by {name} a row that is not listed")
                })?;
                need(!outputs.contains(&target), 4, || {
                    format!("row {row} reads an output row by {name}")
                })?;
                need(*address >= 0 || self.cells.max[target] == 0, 7, || {
                    format!("row {row} reads the argument of a max row by {name}")
                })?;
            }
        }
        Ok(())
    }

    /// Rules 5, 6 and 7.
    fn check_positions(&self) -> Result<(), Error> {
        let cells = &self.cells;
        let mut read = vec![false; self.listed()];
        for address in cells.a.iter().chain(&cells.b) {
            read[address.unsigned_abs() as usize] = true;
        }
        let mut slots = HashSet::new();
        let mut columns = HashSet::new();
        // Whether a position has a slot, and a column.
        let mut has: BTreeMap<i64, [bool; 2]> = BTreeMap::new();
        for (row, is_read) in read.iter().enumerate() {
            let (position, slot, column) =
                (cells.position[row], cells.slot[row], cells.column[row]);
            let (product, max) = (cells.product[row], cells.max[row]);
            need(position >= 0, 5, || {
                format!("row {row} has a negative position")
            })?;
            need(position > 0 || (slot == 0 && column == -1), 5, || {
                format!("row {row} has a slot or column but no position")
            })?;
            need(
                slot == 0 || (FIRST_SLOT as i64..self.slots as i64).contains(&slot),
                1,
                || format!("row {row} has no such slot"),
            )?;
            need((-1..self.columns as i64).contains(&column), 1, || {
                format!("row {row} has no such column")
            })?;
            need(max == 0 || max == 1, 7, || {
                format!("row {row} has a max that is neither 0 nor 1")
            })?;
            need(max == 0 || product == 0, 7, || {
                format!("row {row} has both max and product")
            })?;
            if position == 0 {
                continue;
            }
            need(slot == 0 || slots.insert((position, slot)), 5, || {
                format!("position {position} uses slot {slot} twice")
            })?;
            need(
                column == -1 || columns.insert((position, column)),
                5,
                || format!("position {position} uses column {column} twice"),
            )?;
            let entry = has.entry(position).or_default();
            entry[0] |= slot != 0;
            entry[1] |= column != -1;
            let shared = column == -1;
            need(!(shared && *is_read), 6, || {
                format!("row {row} shares its equation and is read")
            })?;
            need(!shared || (product == 0 && max == 0), 6, || {
                format!("row {row} shares its equation and has a product or max")
            })?;
        }
        let lacking = has.iter().find(|(_, has)| !has[0] || !has[1]);
        need(lacking.is_none(), 5, || {
            format!(
                "position {} lacks a slot or a column",
                lacking.map_or(0, |(position, _)| *position)
            )
        })
    }

    /// The rectangles lie in the matrix and do not overlap.
    fn check_weights(&self) -> Result<(), Error> {
        let mut taken: Vec<[usize; 4]> = Vec::new();
        for block in &self.weights {
            let bottom = block.slot.saturating_add(block.height());
            let right = block.column.saturating_add(block.width);
            need(
                block.slot >= FIRST_SLOT && bottom <= self.slots && right <= self.columns,
                1,
                || {
                    format!(
                        "weights at slot {}, column {} leave the matrix",
                        block.slot, block.column
                    )
                },
            )?;
            taken.push([block.slot, bottom, block.column, right]);
        }
        taken.sort_unstable();
        for (index, [_, bottom, left, right]) in taken.iter().enumerate() {
            let near = taken[index + 1..]
                .iter()
                .take_while(|other| other[0] < *bottom);
            for [_, _, other_left, other_right] in near {
                need(other_left >= right || left >= other_right, 1, || {
                    "two rectangles of weights overlap".into()
                })?;
            }
        }
        Ok(())
    }
}

/// Whether `offset + slope·l = 2^f·id + l` only where the value is within a lane.
fn in_lanes(table: &Table, low_bits: u32) -> bool {
    let lane = |value: i64| (-INPUT_LIMIT..INPUT_LIMIT).contains(&value);
    (table.first_id()..)
        .zip(table.slope.iter().zip(&table.offset))
        .all(|(id, (slope, offset))| {
            // (slope - 1)·l = gap
            let (steep, gap) = (slope - 1, (id << low_bits) - offset);
            let last = (1i64 << low_bits) - 1;
            if steep == 0 {
                return gap != 0 || (lane(*offset) && lane(offset + last));
            }
            let low = gap / steep;
            let fixed = gap % steep == 0 && (0..=last).contains(&low);
            !fixed || lane((id << low_bits) + low)
        })
}

fn need(holds: bool, rule: u32, problem: impl FnOnce() -> String) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(broken(rule, &problem()))
    }
}

fn broken(rule: u32, problem: &str) -> Error {
    Error::Inconsistent(format!(
        "the network breaks rule {rule} of its wiring: {problem}"
    ))
}

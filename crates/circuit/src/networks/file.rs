//! The field `network` of `circuit.json`: its types and limits. What it must mean is [`super::wiring`]'s.

use super::network::{Cells, Network, Table, Weights};
use crate::Error;
use serde::Deserialize;

/// Numbers of the file are below this in absolute value.
const NUMBER: i64 = 1 << 52;
/// Weights are below this.
const WEIGHT: i64 = 1 << 62;
/// The longest text of a weight.
const DIGITS: usize = 20;

/// The field as it stands in the file.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct NetworkFile {
    limb_bits: u32,
    limbs: u32,
    low_bits: u32,
    rows: usize,
    slots: usize,
    columns: usize,
    output_bits: u32,
    q_table: usize,
    q_shift: u32,
    tables: Vec<TableFile>,
    input_rows: Vec<usize>,
    input_centres: Vec<i64>,
    one_row: usize,
    output_rows: Vec<usize>,
    cells: CellsFile,
    /// Absent where only the public part is at hand.
    #[serde(default)]
    weights: Vec<WeightsFile>,
}

#[derive(Clone, Debug, Deserialize)]
struct TableFile {
    name: String,
    base: i64,
    low: i64,
    high: i64,
    slope: Vec<i64>,
    offset: Vec<i64>,
    /// Absent where nothing ends.
    #[serde(default)]
    ends: Vec<(i64, i64)>,
}

#[derive(Clone, Debug, Deserialize)]
struct CellsFile {
    a: Vec<i64>,
    b: Vec<i64>,
    slot: Vec<i64>,
    column: Vec<i64>,
    position: Vec<i64>,
    product: Vec<i64>,
    max: Vec<i64>,
}

#[derive(Clone, Debug, Deserialize)]
struct WeightsFile {
    slot: usize,
    column: usize,
    values: Vec<String>,
}

impl NetworkFile {
    /// The network, if its numbers are within the file's limits.
    pub(super) fn read(&self) -> Result<Network, Error> {
        let cells = Cells {
            a: numbers(&self.cells.a, "cells.a")?,
            b: numbers(&self.cells.b, "cells.b")?,
            slot: numbers(&self.cells.slot, "cells.slot")?,
            column: numbers(&self.cells.column, "cells.column")?,
            position: numbers(&self.cells.position, "cells.position")?,
            product: numbers(&self.cells.product, "cells.product")?,
            max: numbers(&self.cells.max, "cells.max")?,
        };
        let rest = [
            &cells.b,
            &cells.slot,
            &cells.column,
            &cells.position,
            &cells.product,
            &cells.max,
        ];
        if rest.iter().any(|list| list.len() != cells.a.len()) {
            return bad("cells", "has lists of different lengths");
        }
        Ok(Network {
            limb_bits: self.limb_bits,
            limbs: self.limbs,
            low_bits: self.low_bits,
            rows: self.rows,
            slots: self.slots,
            columns: self.columns,
            output_bits: self.output_bits,
            q_table: self.q_table,
            q_shift: self.q_shift,
            tables: self
                .tables
                .iter()
                .map(TableFile::read)
                .collect::<Result<_, _>>()?,
            input_rows: self.input_rows.clone(),
            input_centres: numbers(&self.input_centres, "input_centres")?,
            one_row: self.one_row,
            output_rows: self.output_rows.clone(),
            cells,
            weights: self
                .weights
                .iter()
                .map(WeightsFile::read)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl TableFile {
    fn read(&self) -> Result<Table, Error> {
        let (base, low, high) = (number(self.base)?, number(self.low)?, number(self.high)?);
        let segments = usize::try_from(high - low).unwrap_or(0);
        if self.name.chars().count() > 100 || !(1..1 << 24).contains(&segments) {
            return bad("tables", "has a table without a name or segments of sense");
        }
        if self.slope.len() != segments || self.offset.len() != segments {
            return bad(
                "tables",
                "has a table with a slope or offset too few or too many",
            );
        }
        let mut behind = i64::MIN;
        for (first, end) in &self.ends {
            if *first < low || *first <= behind || first >= end || *end > high {
                return bad(
                    "tables",
                    "has a table with ends that are no segments of it, apart",
                );
            }
            behind = *end;
        }
        Ok(Table {
            name: self.name.clone(),
            base,
            low,
            slope: numbers(&self.slope, "tables.slope")?,
            offset: numbers(&self.offset, "tables.offset")?,
            ends: self.ends.clone(),
        })
    }
}

impl WeightsFile {
    fn read(&self) -> Result<Weights, Error> {
        let mut values = Vec::new();
        let mut width = 0;
        for line in &self.values {
            let before = values.len();
            for text in line.split(' ') {
                values.push(weight(text)?);
            }
            let found = values.len() - before;
            if width != 0 && width != found {
                return bad("weights.values", "has lines of different lengths");
            }
            width = found;
        }
        if width == 0 {
            return bad("weights.values", "is empty");
        }
        Ok(Weights {
            slot: self.slot,
            column: self.column,
            width,
            values,
        })
    }
}

/// A weight in the only way that it is written.
fn weight(text: &str) -> Result<i64, Error> {
    let plain = text.len() <= DIGITS && !text.starts_with('+');
    match text.parse::<i64>() {
        Ok(value) if plain && value.abs() < WEIGHT => Ok(value),
        _ => bad("weights.values", "has a text that is no integer below 2^62"),
    }
}

fn number(value: i64) -> Result<i64, Error> {
    if value > -NUMBER && value < NUMBER {
        Ok(value)
    } else {
        bad("tables", "has a number of more than 52 bits")
    }
}

fn numbers(values: &[i64], field: &str) -> Result<Vec<i64>, Error> {
    if values.iter().all(|v| *v > -NUMBER && *v < NUMBER) {
        Ok(values.to_vec())
    } else {
        bad(field, "has a number of more than 52 bits")
    }
}

fn bad<T>(field: &str, problem: &str) -> Result<T, Error> {
    Err(Error::Inconsistent(format!("network.{field} {problem}")))
}

//! The integer semantics: from inputs to every cell of a block (`docs/spec/networks-circuit.md`, section 1).

use super::features::{inputs, Declared};
use super::network::{Network, INPUT_LIMIT};
use crate::{CircuitFile, Error, Word};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Rows of a block are at least so many (`docs/spec/networks.md`, section 1).
const LEAST_ROWS: usize = 16;
/// Values between rows are below this in absolute value.
const VALUE: i128 = 1 << 62;
/// So sums of the matrix stay below `2^126` if a column's weights sum to less than this.
const COLUMN: u128 = 1 << 64;

/// A network whose rows are in order.
#[derive(Clone, Debug)]
pub struct Evaluator {
    network: Network,
    features: Vec<Declared>,
    steps: Vec<Step>,
    /// Where each table's segments start in the list of all.
    starts: Vec<u32>,
    slopes: Vec<i64>,
    offsets: Vec<i64>,
    /// Which of them are of an end; empty where no table has any.
    ends: Vec<bool>,
    /// Whether a row's `q` is read.
    queried: Vec<bool>,
}

/// Rows that are computed together: those of one position and level.
#[derive(Clone, Debug)]
struct Step {
    rows: Vec<usize>,
    /// Addresses that feed the matrix.
    reads: Vec<i64>,
    /// Positions of one layer share it.
    matrix: Arc<Matrix>,
}

/// Weights read by read, one for each row of a step.
#[derive(Debug)]
struct Matrix {
    width: usize,
    values: Vec<i64>,
}

/// What the rows of one block hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The first value that the row reads.
    pub a: Vec<i64>,
    /// The second.
    pub b: Vec<i64>,
    /// The segment, by its place among the segments of all tables.
    pub segment: Vec<u32>,
    /// Its id.
    pub k: Vec<i64>,
    /// The low part.
    pub l: Vec<u32>,
    /// The limbs of the remainder, least first: one list each.
    pub r: Vec<Vec<u32>>,
    /// The segment's slope.
    pub slope: Vec<i64>,
    /// The value.
    pub y: Vec<i64>,
}

impl Evaluator {
    /// Reads the network of a circuit and holds it to the rules of its wiring.
    pub fn new(file: &CircuitFile) -> Result<Self, Error> {
        let Some(network) = &file.network else {
            return Err(Error::Inconsistent("it has no network".into()));
        };
        let mut network = network.read()?;
        let levels = network.check(file.features.len(), file.outputs.len())?;
        network.rows = network.rows.max(LEAST_ROWS);
        let mut starts = Vec::new();
        let (mut slopes, mut offsets) = (Vec::new(), Vec::new());
        for table in &network.tables {
            starts.push(slopes.len() as u32);
            slopes.extend(&table.slope);
            offsets.extend(&table.offset);
        }
        let steps = steps(&network, &levels)?;
        let features = Declared::all(file, &network.input_centres)?;
        let mut queried = vec![false; network.listed()];
        for address in network.cells.a.iter().chain(&network.cells.b) {
            queried[address.unsigned_abs() as usize] |= *address < 0;
        }
        Ok(Self {
            ends: ends(&network, slopes.len()),
            network,
            features,
            steps,
            starts,
            slopes,
            offsets,
            queried,
        })
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Id, slope and offset of each segment of all tables.
    pub fn segments(&self) -> impl Iterator<Item = (i64, i64, i64)> + '_ {
        let ids = self
            .network
            .tables
            .iter()
            .flat_map(|table| (table.first_id()..).take(table.slope.len()));
        ids.zip(self.slopes.iter().zip(&self.offsets))
            .map(|(id, (slope, offset))| (id, *slope, *offset))
    }

    /// The inputs `u` of row number `row` from its words; one outside its feature's range is refused by name.
    pub fn inputs(&self, row: usize, words: &[Word]) -> Result<Vec<i64>, Error> {
        inputs(&self.features, row, words)
    }

    /// All cells for the inputs `u`, one a feature.
    pub fn block(&self, inputs: &[i64]) -> Result<Block, Error> {
        let network = &self.network;
        let mut run = Run::new(self);
        for (row, value) in network.given().zip(inputs.iter().copied().chain([1])) {
            if !(-INPUT_LIMIT..INPUT_LIMIT).contains(&value) {
                return Err(Error::NoProof {
                    row,
                    segment: i128::from(value >> network.low_bits),
                });
            }
            run.write(row, i128::from(value) << network.shift())?;
        }
        let mut sums = Vec::new();
        for step in &self.steps {
            run.step(step, &mut sums)?;
        }
        Ok(run.finish())
    }

    /// Whether a block reached an end of a value (section 8 of the page).
    pub fn ended(&self, block: &Block) -> bool {
        !self.ends.is_empty() && block.segment.iter().any(|place| self.ends[*place as usize])
    }

    /// The outputs of a block.
    pub fn outputs(&self, block: &Block) -> Vec<i64> {
        self.network
            .output_rows
            .iter()
            .map(|row| block.a[*row])
            .collect()
    }

    /// The place of an id among the segments of all tables.
    fn segment(&self, id: i128) -> Option<usize> {
        let tables = self.network.tables.iter().zip(&self.starts);
        tables.into_iter().find_map(|(table, start)| {
            let place = usize::try_from(id - i128::from(table.first_id())).ok()?;
            (place < table.slope.len()).then_some(*start as usize + place)
        })
    }
}

struct Run<'a> {
    of: &'a Evaluator,
    block: Block,
    /// Arguments as they are read, `q`.
    q: Vec<i64>,
}

impl<'a> Run<'a> {
    fn new(of: &'a Evaluator) -> Self {
        let network = &of.network;
        let rows = network.rows;
        // Rows that nothing is written to are the identity's at 0.
        let zero = of.segment(0).unwrap_or(0) as u32;
        Self {
            of,
            block: Block {
                a: vec![0; rows],
                b: vec![0; rows],
                segment: vec![zero; rows],
                k: vec![0; rows],
                l: vec![0; rows],
                r: vec![vec![0; rows]; network.limbs as usize],
                slope: vec![1; rows],
                y: vec![0; rows],
            },
            q: vec![0; rows],
        }
    }

    #[inline]
    fn read(&self, address: i64) -> i64 {
        let row = address.unsigned_abs() as usize;
        match address {
            0 => 0,
            1.. => self.block.y[row],
            _ => self.q[row],
        }
    }

    fn step(&mut self, step: &Step, sums: &mut Vec<i128>) -> Result<(), Error> {
        let cells = &self.of.network.cells;
        sums.clear();
        sums.resize(step.rows.len(), 0);
        for (address, weights) in step
            .reads
            .iter()
            .zip(step.matrix.values.chunks(step.matrix.width))
        {
            let value = i128::from(self.read(*address));
            if value != 0 {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += value * i128::from(*weight);
                }
            }
        }
        for (row, sum) in step.rows.iter().zip(&*sums) {
            let mut z = *sum;
            if cells.product[*row] != 0 {
                let pairs = self.pair(*row) + self.pair(row + 1);
                let product = pairs.checked_mul(i128::from(cells.product[*row]));
                z = product.and_then(|p| p.checked_add(z)).ok_or(TOO_LARGE)?;
            }
            if cells.max[*row] != 0 {
                let difference =
                    i128::from(self.read(cells.a[*row])) - i128::from(self.read(cells.b[*row]));
                z += difference << self.of.network.shift();
            }
            self.write(*row, z)?;
        }
        Ok(())
    }

    /// The product of what a row reads; 0 with the zero cell, whatever the other is.
    fn pair(&self, row: usize) -> i128 {
        let cells = &self.of.network.cells;
        match (cells.a.get(row), cells.b.get(row)) {
            (Some(a), Some(b)) if *a != 0 && *b != 0 => {
                i128::from(self.read(*a)) * i128::from(self.read(*b))
            }
            _ => 0,
        }
    }

    fn write(&mut self, row: usize, z: i128) -> Result<(), Error> {
        let network = &self.of.network;
        let argument = z >> network.shift();
        let id = argument >> network.low_bits;
        let segment = self
            .of
            .segment(id)
            .ok_or(Error::NoProof { row, segment: id })?;
        let low = (argument & ((1 << network.low_bits) - 1)) as u32;
        let (slope, offset) = (self.of.slopes[segment], self.of.offsets[segment]);
        let mut y = i128::from(offset) + i128::from(slope) * i128::from(low);
        if network.cells.max[row] != 0 {
            y += i128::from(self.read(network.cells.b[row]));
        }
        if self.of.queried[row] {
            let base = i128::from(network.tables[network.q_table].base) << network.low_bits;
            self.q[row] = bounded((argument - base) << network.q_shift)?;
        }
        self.block.y[row] = bounded(y)?;
        self.block.segment[row] = segment as u32;
        self.block.k[row] = id as i64;
        self.block.l[row] = low;
        self.block.slope[row] = slope;
        let mut rest = z & ((1i128 << network.shift()) - 1);
        for limb in &mut self.block.r {
            limb[row] = (rest & ((1 << network.limb_bits) - 1)) as u32;
            rest >>= network.limb_bits;
        }
        Ok(())
    }

    /// The block, with what every row reads.
    fn finish(mut self) -> Block {
        let network = &self.of.network;
        for row in 0..network.listed() {
            self.block.a[row] = self.read(network.cells.a[row]);
            self.block.b[row] = self.read(network.cells.b[row]);
        }
        for row in network.given() {
            self.block.a[row] = self.block.y[row];
            self.block.b[row] = self.block.y[network.one_row];
        }
        self.block
    }
}

fn bounded(value: i128) -> Result<i64, Error> {
    let inside = value > -VALUE && value < VALUE;
    inside.then_some(value as i64).ok_or(TOO_LARGE)
}

const TOO_LARGE: Error = Error::TooLarge("a value between rows needs more than 62 bits");

/// Which segments, among those of all tables, are of an end; empty where no table has any.
fn ends(network: &Network, segments: usize) -> Vec<bool> {
    if network.tables.iter().all(|table| table.ends.is_empty()) {
        return Vec::new();
    }
    let mut found = vec![false; segments];
    let mut rest = &mut found[..];
    for table in &network.tables {
        let (own, others) = rest.split_at_mut(table.slope.len());
        for (first, behind) in &table.ends {
            own[(first - table.low) as usize..(behind - table.low) as usize].fill(true);
        }
        rest = others;
    }
    found
}

/// The rows that compute anything, in an order in which they can.
fn steps(network: &Network, levels: &[u32]) -> Result<Vec<Step>, Error> {
    let cells = &network.cells;
    let positions = network.positions();
    let mut groups: BTreeMap<(u32, i64), Vec<usize>> = BTreeMap::new();
    for (row, level) in levels.iter().enumerate() {
        let has_column = cells.column[row] >= 0;
        if has_column || cells.product[row] != 0 || cells.max[row] != 0 {
            let position = if has_column { cells.position[row] } else { 0 };
            groups.entry((*level, position)).or_default().push(row);
        }
    }
    check_received(network, &positions)?;
    let mut matrices: HashMap<(Vec<i64>, Vec<i64>), Arc<Matrix>> = HashMap::new();
    let mut steps = Vec::with_capacity(groups.len());
    for ((_, position), rows) in groups {
        let members = positions
            .get(&position)
            .map_or(&[] as &[usize], Vec::as_slice);
        let reading: Vec<usize> = members
            .iter()
            .copied()
            .filter(|row| cells.slot[*row] > 0)
            .collect();
        let slots: Vec<i64> = reading.iter().map(|row| cells.slot[*row]).collect();
        let columns: Vec<i64> = rows.iter().map(|row| cells.column[*row]).collect();
        let key = (slots, columns);
        let matrix = if let Some(matrix) = matrices.get(&key) {
            matrix.clone()
        } else {
            let matrix = Arc::new(Matrix::new(network, &key.0, &key.1)?);
            matrices.insert(key, matrix.clone());
            matrix
        };
        steps.push(Step {
            rows,
            reads: reading.iter().map(|row| cells.a[*row]).collect(),
            matrix,
        });
    }
    Ok(steps)
}

/// Every column with weights for a position's reads has a row there: else only a sum of 0 has a proof.
fn check_received(network: &Network, positions: &BTreeMap<i64, Vec<usize>>) -> Result<(), Error> {
    let cells = &network.cells;
    let mut checked = HashSet::new();
    for (position, rows) in positions {
        let slots: BTreeSet<i64> = rows.iter().map(|row| cells.slot[*row]).collect();
        let columns: BTreeSet<i64> = rows.iter().map(|row| cells.column[*row]).collect();
        if !checked.insert((slots.clone(), columns.clone())) {
            continue;
        }
        for block in &network.weights {
            for (line, slot) in block.values.chunks(block.width).zip(block.slot as i64..) {
                let lost = (block.column as i64..)
                    .zip(line)
                    .find(|(column, weight)| **weight != 0 && !columns.contains(column));
                if let (Some((column, _)), true) = (lost, slots.contains(&slot)) {
                    return Err(Error::Inconsistent(format!(
                        "the network breaks rule 5 of its weights: column {column} has weights at position \
                         {position} and no row"
                    )));
                }
            }
        }
    }
    Ok(())
}

impl Matrix {
    fn new(network: &Network, slots: &[i64], columns: &[i64]) -> Result<Self, Error> {
        let width = columns.len().max(1);
        let mut values = vec![0; slots.len() * width];
        for block in &network.weights {
            let place = |at: i64, first: usize, count: usize| {
                usize::try_from(at)
                    .ok()?
                    .checked_sub(first)
                    .filter(|place| *place < count)
            };
            let inside: Vec<(usize, usize)> = columns
                .iter()
                .enumerate()
                .filter_map(|(to, column)| Some((to, place(*column, block.column, block.width)?)))
                .collect();
            if inside.is_empty() {
                continue;
            }
            for (slot, line) in slots.iter().zip(values.chunks_mut(width)) {
                if let Some(row) = place(*slot, block.slot, block.height()) {
                    for (to, column) in &inside {
                        line[*to] = block.values[row * block.width + column];
                    }
                }
            }
        }
        for column in 0..width {
            let sum: u128 = values
                .iter()
                .skip(column)
                .step_by(width)
                .map(|w| u128::from(w.unsigned_abs()))
                .sum();
            if sum >= COLUMN {
                return Err(Error::TooLarge(
                    "the weights of a column sum to more than 64 bits",
                ));
            }
        }
        Ok(Self { width, values })
    }
}

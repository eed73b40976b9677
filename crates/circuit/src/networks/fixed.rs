//! The polynomials of a key that anyone with the public circuit recomputes (`docs/spec/networks.md`, 2.1, 2.2).

use super::model::NetworkModel;
use ark_ff::{Field, One, Zero};
use assay_algebra::{root_of_unity, signed, Fr};
use assay_verifier::networks::{
    lane_factor, names, outside, public_slot, LANES, LOW_ID, NULL_SLOT, RANGE_ID, SEPARATOR,
};
use assay_verifier::relation::Name;
use std::collections::HashMap;

/// What a row reads by one of its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// A row of the same block.
    pub row: usize,
    /// `q` of the row, not `y`.
    pub argument: bool,
}

/// What a row is in its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    One,
    /// The input of this feature.
    Input(usize),
    /// This output.
    Output(usize),
    /// Any other row.
    Other,
}

/// A network's rows as the key's polynomials have them.
pub struct Wiring<'a> {
    model: &'a NetworkModel,
    roles: Vec<Role>,
    /// The canonical number of each row's position: 0 is that of the public words; `None` the row's own.
    positions: Vec<Option<usize>>,
}

impl<'a> Wiring<'a> {
    /// Of a model.
    pub fn new(model: &'a NetworkModel) -> Self {
        let network = model.network();
        let rows = model.shape.block();
        let mut roles = vec![Role::Other; rows];
        roles[network.one_row] = Role::One;
        for (feature, row) in network.input_rows.iter().enumerate() {
            roles[*row] = Role::Input(feature);
        }
        for (output, row) in network.output_rows.iter().enumerate() {
            roles[*row] = Role::Output(output);
        }
        let mut numbers = HashMap::new();
        let mut positions = vec![None; rows];
        for (row, position) in network.cells.position.iter().enumerate() {
            if *position > 0 {
                let next = numbers.len() + 1;
                positions[row] = Some(*numbers.entry(*position).or_insert(next));
            }
        }
        for (row, role) in roles.iter().enumerate() {
            match role {
                Role::Input(_) if model.shape.private() => {}
                Role::Other => {}
                _ => positions[row] = Some(0),
            }
        }
        Self {
            model,
            roles,
            positions,
        }
    }

    /// The values of `f` on a block's rows, of a wiring polynomial `f(X^nb)` for `nb = 2^log_rows`.
    pub fn values(&self, name: Name, log_rows: u32) -> Vec<Fr> {
        match name {
            names::READ_A => self.reads(log_rows, |row| self.of_row(row)[0]),
            names::READ_B => self.reads(log_rows, |row| self.of_row(row)[1]),
            names::SLOT => self.slots(),
            names::COLUMN => self.columns(),
            names::POSITION => self.relative_positions(log_rows),
            names::MAX => self.of_cells(&self.model.network().cells.max),
            names::USED => self.by_role(|role| u64::from(matches!(role, Role::Input(_))).into()),
            names::COUNT => self.counts(false),
            names::COUNT_CELL => self.counts(true),
            names::LANE => self.by_role(|role| match role {
                Role::Input(feature) => lane_factor(feature as u32 % LANES),
                _ => Fr::one(),
            }),
            names::PRODUCT => self.products(),
            _ => Vec::new(),
        }
    }

    /// What each row reads by `a` and `b`.
    pub fn addresses(&self) -> Vec<[Address; 2]> {
        (0..self.rows()).map(|row| self.of_row(row)).collect()
    }

    /// The slot that each row's first read is gathered in; `None` for a public one.
    pub fn gathered_slots(&self) -> Vec<Option<usize>> {
        let slots = &self.model.network().cells.slot;
        let of = |(row, role): (usize, &Role)| match role {
            Role::One | Role::Output(_) => None,
            Role::Input(_) if !self.model.shape.private() => None,
            _ => match slots.get(row) {
                Some(slot) if *slot > 0 => Some(*slot as usize),
                _ => Some(NULL_SLOT as usize),
            },
        };
        self.roles.iter().enumerate().map(of).collect()
    }

    fn rows(&self) -> usize {
        self.roles.len()
    }

    /// Whether a row is an input whose word binds it.
    fn is_public_input(&self, role: Role) -> bool {
        matches!(role, Role::Input(_)) && !self.model.shape.private()
    }

    /// What a row reads by `a` and `b`.
    fn of_row(&self, row: usize) -> [Address; 2] {
        let network = self.model.network();
        let value = |row| Address {
            row,
            argument: false,
        };
        let of = |address: i64| match address {
            0 => value(self.rows() - 1),
            _ => Address {
                row: address.unsigned_abs() as usize,
                argument: address < 0,
            },
        };
        match self.roles[row] {
            _ if row == 0 => [value(0), value(0)],
            Role::One | Role::Input(_) => [value(row), value(network.one_row)],
            _ if row < network.listed() => [of(network.cells.a[row]), of(network.cells.b[row])],
            _ => [of(0), of(0)],
        }
    }

    /// Addresses relative to the rows.
    fn reads(&self, log_rows: u32, address: impl Fn(usize) -> Address) -> Vec<Fr> {
        let steps = Steps::new(self.rows(), log_rows);
        let of = |row: usize| {
            let Address {
                row: target,
                argument,
            } = address(row);
            let step = steps.between(row, target);
            if argument {
                outside() * step
            } else {
                step
            }
        };
        (0..self.rows()).map(of).collect()
    }

    fn slots(&self) -> Vec<Fr> {
        let network = self.model.network();
        let roots = powers(root(network.slots.trailing_zeros()), network.slots);
        let groups = u64::from(self.model.shape.input_groups());
        let public = |role: &Role| match role {
            Role::Input(feature) => 1 + *feature as u64 / u64::from(LANES),
            Role::Output(output) => 1 + groups + *output as u64,
            _ => 0,
        };
        let of = |(slot, role): (Option<usize>, &Role)| {
            slot.map_or_else(|| public_slot(public(role)), |slot| roots[slot])
        };
        self.gathered_slots()
            .into_iter()
            .zip(&self.roles)
            .map(of)
            .collect()
    }

    fn columns(&self) -> Vec<Fr> {
        let network = self.model.network();
        let roots = powers(root(network.columns.trailing_zeros()), network.columns);
        let own = powers(root(self.model.shape.log_block()), self.rows());
        let of = |(row, role): (usize, &Role)| {
            if *role == Role::One || self.is_public_input(*role) {
                return outside() * own[row];
            }
            match network.cells.column.get(row) {
                Some(column) if *column >= 0 => roots[*column as usize],
                _ => Fr::zero(),
            }
        };
        self.roles.iter().enumerate().map(of).collect()
    }

    fn relative_positions(&self, log_rows: u32) -> Vec<Fr> {
        let steps = Steps::new(self.rows(), log_rows);
        let odd = root(self.model.shape.log_block() + log_rows + 1);
        let of = |(row, position): (usize, &Option<usize>)| match position {
            Some(position) => odd * steps.between(row, *position),
            None => Fr::one(),
        };
        self.positions.iter().enumerate().map(of).collect()
    }

    /// How often each row's value, or its argument, is read.
    fn counts(&self, argument: bool) -> Vec<Fr> {
        let mut counts = vec![0u64; self.rows()];
        for row in 0..self.rows() {
            for address in self.of_row(row) {
                counts[address.row] += u64::from(address.argument == argument);
            }
        }
        counts.into_iter().map(Fr::from).collect()
    }

    fn products(&self) -> Vec<Fr> {
        let network = self.model.network();
        let mut values = self.of_cells(&network.cells.product);
        for (value, role) in values.iter_mut().zip(&self.roles) {
            if matches!(role, Role::One | Role::Input(_)) {
                *value = Fr::from(1u64 << network.shift());
            }
        }
        values
    }

    fn of_cells(&self, cells: &[i64]) -> Vec<Fr> {
        let of = |row| signed(i128::from(cells.get(row).copied().unwrap_or(0)));
        (0..self.rows()).map(of).collect()
    }

    fn by_role(&self, value: impl Fn(Role) -> Fr) -> Vec<Fr> {
        self.roles.iter().map(|role| value(*role)).collect()
    }
}

/// `ω_n^(j - i)` for rows `i, j` of a block.
struct Steps {
    powers: Vec<Fr>,
    middle: usize,
}

impl Steps {
    fn new(rows: usize, log_rows: u32) -> Self {
        let root = root(rows.trailing_zeros() + log_rows);
        let start = root.inverse().unwrap_or_default().pow([rows as u64]);
        Self {
            powers: std::iter::successors(Some(start), |p| Some(*p * root))
                .take(2 * rows)
                .collect(),
            middle: rows,
        }
    }

    fn between(&self, from: usize, to: usize) -> Fr {
        self.powers[self.middle + to - from]
    }
}

fn root(log: u32) -> Fr {
    root_of_unity(log).unwrap_or_default()
}

fn powers(root: Fr, count: usize) -> Vec<Fr> {
    std::iter::successors(Some(Fr::one()), |power| Some(*power * root))
        .take(count)
        .collect()
}

impl NetworkModel {
    /// The rows of the table from row 0: `ID, S_V, B_V`.
    pub fn table_rows(&self) -> Vec<[Fr; 3]> {
        let network = self.network();
        let range = |i: u64| [Fr::from(RANGE_ID + i), Fr::from(SEPARATOR), Fr::zero()];
        let mut rows = vec![range(0)];
        rows.extend((0..1 << network.limb_bits).map(range));
        rows.extend((0..1u64 << network.low_bits).map(|i| {
            let separator = Fr::from(2 * SEPARATOR);
            [Fr::from(LOW_ID + i), separator, Fr::zero()]
        }));
        rows.extend(
            self.evaluator
                .segments()
                .map(|(id, slope, offset)| [id, slope, offset].map(|v| signed(i128::from(v)))),
        );
        rows.resize(self.shape.table as usize, range(0));
        rows
    }

    /// The row of the table of a limb's value.
    pub fn range_row(limb: u32) -> usize {
        1 + limb as usize
    }

    /// That of a low part.
    pub fn low_row(&self, low: u32) -> usize {
        1 + (1 << self.network().limb_bits) + low as usize
    }

    /// That of a segment.
    pub fn segment_row(&self, segment: u32) -> usize {
        self.low_row(0) + (1 << self.network().low_bits) + segment as usize
    }
}

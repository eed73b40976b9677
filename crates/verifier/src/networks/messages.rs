//! Names of the columns, rounds and openings of a network's proof (networks.md 2, 4, 6).

use crate::opening::{Point, PointSet};
use crate::relation::{Name, Opened, Pack, Round};
use crate::shape::{size, Network};
use crate::Shape;

/// The polynomials' names.
#[allow(missing_docs)]
pub mod names {
    use crate::relation::Name;

    /// The values read.
    pub const A: Name = Name::new("a");
    pub const B: Name = Name::new("b");
    /// The id, `k`.
    pub const SEGMENT: Name = Name::new("k");
    /// The low part, `l`.
    pub const LOW: Name = Name::new("l");
    /// The limbs `r`, numbered.
    pub const LIMB: &str = "r";
    /// `S`.
    pub const SLOPE: Name = Name::new("slope");
    pub const Y: Name = Name::new("y");
    pub const M: Name = Name::new("m");
    /// `x̃`: the reads, gathered by slot.
    pub const GATHERED: Name = Name::new("gathered");
    /// The helpers `h`, numbered.
    pub const HELPER: &str = "h";
    /// `h_lin`.
    pub const LINEAR: Name = Name::new("h_lin");
    /// `w̃`: the folded matrix.
    pub const FOLDED: Name = Name::new("folded");
    pub const PHI: Name = Name::new("phi");
    pub const PHI_TABLE: Name = Name::new("phi_table");

    /// `ID, S_V, B_V` of the table.
    pub const TABLE: [Name; 3] = [Name("table", 0), Name("table", 1), Name("table", 2)];
    /// The parts of `w`, the hidden matrix, numbered.
    pub const WEIGHTS: &str = "weights";

    /// `δ_a`, `δ_b`: what is read, relative to the row.
    pub const READ_A: Name = Name::new("read_a");
    pub const READ_B: Name = Name::new("read_b");
    /// `ca`.
    pub const SLOT: Name = Name::new("slot");
    /// `cz`.
    pub const COLUMN: Name = Name::new("column");
    /// `π`: the position, relative to the row.
    pub const POSITION: Name = Name::new("position");
    /// `mx`.
    pub const MAX: Name = Name::new("max");
    /// `Ein`.
    pub const USED: Name = Name::new("used");
    /// `mult`, `multq`.
    pub const COUNT: Name = Name::new("count");
    pub const COUNT_CELL: Name = Name::new("count_cell");
    /// `sa`.
    pub const LANE: Name = Name::new("lane");
    /// `qm`.
    pub const PRODUCT: Name = Name::new("product");
}

use names::{
    A, B, COLUMN, COUNT, COUNT_CELL, FOLDED, GATHERED, HELPER, LANE, LIMB, LINEAR, LOW, M, MAX,
    PHI, PHI_TABLE, POSITION, PRODUCT, READ_A, READ_B, SEGMENT, SLOPE, SLOT, TABLE, USED, WEIGHTS,
    Y,
};

/// A list of columns, cut into packs that are no longer than a chunk of the quotient (spec 4.3).
fn packs(list: &[Name], rows: usize, chunk: usize) -> Vec<Pack> {
    let longest = rows.saturating_add(5);
    let width = chunk.saturating_add(1).checked_div(longest).unwrap_or(1);
    list.chunks(width.max(1)).map(<[Name]>::to_vec).collect()
}

fn packs_of_rows(list: &[Name], shape: &Shape, log_rows: u32) -> Vec<Pack> {
    packs(list, shape.rows(log_rows), shape.chunk(log_rows))
}

/// `k, l, r, S, y`.
fn parts(shape: &Shape) -> Vec<Name> {
    let limbs = Name::numbered(LIMB, size(shape.limbs));
    let first = [SEGMENT, LOW].into_iter().chain(limbs);
    first.chain([SLOPE, Y]).collect()
}

fn helpers(shape: &Shape, network: &Network) -> Vec<Name> {
    let helpers = Name::numbered(HELPER, network.helpers(shape));
    helpers.chain([LINEAR]).collect()
}

pub(super) fn rounds(shape: &Shape, network: &Network, log_rows: u32) -> Vec<Round> {
    let packs = |list: &[Name]| packs_of_rows(list, shape, log_rows);
    let mut first = packs(&[A, B]);
    first.extend(packs(&parts(shape)));
    first.push(vec![M]);
    let mut third = packs(&helpers(shape, network));
    third.push(vec![FOLDED]);
    vec![
        Round {
            packs: first,
            challenges: 3,
        },
        Round::apart([GATHERED], 3),
        Round {
            packs: third,
            challenges: 2,
        },
        Round::apart([PHI, PHI_TABLE], 1),
    ]
}

/// `w_1 … w_P`.
pub(super) fn parts_of_matrix(network: &Network) -> impl Iterator<Item = Name> {
    Name::numbered(WEIGHTS, size(network.parts))
}

pub(super) fn model_packs(shape: &Shape, network: &Network) -> Vec<Pack> {
    let mut all = packs(&TABLE, size(shape.table), shape.chunk(0));
    all.extend(parts_of_matrix(network).map(|name| vec![name]));
    all
}

pub(super) fn fixed(shape: &Shape, network: &Network) -> Vec<Name> {
    let mut names = vec![READ_A, READ_B, SLOT, COLUMN, POSITION];
    names.extend(network.max.then_some(MAX));
    names.extend(shape.private().then_some(USED));
    names.push(COUNT);
    names.extend(network.cell.then_some(COUNT_CELL));
    names.extend((!shape.private()).then_some(LANE));
    names.push(PRODUCT);
    names
}

pub(super) fn fixed_packs(shape: &Shape, network: &Network, log_rows: u32) -> Vec<Pack> {
    packs_of_rows(&fixed(shape, network), shape, log_rows)
}

pub(super) fn openings(shape: &Shape, network: &Network, log_rows: u32) -> Vec<Opened> {
    const HERE: PointSet = &[Point::Here];
    const NEXT: PointSet = &[Point::Next];
    const BOTH: PointSet = &[Point::Here, Point::Next];
    const OF_TABLE: PointSet = &[Point::Here, Point::NextOfTable];
    const OF_FOLD: PointSet = &[Point::Here, Point::Inverse];
    let of_rows = |list: &[Name]| packs_of_rows(list, shape, log_rows);
    let here = [
        of_rows(&parts(shape)),
        of_rows(&helpers(shape, network)),
        fixed_packs(shape, network, log_rows),
        packs(&TABLE, size(shape.table), shape.chunk(0)),
        vec![vec![GATHERED]],
    ];
    let of = |set: PointSet| move |pack: Pack| Opened { pack, set };
    here.into_iter()
        .flatten()
        .map(of(HERE))
        .chain(of_rows(&[A, B]).into_iter().map(of(BOTH)))
        .chain([
            Opened::alone(PHI, NEXT),
            Opened::alone(PHI_TABLE, OF_TABLE),
            Opened::alone(FOLDED, OF_FOLD),
        ])
        .collect()
}

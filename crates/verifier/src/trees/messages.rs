//! Names of the columns, rounds and openings of a tree proof (spec 4.3, 4.6, 4.7).

use crate::opening::{Point, PointSet};
use crate::relation::{Name, Opened, Round};
use crate::shape::size;
use crate::Shape;

/// The polynomials' names.
#[allow(missing_docs)]
pub mod names {
    use crate::relation::Name;

    pub const X: Name = Name::new("x");
    pub const B: Name = Name::new("b");
    pub const P: Name = Name::new("p");
    pub const C: Name = Name::new("c");
    /// The limbs, numbered.
    pub const S: &str = "s";
    pub const M: Name = Name::new("m");
    /// The helpers, numbered.
    pub const H: &str = "h";
    pub const A: Name = Name::new("a");
    pub const PHI: Name = Name::new("phi");
    pub const PHI_TABLE: Name = Name::new("phi_table");
    /// `Pub, G, A, C` of the model's table.
    pub const TABLE: [Name; 4] = [
        Name("table", 0),
        Name("table", 1),
        Name("table", 2),
        Name("table", 3),
    ];
    /// `ρ`: turns the row's root of unity into the block's.
    pub const RHO: Name = Name::new("rho");
    /// `Γ`: the output group of a tree.
    pub const OUTPUT_GROUP: Name = Name::new("output_group");
    /// `E`: the input rows in use.
    pub const USED: Name = Name::new("used");
    /// `Ψ`: the view of an input row.
    pub const OFFSET: Name = Name::new("offset");
}

use names::{A, B, C, H, M, OFFSET, OUTPUT_GROUP, P, PHI, PHI_TABLE, RHO, S, USED, X};

fn limbs(shape: &Shape) -> impl Iterator<Item = Name> {
    Name::numbered(S, size(shape.limbs))
}

fn accumulator(shape: &Shape, log_rows: u32) -> Option<Name> {
    shape.accumulates(log_rows).then_some(A)
}

pub(super) fn rounds(shape: &Shape, log_rows: u32) -> Vec<Round> {
    let first = [X, B, P, C].into_iter().chain(limbs(shape)).chain([M]);
    let second = Name::numbered(H, shape.helpers(log_rows))
        .chain(accumulator(shape, log_rows))
        .chain([PHI, PHI_TABLE]);
    vec![Round::apart(first, 2), Round::apart(second, 1)]
}

pub(super) fn fixed(shape: &Shape, log_rows: u32) -> Vec<Name> {
    let mut names = Vec::new();
    if log_rows > 0 {
        names.push(RHO);
    }
    if shape.output_groups() > 1 {
        names.push(OUTPUT_GROUP);
    }
    if shape.private() {
        names.extend([USED, OFFSET]);
    }
    names
}

pub(super) fn openings(shape: &Shape, log_rows: u32) -> Vec<Opened> {
    const HERE: PointSet = &[Point::Here];
    const NEXT: PointSet = &[Point::Next];
    const BOTH: PointSet = &[Point::Here, Point::Next];
    const OF_TABLE: PointSet = &[Point::Here, Point::NextOfTable];
    let here = [X]
        .into_iter()
        .chain(limbs(shape))
        .chain(fixed(shape, log_rows));
    let next = [C].into_iter().chain(accumulator(shape, log_rows));
    let opened = |set: PointSet| move |name: Name| Opened::alone(name, set);
    here.map(opened(HERE))
        .chain([B, P].map(opened(BOTH)))
        .chain(next.map(opened(NEXT)))
        .chain([opened(NEXT)(PHI), opened(OF_TABLE)(PHI_TABLE)])
        .collect()
}

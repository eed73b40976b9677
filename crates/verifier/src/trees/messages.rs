//! Names of the columns, rounds and openings of a tree proof (spec 4.3, 4.6, 4.7).

use crate::opening::{Point, PointSet};
use crate::relation::{Name, Opened, Pack, Round};
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

/// `x, s_1 … s_L, b, p, c` and `h_1 …, φ` in packs, where columns share commitments.
fn packs(shape: &Shape) -> [Vec<Pack>; 2] {
    let columns: Pack = [X]
        .into_iter()
        .chain(limbs(shape))
        .chain([B, P, C])
        .collect();
    let sums: Pack = Name::numbered(H, shape.helpers(0)).chain([PHI]).collect();
    [columns, sums].map(|list| {
        let packs = list.chunks(shape.pack_width(0));
        packs.map(<[Name]>::to_vec).collect()
    })
}

pub(super) fn rounds(shape: &Shape, log_rows: u32) -> Vec<Round> {
    if shape.packs(log_rows) {
        let round = |packs: Vec<Pack>, of_table: Name, challenges| Round {
            packs: packs.into_iter().chain([vec![of_table]]).collect(),
            challenges,
        };
        let [columns, sums] = packs(shape);
        return vec![round(columns, M, 2), round(sums, PHI_TABLE, 1)];
    }
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
    let opened = |set: PointSet| move |name: Name| Opened::alone(name, set);
    let fixed = fixed(shape, log_rows).into_iter().map(opened(HERE));
    let of_table = opened(OF_TABLE)(PHI_TABLE);
    if shape.packs(log_rows) {
        let packs = packs(shape).into_iter().flatten();
        let packs = packs.map(|pack| Opened { pack, set: BOTH });
        return fixed.chain(packs).chain([of_table]).collect();
    }
    let here = [X].into_iter().chain(limbs(shape)).map(opened(HERE));
    let next = [C].into_iter().chain(accumulator(shape, log_rows));
    here.chain(fixed)
        .chain([B, P].map(opened(BOTH)))
        .chain(next.map(opened(NEXT)))
        .chain([opened(NEXT)(PHI), of_table])
        .collect()
}

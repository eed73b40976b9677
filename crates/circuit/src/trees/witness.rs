//! From input words to the columns that a tree proof commits to (spec 4.3).

use super::{position, Node, TreeModel};
use crate::rows::check_rows;
use crate::{Error, Word};
use ark_ff::Zero;
use assay_algebra::Fr;
use assay_verifier::{Shape, View};

/// The columns of a tree inference.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct TreeWitness {
    pub x: Vec<Fr>,
    pub b: Vec<Fr>,
    pub p: Vec<Fr>,
    pub c: Vec<Fr>,
    /// One column a limb.
    pub s: Vec<Vec<u64>>,
    /// Uses of each table position.
    pub m: Vec<u64>,
    /// Per row: the packed output groups.
    pub outputs: Vec<Vec<Fr>>,
}

/// Walks every tree for every row.
pub fn tree_witness(model: &TreeModel, rows: &[Vec<Word>]) -> Result<TreeWitness, Error> {
    let shape = &model.shape;
    check_rows(shape, &model.max_word, rows)?;
    // The last blocks repeat row 0 (spec 3).
    let keys = (0..rows.len().next_power_of_two())
        .map(|block| view_keys(shape, rows.get(block).unwrap_or(&rows[0]), block))
        .collect::<Result<Vec<_>, _>>()?;
    let mut witness = walk(model, &keys);
    witness.outputs.truncate(rows.len());
    Ok(witness)
}

/// The witness of blocks whose views have these keys.
pub fn walk(model: &TreeModel, keys: &[Vec<u64>]) -> TreeWitness {
    let mut walk = Walk::new(model, keys.len());
    for (block, keys) in keys.iter().enumerate() {
        walk.block(block, keys);
    }
    let mut witness = walk.witness;
    // Every row of H but the reserved one looks its limbs up; those not set are zero, the second range row.
    let zeros = (witness.x.len() - 1) * witness.s.len();
    witness.m[model.shape.ratio as usize] += zeros as u64 - walk.limbs_set;
    witness
}

fn view_keys(shape: &Shape, row: &[Word], index: usize) -> Result<Vec<u64>, Error> {
    let key = |view: &assay_verifier::View| {
        let feature = view.feature as usize;
        shape.key(view, row[feature]).ok_or(Error::Input {
            row: index,
            feature,
        })
    };
    shape.views.iter().map(key).collect()
}

struct Walk<'a> {
    model: &'a TreeModel,
    shape: &'a Shape,
    ids: Vec<Fr>,
    positions: Vec<usize>,
    input_rows: Vec<usize>,
    witness: TreeWitness,
    limbs_set: u64,
}

impl<'a> Walk<'a> {
    fn new(model: &'a TreeModel, blocks: usize) -> Self {
        let shape = &model.shape;
        let n = shape.block() * blocks;
        let column = || vec![Fr::zero(); n];
        Self {
            model,
            shape,
            input_rows: shape.input_rows(),
            ids: (0..shape.groups as usize)
                .map(|row| TreeModel::id(shape, row))
                .collect(),
            positions: (0..model.nodes.len())
                .map(|row| position(row, shape.ratio as usize))
                .collect(),
            witness: TreeWitness {
                x: column(),
                b: column(),
                p: column(),
                c: column(),
                s: vec![vec![0; n]; shape.limbs as usize],
                m: vec![0; shape.table as usize],
                outputs: Vec::with_capacity(blocks),
            },
            limbs_set: 0,
        }
    }

    fn block(&mut self, block: usize, keys: &[u64]) {
        let base = block * self.shape.block();
        let entries: Vec<Fr> = keys
            .iter()
            .enumerate()
            .map(|(view, key)| self.shape.entry(view, *key))
            .collect();
        let mut reads = vec![0u64; keys.len()];
        let mut outputs = vec![Fr::zero(); self.shape.output_groups() as usize];
        for group in 0..self.shape.groups as usize {
            let first =
                base + group * self.shape.stride as usize + self.shape.input_slots() as usize;
            let value = self.tree(group, first, keys, &entries, &mut reads);
            // Slots beyond the trees have the value zero.
            if let Some(output) = self.shape.group_of_tree(group) {
                outputs[output] += value;
            }
        }
        for (view, (entry, count)) in entries.iter().zip(reads).enumerate() {
            let row = base + self.input_rows[view];
            self.witness.x[row] = *entry;
            self.witness.p[row] = Fr::from(count);
            if self.shape.private() {
                self.limbs(row, u128::from(keys[view]));
            }
        }
        if self.shape.pairs() {
            self.missing_pairs(base, keys);
        }
        self.witness.outputs.push(outputs);
    }

    /// The steps of one tree from row `first`; gives its value.
    fn tree(
        &mut self,
        group: usize,
        first: usize,
        keys: &[u64],
        entries: &[Fr],
        reads: &mut [u64],
    ) -> Fr {
        let columns = &mut self.witness;
        columns.p[first] = self.ids[group];
        columns.b[first] = Fr::from(1u64);
        let mut at = group;
        let depth = self.shape.depth as usize;
        for row in first..first + depth {
            let Node {
                view,
                key,
                left,
                a,
                c,
            } = self.model.nodes[at];
            let goes_left = keys[view] < key;
            let borrowed = if goes_left { self.shape.bound() } else { 0 };
            let difference = borrowed + u128::from(keys[view]) - u128::from(key);
            self.witness.x[row] = entries[view];
            self.witness.b[row + 1] = Fr::from(u64::from(goes_left));
            self.witness.p[row + 1] = a;
            self.witness.c[row + 1] = c;
            self.witness.m[self.positions[at]] += 1;
            reads[view] += 1;
            self.limbs(row, difference);
            if let Some(left) = left {
                at = left + usize::from(!goes_left);
            }
        }
        let end = first + depth;
        let value = if self.witness.b[end].is_zero() {
            self.witness.c[end]
        } else {
            self.witness.p[end]
        };
        // The value stands in the row behind: the first input slot, whose `c` nothing else reads.
        let behind = (end + 1) % self.witness.c.len();
        self.witness.c[behind] = value;
        value
    }

    fn limbs(&mut self, row: usize, value: u128) {
        let base = u128::from(self.shape.limb_base());
        let ratio = self.shape.ratio as usize;
        let mut rest = value;
        for column in &mut self.witness.s {
            let limb = (rest % base) as usize;
            column[row] = limb as u64;
            self.witness.m[(limb + 1) * ratio] += 1;
            self.limbs_set += 1;
            rest /= base;
        }
    }

    /// The carried key and the missing bit of each pair (spec 4.4, constraint 6).
    fn missing_pairs(&mut self, base: usize, keys: &[u64]) {
        let views = &self.shape.views;
        for (index, view) in views.iter().enumerate() {
            let row = base + self.input_rows[index];
            let same = |other: Option<&View>| other.is_some_and(|v| v.feature == view.feature);
            if index > 0 && same(views.get(index - 1)) {
                self.witness.c[row] = Fr::from(keys[index]);
                self.witness.b[row - 1] = Fr::from(u64::from(keys[index] != keys[index - 1]));
            } else if !same(views.get(index + 1)) {
                // A feature of one view is its own pair: present, whatever its key.
                self.witness.c[row + 1] = Fr::from(keys[index]);
                self.limbs(row + 1, u128::from(keys[index]));
            }
        }
    }
}

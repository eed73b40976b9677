//! A tree ensemble as rows of a table (spec 4.2).

use super::plan::{plan, Needs};
use crate::file::{Feature, Int, Tree, TreeNode};
use crate::{CircuitFile, Error, Model};
use ark_ff::{Field, Zero};
use assay_algebra::{signed, Fr};
use assay_verifier::trees::node_id;
use assay_verifier::{Missing, Shape, View};

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// View that is compared.
    pub view: usize,
    /// Left if and only if the view's key is below this.
    pub key: u64,
    /// Row of the left child (the right one follows); `None` if the walk stays here or ends.
    pub left: Option<usize>,
    /// The column `A`.
    pub a: Fr,
    /// The column `C`.
    pub c: Fr,
}

/// The tables of a tree ensemble.
#[derive(Clone, Debug)]
pub struct TreeModel {
    /// The public shape.
    pub shape: Shape,
    /// Node rows; the first `shape.groups` are the roots.
    pub nodes: Vec<Node>,
    /// Whether each feature is an integer feature.
    pub max_word: Vec<u64>,
}

/// A tree of one output group.
struct Slot<'a> {
    tree: &'a Tree,
    group: usize,
    first: bool,
}

impl Model for TreeModel {
    fn new(file: &CircuitFile, max_rows: u32) -> Result<Self, Error> {
        let outputs = file.outputs.len();
        let views = views(file)?;
        check_zero_rules(file, &views)?;
        let (bits, max_word) = words(file)?;
        for (index, tree) in file.trees.iter().enumerate() {
            check_tree(tree, index, views.len(), outputs, bits)?;
        }
        let paired = file.private()?
            && views
                .iter()
                .any(|v| matches!(v.missing, Missing::Low | Missing::High));
        let depth = file.trees.iter().map(depth).max().unwrap_or(0).max(1);
        // Pairs need an even number of input slots, which an odd depth bound leaves.
        let depth = if paired { depth | 1 } else { depth };
        let lane = lane(file)?;
        let constant = Tree {
            nodes: vec![TreeNode::Leaf {
                leaf: vec![Int(0); outputs],
            }],
        };
        let slots = slots(file, &constant);
        let beside = slots
            .iter()
            .map(|slot| rows_beside_root(slot.tree, depth))
            .sum();
        let shape = plan(&Needs {
            private: file.private()?,
            bits,
            features: file.features.len(),
            views,
            outputs,
            scale_bits: file.scale_bits,
            lane,
            trees: slots.len(),
            depth,
            nodes_beside_roots: beside,
            log_max_rows: max_rows.max(1).next_power_of_two().trailing_zeros(),
        })?;
        if shape.private() && shape.views.iter().any(|v| v.zero_missing) {
            return Err(Error::Unsupported(
                "private inputs of a LightGBM model that reads zero as missing; transpile it with public inputs",
            ));
        }
        let nodes = Builder::new(&shape, &file.base).build(&slots);
        Ok(Self {
            shape,
            nodes,
            max_word,
        })
    }

    fn shape(&self) -> &Shape {
        &self.shape
    }
}

impl TreeModel {
    /// `Pub` of a node row (spec 4.2).
    pub fn id(shape: &Shape, row: usize) -> Fr {
        node_id(shape, row as u64)
    }
}

fn views(file: &CircuitFile) -> Result<Vec<View>, Error> {
    file.views
        .iter()
        .map(|view| {
            Ok(View {
                feature: view.feature,
                missing: match view.missing.as_str() {
                    "refuse" => Missing::Refuse,
                    "low" => Missing::Low,
                    "high" => Missing::High,
                    "zero" => Missing::Zero,
                    other => return Err(Error::Inconsistent(format!("missing rule {other:?}"))),
                },
                zero_missing: view.zero_missing,
            })
        })
        .collect()
}

/// The zero in a missing rule is a float32's key (spec 4.2), so no view of doubles has one.
fn check_zero_rules(file: &CircuitFile, views: &[View]) -> Result<(), Error> {
    let double = |view: &&View| {
        let feature = usize::try_from(view.feature).unwrap_or(usize::MAX);
        matches!(file.features.get(feature), Some(Feature::Float64))
    };
    let mut doubles = views.iter().filter(double);
    if doubles.any(|view| view.zero_missing || view.missing == Missing::Zero) {
        return Err(Error::Inconsistent(
            "a view of a float64 feature reads zeros as missing, or missing values as zero".into(),
        ));
    }
    Ok(())
}

/// The circuit's key width, and the greatest word of each feature.
fn words(file: &CircuitFile) -> Result<(u8, Vec<u64>), Error> {
    let mut bits = 32;
    let max = file
        .features
        .iter()
        .map(|feature| match feature {
            Feature::Float32 => Ok(u64::from(u32::MAX)),
            Feature::Float64 => {
                bits = 64;
                Ok(u64::MAX)
            }
            Feature::Integer { min, max } => {
                bits = 64;
                max.0
                    .checked_sub(min.0)
                    .and_then(|range| u64::try_from(range).ok())
                    .ok_or_else(|| {
                        Error::Inconsistent("an integer feature's range is not below 2^64".into())
                    })
            }
            Feature::Fixed { .. } => Err(Error::Inconsistent(
                "fixed features belong to linear models".into(),
            )),
        })
        .collect::<Result<_, _>>()?;
    Ok((bits, max))
}

fn check_tree(
    tree: &Tree,
    index: usize,
    views: usize,
    outputs: usize,
    bits: u8,
) -> Result<(), Error> {
    let bad = |what: &str| Err(Error::Inconsistent(format!("tree {index}: {what}")));
    if tree.nodes.is_empty() {
        return bad("it has no nodes");
    }
    let mut parents = vec![0u8; tree.nodes.len()];
    for (at, node) in tree.nodes.iter().enumerate() {
        match node {
            TreeNode::Leaf { leaf } if leaf.len() != outputs => {
                return bad("a leaf has not one value an output")
            }
            TreeNode::Leaf { .. } => {}
            TreeNode::Inner {
                view,
                key,
                left,
                right,
            } => {
                if *view >= views {
                    return bad("a node compares a view that does not exist");
                }
                if key.0 < 0 || key.0 >= 1 << bits {
                    return bad("a threshold is out of range");
                }
                for child in [left, right] {
                    match parents.get_mut(*child) {
                        Some(count) if *child > at => *count = count.saturating_add(1),
                        _ => return bad("a child does not come after its parent"),
                    }
                }
            }
        }
    }
    if parents.iter().skip(1).any(|count| *count != 1) {
        return bad("a node has not exactly one parent");
    }
    Ok(())
}

/// Depth of each node; parents come first.
fn depths(tree: &Tree) -> Vec<usize> {
    let mut depths = vec![0; tree.nodes.len()];
    for (at, node) in tree.nodes.iter().enumerate() {
        if let TreeNode::Inner { left, right, .. } = node {
            depths[*left] = depths[at] + 1;
            depths[*right] = depths[at] + 1;
        }
    }
    depths
}

fn depth(tree: &Tree) -> usize {
    depths(tree).into_iter().max().unwrap_or(0)
}

/// Nodes at depth `bound` have no row: their values stand with their parents.
fn rows_beside_root(tree: &Tree, bound: usize) -> usize {
    depths(tree)
        .into_iter()
        .filter(|d| (1..bound).contains(d))
        .count()
}

/// Bits of a lane: every output's sum, whatever the leaves, with its sign.
fn lane(file: &CircuitFile) -> Result<u32, Error> {
    let mut most = 0u128;
    for (output, base) in file.base.iter().enumerate() {
        let mut sum = base.0.unsigned_abs();
        for tree in &file.trees {
            let leaves = tree.nodes.iter().filter_map(|node| match node {
                TreeNode::Leaf { leaf } => leaf.get(output).map(|v| v.0.unsigned_abs()),
                TreeNode::Inner { .. } => None,
            });
            sum = sum
                .checked_add(leaves.max().unwrap_or(0))
                .ok_or(Error::TooLarge("leaf values"))?;
        }
        most = most.max(sum);
    }
    let lane = 128 - most.leading_zeros() + 2;
    let lanes = u32::try_from(file.outputs.len().min(4)).unwrap_or(4);
    if lane * lanes > 250 || lane > 128 {
        return Err(Error::TooLarge(
            "leaf values have too many bits; lower scale_bits",
        ));
    }
    Ok(lane)
}

/// The trees by output group: a tree has a slot in every group in which one of its leaves is not zero.
///
/// All groups get the same number of slots, so that the shape alone says which slot speaks for which group.
fn slots<'a>(file: &'a CircuitFile, constant: &'a Tree) -> Vec<Slot<'a>> {
    let groups = file.outputs.len().div_ceil(4);
    let of_group = |group: usize| {
        let speaks = move |tree: &&Tree| {
            tree.nodes.iter().any(|node| match node {
                TreeNode::Leaf { leaf } => leaf.iter().skip(4 * group).take(4).any(|v| v.0 != 0),
                TreeNode::Inner { .. } => false,
            })
        };
        file.trees.iter().filter(speaks).collect::<Vec<_>>()
    };
    let trees: Vec<Vec<&Tree>> = (0..groups).map(of_group).collect();
    // The base needs a tree to stand in.
    let most = trees.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let mut slots = Vec::with_capacity(groups * most);
    for (group, trees) in trees.iter().enumerate() {
        let padded = trees
            .iter()
            .copied()
            .chain(std::iter::repeat(constant))
            .take(most);
        slots.extend(padded.enumerate().map(|(index, tree)| Slot {
            tree,
            group,
            first: index == 0,
        }));
    }
    slots
}

struct Builder<'a> {
    shape: &'a Shape,
    base: &'a [Int],
    depth: usize,
    nodes: Vec<Node>,
}

impl<'a> Builder<'a> {
    fn new(shape: &'a Shape, base: &'a [Int]) -> Self {
        Self {
            shape,
            base,
            depth: shape.depth as usize,
            nodes: Vec::new(),
        }
    }

    fn build(mut self, slots: &[Slot<'_>]) -> Vec<Node> {
        let groups = self.shape.groups as usize;
        let padding = Node {
            view: 0,
            key: 0,
            left: None,
            a: Fr::zero(),
            c: Fr::zero(),
        };
        self.nodes = vec![padding; groups];
        for row in 0..groups {
            self.stay(row, Fr::zero());
        }
        for (row, slot) in slots.iter().enumerate() {
            self.tree(row, slot);
        }
        self.nodes
    }

    /// A node that follows itself to the end and has this value.
    fn stay(&mut self, row: usize, value: Fr) {
        let a = TreeModel::id(self.shape, row) - Fr::from(1u64);
        self.nodes[row] = Node {
            view: 0,
            key: 0,
            left: None,
            a,
            c: value,
        };
    }

    fn tree(&mut self, root: usize, slot: &Slot<'_>) {
        let mut open = vec![(0usize, root, 0usize)];
        while let Some((at, row, depth)) = open.pop() {
            match &slot.tree.nodes[at] {
                TreeNode::Leaf { leaf } => self.stay(row, self.value(slot, leaf)),
                TreeNode::Inner {
                    view,
                    key,
                    left,
                    right,
                } => {
                    let key = u64::try_from(key.0).unwrap_or(u64::MAX);
                    if depth + 1 == self.depth {
                        let side = |child: usize| match &slot.tree.nodes[child] {
                            TreeNode::Leaf { leaf } => self.value(slot, leaf),
                            TreeNode::Inner { .. } => Fr::zero(),
                        };
                        let (a, c) = (side(*left), side(*right));
                        self.nodes[row] = Node {
                            view: *view,
                            key,
                            left: None,
                            a,
                            c,
                        };
                        continue;
                    }
                    let first = self.nodes.len();
                    let a = TreeModel::id(self.shape, first);
                    self.nodes[row] = Node {
                        view: *view,
                        key,
                        left: Some(first),
                        a,
                        c: Fr::zero(),
                    };
                    let empty = self.nodes[row];
                    self.nodes.extend([empty, empty]);
                    open.push((*left, first, depth + 1));
                    open.push((*right, first + 1, depth + 1));
                }
            }
        }
    }

    /// A leaf's lanes of the slot's output group; the group's first tree carries base and offsets.
    fn value(&self, slot: &Slot<'_>, leaf: &[Int]) -> Fr {
        let lane = u64::from(self.shape.lane);
        let shift = Fr::from(2u64).pow([lane]);
        let offset = Fr::from(2u64).pow([lane - 1]);
        let lanes = leaf.iter().zip(self.base).skip(4 * slot.group).take(4);
        lanes.rev().fold(Fr::zero(), |sum, (value, base)| {
            let shared = if slot.first {
                signed(base.0) + offset
            } else {
                Fr::zero()
            };
            sum * shift + signed(value.0) + shared
        })
    }
}

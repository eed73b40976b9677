//! Rule 10: rows need one another in no circle, so they have an order.

use super::network::Network;
use std::collections::BTreeMap;

/// A level for each listed row above those of all rows that it needs; `None` if there is a circle.
///
/// A node for each row, then one for each position, between its reads and its columns.
pub(super) fn order(network: &Network) -> Option<Vec<u32>> {
    let edges = edges(network);
    let nodes = edges.nodes;
    let mut starts = vec![0usize; nodes + 1];
    for (source, _) in &edges.pairs {
        starts[source + 1] += 1;
    }
    for node in 0..nodes {
        starts[node + 1] += starts[node];
    }
    let mut following = vec![0usize; edges.pairs.len()];
    let mut free = starts.clone();
    let mut waiting = vec![0usize; nodes];
    for (source, target) in &edges.pairs {
        following[free[*source]] = *target;
        free[*source] += 1;
        waiting[*target] += 1;
    }
    let mut level = vec![0u32; nodes];
    let mut ready: Vec<usize> = (0..nodes).filter(|node| waiting[*node] == 0).collect();
    let mut done = 0;
    while done < ready.len() {
        let node = ready[done];
        done += 1;
        for target in &following[starts[node]..starts[node + 1]] {
            level[*target] = level[*target].max(level[node] + 1);
            waiting[*target] -= 1;
            if waiting[*target] == 0 {
                ready.push(*target);
            }
        }
    }
    level.truncate(network.listed());
    (done == nodes).then_some(level)
}

struct Edges {
    nodes: usize,
    pairs: Vec<(usize, usize)>,
}

impl Edges {
    /// From the row of an address; the zero cell needs nothing.
    fn add(&mut self, address: i64, target: usize) {
        if address != 0 {
            self.pairs.push((address.unsigned_abs() as usize, target));
        }
    }
}

fn edges(network: &Network) -> Edges {
    let cells = &network.cells;
    let count = network.listed();
    let mut hubs: BTreeMap<i64, usize> = BTreeMap::new();
    for position in &cells.position {
        let next = count + hubs.len();
        hubs.entry(*position).or_insert(next);
    }
    let mut edges = Edges {
        nodes: count + hubs.len(),
        pairs: Vec::new(),
    };
    // A pair with the zero cell is 0, whatever the other is.
    let pair = |row: usize| cells.a[row] != 0 && cells.b[row] != 0;
    for row in 0..count {
        let hub = hubs[&cells.position[row]];
        if cells.slot[row] > 0 {
            edges.add(cells.a[row], hub);
        }
        if cells.column[row] >= 0 {
            edges.pairs.push((hub, row));
        }
        let multiplies = cells.product[row] != 0;
        let mut operands = |of: usize| {
            edges.add(cells.a[of], row);
            edges.add(cells.b[of], row);
        };
        if cells.max[row] != 0 || (multiplies && pair(row)) {
            operands(row);
        }
        if multiplies && row + 1 < count && pair(row + 1) {
            operands(row + 1);
        }
    }
    edges
}

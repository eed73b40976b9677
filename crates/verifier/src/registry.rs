//! The relations that there are: the only place that lists them.

use crate::relation::Relation;
use crate::{linear, networks, trees};

/// What kind of model a circuit evaluates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A tree ensemble (spec 4).
    Trees,
    /// A linear model (spec 5).
    Linear,
    /// A network (networks.md).
    Networks,
}

impl Kind {
    /// All kinds; a kind's place is its number in a key's bytes.
    pub const ALL: [Self; 3] = [Self::Trees, Self::Linear, Self::Networks];

    /// Its relation.
    pub fn relation(self) -> &'static dyn Relation {
        match self {
            Self::Trees => &trees::Trees,
            Self::Linear => &linear::Linear,
            Self::Networks => &networks::Networks,
        }
    }

    /// The kind of a number in a key's bytes.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Its number in a key's bytes.
    pub fn number(self) -> u8 {
        let before = Self::ALL.iter().take_while(|kind| **kind != self);
        u8::try_from(before.count()).unwrap_or(u8::MAX)
    }

    /// The kind of a name in `circuit.json`.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.relation().name() == name)
    }
}

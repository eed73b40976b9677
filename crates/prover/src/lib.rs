//! Setup and proving (`docs/spec/protocol.md`). The prover trusts its own key and inputs, not more.

mod bases;
mod check;
mod column;
mod error;
mod key;
mod linear;
mod networks;
mod opening;
mod outputs;
mod prove;
mod public;
mod quotient;
mod registry;
mod relation;
mod setup;
mod trees;

pub use check::{check_key, check_published, published};
pub use error::Error;
pub use key::{ProvingKey, KEY_MAGIC};
#[cfg(feature = "attack")]
pub use networks::attack as network_attack;
pub use outputs::unpack;
pub use prove::{Inputs, Proven, Prover};
pub use setup::{required_degree, setup, setup_in_parts};
#[cfg(feature = "attack")]
pub use trees::attack;

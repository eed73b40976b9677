//! The structured reference string `[τ^i]_1`, `[τ]_2`, and `[τ^(2^k)]_2` where its source has them.
//!
//! A ceremony's string is imported and checked ([`import`]); a development string is made here, and whoever
//! made it could forge proofs, so its kind is stamped into every key.

mod check;
mod coordinates;
mod error;
mod file;
mod generate;
mod import;
mod known;
mod random;
mod squares;

pub use error::Error;
pub use file::{verify_file, verify_string, Info, Srs};
pub use generate::generate;
pub use import::import;
pub use known::{ceremony, tau_hex, Ceremony, CEREMONIES};
pub use random::random_scalar;

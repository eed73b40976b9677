//! Proving the linear relation (spec 5).

mod session;

pub(crate) use session::prove;

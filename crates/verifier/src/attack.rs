//! Removing one constraint, for the tests that show what each is for. Only built with the feature `attack`.

#[cfg(feature = "attack")]
mod switch {
    use std::sync::atomic::{AtomicU64, Ordering};

    static REMOVED: AtomicU64 = AtomicU64::new(u64::MAX);

    /// Removes constraint `index` (its power of `y`) from prover and verifier, or none.
    pub fn remove(index: Option<u64>) {
        REMOVED.store(index.unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    pub(crate) fn removed(index: u64) -> bool {
        REMOVED.load(Ordering::SeqCst) == index
    }
}

#[cfg(feature = "attack")]
pub use switch::remove;
#[cfg(feature = "attack")]
pub(crate) use switch::removed;

/// Without the feature nothing can be removed.
#[cfg(not(feature = "attack"))]
pub(crate) const fn removed(_index: u64) -> bool {
    false
}

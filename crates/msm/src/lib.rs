//! Multi-scalar multiplication on BN254 G1: `sum scalars[i] * points[i]`, for a local prover
//! whose points, the reference string, stay the same from proof to proof.
//!
//! It is Pippenger's bucket method. Each scalar is cut into signed digits; points with the same
//! digit meet in a bucket; the bucket sums, each times its digit, make the result. Four things
//! make it fast:
//!
//! - Buckets are summed by *affine* additions, thousands at a time with one shared inversion
//!   (`batch`): six multiplications each, where Jacobian coordinates take eleven or more. To
//!   have that many independent additions, points are first sorted by bucket (`sort`) and then
//!   added in pairs, round by round (`accumulate`). The weighted sum over the buckets is cut
//!   into more such sums (`reduce`).
//! - Processors with AVX-512 IFMA do eight of these additions at a time (`lanes`).
//! - With a table of the points' multiples by `2^(15 k)` all digits of a scalar go to *one* set
//!   of buckets (`table`).
//! - Scalars are taken as sign and magnitude and only their own digits cost anything: zeros are
//!   free, and bits, counts and `r - small` are nearly so (`scalar`, `plan`).
//!
//! # Not constant time
//!
//! Time, memory access and branches depend on the scalars, also on secret ones. That is
//! accepted here: the prover runs on its owner's machine, for its owner, and shows others only
//! the finished proof. Do not use this crate where someone else can measure it (a shared
//! proving service, an enclave).
//!
//! # Example
//!
//! ```
//! use ark_bn254::{Fr, G1Affine};
//! use ark_ec::AffineRepr;
//! use assay_msm::FixedBase;
//!
//! let g = G1Affine::generator();
//! let base = FixedBase::with_table(vec![g; 3]);
//! let sum = base.msm(&[Fr::from(2u64), Fr::from(3u64), -Fr::from(1u64)]);
//! assert_eq!(sum, g * Fr::from(4u64));
//! assert_eq!(base.msm_u64(&[1, 0, 3]), sum);
//! assert_eq!(base.msm_sparse(&[(2, Fr::from(4u64))]), sum);
//! ```

mod accumulate;
mod base;
mod batch;
mod by_value;
mod group;
#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(not(target_arch = "x86_64"))]
#[path = "no_lanes.rs"]
mod lanes;
mod plan;
mod point;
mod reduce;
mod run;
mod scalar;
mod sort;
mod table;

pub use base::{msm, FixedBase};
pub use by_value::ByValue;

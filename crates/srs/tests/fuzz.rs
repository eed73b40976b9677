//! Any bytes are answered; what is accepted is the string that was there before.
#![allow(missing_docs)]

mod common;

use ark_bn254::Fr;
use assay_srs::{generate, verify_file, Info, Srs};
use common::{arkworks, imported, read, Folder, Ptau, TAU};
use proptest::prelude::*;

/// What a program that breaks files does: changes bytes, cuts, repeats, moves.
fn broken(bytes: &[u8], edits: &[(u8, usize, usize, u8)]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for (kind, a, b, byte) in edits {
        if out.is_empty() {
            break;
        }
        let (a, b) = (a % out.len(), b % out.len());
        let (from, to) = (a.min(b), a.max(b));
        match kind % 6 {
            0 => out[a] = *byte,
            1 => out[a] ^= 1 << (byte % 8),
            2 => out.truncate(a),
            3 => {
                out.drain(from..to.min(from + 80));
            }
            4 => {
                let piece = out[from..to.min(from + 80)].to_vec();
                out.splice(a..a, piece);
            }
            _ => out[from..=to].rotate_left(usize::from(*byte) % (to - from + 1)),
        }
    }
    out
}

fn edits() -> impl Strategy<Value = Vec<(u8, usize, usize, u8)>> {
    prop::collection::vec(
        (any::<u8>(), any::<usize>(), any::<usize>(), any::<u8>()),
        1..4,
    )
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
        prop_assert!(imported(&bytes).is_err());
        let folder = Folder::new();
        let path = folder.write("any.srs", &bytes);
        prop_assert!(Info::read(&path).is_err());
        prop_assert!(Srs::load(&path, 0).is_err());
        prop_assert!(verify_file(&path).is_err());
    }

    #[test]
    fn any_bytes_behind_the_right_head_are_answered(
        bytes in prop::collection::vec(any::<u8>(), 0..700), small in any::<bool>(), degree in 0usize..9
    ) {
        // Sections with small numbers and sizes go deeper than random ones.
        let sections: Vec<u8> = if small {
            bytes.chunks(40).flat_map(|chunk| {
                let id = u32::from(chunk[0] % 5);
                [&id.to_le_bytes()[..], &(chunk.len() as u64).to_le_bytes(), chunk].concat()
            }).collect()
        } else {
            bytes.clone()
        };
        let head = [&b"ptau\x01\0\0\0"[..], &[bytes.len().div_ceil(40) as u8, 0, 0, 0]].concat();
        prop_assert!(imported(&[&head[..], &sections].concat()).is_err());
        let count = (bytes.len() / 64) as u64;
        prop_assert!(imported(&[&count.to_le_bytes()[..], &bytes].concat()).is_err());
        let folder = Folder::new();
        let path = folder.write("any.srs", &[b"assay-srs/1\0", &bytes[..]].concat());
        prop_assert!(Srs::load(&path, degree).is_err());
    }

    #[test]
    fn a_changed_ptau_file_is_refused_or_the_same_string(edits in edits()) {
        let honest = Ptau::new(2, Fr::from(TAU)).bytes();
        let digest = imported(&honest).unwrap().digest;
        if let Ok(info) = imported(&broken(&honest, &edits)) {
            prop_assert_eq!(info.digest, digest);
        }
    }

    #[test]
    fn a_changed_arkworks_file_is_refused_or_the_same_string(edits in edits()) {
        let honest = arkworks(Fr::from(TAU), 5);
        let digest = imported(&honest).unwrap().digest;
        if let Ok(info) = imported(&broken(&honest, &edits)) {
            prop_assert_eq!(info.digest, digest);
        }
    }

    #[test]
    fn a_changed_file_of_our_own_is_refused_or_the_same(edits in edits(), degree in 0usize..20) {
        let folder = Folder::new();
        let path = folder.path("made.srs");
        generate(&path, 16).unwrap();
        let honest = read(&path);
        let changed = broken(&honest, &edits);
        let path = folder.write("changed.srs", &changed);
        let _ = Srs::load(&path, degree);
        prop_assert_eq!(verify_file(&path).is_ok(), changed == honest);
    }
}

//! Parsers see any bytes: they answer, and what they accept they write back unchanged.
#![allow(missing_docs)]

use assay_verifier::{Container, Inputs, Srs, VerifyingKey, KEY_MAGIC, PROOF_MAGIC};
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(VerifyingKey::from_bytes(&bytes).is_err());
        prop_assert!(Container::from_bytes(&bytes).is_err());
    }

    #[test]
    fn keys_with_the_right_head_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..900)) {
        let _ = VerifyingKey::from_bytes(&[KEY_MAGIC, &bytes].concat());
    }

    #[test]
    fn small_shapes_are_answered(
        head in prop::collection::vec(0u8..3, 3),
        fields in prop::collection::vec(0u32..70, 13),
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut bytes = [KEY_MAGIC, &head, &[32]].concat();
        bytes.extend(fields.iter().flat_map(|field| field.to_be_bytes()));
        bytes.extend(rest);
        let _ = VerifyingKey::from_bytes(&bytes);
    }

    #[test]
    fn containers_read_back(
        digest: [u8; 32],
        private: bool,
        rows in 1u32..9,
        words in prop::collection::vec(any::<[u8; 32]>(), 0..5),
        body in prop::collection::vec(any::<u8>(), 0..80),
        cut in 0usize..100,
    ) {
        let container = Container {
            digest,
            inputs: if private { Inputs::Private } else { Inputs::Public },
            srs: Srs::Ceremony,
            features: 3,
            outputs: 1,
            scale_bits: 20,
            rows,
            words,
            body,
        };
        let bytes = container.to_bytes();
        prop_assert_eq!(&Container::from_bytes(&bytes).unwrap(), &container);
        let cut = cut.min(bytes.len() - 1);
        prop_assert!(Container::from_bytes(&bytes[..cut]).is_err());
        prop_assert!(Container::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn a_header_beyond_the_limits_is_refused(field in 0usize..3, value: u32) {
        let limits = [1..=1 << 16, 1..=1 << 12, 0..=1 << 10];
        let mut header = [3, 1, 20];
        header[field] = value;
        let [features, outputs, scale_bits] = header;
        let container = Container {
            digest: [0; 32],
            inputs: Inputs::Public,
            srs: Srs::Ceremony,
            features,
            outputs,
            scale_bits,
            rows: 1,
            words: vec![[0; 32]; 4],
            body: Vec::new(),
        };
        let read = Container::from_bytes(&container.to_bytes());
        prop_assert_eq!(read.is_ok(), limits[field].contains(&value));
        if let Err(error) = read {
            prop_assert_eq!(error.code(), "proof/malformed");
        }
    }

    #[test]
    fn containers_with_the_right_head_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Container::from_bytes(&[PROOF_MAGIC, &bytes].concat());
    }
}

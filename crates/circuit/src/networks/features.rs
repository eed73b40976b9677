//! From words to the inputs `u` of the machine (`docs/spec/networks-circuit.md`, section 3).

use super::network::INPUT_LIMIT;
use crate::file::Feature;
use crate::{CircuitFile, Error, Word};

/// A declared feature.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    name: String,
    bits: i32,
    min: i128,
    /// The greatest word.
    max_word: u64,
    /// What is added to a word.
    shift: i128,
}

impl Declared {
    /// All features of a circuit, whose inputs are within the lanes of public words.
    pub fn all(file: &CircuitFile, centres: &[i64]) -> Result<Vec<Self>, Error> {
        let each = file.features.iter().zip(centres);
        each.map(|(feature, centre)| Self::new(feature, *centre))
            .collect()
    }

    fn new(feature: &Feature, centre: i64) -> Result<Self, Error> {
        let Feature::Fixed {
            min,
            max,
            name,
            bits,
        } = feature
        else {
            let problem = "a network needs fixed features";
            return Err(Error::Inconsistent(problem.into()));
        };
        let bad = |problem: &str| {
            let text = format!("feature {name} {problem}");
            Error::Inconsistent(text)
        };
        let shift = min.0.checked_sub(i128::from(centre));
        let width = max.0.checked_sub(min.0);
        let (Some(shift), Some(width)) = (shift, width) else {
            return Err(bad("has a range without end"));
        };
        let limit = i128::from(INPUT_LIMIT);
        let inside = shift >= -limit && width >= 0 && shift.saturating_add(width) < limit;
        if !inside {
            return Err(bad("has a range that exceeds the 19 bits of an input"));
        }
        if !(-128..=128).contains(bits) {
            return Err(bad("has bits beyond -128 to 128"));
        }
        let max_word = u64::try_from(width).map_err(|_| bad("has a range without end"))?;
        Ok(Self {
            name: name.clone(),
            bits: *bits,
            min: min.0,
            max_word,
            shift,
        })
    }

    /// The input of a word.
    fn input(&self, row: usize, word: Word) -> Result<i64, Error> {
        let refused = |value: String| Error::Range {
            row,
            feature: self.name.clone(),
            value,
            range: format!(
                "{} to {}",
                self.show(self.min),
                self.show(self.min + i128::from(self.max_word))
            ),
        };
        let word = word.ok_or_else(|| refused("missing".into()))?;
        if word > self.max_word {
            return Err(refused(self.show(self.min + i128::from(word))));
        }
        i64::try_from(self.shift + i128::from(word)).map_err(|_| refused("too large".into()))
    }

    /// A feature's integer as the value that it stands for.
    fn show(&self, integer: i128) -> String {
        #[allow(clippy::cast_precision_loss)]
        let value = integer as f64 * f64::from(-self.bits).exp2();
        value.to_string()
    }
}

/// The inputs of all features.
pub(super) fn inputs(features: &[Declared], row: usize, words: &[Word]) -> Result<Vec<i64>, Error> {
    if words.len() != features.len() {
        let feature = words.len();
        return Err(Error::Input { row, feature });
    }
    let each = features.iter().zip(words);
    each.map(|(feature, word)| feature.input(row, *word))
        .collect()
}

//! Rows of input words.

use crate::Error;
use assay_verifier::Shape;

/// An input word, or missing.
pub type Word = Option<u64>;

/// Checks the rows' number.
pub(crate) fn check_count(shape: &Shape, found: usize) -> Result<(), Error> {
    let max = 1u32 << shape.log_max_rows;
    if found == 0 || found > max as usize {
        return Err(Error::Rows { max, found });
    }
    Ok(())
}

/// Checks the rows' number and words.
pub(crate) fn check_rows(shape: &Shape, max_word: &[u64], rows: &[Vec<Word>]) -> Result<(), Error> {
    check_count(shape, rows.len())?;
    for (index, row) in rows.iter().enumerate() {
        if row.len() != max_word.len() {
            return Err(Error::Input {
                row: index,
                feature: row.len(),
            });
        }
        for (feature, (word, max)) in row.iter().zip(max_word).enumerate() {
            if word.is_some_and(|w| w > *max) {
                return Err(Error::Input {
                    row: index,
                    feature,
                });
            }
        }
    }
    Ok(())
}

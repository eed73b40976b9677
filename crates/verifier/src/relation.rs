//! What a relation is: the part of a proof that depends on the kind of model.
//!
//! The transcript, the opening and the parsers know this trait and nothing of any relation. A relation is a folder
//! of its name here, in `assay-circuit` (its tables and its witness) and in `assay-prover` (its columns), and a line
//! in [`crate::Kind`] and in the prover's registry.

use crate::bytes::Reader;
use crate::opening::{Point, PointSet};
use crate::{Error, Shape, Statement};
use assay_algebra::{Fr, WORD};

/// A committed polynomial, by its name in the spec and, where there are several, its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name(pub &'static str, pub usize);

impl Name {
    /// The only one of a name.
    pub const fn new(text: &'static str) -> Self {
        Self(text, 0)
    }

    /// Those with the numbers `1 ..= count`.
    pub fn numbered(text: &'static str, count: usize) -> impl Iterator<Item = Self> {
        (1..=count).map(move |number| Self(text, number))
    }
}

/// `I`: what a commitment of private inputs commits to. It stands in the public words, not in a round.
pub const INPUT: Name = Name::new("I");

/// Polynomials with one commitment, `Σ X^i f_i(X^c)` for `c` of them (spec 2.1); one alone is committed as it is.
pub type Pack = Vec<Name>;

/// A commitment for each.
fn alone(names: Vec<Name>) -> Vec<Pack> {
    names.into_iter().map(|name| vec![name]).collect()
}

/// Columns that are absorbed together, and how many challenges are drawn when they are.
#[derive(Clone, Debug)]
pub struct Round {
    /// The commitments, in the order of the proof.
    pub packs: Vec<Pack>,
    /// Challenges drawn behind them.
    pub challenges: usize,
}

/// Coefficients of a column of `n` rows in a pack of several: with the most blinding that any has.
pub const fn coefficients_in_pack(rows: usize) -> usize {
    rows.saturating_add(5)
}

impl Round {
    /// Columns that all have a commitment of their own.
    pub fn apart(columns: impl IntoIterator<Item = Name>, challenges: usize) -> Self {
        Self {
            packs: columns.into_iter().map(|name| vec![name]).collect(),
            challenges,
        }
    }
}

/// A commitment of the opening.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The polynomials in it.
    pub pack: Pack,
    /// Where they are opened, every one of them.
    pub set: PointSet,
}

impl Opened {
    /// A polynomial with a commitment of its own.
    pub fn alone(name: Name, set: PointSet) -> Self {
        Self {
            pack: vec![name],
            set,
        }
    }
}

/// An evaluation that a proof claims.
#[derive(Clone, Copy, Debug)]
pub struct Evaluation {
    /// Of which polynomial.
    pub name: Name,
    /// Where.
    pub point: Point,
    /// The value.
    pub value: Fr,
}

/// A row of a polynomial's domain and the value there.
pub type Row = (usize, Fr);

/// The rows where a polynomial is not zero, in order.
pub type Rows<'a> = Box<dyn Iterator<Item = Row> + 'a>;

/// Where a commitment stands in a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Among those that a key has once.
    Model(usize),
    /// Among those for `2^log_rows` blocks.
    Fixed {
        /// `log2 nb`.
        log_rows: u32,
        /// Which of them.
        index: usize,
    },
}

/// A polynomial of a key that anyone can recompute from the shape: `f(X^(2^log_rows))`.
pub struct Public<'a> {
    /// Its commitment.
    pub place: Place,
    /// `f` is known by its values on the domain of this order (log2).
    pub log_domain: u32,
    /// Its argument is `X` to the power of two to this.
    pub log_rows: u32,
    /// The values of `f`.
    pub rows: Rows<'a>,
}

/// Everything that the constraints at `ζ` are made of.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The shape.
    pub shape: &'a Shape,
    /// The public words.
    pub statement: &'a Statement,
    /// All challenges of the rounds, in order.
    pub challenges: &'a [Fr],
    /// `ζ`.
    pub zeta: Fr,
    /// The claimed evaluations.
    pub evaluations: &'a [Evaluation],
}

impl At<'_> {
    /// `log2 nb`.
    pub fn log_rows(&self) -> u32 {
        self.statement.log_rows
    }

    /// `log2 n`.
    pub fn log_domain(&self) -> u32 {
        self.shape.log_block().saturating_add(self.log_rows())
    }

    /// The value of a polynomial, if it is opened there.
    pub fn find(&self, name: Name, point: Point) -> Option<Fr> {
        let found = self
            .evaluations
            .iter()
            .find(|e| e.name == name && e.point == point);
        found.map(|e| e.value)
    }

    /// The value of a polynomial that every proof of the relation opens there.
    pub fn value(&self, name: Name, point: Point) -> Result<Fr, Error> {
        self.find(name, point).ok_or(Error::Truncated)
    }

    /// Adds a multiple of a polynomial: of its value where it is opened at `ζ`, else of its commitment.
    pub fn place(&self, sum: &mut Combination, name: Name, coefficient: Fr) {
        match self.find(name, Point::Here) {
            Some(value) => sum.constant += coefficient * value,
            None => sum.add(name, coefficient),
        }
    }

    /// Challenge number `index` of the rounds.
    pub fn challenge(&self, index: usize) -> Result<Fr, Error> {
        self.challenges.get(index).copied().ok_or(Error::Truncated)
    }
}

/// A linear combination of committed polynomials and a constant.
#[derive(Clone, Debug, Default)]
pub struct Combination {
    /// The constant.
    pub constant: Fr,
    /// Coefficients of polynomials.
    pub terms: Vec<(Name, Fr)>,
}

impl Combination {
    /// Adds a multiple of a polynomial.
    pub fn add(&mut self, name: Name, coefficient: Fr) {
        self.terms.push((name, coefficient));
    }
}

/// A relation: its shapes, the names of its columns and rounds, its public words, and its constraints at a point.
pub trait Relation: Sync {
    /// Its name, in `circuit.json` and wherever people read it.
    fn name(&self) -> &'static str;

    /// Refuses every shape that it does not define; the limits of all relations have been checked.
    fn check(&self, shape: &Shape) -> Result<(), Error>;

    /// Reads the fields that only its shapes have, behind those of all.
    fn read(&self, _reader: &mut Reader<'_>, _shape: &mut Shape) -> Result<(), Error> {
        Ok(())
    }

    /// Writes them.
    fn write(&self, _shape: &Shape, _out: &mut Vec<u8>) {}

    /// Outputs packed in one field element.
    fn lanes(&self, shape: &Shape) -> u32;

    /// Whether the rows of a batch are combined into one block.
    fn combines_rows(&self) -> bool {
        false
    }

    /// `log2 N`, or 0 where there is no table.
    fn log_table(&self, shape: &Shape) -> u32;

    /// `Dq`: the quotient's degree is at most this.
    fn degree(&self, shape: &Shape, log_rows: u32) -> usize;

    /// `Ck`: coefficients in a chunk of the quotient, at least as many as any pack has.
    fn chunk(&self, shape: &Shape, log_rows: u32) -> usize {
        let table = usize::try_from(shape.table).unwrap_or(usize::MAX);
        shape.rows(log_rows).max(table).saturating_add(16)
    }

    /// Chunks of the quotient; none where a relation needs no quotient.
    fn chunks(&self, shape: &Shape, log_rows: u32) -> usize {
        let coefficients = self.degree(shape, log_rows).saturating_add(1);
        coefficients.div_ceil(self.chunk(shape, log_rows).max(1))
    }

    /// Polynomials that a key has once.
    fn model(&self, shape: &Shape) -> Vec<Name>;

    /// Polynomials that a key has for proofs of `2^log_rows` blocks.
    fn fixed(&self, shape: &Shape, log_rows: u32) -> Vec<Name>;

    /// How those that a key has once share commitments.
    fn model_packs(&self, shape: &Shape) -> Vec<Pack> {
        alone(self.model(shape))
    }

    /// How those for proofs of `2^log_rows` blocks share commitments.
    fn fixed_packs(&self, shape: &Shape, log_rows: u32) -> Vec<Pack> {
        alone(self.fixed(shape, log_rows))
    }

    /// The key's polynomials that are public; a key that has any proves that it has the right ones.
    fn public<'a>(&self, _shape: &'a Shape) -> Vec<Public<'a>> {
        Vec::new()
    }

    /// Whether the key's commitments are checked with the public part of a circuit, which a key does not hold.
    fn needs_circuit(&self) -> bool {
        false
    }

    /// The rounds before the quotient; a round without columns is one, too.
    fn rounds(&self, shape: &Shape, log_rows: u32) -> Vec<Round>;

    /// The polynomials opened behind `Rz`, in the order of the powers of `γ`.
    ///
    /// A proof's evaluations follow from it: at each point, in the order of [`Point::ALL`], those of the polynomials
    /// that are opened there, pack by pack. A polynomial that must not be evaluated is in no pack of several.
    fn openings(&self, shape: &Shape, log_rows: u32) -> Vec<Opened>;

    /// Input words of a row.
    fn input_words(&self, shape: &Shape) -> usize {
        usize::try_from(shape.features).unwrap_or(usize::MAX)
    }

    /// What a row's input words say; the number of a word that is not allowed.
    fn entries(&self, shape: &Shape, words: &[[u8; WORD]]) -> Result<Vec<Fr>, usize>;

    /// `Rz` but for the quotient's chunks: the constraints over their vanishing polynomials at `ζ`, as a combination
    /// of the polynomials that are not evaluated there. It is the verifier's claim and the prover's polynomial.
    fn remainder(&self, at: &At<'_>) -> Result<Combination, Error>;
}

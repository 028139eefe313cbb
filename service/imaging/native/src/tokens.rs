//! Blocks as they are written: symbols, each with the bits of its magnitude.

use crate::huffman::{Class, MAX_AC_BITS, MAX_DC_BITS};
use crate::phrases::Phrases;
use crate::refusal::{Answer, Refusal};

/// A symbol, below the number of the table that it is to be written with, or the number of a phrase of
/// symbols, above 16 bits for the magnitude's bits behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Token(u32);

const SIXTEEN_ZEROS: usize = 0xF0;
/// DC and AC of two pairs; see `Token::number`.
pub const TABLES: usize = 4;
/// Symbols of all tables together.
pub const SYMBOLS: usize = TABLES << 8;

/// The number of a pair's table.
pub const fn table(pair: usize, class: Class) -> u32 {
    2 * pair as u32 + class as u32
}

impl Token {
    /// With its magnitude's bits.
    #[inline(always)]
    pub const fn new(number: u32, extra: u32) -> Self {
        Token(number << 16 | extra)
    }

    /// With those of the magnitude's bits that a token has set.
    #[inline(always)]
    pub fn among(bits: u64, extra: u64) -> Self {
        Token(bits as u32 & (extra as u32 | !0xFFFF))
    }

    /// The end of a block.
    pub fn end(pair: usize) -> Self {
        Token::new(table(pair, Class::Ac) << 8, 0)
    }

    /// What stands for zeros before a coefficient that has more than 15 of them before it.
    pub fn sixteen_zeros(pair: usize) -> Self {
        Token::new(table(pair, Class::Ac) << 8 | SIXTEEN_ZEROS as u32, 0)
    }

    /// An error where the difference is larger than baseline JPEG can write.
    #[inline(always)]
    pub fn of_dc(difference: i32, pair: usize) -> Answer<Self> {
        Token::of(table(pair, Class::Dc), 0, difference, MAX_DC_BITS)
    }

    /// Of a coefficient with at most 15 zeros before it; an error where it is larger than baseline JPEG can
    /// write.
    #[inline(always)]
    pub fn of_ac(zeros: u32, value: i16, pair: usize) -> Answer<Self> {
        Token::of(table(pair, Class::Ac), zeros, i32::from(value), MAX_AC_BITS)
    }

    #[inline(always)]
    fn of(table: u32, zeros: u32, value: i32, most_bits: u8) -> Answer<Self> {
        // No branches: a processor would guess every other sign wrong.
        let sign = value >> 31;
        let size = 32 - ((value ^ sign) - sign).leading_zeros();
        if size > u32::from(most_bits) {
            return Err(Refusal::NotMine);
        }
        let extra = value + (sign & ((1 << size) - 1));
        Ok(Token(table << 24 | zeros << 20 | size << 16 | extra as u32))
    }

    /// What the Huffman code stands for, and from the ninth bit on its table; from `SYMBOLS` on a phrase.
    #[inline(always)]
    pub fn number(self) -> usize {
        (self.0 >> 16) as usize
    }

    /// The bits that follow the code.
    #[inline(always)]
    pub fn extra(self) -> u32 {
        self.0 & 0xFFFF
    }

    /// All.
    pub fn bits(self) -> u64 {
        u64::from(self.0)
    }

    /// The same with other ones.
    pub fn saying(self, extra: u32) -> Self {
        Token(self.0 & !0xFFFF | extra)
    }

    /// How many bits they are, where it is not a phrase's.
    pub fn size(self) -> u32 {
        self.0 >> 16 & 15
    }

    /// Whether it is a block's end alone.
    #[inline(always)]
    pub fn is_end(self) -> bool {
        self.number() & !(SYMBOLS - 256) == 0
    }

    /// See `sixteen_zeros`.
    #[inline(always)]
    pub fn is_sixteen_zeros(self) -> bool {
        self.number() & !(SYMBOLS - 256) == SIXTEEN_ZEROS
    }
}

/// The tokens of blocks, one behind another.
#[derive(Default)]
pub struct Tokens {
    /// Of all blocks.
    pub all: Vec<Token>,
    /// How many of them each block has.
    pub lengths: Vec<u8>,
}

impl Tokens {
    /// None yet, with room for some.
    pub fn with_capacity(tokens: usize, blocks: usize) -> Self {
        Tokens { all: Vec::with_capacity(tokens), lengths: Vec::with_capacity(blocks) }
    }

    /// Each block's symbols.
    pub fn by_block<'a>(&'a self, phrases: &'a Phrases) -> impl Iterator<Item = Vec<Token>> + 'a {
        let mut rest = &self.all[..];
        self.lengths.iter().map(move |&length| {
            let (block, further) = rest.split_at(usize::from(length));
            rest = further;
            phrases.spelled_out(block).collect()
        })
    }

    /// Gives each block the DC token that `dc` says, and none but that and an end where it says so.
    ///
    /// An error where `dc` returns one, or where zeros are written out before a block's end, which nobody
    /// does, and which can be written shorter.
    pub fn give_dc(&mut self, mut dc: impl FnMut() -> Answer<(Token, Content)>) -> Answer<()> {
        let (mut from, mut to) = (0, 0);
        for length in &mut self.lengths {
            let behind = from + usize::from(*length);
            let ends = self.all[behind - 1].is_end();
            if self.all[behind - 1 - usize::from(ends)].is_sixteen_zeros() {
                return Err(Refusal::NotMine);
            }
            let (token, content) = dc()?;
            self.all[from] = token;
            if let Content::DcAlone { pair } = content {
                self.all[from + 1] = Token::end(pair);
                *length = 2;
            }
            if from != to {
                self.all.copy_within(from..from + usize::from(*length), to);
            }
            (from, to) = (behind, to + usize::from(*length));
        }
        self.all.truncate(to);
        Ok(())
    }
}

/// How much of a block is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// All of it.
    Whole,
    /// As little as can be, an end of these tables.
    DcAlone {
        /// See `TokenReader::new`.
        pair: usize,
    },
}

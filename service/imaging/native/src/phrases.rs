//! Phrases: symbols one behind another that one look-up reads, and that are written at once.
//!
//! All but the last one have their magnitudes' bits fixed; the last one's are the token's to say. A single
//! symbol is the phrase of its own number.

use crate::huffman::{Class, Decoder, MAX_LENGTH};
use crate::machine::{COUNT_BITS, END, FIRST, FULL, MOST_AT_ONCE, TROUBLE};
use crate::tokens::{table, Token, SYMBOLS};

/// A phrase is written in so many bits at most, and two of them seldom in more.
pub const MOST_BITS: u32 = 56;
/// A look-up uses no more, so that a word suffices for some of them.
pub const MOST_BITS_READ: usize = 19;
const MOST_SYMBOLS: usize = 3;
const _: () = assert!(16 * MOST_SYMBOLS as u64 <= MOST_AT_ONCE);
/// Phrases that an entry can tell apart; those that are not given a number are read in parts.
const MOST_NUMBERS: usize = 1 << 16;

/// What a look-up finds, from the lowest bit on: how many bits it uses; what it adds to `Lane::place`; which
/// of the last bits used are those of the last symbol's magnitude; the phrase's number.
#[derive(Clone, Copy)]
pub struct Entry(u64);

const ADDED_AT: u32 = 16;
const EXTRA_AT: u32 = 32;

impl Entry {
    /// Of no symbol; with such a one the reader's count shows that there is none.
    pub const fn none(count: u64) -> Self {
        Entry(count << ADDED_AT)
    }

    fn of(phrase: &Phrase, number: usize) -> Self {
        let extra = (1 << phrase.symbols[phrase.length - 1].size()) - 1;
        let added = u64::from(phrase.bits) << COUNT_BITS | phrase.count;
        let token = Token::new(number as u32, extra);
        Entry(token.bits() << EXTRA_AT | added << ADDED_AT | u64::from(phrase.bits))
    }

    /// To a lane's place.
    #[inline(always)]
    pub fn added(self) -> u64 {
        u64::from((self.0 >> ADDED_AT) as u16)
    }

    /// The token that a window begins with, which becomes the one behind it; there, the used bits are last.
    #[inline(always)]
    pub fn take(self, window: &mut u64) -> Token {
        *window = window.rotate_left(self.0 as u32 & 63);
        Token::among(self.0 >> EXTRA_AT, *window)
    }
}

/// Those of more than one symbol, numbered from `SYMBOLS` on.
#[derive(Default)]
pub struct Phrases(Vec<Phrase>);

/// One of them, or the begin of one.
#[derive(Clone, Copy, Default)]
pub struct Phrase {
    symbols: [Token; MOST_SYMBOLS],
    length: usize,
    /// Of which are read.
    bits: u32,
    /// Of the magnitudes.
    magnitude_bits: u32,
    /// Added to the count of the block's coefficients.
    count: u64,
}

impl Phrase {
    /// Each a token of its own, the last one without the bits of its magnitude.
    pub fn symbols(&self) -> &[Token] {
        &self.symbols[..self.length]
    }

    /// One symbol more, `None` where that is not for one look-up, or cannot be written at once.
    fn with(mut self, token: Token, length: u8, count: u64) -> Option<Self> {
        let size = token.size();
        self.bits += u32::from(length) + size;
        self.magnitude_bits += size;
        let alone = self.length == 0;
        let sound = self.length < MOST_SYMBOLS
            && self.bits as usize <= MOST_BITS_READ
            && (alone || !token.is_sixteen_zeros())
            && (self.length as u32 + 1) * MAX_LENGTH as u32 + self.magnitude_bits <= MOST_BITS;
        if !sound {
            return None;
        }
        self.count += count;
        self.symbols[self.length] = token;
        self.length += 1;
        Some(self)
    }

    /// The same, now that the last symbol's magnitude is known.
    fn saying(mut self, extra: usize) -> Self {
        self.symbols[self.length - 1] = self.symbols[self.length - 1].saying(extra as u32);
        self
    }
}

impl Phrases {
    /// How many numbers there are, those of single symbols included.
    pub fn numbers(&self) -> usize {
        SYMBOLS + self.0.len()
    }

    /// With their numbers.
    pub fn all(&self) -> impl Iterator<Item = (usize, &Phrase)> {
        (SYMBOLS..).zip(&self.0)
    }

    /// The symbols of tokens, each a token of its own.
    pub fn spelled_out<'a>(&'a self, tokens: &'a [Token]) -> impl Iterator<Item = Token> + 'a {
        tokens.iter().flat_map(|&token| {
            let phrase = token.number().checked_sub(SYMBOLS).map(|number| &self.0[number]);
            let symbols = phrase.map_or(&[][..], Phrase::symbols);
            let (last, others) = symbols.split_last().unwrap_or((&token, &[]));
            others.iter().copied().chain([last.saying(token.extra())])
        })
    }

    /// What windows begin with where a block begins.
    pub fn fill_first(&mut self, entries: &mut [Entry], dc: &Decoder, pair: usize) {
        entries.fill(Entry::none(TROUBLE | FIRST));
        let count = |_| FIRST;
        Spelling { decoder: dc, table: table(pair, Class::Dc), count: &count, most: 1, phrases: self }
            .fill(entries, Phrase::default());
    }

    /// What they begin with where it goes on.
    pub fn fill_further(&mut self, entries: &mut [Entry], ac: &Decoder, pair: usize) {
        entries.fill(Entry::none(FULL));
        let count = |symbol| if symbol == 0 { END } else { u64::from(symbol >> 4) + 1 };
        Spelling {
            decoder: ac,
            table: table(pair, Class::Ac),
            count: &count,
            most: MOST_SYMBOLS,
            phrases: self,
        }
        .fill(entries, Phrase::default());
    }

    fn number(&mut self, phrase: Phrase) -> Option<usize> {
        if let [single] = phrase.symbols() {
            return Some(single.number());
        }
        let number = self.numbers();
        if number == MOST_NUMBERS {
            return None;
        }
        self.0.push(phrase);
        Some(number)
    }
}

/// A table's symbols on their way into phrases.
struct Spelling<'a> {
    decoder: &'a Decoder,
    table: u32,
    /// What a symbol adds to the count of the block's coefficients.
    count: &'a dyn Fn(u8) -> u64,
    most: usize,
    phrases: &'a mut Phrases,
}

impl Spelling<'_> {
    /// Fills in what lies in the windows that begin with a phrase; `entries` are all of these, by what
    /// follows it.
    fn fill(&mut self, entries: &mut [Entry], begun: Phrase) {
        let left = entries.len().trailing_zeros();
        let mut at = 0;
        while at < entries.len() {
            let code = self.decoder.code((at as u64) << (63 - left) << 1);
            if code.length == 0 || u32::from(code.length) > left {
                at += 1;
                continue;
            }
            let behind = at + (entries.len() >> code.length);
            let token = Token::new(self.table << 8 | u32::from(code.symbol), 0);
            if let Some(phrase) = begun.with(token, code.length, (self.count)(code.symbol)) {
                self.fill_from(&mut entries[at..behind], phrase);
            }
            at = behind;
        }
    }

    fn fill_from(&mut self, entries: &mut [Entry], phrase: Phrase) {
        let Some(number) = self.phrases.number(phrase) else { return };
        let last = phrase.symbols[phrase.length - 1];
        entries.fill(Entry::of(&phrase, number));
        let behind = entries.len() >> last.size();
        if phrase.length < self.most && behind > 1 && !last.is_end() && !last.is_sixteen_zeros() {
            for (extra, entries) in entries.chunks_exact_mut(behind).enumerate() {
                self.fill(entries, phrase.saying(extra));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::huffman::Definition;

    const WINDOW_BITS: usize = 11;
    /// An end of two bits, single ones and twos of few, sixteen zeros of six, and one that is too long.
    const SYMBOLS_BY_LENGTH: [u8; 7] = [0x00, 0x01, 0x11, 0x02, 0xF0, 0x0A, 0x21];

    fn decoder() -> Decoder {
        let counts = [0, 2, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0];
        Decoder::new(&Definition::of(counts, SYMBOLS_BY_LENGTH.to_vec()), Class::Ac).expect("it is sound")
    }

    /// What a window begins with, symbol by symbol, up to so many bits.
    fn one_by_one(ac: &Decoder, mut window: u64, bits: u32) -> Vec<Token> {
        let (mut tokens, mut used) = (Vec::new(), 0);
        while used < bits {
            let code = ac.code(window);
            window <<= code.length;
            let symbol = Token::new(table(1, Class::Ac) << 8 | u32::from(code.symbol), 0);
            tokens.push(symbol.saying((window >> 1 >> (63 - symbol.size())) as u32));
            window <<= symbol.size();
            used += u32::from(code.length) + symbol.size();
        }
        tokens
    }

    #[test]
    fn phrases_are_the_symbols_that_stand_there_and_their_magnitudes() {
        let (ac, mut phrases) = (decoder(), Phrases::default());
        let mut entries = vec![Entry::none(0); 1 << WINDOW_BITS];
        phrases.fill_further(&mut entries, &ac, 1);
        let mut longest = 0;
        for (at, entry) in entries.into_iter().enumerate() {
            for behind in [0, 0x155, 0xFFF] {
                let window = (at as u64) << (64 - WINDOW_BITS) | behind << 41;
                let mut rest = window;
                let token = entry.take(&mut rest);
                let bits = (entry.added() >> COUNT_BITS) as u32;
                let found: Vec<Token> = phrases.spelled_out(&[token]).collect();
                if bits > 0 {
                    assert_eq!(found, one_by_one(&ac, window, bits));
                    assert_eq!(rest, window.rotate_left(bits));
                    assert!(found.len() == 1 || !found.iter().any(|token| token.is_sixteen_zeros()));
                    longest = longest.max(found.len());
                }
            }
        }
        assert_eq!(longest, MOST_SYMBOLS);
    }

    #[test]
    fn nothing_is_found_where_a_code_is_longer_than_the_window() {
        let (ac, mut phrases) = (decoder(), Phrases::default());
        let mut entries = vec![Entry::none(0); 1 << WINDOW_BITS];
        phrases.fill_further(&mut entries, &ac, 0);
        assert_eq!(entries.last().map(|entry| entry.added()), Some(FULL));
    }
}

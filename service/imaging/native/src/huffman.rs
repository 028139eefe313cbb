//! Huffman tables (ITU-T T.81, annexes C, F.2.2.3 and K.2).

use crate::refusal::{Answer, Refusal};

/// The longest code that JPEG knows.
pub const MAX_LENGTH: usize = 16;
const FAST_BITS: usize = 10;
/// Magnitudes of baseline JPEG (F.1.2): DC differences and AC coefficients.
pub const MAX_DC_BITS: u8 = 11;
/// See `MAX_DC_BITS`.
pub const MAX_AC_BITS: u8 = 10;

/// How many codes of each length 1 to 16, and their symbols, as a DHT segment writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    counts: [u8; MAX_LENGTH],
    symbols: Vec<u8>,
}

impl Definition {
    /// The first definition in `bytes`, and what follows it.
    pub fn read(bytes: &[u8]) -> Answer<(Self, &[u8])> {
        let (head, rest) = bytes.split_first_chunk().ok_or(Refusal::NotMine)?;
        let total: usize = head.iter().map(|&count| usize::from(count)).sum();
        if total > 256 || total > rest.len() {
            return Err(Refusal::NotMine);
        }
        let (symbols, rest) = rest.split_at(total);
        let definition = Definition { counts: *head, symbols: symbols.to_vec() };
        definition.require_room()?;
        Ok((definition, rest))
    }

    /// Of these codes; the caller knows that there are as many symbols as codes.
    pub fn of(counts: [u8; MAX_LENGTH], symbols: Vec<u8>) -> Self {
        Definition { counts, symbols }
    }

    /// As a DHT segment writes it, without its first byte.
    pub fn written(&self) -> Vec<u8> {
        [&self.counts[..], &self.symbols[..]].concat()
    }

    /// Each code with its length and symbol, shortest first.
    pub fn codes(&self) -> impl Iterator<Item = (u16, u8, u8)> + '_ {
        let lengths = (1..).zip(self.counts).flat_map(|(length, count)| (0..count).map(move |_| length));
        let mut next = 0u32;
        let mut last = 1u8;
        lengths.zip(&self.symbols).map(move |(length, &symbol)| {
            next <<= length - last;
            last = length;
            next += 1;
            ((next - 1) as u16, length, symbol)
        })
    }

    /// No more codes than fit, and none of ones alone, as libjpeg asks too.
    fn require_room(&self) -> Answer<()> {
        let mut next = 0u32;
        for (length, &count) in (1..).zip(&self.counts) {
            next = (next << 1) + u32::from(count);
            if count > 0 && next >= 1 << length {
                return Err(Refusal::NotMine);
            }
        }
        Ok(())
    }
}

/// Whose symbols a table holds, which decides which of them make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A magnitude's number of bits.
    Dc,
    /// A run of zeros and a magnitude's number of bits.
    Ac,
}

/// A code's symbol and length; a length of 0 where there is no such code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Code {
    /// What it stands for.
    pub symbol: u8,
    /// In bits.
    pub length: u8,
}

/// The decoders of a component, DC and AC.
pub type Pair = (Decoder, Decoder);

/// Codes looked up by their bits.
pub struct Decoder {
    fast: Box<[Code; 1 << FAST_BITS]>,
    /// For each length: the first 16-bit window behind its codes, and where its symbols begin.
    ends: [u32; MAX_LENGTH + 1],
    /// The first window behind the codes that `fast` knows.
    first_long: u32,
    firsts: [i32; MAX_LENGTH + 1],
    symbols: Vec<Code>,
}

impl Decoder {
    /// Symbols that baseline JPEG does not know have no code: who meets one asks the library.
    pub fn new(definition: &Definition, class: Class) -> Answer<Self> {
        if class == Class::Dc && definition.symbols.iter().any(|&bits| bits > 15) {
            return Err(Refusal::NotMine); // libjpeg refuses the table, used or not
        }
        Ok(Decoder::knowing(definition, |symbol| is_known(symbol, class)))
    }

    /// The same, with other symbols that have a code.
    pub fn knowing(definition: &Definition, is_known: impl Fn(u8) -> bool) -> Self {
        let mut decoder = Decoder {
            fast: Box::new([Code::default(); 1 << FAST_BITS]),
            ends: [0; MAX_LENGTH + 1],
            first_long: 0,
            firsts: [0; MAX_LENGTH + 1],
            symbols: Vec::with_capacity(definition.symbols.len()),
        };
        for (code, length, symbol) in definition.codes() {
            let meaning = if is_known(symbol) { Code { symbol, length } } else { Code::default() };
            decoder.add(u32::from(code), length, meaning);
        }
        decoder
    }

    fn add(&mut self, code: u32, length: u8, meaning: Code) {
        let bits = usize::from(length);
        let index = self.symbols.len() as i32;
        let window = code << (MAX_LENGTH - bits);
        self.firsts[bits] = index - code as i32;
        self.ends[bits] = window + (1 << (MAX_LENGTH - bits));
        self.symbols.push(meaning);
        if bits <= FAST_BITS {
            self.first_long = self.ends[bits];
            let from = (window >> (MAX_LENGTH - FAST_BITS)) as usize;
            self.fast[from..from + (1 << (FAST_BITS - bits))].fill(meaning);
        }
    }

    /// The code that `window`'s highest bits begin with.
    #[inline(always)]
    pub fn code(&self, window: u64) -> Code {
        let code = self.fast[(window >> (64 - FAST_BITS)) as usize];
        if code.length != 0 {
            return code;
        }
        self.long_code((window >> (64 - MAX_LENGTH)) as u32)
    }

    #[cold]
    fn long_code(&self, window: u32) -> Code {
        if window < self.first_long {
            return Code::default();
        }
        for length in FAST_BITS + 1..=MAX_LENGTH {
            if window < self.ends[length] {
                let index = self.firsts[length] + (window >> (MAX_LENGTH - length)) as i32;
                return self.symbols.get(index as usize).copied().unwrap_or_default();
            }
        }
        Code::default()
    }
}

/// Whether baseline JPEG has it (F.1.2).
pub fn is_known(symbol: u8, class: Class) -> bool {
    match class {
        Class::Dc => symbol <= MAX_DC_BITS,
        Class::Ac => symbol & 15 <= MAX_AC_BITS && (symbol & 15 > 0 || symbol == 0 || symbol == 0xF0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LUMINANCE_DC: [u8; 28] =
        [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

    #[test]
    fn standard_table_has_the_codes_of_annex_k() {
        let (definition, rest) = Definition::read(&LUMINANCE_DC).expect("it is sound");
        assert!(rest.is_empty());
        assert_eq!(definition.written(), LUMINANCE_DC);
        let codes: Vec<_> = definition.codes().collect();
        assert_eq!(codes[0], (0b00, 2, 0));
        assert_eq!(codes[5], (0b110, 3, 5));
        assert_eq!(codes[11], (0b1_1111_1110, 9, 11));
    }

    #[test]
    fn long_codes_are_found_and_those_of_none_are_not() {
        let mut counts = [1; MAX_LENGTH];
        counts[0] = 1;
        let definition = Definition::of(counts, (0..16).map(|symbol| symbol % 12).collect());
        let decoder = Decoder::new(&definition, Class::Dc).expect("it is sound");
        for (code, length, symbol) in definition.codes() {
            let window = u64::from(code) << (64 - u32::from(length));
            assert_eq!(decoder.code(window), Code { symbol, length });
        }
        assert_eq!(decoder.code(!0), Code::default());
    }

    #[test]
    fn codes_that_do_not_fit_are_refused() {
        for counts in [[3, 0], [2, 0], [1, 2], [1, 3]] {
            let mut bytes = [0; MAX_LENGTH + 8];
            bytes[..2].copy_from_slice(&counts);
            assert_eq!(Definition::read(&bytes).err(), Some(Refusal::NotMine), "{counts:?}");
        }
    }
}

//! What tokens are written as.

use crate::huffman::{Class, Decoder, Definition};
use crate::phrases::{Phrase, Phrases, MOST_BITS};
use crate::proof::{require_read_as, require_readable};
use crate::refusal::Answer;
use crate::tokens::{Token, SYMBOLS};

/// By `Token::number`, the code above room for the magnitude's bits, and below that in `COUNT_BITS` how many
/// bits both are together.
pub struct Codes {
    written: Vec<u64>,
    decoders: Vec<Decoder>,
}

const COUNT_BITS: u32 = 8;
const _: () = assert!(MOST_BITS + COUNT_BITS <= 64);

impl Codes {
    /// Of tables, in the order of `Token::number`; an error where one could not be read.
    pub fn of(tables: &[Definition]) -> Answer<Self> {
        let mut codes = Codes { written: vec![0; SYMBOLS], decoders: Vec::with_capacity(tables.len()) };
        let classes = [Class::Dc, Class::Ac].into_iter().cycle();
        for ((written, table), class) in codes.written.chunks_exact_mut(256).zip(tables).zip(classes) {
            let decoder = Decoder::new(table, class)?;
            require_readable(&decoder, table)?;
            for (code, length, symbol) in table.codes() {
                let size = symbol & 15;
                let value = u64::from(code) << size;
                written[usize::from(symbol)] = value << COUNT_BITS | u64::from(length + size);
            }
            codes.decoders.push(decoder);
        }
        Ok(codes)
    }

    /// Knows those phrases too that occur; `counts` is by number. An error where one could not be read.
    pub fn learn(&mut self, phrases: &Phrases, counts: &[u32]) -> Answer<()> {
        self.written.resize(phrases.numbers(), 0);
        for (number, phrase) in phrases.all().filter(|(number, _)| counts[*number] > 0) {
            let (value, count) = self.joined(phrase);
            require_read_as(&self.decoders, value << (64 - count), count, phrase.symbols())?;
            self.written[number] = value << COUNT_BITS | u64::from(count);
        }
        Ok(())
    }

    fn joined(&self, phrase: &Phrase) -> (u64, u32) {
        phrase.symbols().iter().fold((0, 0), |(value, count), &token| {
            let (next, next_count) = self.written_as(token);
            (value << next_count | next, count + next_count)
        })
    }

    /// Whether there is one for each number that occurs at all.
    pub fn are_for(&self, counts: &[u32]) -> bool {
        counts.iter().zip(&self.written).all(|(&count, &written)| count == 0 || written > 0)
    }

    /// In how many bits tokens are written whose numbers occur so often.
    pub fn bits(&self, counts: &[u32]) -> usize {
        counts
            .iter()
            .zip(&self.written)
            .map(|(&count, &written)| count as usize * (written & 255) as usize)
            .sum()
    }

    /// A token's bits, the last one lowest, and how many they are.
    #[inline(always)]
    pub fn written_as(&self, token: Token) -> (u64, u32) {
        let written = self.written[token.number()];
        (written >> COUNT_BITS | u64::from(token.extra()), (written as u32) & 255)
    }

    /// Gives the bits of tokens, one behind another, the last one lowest, and how many they are: at least
    /// one and at most `MOST_BITS`.
    #[inline(always)]
    pub fn each_written(&self, tokens: &[Token], mut each: impl FnMut(u64, u32)) {
        // A processor waits for what was written before: half as often with two at a time.
        let pairs = tokens.chunks_exact(2);
        let last = pairs.remainder();
        for pair in pairs {
            let (first, first_count) = self.written_as(pair[0]);
            let (second, second_count) = self.written_as(pair[1]);
            let count = first_count + second_count;
            if count <= MOST_BITS {
                each(first << second_count | second, count);
            } else {
                each(first, first_count);
                each(second, second_count);
            }
        }
        for &token in last {
            let (value, count) = self.written_as(token);
            each(value, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::huffman::MAX_LENGTH;
    use crate::phrases::Entry;

    const WINDOW_BITS: usize = 11;

    fn table(counts: [u8; MAX_LENGTH], symbols: &[u8]) -> Definition {
        Definition::of(counts, symbols.to_vec())
    }

    /// The bits of tokens one behind another.
    fn written(codes: &Codes, tokens: &[Token]) -> Vec<bool> {
        let mut bits = Vec::new();
        codes.each_written(tokens, |value, count| {
            assert!((1..=MOST_BITS).contains(&count));
            bits.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        });
        bits
    }

    #[test]
    fn phrases_are_written_as_their_symbols_are_though_two_of_them_be_long() {
        let short = table([0, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0x01, 0x00, 0x11, 0x02]);
        let long = table([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3], &[0x00, 0x01, 0x11, 0x02]);
        let read = Decoder::new(&short, Class::Ac).expect("it is sound");
        let (mut phrases, mut entries) = (Phrases::default(), vec![Entry::none(0); 1 << WINDOW_BITS]);
        phrases.fill_further(&mut entries, &read, 0);
        let windows = (0..).map(|window: u64| window << (64 - WINDOW_BITS)).zip(entries);
        let found = windows.filter(|(_, entry)| entry.added() >> 9 > 0);
        let tokens: Vec<Token> = found.map(|(mut window, entry)| entry.take(&mut window)).collect();

        let mut codes = Codes::of(&[table([0; MAX_LENGTH], &[]), long]).expect("it can be read");
        codes.learn(&phrases, &vec![1; phrases.numbers()]).expect("they can be read");

        let symbols: Vec<Token> = phrases.spelled_out(&tokens).collect();
        let bits = |pair: &[Token]| pair.iter().map(|&token| codes.written_as(token).1).sum::<u32>();
        assert!(tokens.chunks(2).any(|pair| bits(pair) > MOST_BITS));
        assert_eq!(written(&codes, &tokens), written(&codes, &symbols));
    }
}

//! That what was written is read as the very tokens that were to be written, found without reading it.
//!
//! Where each code has to be is known, since those before it are. So two things are enough: each of them
//! is there, and a decoder reads each of them as what it stands for, whatever follows. The codes of a
//! phrase are read one behind another, once, and not wherever it was written. That tokens make blocks, and
//! in which tables, the reader saw to that they came from.

use crate::bits::{unstuff, word_at, SLACK};
use crate::codes::Codes;
use crate::huffman::{Code, Decoder, Definition};
use crate::refusal::{Answer, Refusal};
use crate::tokens::{Token, Tokens};

/// An error unless a decoder knows each of its table's codes, and none begins another one.
pub fn require_readable(decoder: &Decoder, table: &Definition) -> Answer<()> {
    let mut last_before = None;
    for (code, length, symbol) in table.codes() {
        let first = u64::from(code) << (64 - u32::from(length));
        let last = first | u64::MAX >> length;
        let meant = Code { symbol, length };
        require(decoder.code(first) == meant && decoder.code(last) == meant)?;
        require(last_before.map_or(true, |before| before < first))?;
        last_before = Some(last);
    }
    Ok(())
}

/// An error unless decoders, in the order of `Token::number`, read bits, the first one highest and so many of
/// them, as these symbols and magnitudes.
pub fn require_read_as(decoders: &[Decoder], mut bits: u64, count: u32, symbols: &[Token]) -> Answer<()> {
    let mut read = 0;
    for token in symbols {
        let decoder = decoders.get(token.number() >> 8).ok_or(Refusal::Damaged)?;
        let Code { symbol, length } = decoder.code(bits);
        require(length > 0 && usize::from(symbol) == token.number() & 255)?;
        bits <<= length;
        require(bits >> 1 >> (63 - token.size()) == u64::from(token.extra()))?;
        bits <<= token.size();
        read += u32::from(length) + token.size();
    }
    require(read == count)
}

/// An error unless the data, stuffed, are these runs one behind another, and less than a byte more; each
/// begins at its bit, before anything was stuffed.
pub fn require_in(data: &[u8], codes: &Codes, runs: &[Tokens], begins: &[usize]) -> Answer<()> {
    let mut bytes = vec![0; data.len() + SLACK];
    let (end, length) = unstuff(data, 0, &mut bytes, data.len(), |_| ());
    let (mut bit, mut different) = (0, 0);
    require(end == data.len() && begins.len() == runs.len())?;
    for (run, &begin) in runs.iter().zip(begins) {
        require(bit == begin)?;
        codes.each_written(&run.all, |value, count| {
            different |= found(&bytes, bit, count) ^ value;
            bit += count as usize;
        });
    }
    require(different == 0 && bit <= 8 * length && 8 * length - bit < 8)
}

/// So many bits, at least one and at most 56, the last one lowest.
#[inline(always)]
fn found(bytes: &[u8], bit: usize, count: u32) -> u64 {
    (word_at(bytes, bit >> 3) << (bit & 7)) >> (64 - count)
}

fn require(holds: bool) -> Answer<()> {
    if holds {
        Ok(())
    } else {
        Err(Refusal::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::huffman::Class;
    use crate::writer::Writer;

    #[test]
    fn whatever_bit_is_turned_is_noticed() {
        let table = Definition::of([0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], (0..8).collect());
        let codes = Codes::of(&[table]).expect("it can be read");
        let differences = [0, 3, -100, 127, -1, 65, -127, 2, -8, 31, 0];
        let all = differences.map(|difference| Token::of_dc(difference, 0).expect("it is small")).to_vec();
        let mut writer = Writer::default();
        for &token in &all {
            let (value, count) = codes.written_as(token);
            writer.write(4, |pen, bytes| pen.push(bytes, value, count));
        }
        let written = writer.bits();
        let data = writer.finished();
        let runs = [Tokens { all, lengths: vec![1; differences.len()] }];

        assert_eq!(require_in(&data, &codes, &runs, &[0]), Ok(()));
        assert!(data.windows(2).all(|pair| pair[0] != 0xFF), "bits lie where they would without stuffing");
        for bit in 0..written {
            let mut turned = data.clone();
            turned[bit / 8] ^= 0x80 >> (bit % 8);
            assert!(require_in(&turned, &codes, &runs, &[0]).is_err(), "bit {bit}");
        }
        assert!(require_in(&data[..data.len() - 1], &codes, &runs, &[0]).is_err(), "a byte is missing");
        assert!(require_in(&[&data[..], &[0]].concat(), &codes, &runs, &[0]).is_err(), "one is too many");
    }

    #[test]
    fn tables_that_baseline_jpeg_does_not_know_cannot_be_read() {
        let readable = |symbol, class| {
            let table = Definition::of([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], vec![symbol]);
            require_readable(&Decoder::new(&table, class)?, &table)
        };
        assert!(readable(11, Class::Dc).is_ok());
        assert!(readable(12, Class::Dc).is_err());
        assert!(readable(0x10, Class::Ac).is_err());
    }

    #[test]
    fn phrases_are_read_as_their_symbols_and_nothing_else_is() {
        let table = Definition::of([0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], (0..8).collect());
        let decoders = [Decoder::new(&table, Class::Dc).expect("it is sound")];
        let symbols = [Token::new(2, 0b10), Token::new(0, 0), Token::new(1, 0)];
        let (bits, count) = (0b0110_1000_0100_u64 << (64 - 12), 12);
        let readable = |bits, count, symbols: &[Token]| require_read_as(&decoders, bits, count, symbols);

        assert_eq!(readable(bits, count, &symbols), Ok(()));
        assert!((0..count).all(|bit| readable(bits ^ 1 << (63 - bit), count, &symbols).is_err()));
        assert!(readable(bits, count - 1, &symbols).is_err(), "a bit is missing");
        assert!(readable(bits, count, &symbols[..2]).is_err(), "a symbol is missing");
    }
}

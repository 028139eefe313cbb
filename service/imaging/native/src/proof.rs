//! That what was written is read as the very tokens that were to be written, found without reading it.
//!
//! Where each code has to be is known, since those before it are. So two things are enough: each of them
//! is there, and a decoder reads each of them as what it stands for, whatever follows. That tokens make
//! blocks, and in which tables, the reader saw to that they came from.

use crate::bits::{unstuff, word_at, SLACK};
use crate::huffman::{Class, Code, Decoder, Definition};
use crate::refusal::{Answer, Refusal};
use crate::tokens::{Codes, Tokens};

/// An error unless a decoder knows each of a table's codes, and none begins another one.
pub fn require_readable(table: &Definition, class: Class) -> Answer<()> {
    let decoder = Decoder::new(table, class)?;
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

/// An error unless the data, stuffed, are these runs one behind another, and less than a byte more; each
/// begins at its bit, before anything was stuffed.
pub fn require_in(data: &[u8], codes: &Codes, runs: &[Tokens], begins: &[usize]) -> Answer<()> {
    let mut bytes = vec![0; data.len() + SLACK];
    let (end, length) = unstuff(data, 0, &mut bytes, data.len(), |_| ());
    let (mut bit, mut different) = (0, 0);
    require(end == data.len() && begins.len() == runs.len())?;
    for (run, &begin) in runs.iter().zip(begins) {
        require(bit == begin)?;
        let pairs = run.all.chunks_exact(2);
        let last = pairs.remainder();
        for pair in pairs {
            let (value, count) = codes.both(pair[0], pair[1]);
            different |= found(&bytes, bit, count) ^ value;
            bit += count as usize;
        }
        for &token in last {
            let (value, count) = codes.written_as(token);
            different |= found(&bytes, bit, count) ^ value;
            bit += count as usize;
        }
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
    use crate::bits::Writer;
    use crate::tokens::Token;

    #[test]
    fn whatever_bit_is_turned_is_noticed() {
        let table = Definition::of([0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], (0..8).collect());
        let codes = Codes::of(&[table]).expect("it can be read");
        let differences = [0, 3, -100, 127, -1, 65, -127, 2, -8, 31, 0];
        let all = differences.map(|difference| Token::of_dc(difference, 0).expect("it is small")).to_vec();
        let mut writer = Writer::default();
        writer.make_room(4 * all.len());
        for &token in &all {
            let (value, count) = codes.written_as(token);
            writer.push(value, count);
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
        let of = |symbol| Definition::of([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], vec![symbol]);
        assert!(require_readable(&of(11), Class::Dc).is_ok());
        assert!(require_readable(&of(12), Class::Dc).is_err());
        assert!(require_readable(&of(0x10), Class::Ac).is_err());
    }
}

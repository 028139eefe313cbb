//! Huffman tables made to measure (ITU-T T.81, annex K.2).
//!
//! Ties are broken as `service/imaging/jpeg_huffman.py` breaks them, so that both write the same
//! file.

use crate::huffman::{Definition, MAX_LENGTH};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A symbol that never occurs takes the code of all ones, which JPEG forbids.
const RESERVED: usize = 256;
const NODES: usize = 2 * RESERVED + 1;

/// The shortest code of at most 16 bits for symbols that occur so often.
pub fn definition_of(counts: &[u32; 256]) -> Definition {
    let lengths = code_lengths(counts);
    let mut per_length = limited(&lengths);
    if let Some(longest) = per_length.iter_mut().rev().find(|count| **count > 0) {
        *longest -= 1; // the reserved one is the last of the longest
    }
    let mut symbols: Vec<u8> = (0..=255u8).filter(|&symbol| counts[usize::from(symbol)] > 0).collect();
    symbols.sort_by_key(|&symbol| (lengths[usize::from(symbol)], symbol));
    let mut limited_counts = [0u8; MAX_LENGTH];
    for (count, number) in limited_counts.iter_mut().zip(per_length) {
        *count = number as u8; // at most 256 codes, and none of the lengths holds them all
    }
    Definition::of(limited_counts, symbols)
}

/// Joins the two rarest groups until one is left; joining makes their symbols a bit longer.
fn code_lengths(counts: &[u32; 256]) -> [usize; RESERVED + 1] {
    let mut parents = [usize::MAX; NODES];
    let occurring = (0..RESERVED).filter(|&symbol| counts[symbol] > 0);
    let mut groups: BinaryHeap<_> = occurring
        .map(|symbol| Reverse((u64::from(counts[symbol]), Reverse(symbol), symbol)))
        .chain([Reverse((0, Reverse(RESERVED), RESERVED))])
        .collect();
    let mut next = RESERVED + 1;
    while let (Some(Reverse(rarest)), Some(Reverse(other))) = (groups.pop(), groups.pop()) {
        parents[rarest.2] = next;
        parents[other.2] = next;
        groups.push(Reverse((rarest.0 + other.0, rarest.1.min(other.1), next)));
        next += 1;
    }
    let mut depths = [0usize; NODES];
    for node in (0..next.min(NODES)).rev() {
        if parents[node] < NODES {
            depths[node] = depths[parents[node]] + 1;
        }
    }
    let mut lengths = [0; RESERVED + 1];
    lengths.copy_from_slice(&depths[..=RESERVED]);
    lengths
}

/// How many codes of each length 1 to 16: longer ones are shortened in pairs, a shorter one making
/// room (figure K.3).
fn limited(lengths: &[usize; RESERVED + 1]) -> [usize; MAX_LENGTH] {
    let mut counts = [0usize; RESERVED + 2];
    for &length in lengths.iter().filter(|&&length| length > 0) {
        counts[length] += 1;
    }
    for length in (MAX_LENGTH + 1..counts.len()).rev() {
        while counts[length] > 0 {
            let Some(shorter) = (1..length - 1).rev().find(|&shorter| counts[shorter] > 0) else { break };
            counts[length] -= 2;
            counts[length - 1] += 1;
            counts[shorter + 1] += 2;
            counts[shorter] -= 1;
        }
    }
    let mut kept = [0; MAX_LENGTH];
    kept.copy_from_slice(&counts[1..=MAX_LENGTH]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much of all codes they take, in parts of 2 to the 16.
    fn taken(definition: &Definition) -> u32 {
        definition.codes().map(|(_, length, _)| 1 << (MAX_LENGTH - usize::from(length))).sum()
    }

    #[test]
    fn rare_symbols_get_long_codes_and_none_is_of_ones_alone() {
        let mut counts = [0; 256];
        (counts[0], counts[7], counts[255]) = (100, 10, 1);
        let codes: Vec<_> = definition_of(&counts).codes().collect();
        assert_eq!(codes, [(0b0, 1, 0), (0b10, 2, 7), (0b110, 3, 255)]);
    }

    #[test]
    fn no_code_is_longer_than_sixteen_bits() {
        let mut counts = [0; 256];
        let (mut one, mut next) = (1u32, 1);
        for count in counts.iter_mut().take(40) {
            *count = one;
            (one, next) = (next, one + next);
        }
        let definition = definition_of(&counts);
        assert_eq!(definition.codes().count(), 40);
        assert!(taken(&definition) < 1 << MAX_LENGTH);
    }

    #[test]
    fn every_symbol_as_often_as_any_other_fits() {
        let definition = definition_of(&[1; 256]);
        assert_eq!(definition.codes().count(), 256);
        assert!(taken(&definition) < 1 << MAX_LENGTH);
    }
}

//! Inputs made of others: bytes changed at random, and with some sense of what a JPEG is.

use std::ops::Range;

const MOST_BYTES: usize = 40_000;
/// Of a segment, so much is likely to tell something.
const LONGEST_HEADER: usize = 200;
const TELLING: [u8; 21] = [
    0x00, 0x01, 0x02, 0x0F, 0x10, 0x11, 0x22, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xC2, 0xC4, 0xD0, 0xD7, 0xD9,
    0xDA, 0xDD, 0xFE, 0xFF,
];

/// Random, the same for the same seed.
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// From a seed that is not 0.
    pub fn new(seed: u64) -> Self {
        Mutator { state: seed | 1 }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 11) as usize % end.max(1)
    }

    /// One of the inputs, changed in a few places.
    pub fn mutated(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        let recent = self.below(3) == 0;
        let from = if recent { inputs.len().saturating_sub(64) } else { 0 };
        let chosen = from + self.below(inputs.len() - from);
        let mut bytes = inputs[chosen].clone();
        let changes = 1 << self.below(4);
        for _ in 0..changes {
            let other = self.below(inputs.len());
            self.change(&mut bytes, &inputs[other]);
        }
        bytes.truncate(MOST_BYTES);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let at = self.place(bytes);
        let most = 1 << self.below(8);
        let length = 1 + self.below(most);
        match self.below(12) {
            0 | 1 if at < bytes.len() => bytes[at] ^= 1 << (self.next() & 7),
            2 if at < bytes.len() => bytes[at] = self.next() as u8,
            3 if at < bytes.len() => bytes[at] = TELLING[self.below(TELLING.len())],
            4 if at < bytes.len() => bytes[at] = bytes[at].wrapping_add(self.below(9) as u8).wrapping_sub(4),
            5 => drop(bytes.drain(at..(at + length).min(bytes.len()))),
            6 => {
                let copied = bytes[at..(at + length).min(bytes.len())].to_vec();
                self.insert(bytes, &copied);
            }
            7 => {
                let marker = [0xFF, TELLING[self.below(TELLING.len())]];
                self.insert(bytes, &marker);
            }
            8 => {
                let from = self.below(other.len());
                let copied = &other[from..(from + length).min(other.len())];
                self.insert(bytes, copied);
            }
            9 => {
                let from = self.below(other.len());
                for (to, from) in bytes[at..].iter_mut().zip(&other[from..]).take(length) {
                    *to = *from;
                }
            }
            10 => {
                let (mine, theirs) = (segments(bytes), segments(other));
                let from = theirs[self.below(theirs.len())].clone();
                let to = mine[self.below(mine.len())].clone();
                bytes.splice(to, other[from].iter().copied());
            }
            _ => bytes.truncate(at.max(4)),
        }
    }

    /// Where segments begin as often as anywhere.
    fn place(&mut self, bytes: &[u8]) -> usize {
        if self.below(2) == 0 {
            return self.below(bytes.len());
        }
        let all = segments(bytes);
        let one = &all[self.below(all.len())];
        one.start + self.below(one.len().min(LONGEST_HEADER))
    }

    fn insert(&mut self, bytes: &mut Vec<u8>, inserted: &[u8]) {
        let at = self.place(bytes);
        bytes.splice(at..at, inserted.iter().copied());
    }
}

/// Where the segments lie, a scan's with the data behind it; the last one goes to the end of the file.
fn segments(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 2;
    while let Some(&[0xFF, marker, high, low]) = bytes.get(at..at + 4) {
        let mut end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker == 0xDA && end < bytes.len() {
            let is_marker = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xD0..=0xD7);
            let data = bytes[end..].windows(2).position(is_marker);
            end = data.map_or(bytes.len(), |length| end + length);
        }
        if end >= bytes.len() {
            break;
        }
        found.push(at..end);
        at = end;
    }
    found.push(at.min(bytes.len())..bytes.len());
    found
}

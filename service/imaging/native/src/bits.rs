//! Bits out of entropy-coded data; 0xFF is followed by a stuffed 0 there (F.1.2.3).

use crate::refusal::{Answer, Refusal};

/// Bytes that are taken at once.
pub const WORD: usize = 8;

/// Eight bytes, highest first, zeros behind the end.
#[inline(always)]
pub fn word_at(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..at + WORD) {
        Some(word) => u64::from_be_bytes(word.try_into().unwrap_or_default()),
        None => last_word(bytes, at),
    }
}

#[cold]
fn last_word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; WORD];
    for (to, from) in word.iter_mut().zip(bytes.iter().skip(at)) {
        *to = *from;
    }
    u64::from_be_bytes(word)
}

/// Bytes without stuffing, of which a word can be taken anywhere without asking how many there are.
pub type Room = [u8; ROOM + WORD];
/// So many bytes there are in a room, a power of two.
pub const ROOM: usize = 1 << 15;

/// The bits of a room from a bit on.
#[inline(always)]
pub fn window_at(room: &Room, bit: usize) -> u64 {
    let at = (bit >> 3) % ROOM;
    let word: [u8; WORD] = room[at..at + WORD].try_into().unwrap_or_default();
    u64::from_be_bytes(word) << (bit & 7)
}

/// The highest bits of the bytes that are 0xFF, and maybe of some above the lowest of these.
#[inline(always)]
fn marker_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    (!word).wrapping_sub(ONES) & word & (ONES << 7)
}

/// Something that Huffman codes are read from.
pub trait Bits {
    /// The next bits, highest first, at least 32 of them; zeros behind the end.
    fn window(&mut self) -> u64;
    /// Goes on; `count` is at most 32.
    fn skip(&mut self, count: u32);
}

/// Bits of a room, from anywhere.
pub struct Clean<'a> {
    /// What is read.
    pub room: &'a Room,
    /// The next bit.
    pub bit: usize,
}

impl Bits for Clean<'_> {
    #[inline(always)]
    fn window(&mut self) -> u64 {
        window_at(self.room, self.bit)
    }

    #[inline(always)]
    fn skip(&mut self, count: u32) {
        self.bit += count as usize;
    }
}

/// Bytes that are looked at together.
pub const STRIDE: usize = 32;
/// So much more than is wanted `unstuff` may write.
pub const SLACK: usize = STRIDE;

/// Copies at least so many of the file's bytes without their stuffing, fewer only before a marker;
/// returns where it stopped, and how many there are. `bytes` has `SLACK` more room than is wanted;
/// `stuffed` is told behind which of them stuffing stood.
pub fn unstuff(
    file: &[u8],
    mut from: usize,
    bytes: &mut [u8],
    wanted: usize,
    mut stuffed: impl FnMut(usize),
) -> (usize, usize) {
    let mut to = 0;
    while to < wanted {
        let (Some(stride), Some(room)) = (file.get(from..from + STRIDE), bytes.get_mut(to..to + STRIDE))
        else {
            return unstuff_end(file, from, bytes, to, wanted, stuffed);
        };
        room.copy_from_slice(stride);
        let clean = clean_bytes(stride);
        (from, to) = (from + clean, to + clean);
        if clean < STRIDE {
            if file.get(from + 1) != Some(&0) {
                return (from, to);
            }
            stuffed(to);
            (from, to) = (from + 2, to + 1);
        }
    }
    (from, to)
}

/// The last stride, byte by byte.
#[cold]
fn unstuff_end(
    file: &[u8],
    mut from: usize,
    bytes: &mut [u8],
    mut to: usize,
    wanted: usize,
    mut stuffed: impl FnMut(usize),
) -> (usize, usize) {
    while to < wanted.min(bytes.len()) {
        from += match file.get(from..) {
            Some([0xFF, 0, ..]) => {
                stuffed(to);
                bytes[to] = 0xFF;
                2
            }
            Some([0xFF, ..] | []) | None => break,
            Some([byte, ..]) => {
                bytes[to] = *byte;
                1
            }
        };
        to += 1;
    }
    (from, to)
}

/// Whether none of the bytes is 0xFF.
#[inline(always)]
pub fn is_clean(stride: &[u8]) -> bool {
    !stride.iter().fold(false, |any, &byte| any | (byte == 0xFF))
}

/// How many bytes come before the first 0xFF.
#[inline(always)]
fn clean_bytes(stride: &[u8]) -> usize {
    if is_clean(stride) {
        return stride.len();
    }
    // No branches, whose ways no processor could guess: the highest bits of eight bytes become one byte.
    let marks = |word: &[u8]| {
        let marks = marker_bytes(u64::from_le_bytes(word.try_into().unwrap_or_default()));
        (marks >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    };
    let all = stride.chunks_exact(WORD).rev().fold(0, |all, word| all << 8 | marks(word));
    all.trailing_zeros() as usize
}

/// Bits of a file, stuffing left out, up to the next marker.
///
/// Positions count the file's bits, stuffing included; one at a byte's edge lies behind the stuffing.
pub struct Reader<'a> {
    file: &'a [u8],
    next: usize,
    word: u64,
    held: i32,
}

impl<'a> Reader<'a> {
    /// From a position on, which must not be in the middle of stuffing.
    pub fn at(file: &'a [u8], position: u32) -> Self {
        let mut reader = Reader { file, next: (position >> 3) as usize, word: 0, held: 0 };
        reader.fill();
        reader.skip(position & 7);
        reader
    }

    /// Where the next bit lies; an error where more bits were taken than there are.
    pub fn position(&self) -> Answer<u32> {
        let mut next = self.next;
        let mut held = u32::try_from(self.held).map_err(|_| Refusal::Damaged)?;
        while held >= 8 {
            next -= self.step_before(next);
            held -= 8;
        }
        if held > 0 {
            next -= self.step_before(next);
            return Ok((next as u32) << 3 | (8 - held));
        }
        Ok((next as u32) << 3)
    }

    fn step_before(&self, next: usize) -> usize {
        if next >= 2 && self.file[next - 2..next] == [0xFF, 0] {
            2
        } else {
            1
        }
    }

    #[inline(always)]
    fn fill(&mut self) {
        let word = word_at(self.file, self.next);
        if marker_bytes(word) == 0 && self.next + WORD <= self.file.len() {
            let bytes = (64 - self.held) / 8;
            self.word |= word >> self.held;
            self.held += 8 * bytes;
            self.word &= !0 << (64 - self.held);
            self.next += bytes as usize;
        } else {
            self.fill_bytewise();
        }
    }

    #[cold]
    fn fill_bytewise(&mut self) {
        while self.held <= 56 {
            let width = match self.file.get(self.next..) {
                Some([0xFF, 0, ..]) => 2,
                Some([0xFF, ..] | []) | None => return,
                Some(_) => 1,
            };
            self.word |= u64::from(self.file[self.next]) << (56 - self.held);
            self.held += 8;
            self.next += width;
        }
    }
}

impl Bits for Reader<'_> {
    #[inline(always)]
    fn window(&mut self) -> u64 {
        if self.held < 32 && self.held >= 0 {
            self.fill();
        }
        self.word
    }

    #[inline(always)]
    fn skip(&mut self, count: u32) {
        self.word <<= count;
        self.held -= count as i32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_before_the_first_marker_byte_is_clean() {
        assert_eq!(clean_bytes(&[0xFE; STRIDE]), STRIDE);
        for first in 0..STRIDE {
            for other in first..STRIDE {
                let mut stride: [u8; STRIDE] = std::array::from_fn(|at| 250 + at as u8 % 5);
                (stride[first], stride[other]) = (0xFF, 0xFF);
                assert_eq!(clean_bytes(&stride), first);
            }
        }
    }

    #[test]
    fn stuffing_is_taken_out_up_to_a_marker() {
        let mut file = vec![1; 70];
        file[40..42].copy_from_slice(&[0xFF, 0]);
        file.extend([0xFF, 0xD0, 5]);
        let (mut bytes, mut stuffed) = (vec![0; 70 + SLACK], Vec::new());

        let (end, count) = unstuff(&file, 0, &mut bytes, 100, |at| stuffed.push(at));

        assert_eq!((end, count, &stuffed[..], bytes[40]), (70, 69, &[40][..], 0xFF));
    }

    #[test]
    fn position_behind_stuffing_is_the_next_byte() {
        let file = [0xFF, 0, 0xFF, 0, 0xAB];
        let mut reader = Reader::at(&file, 0);
        assert_eq!(reader.window() >> 40, 0xFFFFAB);
        reader.skip(8);
        assert_eq!(reader.position(), Ok(16));
        reader.skip(3);
        assert_eq!(reader.position(), Ok(16 + 3));
        assert_eq!(Reader::at(&file, 16 + 3).window() >> 51, (0xFFAB << 3 & 0xFFFF) >> 3);
    }
}

//! Bits into entropy-coded data; 0xFF is followed by a stuffed 0 there (F.1.2.3).

use crate::bits::{is_clean, STRIDE, WORD};

/// Bits written into bytes.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
    pen: Pen,
}

/// Where a writer is: apart from its bytes, so that it stays in registers.
#[derive(Clone, Copy, Default)]
pub struct Pen {
    end: usize,
    /// The bits of the byte at `end`, highest first.
    word: u64,
    held: u32,
}

impl Pen {
    /// The `count` lowest bits of `value`, highest first; `count` is 1 to 56, the rest of `value` 0.
    #[inline(always)]
    pub fn push(&mut self, bytes: &mut [u8], value: u64, count: u32) {
        self.held += count;
        self.word |= value << (64 - self.held);
        bytes[self.end..self.end + WORD].copy_from_slice(&self.word.to_be_bytes());
        let whole = self.held / 8;
        self.end += whole as usize;
        self.word <<= 8 * whole;
        self.held %= 8;
    }
}

impl Writer {
    /// With room for so many bits from the start.
    pub fn with_room(bits: usize) -> Self {
        Writer { bytes: vec![0; bits / 8 + 2 * WORD], pen: Pen::default() }
    }

    /// Has `write` push into room for so many bytes.
    #[inline(always)]
    pub fn write<T>(&mut self, bytes: usize, write: impl FnOnce(&mut Pen, &mut [u8]) -> T) -> T {
        let needed = self.pen.end + bytes + WORD;
        if self.bytes.len() < needed {
            self.bytes.resize(2 * needed, 0);
        }
        let mut pen = self.pen;
        let written = write(&mut pen, &mut self.bytes);
        self.pen = pen;
        written
    }

    /// How many bits were pushed.
    pub fn bits(&self) -> usize {
        8 * self.pen.end + self.pen.held as usize
    }

    /// The bytes, stuffed, the last one filled up with ones.
    pub fn finished(mut self) -> Vec<u8> {
        let held = self.pen.held;
        if held > 0 {
            self.write(1, |pen, bytes| pen.push(bytes, 0xFF >> held, 8 - held));
        }
        stuffed(&self.bytes[..self.pen.end])
    }
}

fn stuffed(mut bytes: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(bytes.len() + bytes.len() / 64);
    while let Some(at) = first_marker_byte(bytes) {
        stuffed.extend_from_slice(&bytes[..=at]);
        stuffed.push(0);
        bytes = &bytes[at + 1..];
    }
    stuffed.extend_from_slice(bytes);
    stuffed
}

fn first_marker_byte(bytes: &[u8]) -> Option<usize> {
    let clean = bytes.chunks_exact(STRIDE).take_while(|stride| is_clean(stride)).count() * STRIDE;
    bytes[clean..].iter().position(|&byte| byte == 0xFF).map(|at| clean + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::{Bits, Reader};

    #[test]
    fn what_is_written_is_read_back_over_stuffing_too() {
        let mut writer = Writer::default();
        let written: Vec<(u64, u32)> = (1..=27).map(|count| ((1 << count) - 1, count)).collect();
        for &(value, count) in &written {
            writer.write(WORD, |pen, bytes| pen.push(bytes, value, count));
        }
        assert_eq!(writer.bits(), 27 * 28 / 2);
        let data = writer.finished();
        assert!(data.windows(2).all(|pair| pair[0] != 0xFF || pair[1] == 0), "each 0xFF is stuffed");

        let mut reader = Reader::at(&data, 0);
        for &(value, count) in &written {
            assert_eq!(reader.window() >> (64 - count), value);
            reader.skip(count);
        }
        assert!(reader.position().is_ok());
        reader.skip(40);
        assert!(reader.position().is_err(), "there are not so many bits");
    }

    #[test]
    fn each_marker_byte_is_stuffed_wherever_it_stands() {
        let positions: Vec<usize> = (0..100).chain([0, 1, 31, 32, 33, 63, 99]).collect();
        for pair in positions.windows(2) {
            let mut bytes = vec![1; 100];
            pair.iter().for_each(|&at| bytes[at] = 0xFF);
            let plainly =
                bytes.iter().flat_map(|&byte| [byte, 0].into_iter().take(1 + usize::from(byte == 0xFF)));
            assert_eq!(stuffed(&bytes), plainly.collect::<Vec<u8>>());
        }
    }
}

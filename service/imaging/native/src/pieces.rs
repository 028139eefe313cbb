//! The scan cut into pieces, each with its stuffing taken out and what a lane found in it.

use crate::bits::{unstuff, Room};
use crate::lanes::{Found, OVERSHOOT_BYTES};
use crate::machine::Lane;
use std::ops::Range;

/// How a piece ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The scan goes on.
    Open,
    /// A marker stands here, or the file ends (`None`).
    Marker(Option<u8>),
}

/// Some of the scan, never across a marker.
pub struct Piece {
    /// Stuffing taken out; more than the piece itself, for a unit that reaches beyond it.
    bytes: Box<Room>,
    /// Behind which of `bytes` stuffing stood.
    stuffed: Vec<u32>,
    from: usize,
    /// The piece's, and those that are in `bytes`.
    own_bits: usize,
    loaded_bits: usize,
    /// The position behind it; see `bits::Reader`.
    pub end: u32,
    /// See `End`.
    pub ends_with: End,
    /// The bit of `bytes` where each block begins, if the lane's guess has come true by then.
    begins: Vec<u32>,
    /// Units that are new guesses, so that the one before has no end.
    breaks: Vec<usize>,
}

impl Piece {
    /// Nothing yet; its memory is used again and again.
    pub fn empty() -> Self {
        Piece {
            bytes: Box::new([0; std::mem::size_of::<Room>()]),
            stuffed: Vec::new(),
            from: 0,
            own_bits: 0,
            loaded_bits: 0,
            end: 0,
            ends_with: End::Marker(None),
            begins: Vec::new(),
            breaks: Vec::new(),
        }
    }

    /// Takes at least so many bytes of the file, or all up to the next marker; returns where it ends.
    pub fn load(&mut self, file: &[u8], from: usize, wanted: usize) -> usize {
        self.stuffed.clear();
        self.begins.clear();
        self.breaks.clear();
        self.from = from;
        let stuffed = &mut self.stuffed;
        let (end, own) = unstuff(file, from, &mut self.bytes[..], wanted, |at| stuffed.push(at as u32));
        self.end = (end as u32) << 3;
        self.ends_with = match file.get(end..) {
            Some([0xFF, 0, ..]) => End::Open,
            Some([0xFF, marker, ..]) => End::Marker(Some(*marker)),
            Some([0xFF] | []) | None => End::Marker(None),
            Some(_) => End::Open,
        };
        let room = &mut self.bytes[own..];
        let (_, more) = unstuff(file, end, room, 2 * OVERSHOOT_BYTES, |at| stuffed.push((own + at) as u32));
        self.own_bits = 8 * own;
        self.loaded_bits = 8 * (own + more);
        self.begins.push(0);
        end
    }

    /// What a lane reads.
    pub fn bytes(&self) -> &Room {
        &self.bytes
    }

    /// Where a block begins in `bytes`, counted from the piece's first unit on.
    #[inline(always)]
    pub fn begin(&self, block: usize) -> usize {
        self.begins[block] as usize
    }

    /// Where blocks begin, counted as `begin` does.
    pub fn begins(&self, blocks: Range<usize>) -> &[u32] {
        &self.begins[blocks]
    }

    /// Notes what the lane found; returns whether it went far enough.
    pub fn drain(&mut self, lane: &Lane, found: &Found, unit_blocks: usize) -> bool {
        match found.breaks {
            None => self.begins.extend(found.begins(1..found.blocks() + 1)),
            Some((first, last)) => {
                self.begins.extend(found.begins(1..first));
                let units = self.begins.len().div_ceil(unit_blocks);
                self.breaks.push(units);
                self.begins.resize(units * unit_blocks, u32::MAX);
                self.begins.extend(found.begins(last..found.blocks() + 1));
            }
        }
        let last_unit = (self.begins.len() - 1) / unit_blocks * unit_blocks;
        self.begin(last_unit) >= self.own_bits || lane.bit() >= self.own_bits + 8 * OVERSHOOT_BYTES
    }

    /// Whole units, one behind another, the first of which begins at a position.
    pub fn units_from(&self, position: u32, unit_blocks: usize) -> Range<usize> {
        let bit = self.bit(position);
        let begins = &self.begins;
        let Some(last) = begins.len().checked_sub(1).map(|last| last / unit_blocks) else { return 0..0 };
        let (mut low, mut high) = (0, last + 1);
        while low < high {
            let middle = (low + high) / 2;
            if begins[middle * unit_blocks] < bit {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if low > last || begins[low * unit_blocks] != bit {
            return 0..0;
        }
        let next_break = self.breaks.partition_point(|&unit| unit <= low);
        let mut end = self.breaks.get(next_break).map_or(last, |unit| unit - 1);
        while end > low && self.begin(end * unit_blocks) > self.loaded_bits {
            end -= 1; // something was read behind the end
        }
        low..end
    }

    /// In `bytes`.
    fn bit(&self, position: u32) -> u32 {
        let byte = (position >> 3) as usize;
        let (mut low, mut high) = (0, self.stuffed.len());
        while low < high {
            let middle = (low + high) / 2;
            if self.from + self.stuffed[middle] as usize + middle < byte {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        ((byte - self.from - low) << 3) as u32 | (position & 7)
    }

    /// In the file; `seen` is 0 at first, and the bits must ascend.
    #[inline(always)]
    pub fn position(&self, bit: usize, seen: &mut usize) -> u32 {
        let byte = bit >> 3;
        while self.stuffed.get(*seen).is_some_and(|&stuffed| (stuffed as usize) < byte) {
            *seen += 1;
        }
        ((self.from + byte + *seen) << 3 | (bit & 7)) as u32
    }
}

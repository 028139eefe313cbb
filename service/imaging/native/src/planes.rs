//! All quantized coefficients of a photo in memory, without those that are 0.

use crate::block::COEFFICIENTS;
use crate::layout::{Layout, Plane};
use crate::refusal::{Answer, Refusal};
use std::ops::Range;

/// A photo of 40 megapixels takes so many; a few bytes of header must not ask for more. The fuzzer's
/// photos are small.
const BLOCKS_OF_ANY_FILE: usize = if cfg!(fuzzing) { 1 << 15 } else { 1 << 20 };
/// One of 100 megapixels takes less.
const MOST_BLOCKS: usize = 1 << 23;

/// The coefficients of a photo.
pub struct Planes {
    /// Where its blocks lie.
    pub layout: Layout,
    /// By block, as `layout` orders them, absolute.
    pub dc: Vec<i16>,
    /// The others, by component.
    pub spectra: Vec<Spectrum>,
}

/// A component's coefficients but for DC, of the blocks that show some of the photo, row by row.
pub struct Spectrum {
    /// By block, the bits of the coefficients, in zigzag order, that are not 0.
    pub present: Vec<u64>,
    /// These, one block's behind another's.
    pub values: Vec<i16>,
}

impl Planes {
    /// All 0; an error where a file of so many bytes is not likely to hold so many.
    pub fn new(layout: Layout, file_bytes: usize) -> Answer<Self> {
        let blocks = layout.total_blocks();
        if blocks > MOST_BLOCKS.min(BLOCKS_OF_ANY_FILE + file_bytes) {
            return Err(Refusal::NotMine);
        }
        let spectra = layout.planes.iter().map(Spectrum::new).collect();
        Ok(Planes { dc: vec![0; blocks], spectra, layout })
    }
}

impl Spectrum {
    fn new(plane: &Plane) -> Self {
        Spectrum { present: vec![0; plane.rows * plane.columns], values: Vec::new() }
    }

    /// Of rows of so many blocks, where in `values` each begins.
    pub fn row_starts(&self, columns: usize) -> Vec<usize> {
        let mut next = 0;
        let rows = self.present.chunks_exact(columns).map(|row| {
            let start = next;
            next += row.iter().map(|present| present.count_ones() as usize).sum::<usize>();
            start
        });
        rows.collect()
    }
}

impl Plane {
    /// The indices of blocks side by side, of those that show some of the photo, counted row by row.
    pub fn seen_rows(&self, blocks: Range<usize>) -> impl Iterator<Item = Range<usize>> + '_ {
        let mut next = blocks.start;
        std::iter::from_fn(move || {
            let (row, column) = (next / self.columns, next % self.columns);
            let count = (self.columns - column).min(blocks.end - next);
            next += count;
            let start = self.start + row * self.stride + column;
            (count > 0).then_some(start..start + count)
        })
    }
}

/// A component's coefficients on their way from one scan to the next; see `Spectrum`.
pub struct Merging<'a> {
    before: &'a [i16],
    after: Vec<i16>,
    end: usize,
}

impl<'a> Merging<'a> {
    /// At the first of them.
    pub fn new(before: &'a [i16]) -> Self {
        Merging { before, after: vec![0; before.len() + COEFFICIENTS], end: 0 }
    }

    /// All that are wanted.
    pub fn finished(mut self) -> Vec<i16> {
        self.after.truncate(self.end);
        self.after
    }

    /// For a block, as must be done before anything else.
    #[inline(always)]
    pub fn make_room(&mut self) {
        if self.after.len() < self.end + COEFFICIENTS {
            self.after.resize(2 * (self.end + COEFFICIENTS), 0);
        }
    }

    /// One that differs from 0 now.
    #[inline(always)]
    pub fn push(&mut self, value: i16) {
        self.after[self.end] = value;
        self.end += 1;
    }

    /// The next ones stay, or become what `each` makes of them.
    #[inline(always)]
    pub fn go_on(&mut self, count: usize, mut each: impl FnMut(i16) -> i16) {
        let (next, rest) = self.before.split_at(count.min(self.before.len()));
        next.iter().for_each(|&value| self.push(each(value)));
        self.before = rest;
    }

    /// As many of the next ones stay as there are bits.
    #[inline(always)]
    pub fn keep(&mut self, places: u64) {
        if places != 0 {
            self.go_on(places.count_ones() as usize, |value| value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segments::Component;

    #[test]
    fn a_few_bytes_do_not_get_memory_for_a_large_photo() {
        let part = Component { across: 1, down: 1, ..Component::default() };
        let layout = |side| Layout::of_frame((side, side), std::slice::from_ref(&part));
        assert!(Planes::new(layout(1_400), 100).is_ok());
        assert!(Planes::new(layout(10_000), 100).is_err());
        assert!(Planes::new(layout(10_000), 2_000_000).is_ok());
        assert!(Planes::new(layout(65_500), 1 << 28).is_err());
    }
}

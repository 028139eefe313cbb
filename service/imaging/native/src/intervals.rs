//! A scan's units and its data, from one restart marker to the next.

use crate::bits::unstuff;
use crate::layout::Layout;
use crate::refusal::{Answer, Refusal};
use crate::segments::{MAX_BLOCKS, RST0};
use crate::successive::Unstuffed;
use std::ops::Range;

/// The units of a scan.
pub struct Units<'a> {
    layout: &'a Layout,
    /// By component of the scan, its number in the frame.
    components: Vec<usize>,
    /// How many.
    pub count: usize,
}

impl<'a> Units<'a> {
    /// Of the frame's components with these numbers; one alone has no units but its blocks (A.2.2).
    pub fn of(layout: &'a Layout, components: Vec<usize>) -> Answer<Self> {
        let blocks: usize =
            components.iter().map(|&number| layout.planes[number].across * layout.planes[number].down).sum();
        let count = match components[..] {
            [single] => layout.planes[single].rows * layout.planes[single].columns,
            _ if blocks > MAX_BLOCKS => return Err(Refusal::NotMine),
            _ => layout.units(),
        };
        Ok(Units { layout, components, count })
    }

    /// The number of its component in the scan, and the block's own.
    pub fn each_block(
        &self,
        units: Range<usize>,
        mut each: impl FnMut(usize, usize) -> Answer<()>,
    ) -> Answer<()> {
        if let [single] = self.components[..] {
            return self.layout.planes[single]
                .seen_rows(units)
                .flatten()
                .try_for_each(|block| each(0, block));
        }
        for unit in units {
            let place = self.layout.row_and_column(unit);
            for (part, &number) in self.components.iter().enumerate() {
                let plane = &self.layout.planes[number];
                let blocks = &self.layout.blocks[plane.first_block..][..plane.across * plane.down];
                for &block in blocks {
                    each(part, self.layout.index(block, place))?;
                }
            }
        }
        Ok(())
    }
}

/// A scan's data.
pub struct Data<'a> {
    /// The whole one.
    pub file: &'a [u8],
    /// Where they begin in it.
    pub at: usize,
    /// Units between two restart markers, 0 for no such markers.
    pub restart_interval: usize,
}

impl Data<'_> {
    /// Gives the data between restart markers, with the units that they are of; returns where they end.
    pub fn each_interval(
        self,
        room: &mut [u8],
        units: usize,
        mut read: impl FnMut(Unstuffed, Range<usize>) -> Answer<()>,
    ) -> Answer<usize> {
        let interval = if self.restart_interval == 0 { units } else { self.restart_interval };
        let mut at = self.at;
        for (number, start) in (0..units).step_by(interval).enumerate() {
            if number > 0 {
                let expected = [0xFF, RST0 + (number - 1) as u8 % 8];
                if self.file.get(at..at + 2) != Some(&expected) {
                    return Err(Refusal::Damaged);
                }
                at += 2;
            }
            let (end, length) = unstuff(self.file, at, room, self.file.len() - at, |_| ());
            read(Unstuffed::new(room, length), start..units.min(start + interval))?;
            at = end;
        }
        Ok(at)
    }
}

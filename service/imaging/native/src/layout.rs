//! Where the blocks of a scan lie: units row by row, in each unit component by component.

use crate::header::Header;
use crate::segments::{largest_factors, Component};

/// The grid of units, and one plane of blocks a component, one plane after another.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Units side by side.
    pub across: usize,
    /// Units one above another.
    pub down: usize,
    /// A unit's width in pixels.
    pub unit_width: usize,
    /// A unit's height in pixels.
    pub unit_height: usize,
    /// By component.
    pub planes: Vec<Plane>,
    /// By block of a unit.
    pub blocks: Vec<Place>,
}

/// A component's blocks, row by row, those included that only fill up the last units.
#[derive(Clone, Debug)]
pub struct Plane {
    /// Where it begins among all blocks.
    pub start: usize,
    /// Where its blocks begin in a unit.
    pub first_block: usize,
    /// Blocks in a row.
    pub stride: usize,
    /// A unit's blocks.
    pub across: usize,
    /// A unit's blocks.
    pub down: usize,
    /// Blocks that show some of the photo.
    pub columns: usize,
    /// Blocks that show some of the photo.
    pub rows: usize,
}

/// A block's place in its unit.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Whose block it is.
    pub component: usize,
    /// In its component's part of the unit.
    pub column: usize,
    /// In its component's part of the unit.
    pub row: usize,
}

/// The blocks of a place in units side by side.
#[derive(Clone, Copy, Debug)]
pub struct BlockRow {
    /// Whose blocks they are.
    pub component: usize,
    /// Of the first block of the row in the plane, or of the lowest row that shows some of the photo.
    start: usize,
    across: usize,
    column: usize,
    /// The last column that shows some of the photo.
    last: usize,
    is_seen: bool,
}

impl BlockRow {
    /// See `Layout::seen_index`; and whether that is the block itself.
    #[inline(always)]
    pub fn seen_index(&self, unit_column: usize) -> (usize, bool) {
        let column = unit_column * self.across + self.column;
        (self.start + column.min(self.last), self.is_seen && column <= self.last)
    }
}

impl Layout {
    /// Of a photo's scan.
    pub fn of(header: &Header) -> Self {
        Layout::of_frame((header.width, header.height), &header.components)
    }

    /// Of a frame of this width and height.
    pub fn of_frame((width, height): (usize, usize), components: &[Component]) -> Self {
        let (most_across, most_down) = largest_factors(components);
        let (unit_width, unit_height) = (8 * most_across, 8 * most_down);
        let (across, down) = (width.div_ceil(unit_width), height.div_ceil(unit_height));
        let mut layout =
            Layout { across, down, unit_width, unit_height, planes: Vec::new(), blocks: Vec::new() };
        let mut start = 0;
        for (component, part) in components.iter().enumerate() {
            let places = (0..part.down).flat_map(|row| (0..part.across).map(move |column| (row, column)));
            let first_block = layout.blocks.len();
            layout.blocks.extend(places.map(|(row, column)| Place { component, column, row }));
            layout.planes.push(Plane {
                start,
                first_block,
                stride: across * part.across,
                across: part.across,
                down: part.down,
                columns: (width * part.across).div_ceil(unit_width),
                rows: (height * part.down).div_ceil(unit_height),
            });
            start += across * part.across * down * part.down;
        }
        layout
    }

    /// Units of the photo.
    pub fn units(&self) -> usize {
        self.across * self.down
    }

    /// Blocks of the photo, all components together.
    pub fn total_blocks(&self) -> usize {
        self.units() * self.blocks.len()
    }

    /// Among all blocks, that of the unit in a row and a column.
    #[inline(always)]
    pub fn index(&self, block: Place, (row, column): (usize, usize)) -> usize {
        let plane = &self.planes[block.component];
        let in_plane = (row * plane.down + block.row) * plane.stride + column * plane.across + block.column;
        plane.start + in_plane
    }

    /// The same, or that of the nearest block that shows some of the photo.
    #[inline(always)]
    pub fn seen_index(&self, block: Place, (row, column): (usize, usize)) -> usize {
        let plane = &self.planes[block.component];
        let row = (row * plane.down + block.row).min(plane.rows - 1);
        let column = (column * plane.across + block.column).min(plane.columns - 1);
        plane.start + row * plane.stride + column
    }

    /// A unit's row and column.
    pub fn row_and_column(&self, unit: usize) -> (usize, usize) {
        (unit / self.across, unit % self.across)
    }

    /// A place's blocks in a row of units.
    pub fn block_row(&self, block: Place, row: usize) -> BlockRow {
        let plane = &self.planes[block.component];
        let in_plane = row * plane.down + block.row;
        BlockRow {
            component: block.component,
            start: plane.start + in_plane.min(plane.rows - 1) * plane.stride,
            across: plane.across,
            column: block.column,
            last: plane.columns - 1,
            is_seen: in_plane < plane.rows,
        }
    }
}

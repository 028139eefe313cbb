//! The photo made small, from the lowest coefficients of its blocks.
//!
//! DC is a block's mean: the photo at an eighth. With the three coefficients next to it the means of
//! its four quarters are known well enough: the photo at a quarter. Either is sampled down with a
//! triangle as wide as the step, as Pillow's `BILINEAR` does.

use crate::header::Header;
use crate::layout::{Layout, Plane};
use crate::pixels::{Column, PixelRows, MIDDLE, ROWS};
use crate::refusal::{Answer, Refusal};
use crate::scan::Detail;
use crate::segments::Component;
use crate::taps::Taps;
use std::ops::Range;

/// DC to mean: 1/8 (A.3.3).
const MEAN: f32 = 0.125;
/// A horizontal or vertical cosine's mean over half a block: the mean of cos((2 x + 1) pi / 16) over x
/// from 0 to 3, times 1/4 and C(0).
const HALF: f32 = 0.113_266_4;
/// Both: that mean squared, times 1/4.
const CORNER: f32 = 0.102_633;

/// Writes RGB pixels, row by row, of the raw frame at this size; `values` are those of `scan`.
pub fn shrink(header: &Header, detail: Detail, values: &[i16], width: usize, rgb: &mut [u8]) -> Answer<()> {
    let layout = Layout::of(header);
    let sound = width > 0 && rgb.len() % (3 * width) == 0 && !rgb.is_empty();
    if !sound || values.len() != layout.total_blocks() * detail.values() {
        return Err(Refusal::BadCall);
    }
    let height = rgb.len() / (3 * width);
    let mut planes: Vec<Shrinking> = layout
        .planes
        .iter()
        .zip(&header.components)
        .map(|(plane, component)| {
            Shrinking::new(header, &layout, plane, component, detail, values, (width, height))
        })
        .collect();
    let mut pixels = PixelRows::new(header.colour, width);
    for (number, rows) in rgb.chunks_mut(ROWS * 3 * width).enumerate() {
        planes.iter_mut().for_each(|plane| plane.fill_rows(number * ROWS, height));
        let samples: Vec<&[Column]> = planes.iter().map(|plane| &plane.samples[..]).collect();
        pixels.write(&samples, rows);
    }
    Ok(())
}

/// One component on its way to the output's size, `ROWS` of its rows at a time.
struct Shrinking<'a> {
    plane: &'a Plane,
    /// One plane a value.
    values: Vec<&'a [i16]>,
    /// What each value counts.
    factors: [f32; 4],
    across: Taps,
    down: Taps,
    /// By value: a row of weighted sums, one a block.
    sums: [Vec<f32>; 2],
    /// The rows of blocks that were looked at last, by row and `down.each`, and behind which they end.
    seen: Vec<Vec<f32>>,
    seen_end: usize,
    /// Rows sampled down, not yet across.
    rows: [Vec<f32>; ROWS],
    /// The same, by column.
    inputs: Vec<Column>,
    /// Sampled across too.
    samples: Vec<Column>,
}

impl<'a> Shrinking<'a> {
    fn new(
        header: &Header,
        layout: &Layout,
        plane: &'a Plane,
        component: &Component,
        detail: Detail,
        values: &'a [i16],
        (width, height): (usize, usize),
    ) -> Self {
        let per_block = match detail {
            Detail::Eighth => 1,
            Detail::Quarter => 2,
        };
        let steps = header.quantizer(component);
        let step = |at: usize| f32::from(steps[at]);
        let photo_width = (header.width * plane.across * per_block) as f64 / layout.unit_width as f64;
        let photo_height = (header.height * plane.down * per_block) as f64 / layout.unit_height as f64;
        let down = Taps::new(photo_height, plane.rows * per_block, height);
        Shrinking {
            plane,
            values: values.chunks_exact(layout.total_blocks()).collect(),
            factors: [MEAN * step(0), HALF * step(1), HALF * step(2), CORNER * step(4)],
            across: Taps::new(photo_width, plane.columns * per_block, width),
            seen: vec![vec![0.0; plane.columns]; down.each],
            seen_end: 0,
            down,
            sums: [vec![0.0; plane.columns], vec![0.0; plane.columns]],
            rows: std::array::from_fn(|_| vec![0.0; plane.columns * per_block]),
            inputs: vec![[0.0; ROWS]; plane.columns * per_block],
            samples: vec![[0.0; ROWS]; width],
        }
    }

    /// From a row of the output on; the last one stands in for those behind it.
    fn fill_rows(&mut self, first: usize, height: usize) {
        for number in 0..ROWS {
            let row = (first + number).min(height - 1);
            match self.values.len() {
                1 => self.sum_means(row, number),
                _ => self.sum_quarters(row, number),
            }
        }
        self.turn();
        match self.across.each {
            2 => self.sum_across::<2>(),
            3 => self.sum_across::<3>(),
            4 => self.sum_across::<4>(),
            5 => self.sum_across::<5>(),
            _ => self.sum_across::<0>(),
        }
    }

    /// From rows to columns.
    fn turn(&mut self) {
        let rows = self.rows.each_ref().map(|row| &row[..self.inputs.len()]);
        for (at, column) in self.inputs.iter_mut().enumerate() {
            *column = rows.map(|row| row[at]);
        }
    }

    /// Known numbers make faster loops; an `EACH` of 0 is any.
    fn sum_across<const EACH: usize>(&mut self) {
        let each = if EACH == 0 { self.across.each } else { EACH };
        let taps = self.across.firsts.iter().zip(self.across.weights.chunks_exact(each));
        for (sample, (&first, weights)) in self.samples.iter_mut().zip(taps) {
            let mut sums = [MIDDLE; ROWS];
            for (inputs, weight) in self.inputs[first..first + each].iter().zip(weights) {
                sums.iter_mut().zip(inputs).for_each(|(sum, input)| *sum += input * weight);
            }
            *sample = sums;
        }
    }

    fn sum_means(&mut self, row: usize, number: usize) {
        match self.down.each {
            2 => self.sum_down::<2>(row, number),
            3 => self.sum_down::<3>(row, number),
            4 => self.sum_down::<4>(row, number),
            5 => self.sum_down::<5>(row, number),
            _ => self.sum_many_down(row, number),
        }
    }

    /// A known number of rows of blocks is looked at at once, and no sum twice.
    fn sum_down<const EACH: usize>(&mut self, row: usize, number: usize) {
        let first = self.down.firsts[row];
        self.see(first..first + EACH);
        let sums = &mut self.rows[number][..];
        let rows: [&[f32]; EACH] = std::array::from_fn(|at| &self.seen[(first + at) % EACH][..sums.len()]);
        let weights: [f32; EACH] =
            std::array::from_fn(|at| self.down.weights[row * EACH + at] * self.factors[0]);
        for (at, sum) in sums.iter_mut().enumerate() {
            *sum = rows.iter().zip(weights).fold(0.0, |sum, (row, weight)| sum + weight * row[at]);
        }
    }

    /// As numbers to be summed, which several rows of the output need.
    fn see(&mut self, rows: Range<usize>) {
        for row in rows.start.max(self.seen_end)..rows.end {
            let seen = &mut self.seen[row % self.down.each];
            for (to, &from) in seen.iter_mut().zip(blocks(self.plane, self.values[0], row)) {
                *to = f32::from(from);
            }
        }
        self.seen_end = rows.end;
    }

    fn sum_many_down(&mut self, row: usize, number: usize) {
        let sums = &mut self.rows[number];
        sums.fill(0.0);
        for (block_row, weight) in self.down.of(row) {
            add(sums, blocks(self.plane, self.values[0], block_row), weight * self.factors[0]);
        }
    }

    /// Left and right quarters differ by the sign of what is horizontal, upper and lower ones by that of
    /// what is vertical.
    fn sum_quarters(&mut self, row: usize, number: usize) {
        let [even, odd] = &mut self.sums;
        even.fill(0.0);
        odd.fill(0.0);
        for (half_row, weight) in self.down.of(row) {
            let sign = if half_row % 2 == 0 { weight } else { -weight };
            let row_of = |value: usize| blocks(self.plane, self.values[value], half_row / 2);
            add(even, row_of(0), weight * self.factors[0]);
            add(odd, row_of(1), weight * self.factors[1]);
            add(even, row_of(2), sign * self.factors[2]);
            add(odd, row_of(3), sign * self.factors[3]);
        }
        for ((pair, even), odd) in self.rows[number].chunks_exact_mut(2).zip(even).zip(odd) {
            (pair[0], pair[1]) = (*even + *odd, *even - *odd);
        }
    }
}

/// A row of a plane's blocks that show some of the photo.
fn blocks<'a>(plane: &Plane, values: &'a [i16], row: usize) -> &'a [i16] {
    &values[plane.start + row * plane.stride..][..plane.columns]
}

fn add(sums: &mut [f32], values: &[i16], weight: f32) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum += weight * f32::from(value);
    }
}

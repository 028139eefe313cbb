//! The photo made small, from the lowest coefficients of its blocks.
//!
//! DC is a block's mean: the photo at an eighth. With the three coefficients next to it the means of
//! its four quarters are known well enough: the photo at a quarter. Either is sampled down with a
//! triangle as wide as the step, as Pillow's `BILINEAR` does.

use crate::header::{Colour, Header};
use crate::layout::{Layout, Plane};
use crate::refusal::{Answer, Refusal};
use crate::scan::Detail;
use crate::segments::Component;

/// DC to mean: 1/8 (A.3.3).
const MEAN: f32 = 0.125;
/// A horizontal or vertical cosine's mean over half a block: the mean of cos((2 x + 1) pi / 16) over x
/// from 0 to 3, times 1/4 and C(0).
const HALF: f32 = 0.113_266_4;
/// Both: that mean squared, times 1/4.
const CORNER: f32 = 0.102_633;
const MIDDLE: f32 = 128.0;

/// What output samples are made of: so many neighbouring inputs each, from `firsts` on, and their weights.
struct Taps {
    firsts: Vec<usize>,
    each: usize,
    weights: Vec<f32>,
}

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
    for (row, pixels) in rgb.chunks_exact_mut(3 * width).enumerate() {
        planes.iter_mut().for_each(|plane| plane.fill_row(row));
        let samples: Vec<&[f32]> = planes.iter().map(|plane| &plane.row[..]).collect();
        write_row(header.colour, &samples, pixels);
    }
    Ok(())
}

/// One component on its way to the output's size, a row at a time.
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
    samples: Vec<f32>,
    row: Vec<f32>,
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
        Shrinking {
            plane,
            values: values.chunks_exact(layout.total_blocks()).collect(),
            factors: [MEAN * step(0), HALF * step(1), HALF * step(2), CORNER * step(4)],
            across: Taps::new(photo_width, plane.columns * per_block, width),
            down: Taps::new(photo_height, plane.rows * per_block, height),
            sums: [vec![0.0; plane.columns], vec![0.0; plane.columns]],
            samples: vec![0.0; plane.columns * per_block],
            row: vec![0.0; width],
        }
    }

    fn fill_row(&mut self, row: usize) {
        match self.values.len() {
            1 => self.sum_means(row),
            _ => self.sum_quarters(row),
        }
        match self.across.each {
            2 => self.sum_across::<2>(),
            3 => self.sum_across::<3>(),
            4 => self.sum_across::<4>(),
            5 => self.sum_across::<5>(),
            _ => self.sum_across::<0>(),
        }
    }

    /// Known numbers make faster loops; an `EACH` of 0 is any.
    fn sum_across<const EACH: usize>(&mut self) {
        let each = if EACH == 0 { self.across.each } else { EACH };
        let taps = self.across.firsts.iter().zip(self.across.weights.chunks_exact(each));
        for (sample, (&first, weights)) in self.row.iter_mut().zip(taps) {
            let inputs = &self.samples[first..first + each];
            *sample = inputs.iter().zip(weights).fold(MIDDLE, |sum, (input, weight)| sum + input * weight);
        }
    }

    fn sum_means(&mut self, row: usize) {
        self.samples.fill(0.0);
        for (block_row, weight) in self.down.of(row) {
            add(&mut self.samples, blocks(self.plane, self.values[0], block_row), weight * self.factors[0]);
        }
    }

    /// Left and right quarters differ by the sign of what is horizontal, upper and lower ones by that of
    /// what is vertical.
    fn sum_quarters(&mut self, row: usize) {
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
        for ((pair, even), odd) in self.samples.chunks_exact_mut(2).zip(even).zip(odd) {
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

impl Taps {
    /// A triangle as wide as a step, one input at least, cut off at the edges; the photo covers `extent` of
    /// the `inputs`.
    fn new(extent: f64, inputs: usize, outputs: usize) -> Self {
        let step = extent / outputs as f64;
        let reach = step.max(1.0);
        let each = ((2.0 * reach).ceil() as usize + 1).min(inputs);
        let mut taps = Taps { firsts: Vec::new(), each, weights: Vec::new() };
        for output in 0..outputs {
            let centre = (output as f64 + 0.5) * step;
            let first = ((centre - reach + 0.5).max(0.0) as usize).min(inputs - each);
            let height = |input: usize| 1.0 - ((input as f64 + 0.5 - centre) / reach).abs();
            let weights = (first..first + each).map(|input| height(input).max(0.0));
            let sum: f64 = weights.clone().sum();
            taps.firsts.push(first);
            taps.weights.extend(weights.map(|weight| (weight / sum) as f32));
        }
        taps
    }

    /// An output's inputs and their weights, without those of no weight.
    fn of(&self, output: usize) -> impl Iterator<Item = (usize, f32)> + '_ {
        let weights = &self.weights[output * self.each..][..self.each];
        (self.firsts[output]..).zip(weights.iter().copied()).filter(|(_, weight)| *weight > 0.0)
    }
}

fn write_row(colour: Colour, samples: &[&[f32]], pixels: &mut [u8]) {
    for (at, pixel) in pixels.chunks_exact_mut(3).enumerate() {
        let sample = |component: usize| samples[component][at];
        let rgb = match colour {
            Colour::Grey => [sample(0); 3],
            Colour::Rgb => [sample(0), sample(1), sample(2)],
            Colour::Ycc => rgb_of_ycc(sample(0), sample(1), sample(2)),
            Colour::Cmyk => under_black([sample(0), sample(1), sample(2)], sample(3)),
            Colour::Ycck => {
                let ink = rgb_of_ycc(sample(0), sample(1), sample(2)).map(|light| 255.0 - light);
                under_black(ink, sample(3))
            }
        };
        for (to, value) in pixel.iter_mut().zip(rgb) {
            *to = (value + 0.5) as u8; // goes to the nearer end where it does not fit
        }
    }
}

/// JFIF's: ITU-R BT.601, full range.
fn rgb_of_ycc(y: f32, cb: f32, cr: f32) -> [f32; 3] {
    let (blue, red) = (cb - MIDDLE, cr - MIDDLE);
    [y + 1.402 * red, y - 0.344_136 * blue - 0.714_136 * red, y + 1.772 * blue]
}

/// Adobe's inverted ink on paper.
fn under_black(ink: [f32; 3], black: f32) -> [f32; 3] {
    ink.map(|sample| sample.clamp(0.0, 255.0) * black.clamp(0.0, 255.0) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_an_output_add_up_to_one_whatever_the_sizes() {
        for (extent, inputs, outputs) in [(500.0, 500, 256), (0.125, 1, 9), (37.5, 38, 37), (2.0, 2, 200)] {
            let taps = Taps::new(extent, inputs, outputs);
            for output in 0..outputs {
                let sum: f32 = taps.of(output).map(|(_, weight)| weight).sum();
                assert!((sum - 1.0).abs() < 1e-5);
                assert!(taps.of(output).all(|(input, _)| input < inputs));
            }
        }
    }
}

//! Samples as RGB pixels, a few rows at once.

use crate::header::Colour;

/// Rows side by side in memory, so that a processor takes some of them in each of its steps.
pub const ROWS: usize = 8;
/// A sample of each row.
pub type Column = [f32; ROWS];
/// What samples lie around.
pub const MIDDLE: f32 = 128.0;
/// A number of a column's, red, green and blue.
const EACH: usize = 3 * ROWS;

/// Pixels on their way into rows.
pub struct PixelRows {
    colour: Colour,
    /// Column by column, and in each colour by colour.
    lights: Vec<f32>,
    bytes: Vec<u8>,
}

impl PixelRows {
    /// Of so many pixels each.
    pub fn new(colour: Colour, width: usize) -> Self {
        PixelRows { colour, lights: vec![0.0; EACH * width], bytes: vec![0; EACH * width] }
    }

    /// Writes the first of `ROWS` rows, as many as there is room for; `samples` are by component.
    pub fn write(&mut self, samples: &[&[Column]], rows: &mut [u8]) {
        let three = |at: usize| [0, 1, 2].map(|component: usize| &samples[component][at]);
        match self.colour {
            Colour::Grey => self.fill(|at| [samples[0][at]; 3]),
            Colour::Rgb => self.fill(|at| three(at).map(|light| *light)),
            Colour::Ycc => self.fill(|at| rgb_of_ycc(three(at))),
            Colour::Cmyk => self.fill(|at| under_black(three(at).map(|ink| *ink), &samples[3][at])),
            Colour::Ycck => self.fill(|at| {
                let ink = rgb_of_ycc(three(at)).map(|lights| lights.map(|light| 255.0 - light));
                under_black(ink, &samples[3][at])
            }),
        }
        // One long loop of its own, which compilers see through.
        self.bytes.iter_mut().zip(&self.lights).for_each(|(byte, &light)| *byte = byte_of(light));
        self.put(rows);
    }

    #[inline(always)]
    fn fill(&mut self, rgb_at: impl Fn(usize) -> [Column; 3]) {
        for (at, lights) in self.lights.chunks_exact_mut(EACH).enumerate() {
            for (to, from) in lights.chunks_exact_mut(ROWS).zip(rgb_at(at)) {
                to.copy_from_slice(&from);
            }
        }
    }

    fn put(&self, rows: &mut [u8]) {
        for (number, row) in rows.chunks_exact_mut(self.bytes.len() / ROWS).enumerate() {
            for (pixel, bytes) in row.chunks_exact_mut(3).zip(self.bytes.chunks_exact(EACH)) {
                (pixel[0], pixel[1], pixel[2]) =
                    (bytes[number], bytes[ROWS + number], bytes[2 * ROWS + number]);
            }
        }
    }
}

/// `value` + 0.5 without its fraction, or the nearer end where it does not fit.
///
/// As `as u8` would, but in steps that processors do for several values at once.
#[inline(always)]
fn byte_of(value: f32) -> u8 {
    /// Behind it come whole numbers only, whose lowest bits are the number's own.
    const WHOLE: f32 = 8_388_608.0;
    let lifted = (value + 0.5).clamp(0.0, 255.0);
    let nearest = lifted + WHOLE;
    let is_above = nearest - WHOLE > lifted;
    nearest.to_bits().wrapping_sub(u32::from(is_above)) as u8
}

/// JFIF's: ITU-R BT.601, full range.
#[inline(always)]
fn rgb_of_ycc([y, cb, cr]: [&Column; 3]) -> [Column; 3] {
    let (blue, red) = (cb.map(|cb| cb - MIDDLE), cr.map(|cr| cr - MIDDLE));
    let of_rows = |light: fn(f32, f32, f32) -> f32| -> Column {
        std::array::from_fn(|row| light(y[row], blue[row], red[row]))
    };
    [
        of_rows(|y, _, red| y + 1.402 * red),
        of_rows(|y, blue, red| y - 0.344_136 * blue - 0.714_136 * red),
        of_rows(|y, blue, _| y + 1.772 * blue),
    ]
}

/// Adobe's inverted ink on paper.
#[inline(always)]
fn under_black(ink: [Column; 3], black: &Column) -> [Column; 3] {
    ink.map(|ink| {
        std::array::from_fn(|row| ink[row].clamp(0.0, 255.0) * black[row].clamp(0.0, 255.0) / 255.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_language_wherever_values_lie() {
        let near = |byte: i32| {
            let half = (byte as f32 - 0.5).to_bits();
            (half - 2..half + 3).chain([(byte as f32 + 0.25).to_bits()]).map(f32::from_bits)
        };
        let far = [f32::MIN, -1e9, -300.0, -0.0, 300.0, 1e9, f32::MAX];
        for value in (-2..260).flat_map(near).chain(far) {
            assert_eq!(byte_of(value), (value + 0.5) as u8, "{value}");
        }
    }

    #[test]
    fn rows_behind_the_last_are_not_written() {
        let (grey, mut rows) = ([[7.0; ROWS], std::array::from_fn(|row| row as f32)], [99; 12]);
        PixelRows::new(Colour::Grey, 2).write(&[&grey], &mut rows);
        assert_eq!(rows, [7, 7, 7, 0, 0, 0, 7, 7, 7, 1, 1, 1]);
    }
}

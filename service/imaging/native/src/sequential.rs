//! A progressive JPEG as a sequential one of the same coefficients, in one scan.
//!
//! It is there to be scanned and cut like any other, and is not kept: it is written fast rather than
//! small.

use crate::block::COEFFICIENTS;
use crate::codes::Codes;
use crate::huffman::{is_known, Class, Definition};
use crate::optimal::definition_of;
use crate::planes::Planes;
use crate::progressive::planes_of;
use crate::refusal::{Answer, Refusal};
use crate::segments::{before_scan, is_of_the_picture, Segments, DHT, EOI, SOF1, SOF2, SOS};
use crate::tokens::{Token, TABLES};
use crate::writer::Writer;
use std::slice::Iter;

/// A code of 16 bits and a magnitude of 11.
const LARGEST_TOKEN: usize = 4;
/// One row of units in so many tells which symbols are frequent.
const ROWS_A_SAMPLE: usize = 8;

/// The whole file, with those segments that the picture needs.
pub fn sequential(file: &[u8]) -> Answer<Vec<u8>> {
    let (segments, planes) = planes_of(file)?;
    let first = segments.components.first().map_or(0, |component| component.quantizer);
    let pairs = segments.components.iter().map(|other| usize::from(other.quantizer != first)).collect();
    let starts = planes.layout.planes.iter().zip(&planes.spectra);
    let starts = starts.map(|(plane, spectrum)| spectrum.row_starts(plane.columns)).collect();
    let writing = Writing { planes: &planes, pairs, starts };
    let tables = writing.tables()?;
    let mut written = header(file)?;
    for (number, table) in (0..).zip(&tables) {
        let kind = [(number & 1) << 4 | number >> 1];
        push_segment(&mut written, DHT, &[&kind[..], &table.written()].concat())?;
    }
    push_segment(&mut written, SOS, &writing.scan_header(&segments))?;
    written.extend(writing.data(&Codes::of(&tables)?)?);
    written.extend([0xFF, EOI]);
    Ok(written)
}

fn push_segment(written: &mut Vec<u8>, marker: u8, payload: &[u8]) -> Answer<()> {
    let length = u16::try_from(payload.len() + 2).map_err(|_| Refusal::NotMine)?;
    written.extend([0xFF, marker]);
    written.extend(length.to_be_bytes());
    written.extend(payload);
    Ok(())
}

/// Up to the frame.
fn header(file: &[u8]) -> Answer<Vec<u8>> {
    let mut written = file[..2].to_vec();
    before_scan(file, |marker, payload| match marker {
        SOF2 => push_segment(&mut written, SOF1, payload),
        _ if is_of_the_picture(marker, payload) => push_segment(&mut written, marker, payload),
        _ => Ok(()),
    })?;
    Ok(written)
}

/// Coefficients on their way into data.
struct Writing<'a> {
    planes: &'a Planes,
    /// By component, its pair of tables.
    pairs: Vec<usize>,
    /// By component; see `Spectrum::row_starts`.
    starts: Vec<Vec<usize>>,
}

impl Writing<'_> {
    /// DC and AC of each pair, in the order of `Token::number`: whatever may occur has a code.
    fn tables(&self) -> Answer<Vec<Definition>> {
        let classes = [Class::Dc, Class::Ac].into_iter().cycle();
        let mut counts = [[0u32; 256]; TABLES];
        for (counts, class) in counts.iter_mut().zip(classes) {
            (0..=255).filter(|&symbol| is_known(symbol, class)).for_each(|one| counts[usize::from(one)] = 1);
        }
        for row in (0..self.planes.layout.down).step_by(ROWS_A_SAMPLE) {
            let mut row = self.row(row);
            for unit in 0..self.planes.layout.across {
                self.each_token(unit, &mut row, |token| {
                    counts[token.number() >> 8][token.number() & 255] += 1;
                })?;
            }
        }
        let used = 2 * (1 + self.pairs.iter().max().copied().unwrap_or(0));
        Ok(counts.iter().take(used).map(definition_of).collect())
    }

    /// All components, all coefficients (B.2.3).
    fn scan_header(&self, segments: &Segments) -> Vec<u8> {
        let parts = segments.components.iter().zip(&self.pairs);
        let parts = parts.flat_map(|(component, &pair)| [component.id, (pair << 4 | pair) as u8]);
        [self.pairs.len() as u8].into_iter().chain(parts).chain([0, 63, 0]).collect()
    }

    fn data(&self, codes: &Codes) -> Answer<Vec<u8>> {
        let layout = &self.planes.layout;
        let mut writer = Writer::default();
        let mut last_dc = [0; 4];
        for row in 0..layout.down {
            let mut row = Row { last_dc, ..self.row(row) };
            for unit in 0..layout.across {
                writer.write(layout.blocks.len() * COEFFICIENTS * LARGEST_TOKEN, |pen, bytes| {
                    self.each_token(unit, &mut row, |token| {
                        let (value, count) = codes.written_as(token);
                        pen.push(bytes, value, count);
                    })
                })?;
            }
            last_dc = row.last_dc;
        }
        Ok(writer.finished())
    }

    /// A row of units, of which nothing has been written.
    fn row(&self, row: usize) -> Row<'_> {
        let layout = &self.planes.layout;
        let mut values = vec![[].iter(); layout.blocks.len()];
        for ((plane, spectrum), starts) in layout.planes.iter().zip(&self.planes.spectra).zip(&self.starts) {
            let rows = starts.iter().skip(row * plane.down).take(plane.down);
            for (values, &start) in values[plane.first_block..].iter_mut().zip(rows) {
                *values = spectrum.values[start..].iter();
            }
        }
        Row { number: row, last_dc: [0; 4], values }
    }

    /// Of the blocks of a unit. Those that nobody sees get their neighbour's DC, the cheapest one.
    #[inline(always)]
    fn each_token<'a>(&'a self, unit: usize, row: &mut Row<'a>, mut each: impl FnMut(Token)) -> Answer<()> {
        let Planes { layout, dc, spectra } = self.planes;
        for &place in &layout.blocks {
            let (pair, plane) = (self.pairs[place.component], &layout.planes[place.component]);
            let last_dc = &mut row.last_dc[place.component];
            let seen = layout.seen_index(place, (row.number, unit));
            let difference = i32::from(dc[seen]) - *last_dc;
            each(Token::of_dc(difference, pair)?);
            *last_dc += difference;

            let (y, x) = (row.number * plane.down + place.row, unit * plane.across + place.column);
            let is_seen = y < plane.rows && x < plane.columns;
            let present = if is_seen { spectra[place.component].present[y * plane.columns + x] } else { 0 };
            each_ac_token(present, &mut row.values[plane.first_block + place.row], pair, &mut each)?;
        }
        Ok(())
    }
}

/// A row of units on its way.
struct Row<'a> {
    number: usize,
    /// By component.
    last_dc: [i32; 4],
    /// Coefficients still to come, for each row of a component's blocks, where its blocks begin in a unit.
    values: Vec<Iter<'a, i16>>,
}

/// Coefficients that are present, each with the zeros before it, and the block's end.
#[inline(always)]
fn each_ac_token(
    mut present: u64,
    values: &mut Iter<i16>,
    pair: usize,
    each: &mut impl FnMut(Token),
) -> Answer<()> {
    let mut behind = 1;
    while present != 0 {
        let at = present.trailing_zeros();
        let zeros = at - behind;
        (0..zeros / 16).for_each(|_| each(Token::sixteen_zeros(pair)));
        let value = values.next().ok_or(Refusal::Damaged)?;
        each(Token::of_ac(zeros % 16, *value, pair)?);
        behind = at + 1;
        present &= present - 1;
    }
    if behind < COEFFICIENTS as u32 {
        each(Token::end(pair));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    const PROGRESSIVE: &[u8] = include_bytes!("../../../../tests/fuzz/corpus/progressive-420-mixed.jpg");

    #[test]
    fn what_is_written_is_a_photo_of_the_same_size_and_steps() {
        let (segments, _) = planes_of(PROGRESSIVE).expect("it is sound");
        let header = Header::read(&sequential(PROGRESSIVE).expect("it is sound")).expect("it was written");
        assert_eq!((header.width, header.height), segments.size);
        assert_eq!(header.quantizers, segments.quantizers);
    }

    #[test]
    fn nothing_that_ends_early_is_written() {
        assert!((0..PROGRESSIVE.len()).all(|end| sequential(&PROGRESSIVE[..end]).is_err()));
    }
}

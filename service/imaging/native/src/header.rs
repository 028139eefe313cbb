//! What a photo's header says of it (ITU-T T.81, annex B), from the segments in front of its scan.

use crate::huffman::{Class, Decoder, Definition, Pair};
use crate::refusal::{Answer, Refusal};
use crate::segments::{before_scan, segment, Component, Segments, SOF2};

/// What the samples mean, told apart as libjpeg does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Luminance alone.
    Grey,
    /// Luminance and two colour differences.
    Ycc,
    /// Red, green, blue.
    Rgb,
    /// Ink, inverted as Adobe does.
    Cmyk,
    /// Ink's three colours as luminance and differences.
    Ycck,
}

/// A single-scan, Huffman-coded, sequential JPEG of 8 bits.
#[derive(Clone, Debug)]
pub struct Header {
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
    /// One, three or four.
    pub components: Vec<Component>,
    /// Steps in zigzag order, by number.
    pub quantizers: [Option<[u16; 64]>; 4],
    dc_tables: [Option<Definition>; 4],
    ac_tables: [Option<Definition>; 4],
    /// Units between two restart markers, 0 for no such markers.
    pub restart_interval: usize,
    /// See `Colour`.
    pub colour: Colour,
    /// Where the entropy-coded data begin in the file.
    pub scan_start: usize,
}

impl Header {
    /// Of a whole file.
    pub fn read(file: &[u8]) -> Answer<Self> {
        let mut segments = Segments::default();
        let at = before_scan(file, |marker, payload| segments.take(marker, payload))?;
        let (_, scan) = segment(file, at)?;
        segments.require_frame()?;
        if segments.process == SOF2 {
            return Err(Refusal::NotMine);
        }
        take_scan(&mut segments.components, scan)?;
        Ok(Header {
            width: segments.size.0,
            height: segments.size.1,
            colour: colour(&segments)?,
            components: segments.components,
            quantizers: segments.quantizers,
            dc_tables: segments.dc_tables,
            ac_tables: segments.ac_tables,
            restart_interval: segments.restart_interval,
            scan_start: at + 4 + scan.len(),
        })
    }

    /// The decoders in use, pairs of DC and AC, and which of them each component has.
    pub fn decoders(&self) -> Answer<(Vec<Pair>, Vec<usize>)> {
        let (pairs, _, chosen) = self.decoders_for(&[0; 4])?;
        Ok((pairs, chosen))
    }

    /// The same, and what they are for; who is for something else, as `purposes` says by component, has
    /// decoders of its own.
    pub fn decoders_for(&self, purposes: &[usize]) -> Answer<(Vec<Pair>, Vec<usize>, Vec<usize>)> {
        let mut known: Vec<(usize, usize, usize)> = Vec::new();
        let (mut pairs, mut chosen) = (Vec::new(), Vec::new());
        for (component, &purpose) in self.components.iter().zip(purposes) {
            let wanted = (component.dc, component.ac, purpose);
            let pair = known.iter().position(|&pair| pair == wanted);
            if pair.is_none() {
                known.push(wanted);
                let dc = decoder(&self.dc_tables, component.dc, Class::Dc)?;
                pairs.push((dc, decoder(&self.ac_tables, component.ac, Class::Ac)?));
            }
            chosen.push(pair.unwrap_or(known.len() - 1));
        }
        Ok((pairs, known.into_iter().map(|(_, _, purpose)| purpose).collect(), chosen))
    }

    /// A component's steps; `read` made sure that it has some.
    pub fn quantizer(&self, component: &Component) -> [u16; 64] {
        self.quantizers.get(component.quantizer).copied().flatten().unwrap_or([1; 64])
    }
}

fn decoder(tables: &[Option<Definition>; 4], number: usize, class: Class) -> Answer<Decoder> {
    let definition = tables.get(number).and_then(Option::as_ref).ok_or(Refusal::NotMine)?;
    Decoder::new(definition, class)
}

/// All components in the frame's order, all coefficients.
fn take_scan(components: &mut [Component], payload: &[u8]) -> Answer<()> {
    let count = components.len();
    let expected_end = [0, 63, 0];
    if payload.len() != 4 + 2 * count || usize::from(payload[0]) != count || !payload.ends_with(&expected_end)
    {
        return Err(Refusal::NotMine);
    }
    for (component, part) in components.iter_mut().zip(payload[1..].chunks_exact(2)) {
        if component.id != part[0] {
            return Err(Refusal::NotMine);
        }
        component.dc = usize::from(part[1] >> 4);
        component.ac = usize::from(part[1] & 15);
    }
    Ok(())
}

fn colour(segments: &Segments) -> Answer<Colour> {
    let ids: Vec<u8> = segments.components.iter().map(|part| part.id).collect();
    match (ids.len(), segments.adobe_transform) {
        (1, _) => Ok(Colour::Grey),
        (3, _) if segments.jfif => Ok(Colour::Ycc),
        (3, Some(0)) => Ok(Colour::Rgb),
        (3, Some(1)) => Ok(Colour::Ycc),
        (3, None) if ids == *b"RGB" => Ok(Colour::Rgb),
        (3, None) => Ok(Colour::Ycc),
        (4, Some(0) | None) => Ok(Colour::Cmyk),
        (4, Some(2)) => Ok(Colour::Ycck),
        _ => Err(Refusal::NotMine),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_ends_early_is_a_header() {
        let whole = include_bytes!("../../../../tests/fuzz/corpus/420.jpg");
        let start = Header::read(whole).expect("it is sound").scan_start;
        assert!((0..start).all(|end| Header::read(&whole[..end]).is_err()));
    }
}

//! What the segments before the scan say (ITU-T T.81, annex B), read from untrusted bytes.
//!
//! Stricter than any decoder: what is the least bit unusual is not ours, and the library decides.

use crate::huffman::{Class, Decoder, Definition, Pair};
use crate::refusal::{Answer, Refusal};

/// More blocks in one unit no decoder takes (B.2.3).
pub const MAX_BLOCKS: usize = 10;
/// Positions are bits in 32-bit numbers, with room to look ahead.
const MAX_BYTES: usize = 1 << 28;
/// libjpeg's own limit.
const MAX_SIDE: usize = 65_500;
const MAX_SEGMENTS: usize = 1000;

const SOF0: u8 = 0xC0;
const SOF1: u8 = 0xC1;
const DHT: u8 = 0xC4;
const SOI: u8 = 0xD8;
/// The first of eight restart markers.
pub const RST0: u8 = 0xD0;
/// The last one.
pub const RST7: u8 = 0xD7;
/// The marker at the end.
pub const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DQT: u8 = 0xDB;
const DRI: u8 = 0xDD;
const APP0: u8 = 0xE0;
const APP14: u8 = 0xEE;
const APP15: u8 = 0xEF;
const COM: u8 = 0xFE;

/// One colour component of the frame.
#[derive(Clone, Debug, Default)]
pub struct Component {
    id: u8,
    /// Blocks in a unit, side by side.
    pub across: usize,
    /// Blocks in a unit, one above another.
    pub down: usize,
    /// Quantization table's number.
    pub quantizer: usize,
    /// DC table's number.
    pub dc: usize,
    /// AC table's number.
    pub ac: usize,
}

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

/// The segments seen so far.
#[derive(Default)]
struct Seen {
    size: Option<(usize, usize)>,
    components: Vec<Component>,
    quantizers: [Option<[u16; 64]>; 4],
    dc_tables: [Option<Definition>; 4],
    ac_tables: [Option<Definition>; 4],
    restart_interval: usize,
    jfif: bool,
    adobe_transform: Option<u8>,
}

impl Header {
    /// Of a whole file.
    pub fn read(file: &[u8]) -> Answer<Self> {
        if file.len() > MAX_BYTES || !file.starts_with(&[0xFF, SOI]) {
            return Err(Refusal::NotMine);
        }
        let mut seen = Seen::default();
        let mut at = 2;
        for _ in 0..MAX_SEGMENTS {
            let (marker, payload) = segment(file.get(at..).unwrap_or_default())?;
            at += 4 + payload.len();
            if marker == SOS {
                return seen.header(payload, at);
            }
            seen.take(marker, payload)?;
        }
        Err(Refusal::NotMine)
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

/// A marker and its payload at the very beginning of `bytes`.
fn segment(bytes: &[u8]) -> Answer<(u8, &[u8])> {
    match *bytes {
        [0xFF, marker, high, low, ref rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([high, low]));
            let payload = length.checked_sub(2).and_then(|length| rest.get(..length));
            Ok((marker, payload.ok_or(Refusal::Damaged)?))
        }
        _ => Err(Refusal::NotMine),
    }
}

impl Seen {
    fn take(&mut self, marker: u8, payload: &[u8]) -> Answer<()> {
        match marker {
            SOF0 | SOF1 if self.size.is_none() => self.take_frame(payload),
            DHT => self.take_huffman_tables(payload),
            DQT => self.take_quantizers(payload),
            DRI => self.take_restart_interval(payload),
            APP0 if payload.starts_with(b"JFIF\0") => self.take_jfif(payload),
            APP14 if payload.starts_with(b"Adobe") => self.take_adobe(payload),
            APP0..=APP15 | COM => Ok(()),
            _ => Err(Refusal::NotMine),
        }
    }

    fn take_frame(&mut self, payload: &[u8]) -> Answer<()> {
        let [8, h1, h0, w1, w0, count, ref parts @ ..] = *payload else {
            return Err(Refusal::NotMine);
        };
        let height = usize::from(u16::from_be_bytes([h1, h0]));
        let width = usize::from(u16::from_be_bytes([w1, w0]));
        let sides = 1..=MAX_SIDE;
        let sound = matches!(count, 1 | 3 | 4) && parts.len() == 3 * usize::from(count);
        if !sound || !sides.contains(&height) || !sides.contains(&width) {
            return Err(Refusal::NotMine);
        }
        self.size = Some((width, height));
        self.components = parts
            .chunks_exact(3)
            .map(|part| Component {
                id: part[0],
                across: usize::from(part[1] >> 4),
                down: usize::from(part[1] & 15),
                quantizer: usize::from(part[2]),
                ..Component::default()
            })
            .collect();
        Ok(())
    }

    fn take_huffman_tables(&mut self, mut payload: &[u8]) -> Answer<()> {
        while let [kind, ref rest @ ..] = *payload {
            let (definition, rest) = Definition::read(rest)?;
            let tables = match kind >> 4 {
                0 => &mut self.dc_tables,
                1 => &mut self.ac_tables,
                _ => return Err(Refusal::NotMine),
            };
            *tables.get_mut(usize::from(kind & 15)).ok_or(Refusal::NotMine)? = Some(definition);
            payload = rest;
        }
        Ok(())
    }

    fn take_quantizers(&mut self, mut payload: &[u8]) -> Answer<()> {
        while let [kind, ref rest @ ..] = *payload {
            let width = match kind >> 4 {
                0 => 1,
                1 => 2,
                _ => return Err(Refusal::NotMine),
            };
            let steps = rest.get(..64 * width).ok_or(Refusal::NotMine)?;
            let mut table = [0; 64];
            for (to, from) in table.iter_mut().zip(steps.chunks_exact(width)) {
                *to = from.iter().fold(0, |sum, &byte| sum << 8 | u16::from(byte));
            }
            *self.quantizers.get_mut(usize::from(kind & 15)).ok_or(Refusal::NotMine)? = Some(table);
            payload = &rest[64 * width..];
        }
        Ok(())
    }

    fn take_restart_interval(&mut self, payload: &[u8]) -> Answer<()> {
        let interval: [u8; 2] = payload.try_into().map_err(|_| Refusal::NotMine)?;
        self.restart_interval = usize::from(u16::from_be_bytes(interval));
        Ok(())
    }

    /// Another major version only makes libjpeg warn, which the library takes for harmless.
    fn take_jfif(&mut self, payload: &[u8]) -> Answer<()> {
        if payload.len() < 14 || payload[5] != 1 {
            return Err(Refusal::NotMine);
        }
        self.jfif = true;
        Ok(())
    }

    fn take_adobe(&mut self, payload: &[u8]) -> Answer<()> {
        self.adobe_transform = Some(*payload.get(11).ok_or(Refusal::NotMine)?);
        Ok(())
    }

    fn header(mut self, scan: &[u8], scan_start: usize) -> Answer<Header> {
        let (width, height) = self.size.ok_or(Refusal::NotMine)?;
        self.take_scan(scan)?;
        self.require_sampling()?;
        self.require_quantizers()?;
        Ok(Header {
            width,
            height,
            colour: self.colour()?,
            components: self.components,
            quantizers: self.quantizers,
            dc_tables: self.dc_tables,
            ac_tables: self.ac_tables,
            restart_interval: self.restart_interval,
            scan_start,
        })
    }

    /// All components in the frame's order, all coefficients.
    fn take_scan(&mut self, payload: &[u8]) -> Answer<()> {
        let count = self.components.len();
        let expected_end = [0, 63, 0];
        if payload.len() != 4 + 2 * count
            || usize::from(payload[0]) != count
            || !payload.ends_with(&expected_end)
        {
            return Err(Refusal::NotMine);
        }
        for (index, part) in payload[1..=2 * count].chunks_exact(2).enumerate() {
            let earlier = self.components[..index].iter().any(|other| other.id == part[0]);
            let component = &mut self.components[index];
            if component.id != part[0] || earlier {
                return Err(Refusal::NotMine);
            }
            component.dc = usize::from(part[1] >> 4);
            component.ac = usize::from(part[1] & 15);
        }
        Ok(())
    }

    /// Factors that divide the largest ones; a single component's unit is one block (A.2.2).
    fn require_sampling(&mut self) -> Answer<()> {
        let factors = 1..=4;
        let (across, down) = largest_factors(&self.components);
        let blocks: usize = self.components.iter().map(|part| part.across * part.down).sum();
        let sound = self.components.iter().all(|part| {
            factors.contains(&part.across)
                && factors.contains(&part.down)
                && across % part.across == 0
                && down % part.down == 0
        });
        if !sound {
            return Err(Refusal::NotMine);
        }
        if let [single] = &mut self.components[..] {
            (single.across, single.down) = (1, 1);
        } else if blocks > MAX_BLOCKS {
            return Err(Refusal::NotMine);
        }
        Ok(())
    }

    fn require_quantizers(&self) -> Answer<()> {
        let found = |part: &Component| self.quantizers.get(part.quantizer).is_some_and(Option::is_some);
        if self.components.iter().all(found) {
            Ok(())
        } else {
            Err(Refusal::NotMine)
        }
    }

    fn colour(&self) -> Answer<Colour> {
        let ids: Vec<u8> = self.components.iter().map(|part| part.id).collect();
        match (ids.len(), self.adobe_transform) {
            (1, _) => Ok(Colour::Grey),
            (3, _) if self.jfif => Ok(Colour::Ycc),
            (3, Some(0)) => Ok(Colour::Rgb),
            (3, Some(1)) => Ok(Colour::Ycc),
            (3, None) if ids == *b"RGB" => Ok(Colour::Rgb),
            (3, None) => Ok(Colour::Ycc),
            (4, Some(0) | None) => Ok(Colour::Cmyk),
            (4, Some(2)) => Ok(Colour::Ycck),
            _ => Err(Refusal::NotMine),
        }
    }
}

/// Across and down.
pub fn largest_factors(components: &[Component]) -> (usize, usize) {
    let across = components.iter().map(|part| part.across).max().unwrap_or(1).max(1);
    let down = components.iter().map(|part| part.down).max().unwrap_or(1).max(1);
    (across, down)
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

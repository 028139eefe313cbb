//! The segments in front of a scan (ITU-T T.81, annex B), read from untrusted bytes.
//!
//! Stricter than any decoder: what is the least bit unusual is not ours, and the library decides.

use crate::huffman::Definition;
use crate::refusal::{Answer, Refusal};

/// More blocks in one unit no decoder takes (B.2.3).
pub const MAX_BLOCKS: usize = 10;
/// Positions are bits in 32-bit numbers, with room to look ahead.
const MAX_BYTES: usize = 1 << 28;
/// libjpeg's own limit.
const MAX_SIDE: usize = 65_500;
/// Before the first scan, and behind it.
pub const MAX_SEGMENTS: usize = 1000;

const SOF0: u8 = 0xC0;
/// A sequential frame, with steps of quantization of any width.
pub const SOF1: u8 = 0xC1;
/// A progressive frame.
pub const SOF2: u8 = 0xC2;
/// Huffman tables.
pub const DHT: u8 = 0xC4;
const SOI: u8 = 0xD8;
/// The first of eight restart markers.
pub const RST0: u8 = 0xD0;
/// The last one.
pub const RST7: u8 = 0xD7;
/// The marker at the end.
pub const EOI: u8 = 0xD9;
/// A scan.
pub const SOS: u8 = 0xDA;
/// Quantization tables.
pub const DQT: u8 = 0xDB;
/// The restart interval.
pub const DRI: u8 = 0xDD;
const APP0: u8 = 0xE0;
const APP14: u8 = 0xEE;
const APP15: u8 = 0xEF;
/// A comment.
pub const COM: u8 = 0xFE;

/// One colour component of the frame.
#[derive(Clone, Debug, Default)]
pub struct Component {
    /// As the scans name it.
    pub id: u8,
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

/// What the segments seen so far say.
#[derive(Debug, Default)]
pub struct Segments {
    /// The frame's marker.
    pub process: u8,
    /// The frame's width and height, in pixels.
    pub size: (usize, usize),
    /// None before the frame.
    pub components: Vec<Component>,
    /// Steps in zigzag order, by number.
    pub quantizers: [Option<[u16; 64]>; 4],
    /// By number.
    pub dc_tables: [Option<Definition>; 4],
    /// By number.
    pub ac_tables: [Option<Definition>; 4],
    /// Units between two restart markers, 0 for no such markers.
    pub restart_interval: usize,
    /// Whether there was a JFIF segment.
    pub jfif: bool,
    /// What Adobe's segment says of the colours.
    pub adobe_transform: Option<u8>,
}

/// A marker and its payload, which begin at a byte of the file.
pub fn segment(file: &[u8], at: usize) -> Answer<(u8, &[u8])> {
    match *file.get(at..).unwrap_or_default() {
        [0xFF, marker, high, low, ref rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([high, low]));
            let payload = length.checked_sub(2).and_then(|length| rest.get(..length));
            Ok((marker, payload.ok_or(Refusal::Damaged)?))
        }
        _ => Err(Refusal::NotMine),
    }
}

/// Each segment before the first scan, given to `each` with its marker; returns where the scan's begins.
pub fn before_scan(file: &[u8], mut each: impl FnMut(u8, &[u8]) -> Answer<()>) -> Answer<usize> {
    if file.len() > MAX_BYTES || !file.starts_with(&[0xFF, SOI]) {
        return Err(Refusal::NotMine);
    }
    let mut at = 2;
    for _ in 0..MAX_SEGMENTS {
        let (marker, payload) = segment(file, at)?;
        if marker == SOS {
            return Ok(at);
        }
        each(marker, payload)?;
        at += 4 + payload.len();
    }
    Err(Refusal::NotMine)
}

/// Whether a decoder has to know the segment, besides those that belong to its way of coding.
pub fn is_of_the_picture(marker: u8, payload: &[u8]) -> bool {
    match marker {
        APP0 => payload.starts_with(b"JFIF\0"),
        APP14 => payload.starts_with(b"Adobe"),
        _ => marker == DQT,
    }
}

impl Segments {
    /// One more.
    pub fn take(&mut self, marker: u8, payload: &[u8]) -> Answer<()> {
        match marker {
            SOF0..=SOF2 if self.components.is_empty() => self.take_frame(marker, payload),
            DHT => self.take_huffman_tables(payload),
            DQT => self.take_quantizers(payload),
            DRI => self.take_restart_interval(payload),
            APP0 if is_of_the_picture(marker, payload) => self.take_jfif(payload),
            APP14 if is_of_the_picture(marker, payload) => self.take_adobe(payload),
            APP0..=APP15 | COM => Ok(()),
            _ => Err(Refusal::NotMine),
        }
    }

    fn take_frame(&mut self, process: u8, payload: &[u8]) -> Answer<()> {
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
        self.process = process;
        self.size = (width, height);
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

    /// An error unless the frame makes sense; a single component's unit becomes one block (A.2.2).
    pub fn require_frame(&mut self) -> Answer<()> {
        self.require_names()?;
        self.require_sampling()?;
        self.require_quantizers()
    }

    /// No two alike.
    fn require_names(&self) -> Answer<()> {
        let names = self.components.iter().map(|part| part.id);
        let again = |(index, id)| self.components[..index].iter().any(|other| other.id == id);
        if self.components.is_empty() || names.enumerate().any(again) {
            return Err(Refusal::NotMine);
        }
        Ok(())
    }

    /// Factors that divide the largest ones.
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
}

/// Across and down.
pub fn largest_factors(components: &[Component]) -> (usize, usize) {
    let across = components.iter().map(|part| part.across).max().unwrap_or(1).max(1);
    let down = components.iter().map(|part| part.down).max().unwrap_or(1).max(1);
    (across, down)
}

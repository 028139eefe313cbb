//! The scans of a progressive JPEG (ITU-T T.81, annex G), put together.

use crate::bits::SLACK;
use crate::block::COEFFICIENTS;
use crate::huffman::{Class, Decoder, Definition};
use crate::intervals::{Data, Units};
use crate::layout::Layout;
use crate::planes::{Merging, Planes, Spectrum};
use crate::refusal::{Answer, Refusal};
use crate::segments::{before_scan, segment, Segments};
use crate::segments::{COM, DHT, DRI, EOI, MAX_SEGMENTS, SOF2, SOS};
use crate::successive::{first_dc, next_bit_of_dc, Band, BandReader};

/// Each scan goes over the whole picture, and may do so for a few bytes. The library stops there too.
const MAX_SCANS: usize = 100;
/// libjpeg's own limit.
const MOST_LOW_BITS: u32 = 13;

/// All coefficients of a progressive photo, and what its header says.
///
/// An error unless libjpeg reads the same without a warning, each of them to its last bit.
pub fn planes_of(file: &[u8]) -> Answer<(Segments, Planes)> {
    let mut segments = Segments::default();
    let mut at = before_scan(file, |marker, payload| segments.take(marker, payload))?;
    if segments.process != SOF2 {
        return Err(Refusal::NotMine);
    }
    segments.require_frame()?;
    let mut reading = Reading::new(file, segments)?;
    let mut scans = 0;
    for _ in 0..MAX_SEGMENTS {
        if file.get(at..at + 2) == Some(&[0xFF, EOI]) {
            return reading.finished();
        }
        let (marker, payload) = segment(file, at)?;
        at += 4 + payload.len();
        match marker {
            SOS if scans < MAX_SCANS => {
                at = reading.scan(payload, at)?;
                scans += 1;
            }
            COM => (),
            DHT | DRI => reading.segments.take(marker, payload)?,
            _ => return Err(Refusal::NotMine),
        }
    }
    Err(Refusal::NotMine)
}

/// What has been read so far.
struct Reading<'a> {
    file: &'a [u8],
    segments: Segments,
    planes: Planes,
    /// By component, of each coefficient in zigzag order: the lowest bit that is known.
    lowest: Vec<[Option<u32>; COEFFICIENTS]>,
    /// For data without stuffing.
    room: Vec<u8>,
}

/// What a scan's header says.
struct Scan {
    parts: Vec<Part>,
    band: Band,
}

/// A component in a scan.
#[derive(Clone, Copy)]
struct Part {
    /// The component's number in the frame.
    component: usize,
    /// DC table's number.
    dc: usize,
    /// AC table's number.
    ac: usize,
}

impl<'a> Reading<'a> {
    fn new(file: &'a [u8], segments: Segments) -> Answer<Self> {
        let layout = Layout::of_frame(segments.size, &segments.components);
        let planes = Planes::new(layout, file.len())?;
        let lowest = vec![[None; COEFFICIENTS]; segments.components.len()];
        Ok(Reading { file, segments, planes, lowest, room: vec![0; file.len() + SLACK] })
    }

    fn finished(self) -> Answer<(Segments, Planes)> {
        if self.lowest.iter().flatten().any(|&bit| bit != Some(0)) {
            return Err(Refusal::NotMine);
        }
        Ok((self.segments, self.planes))
    }

    /// Returns where its data end.
    fn scan(&mut self, payload: &[u8], at: usize) -> Answer<usize> {
        let scan = self.scan_header(payload)?;
        self.go_on_to(&scan)?;
        let Band { first, high, .. } = scan.band;
        match (&scan.parts[..], first, high) {
            (parts, 0, 0) => self.first_dc(parts, scan.band, at),
            (parts, 0, _) => self.next_bit_of_dc(parts, scan.band, at),
            (&[part], ..) => self.band(part, scan.band, at),
            _ => Err(Refusal::NotMine),
        }
    }

    /// In the frame's order, none twice (B.2.3).
    fn scan_header(&self, payload: &[u8]) -> Answer<Scan> {
        let [_, ref named @ .., first, last, bits] = *payload else { return Err(Refusal::NotMine) };
        if named.len() != 2 * usize::from(payload[0]) || named.is_empty() {
            return Err(Refusal::NotMine);
        }
        let mut parts = Vec::new();
        let mut from = 0;
        for name in named.chunks_exact(2) {
            let further = self.segments.components[from..].iter().position(|other| other.id == name[0]);
            let component = from + further.ok_or(Refusal::NotMine)?;
            parts.push(Part { component, dc: usize::from(name[1] >> 4), ac: usize::from(name[1] & 15) });
            from = component + 1;
        }
        let (first, last) = (usize::from(first), usize::from(last));
        let band = Band { first, last, high: u32::from(bits >> 4), low: u32::from(bits & 15) };
        Ok(Scan { parts, band })
    }

    /// An error unless the scan goes on where the ones before ended (G.1.1.1).
    fn go_on_to(&mut self, scan: &Scan) -> Answer<()> {
        let Band { first, last, high, low } = scan.band;
        let is_dc = first == 0 && last == 0;
        let is_band = (1..=last).contains(&first) && last < COEFFICIENTS;
        let is_next = high == 0 || low + 1 == high;
        if !(is_dc || is_band) || !is_next || low > MOST_LOW_BITS {
            return Err(Refusal::NotMine);
        }
        for part in &scan.parts {
            let lowest = &mut self.lowest[part.component];
            if is_band && lowest[0].is_none() {
                return Err(Refusal::NotMine);
            }
            let expected = (high > 0).then_some(high);
            for bit in &mut lowest[first..=last] {
                if *bit != expected {
                    return Err(Refusal::NotMine);
                }
                *bit = Some(low);
            }
        }
        Ok(())
    }

    fn first_dc(&mut self, parts: &[Part], band: Band, at: usize) -> Answer<usize> {
        let tables: Vec<Decoder> = parts
            .iter()
            .map(|part| Decoder::new(table(&self.segments.dc_tables, part.dc)?, Class::Dc))
            .collect::<Answer<_>>()?;
        let units = Units::of(&self.planes.layout, parts.iter().map(|part| part.component).collect())?;
        let dc = &mut self.planes.dc;
        let data = Data { file: self.file, at, restart_interval: self.segments.restart_interval };
        data.each_interval(&mut self.room, units.count, |mut bits, interval| {
            let mut predictions = [0; 4];
            units.each_block(interval, |part, block| {
                dc[block] = first_dc(&mut bits, &tables[part], band.low, &mut predictions[part])?;
                bits.require_enough()
            })?;
            bits.require_end()
        })
    }

    fn next_bit_of_dc(&mut self, parts: &[Part], band: Band, at: usize) -> Answer<usize> {
        let units = Units::of(&self.planes.layout, parts.iter().map(|part| part.component).collect())?;
        let dc = &mut self.planes.dc;
        let data = Data { file: self.file, at, restart_interval: self.segments.restart_interval };
        data.each_interval(&mut self.room, units.count, |mut bits, interval| {
            units.each_block(interval, |_, block| {
                dc[block] |= next_bit_of_dc(&mut bits, band.low);
                bits.require_enough()
            })?;
            bits.require_end()
        })
    }

    fn band(&mut self, part: Part, band: Band, at: usize) -> Answer<usize> {
        let ac = band.decoder(table(&self.segments.ac_tables, part.ac)?);
        let Spectrum { present, values } = &mut self.planes.spectra[part.component];
        let mut merging = Merging::new(values);
        let data = Data { file: self.file, at, restart_interval: self.segments.restart_interval };
        let end = data.each_interval(&mut self.room, present.len(), |bits, interval| {
            BandReader::new(bits, &ac, band).read(&mut present[interval], &mut merging)
        })?;
        *values = merging.finished();
        Ok(end)
    }
}

fn table(tables: &[Option<Definition>; 4], number: usize) -> Answer<&Definition> {
    tables.get(number).and_then(Option::as_ref).ok_or(Refusal::NotMine)
}

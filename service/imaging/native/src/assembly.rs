//! What is known for certain of a scan, put together piece by piece.

use crate::bits::{window_at, Clean, Reader};
use crate::block::{low, Differences, COEFFICIENTS, LOW_COEFFICIENTS};
use crate::header::Header;
use crate::layout::{Layout, Plane};
use crate::machine::Machine;
use crate::pieces::{End, Piece};
use crate::refusal::{Answer, Refusal};
use crate::scan::Detail;
use crate::segments::{EOI, RST0};
use std::ops::Range;

/// Puts together what is known for certain: each unit begins where the one before ended.
pub struct Assembly<'a> {
    file: &'a [u8],
    layout: &'a Layout,
    machine: &'a Machine,
    /// By pair of decoders.
    differences: Vec<Differences>,
    detail: Detail,
    starts: &'a mut [u32],
    values: &'a mut [i16],
    restart_interval: usize,
    unit: usize,
    position: u32,
    restarts: usize,
    ended: bool,
    /// By component.
    predictions: [i32; 4],
    plane_length: usize,
    /// Bits that no sound DC has.
    outside: u32,
}

impl<'a> Assembly<'a> {
    /// Fills `starts` and `values`, which must be as long as `layout` says.
    pub fn new(
        file: &'a [u8],
        header: &Header,
        layout: &'a Layout,
        machine: &'a Machine,
        detail: Detail,
        (starts, values): (&'a mut [u32], &'a mut [i16]),
    ) -> Self {
        Assembly {
            file,
            layout,
            machine,
            differences: machine.decoders().iter().map(|(dc, _)| Differences::new(dc)).collect(),
            detail,
            starts,
            values,
            restart_interval: if header.restart_interval == 0 {
                layout.units()
            } else {
                header.restart_interval
            },
            unit: 0,
            position: (header.scan_start as u32) << 3,
            restarts: 0,
            ended: false,
            predictions: [0; 4],
            plane_length: layout.total_blocks(),
            outside: 0,
        }
    }

    /// The units that begin in the next piece.
    pub fn take(&mut self, piece: &Piece) -> Answer<()> {
        while self.position < piece.end && self.unit < self.limit() {
            let mut units = piece.units_from(self.position, self.machine.blocks());
            units.end = units.end.min(units.start + self.limit() - self.unit);
            if units.is_empty() {
                self.read_unit()?;
            } else {
                self.take_units(piece, units);
            }
        }
        match piece.ends_with {
            End::Open if self.position >= piece.end => Ok(()),
            End::Marker(Some(marker)) if self.is_at(piece.end) => self.pass(marker, piece.end),
            _ => Err(Refusal::Damaged),
        }
    }

    /// Units that a lane has found, row by row.
    fn take_units(&mut self, piece: &Piece, mut units: Range<usize>) {
        let blocks = self.machine.blocks();
        let mut seen = 0;
        while !units.is_empty() {
            let left_in_row = self.layout.across - self.unit % self.layout.across;
            let run = units.start..units.end.min(units.start + left_in_row);
            for (start, unit) in self.starts[self.unit..].iter_mut().zip(run.clone()) {
                *start = piece.position(piece.begin(unit * blocks), &mut seen);
            }
            for plane in &self.layout.planes {
                self.take_blocks(piece, &run, plane);
            }
            self.unit += run.len();
            units.start = run.end;
        }
        self.position = piece.position(piece.begin(units.end * blocks), &mut seen);
    }

    /// A component's blocks of units side by side.
    fn take_blocks(&mut self, piece: &Piece, units: &Range<usize>, plane: &Plane) {
        match (self.detail, plane.across, plane.down) {
            (Detail::Eighth, 1, 1) => self.take_blocks_of::<1, 1, 1>(piece, units, plane),
            (Detail::Eighth, 2, 1) => self.take_blocks_of::<1, 2, 1>(piece, units, plane),
            (Detail::Eighth, 2, 2) => self.take_blocks_of::<1, 2, 2>(piece, units, plane),
            (Detail::Eighth, ..) => self.take_blocks_of::<1, 0, 0>(piece, units, plane),
            (Detail::Quarter, ..) => self.take_blocks_of::<4, 0, 0>(piece, units, plane),
        }
    }

    /// Known numbers make shorter loops; an `ACROSS` or `DOWN` of 0 is any.
    fn take_blocks_of<const VALUES: usize, const ACROSS: usize, const DOWN: usize>(
        &mut self,
        piece: &Piece,
        units: &Range<usize>,
        plane: &Plane,
    ) {
        let (across, down) = if ACROSS == 0 { (plane.across, plane.down) } else { (ACROSS, DOWN) };
        let decoders = self.machine.decoders_of(plane.first_block);
        let differences = &self.differences[self.machine.pair_of(plane.first_block)];
        let room = piece.bytes();
        let prediction = &mut self.predictions[self.layout.blocks[plane.first_block].component];
        let (mut dc, mut outside) = (*prediction, 0);
        let place = self.layout.row_and_column(self.unit);
        let first = self.layout.index(self.layout.blocks[plane.first_block], place);
        let values = &mut self.values[..];
        let begins = piece.begins(units.start * self.machine.blocks()..units.end * self.machine.blocks());
        for (number, begins) in begins.chunks_exact(self.machine.blocks()).enumerate() {
            let begins = &begins[plane.first_block..][..across * down];
            for row in 0..down {
                let at = first + number * across + row * plane.stride;
                for column in 0..across {
                    let begin = begins[row * across + column] as usize;
                    let found = match VALUES {
                        1 => [differences.at(window_at(room, begin), &decoders.0), 0, 0, 0],
                        _ => {
                            let mut bits = Clean { room, bit: begin };
                            low(&mut bits, decoders, LOW_COEFFICIENTS).unwrap_or_default()
                        }
                    };
                    dc = dc.wrapping_add(i32::from(found[0]));
                    outside |= dc.wrapping_add(0x8000) as u32 >> 16;
                    values[at + column] = dc as i16;
                    for (number, &value) in found.iter().enumerate().take(VALUES).skip(1) {
                        values[number * self.plane_length + at + column] = value;
                    }
                }
            }
        }
        *prediction = dc;
        self.outside |= outside;
    }

    /// One unit, code by code.
    fn read_unit(&mut self) -> Answer<()> {
        let mut reader = Reader::at(self.file, self.position);
        self.starts[self.unit] = self.position;
        for (block, &place) in self.layout.blocks.iter().enumerate() {
            let found = low(&mut reader, self.machine.decoders_of(block), COEFFICIENTS)?;
            let at = self.layout.index(place, self.layout.row_and_column(self.unit));
            let prediction = &mut self.predictions[place.component];
            *prediction = prediction.wrapping_add(i32::from(found[0]));
            self.outside |= prediction.wrapping_add(0x8000) as u32 >> 16;
            self.values[at] = *prediction as i16;
            for (number, &value) in found.iter().enumerate().take(self.detail.values()).skip(1) {
                self.values[number * self.plane_length + at] = value;
            }
        }
        self.position = reader.position()?;
        self.unit += 1;
        Ok(())
    }

    /// Units before the next restart marker.
    fn limit(&self) -> usize {
        ((self.restarts + 1) * self.restart_interval).min(self.starts.len())
    }

    /// Whether nothing but padding is left before a marker.
    fn is_at(&self, marker: u32) -> bool {
        let byte = self.position >> 3;
        if self.position & 7 == 0 {
            return self.position == marker;
        }
        let stuffed = self.file.get(byte as usize) == Some(&0xFF);
        (byte + 1 + u32::from(stuffed)) << 3 == marker
    }

    fn pass(&mut self, marker: u8, at: u32) -> Answer<()> {
        let all = self.unit == self.starts.len();
        let expected = if all { EOI } else { RST0 + (self.restarts & 7) as u8 };
        if self.unit < self.limit() || marker != expected {
            return Err(Refusal::Damaged);
        }
        self.ended = all;
        self.restarts += 1;
        self.position = at + 16;
        self.predictions.fill(0);
        Ok(())
    }

    /// An error unless the end has been reached and all was sound.
    pub fn finish(self) -> Answer<()> {
        if self.ended && self.outside == 0 {
            Ok(())
        } else {
            Err(Refusal::Damaged)
        }
    }
}

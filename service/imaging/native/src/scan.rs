//! One pass over the entropy-coded data: every unit's position, every block's lowest coefficients.

use crate::assembly::Assembly;
use crate::bits::{ROOM, SLACK};
use crate::header::Header;
use crate::lanes::{Found, LaneTables, LANES, OVERSHOOT_BYTES};
use crate::layout::Layout;
use crate::machine::Lane;
use crate::pieces::{End, Piece};
use crate::refusal::{Answer, Refusal};
use crate::segments::{RST0, RST7};

/// Pieces in memory at a time: those of the lanes, and those that wait for an earlier one.
const PIECES: usize = 2 * LANES;
const LARGEST_PIECE: usize = 24_576;
const _: () = assert!(LARGEST_PIECE + 2 * OVERSHOOT_BYTES + 2 * SLACK < ROOM);
/// The fuzzer's files are small, and are to be in many pieces all the same.
const SMALLEST_PIECE: usize = if cfg!(fuzzing) { 32 } else { 2_048 };
/// Between two restart markers there should be so much for lanes to be worth their start.
const LEAST_FOR_LANES: usize = if cfg!(fuzzing) { 8 } else { 1_024 };

/// How much of the blocks is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// DC: the photo at an eighth of its size.
    Eighth,
    /// Three coefficients more: at a quarter.
    Quarter,
}

impl Detail {
    /// Values of a block.
    pub fn values(self) -> usize {
        match self {
            Detail::Eighth => 1,
            Detail::Quarter => 4,
        }
    }
}

/// Fills in where each unit begins, as `bits::Reader` counts, and the planes of each value; DC is
/// absolute.
///
/// An error unless the scan is sound down to its last bit, and the end marker comes next.
pub fn scan(
    file: &[u8],
    header: &Header,
    detail: Detail,
    starts: &mut [u32],
    values: &mut [i16],
) -> Answer<()> {
    scan_in(Way::Lanes, file, header, detail, (starts, values))
}

/// The same without lanes, slower: what `scan` is tested against.
pub fn scan_one_by_one(
    file: &[u8],
    header: &Header,
    detail: Detail,
    starts: &mut [u32],
    values: &mut [i16],
) -> Answer<()> {
    scan_in(Way::OneByOne, file, header, detail, (starts, values))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Lanes,
    OneByOne,
}

fn scan_in(
    way: Way,
    file: &[u8],
    header: &Header,
    detail: Detail,
    (starts, values): (&mut [u32], &mut [i16]),
) -> Answer<()> {
    let layout = Layout::of(header);
    if starts.len() != layout.units() || values.len() != layout.total_blocks() * detail.values() {
        return Err(Refusal::BadCall);
    }
    let (decoders, chosen) = header.decoders()?;
    let pairs = layout.blocks.iter().map(|place| chosen[place.component]).collect();
    let tables = LaneTables::new(decoders, pairs);
    let source = Source::new(file, header, &layout);
    let assembly = Assembly::new(file, header, &layout, tables.machine(), detail, (starts, values));
    let pass = Pass { file, tables: &tables, source, assembly };
    if way == Way::Lanes && pass.source.is_worth_lanes {
        pass.in_lanes()
    } else {
        pass.one_by_one()
    }
}

/// Hands out the scan piece by piece.
struct Source {
    next: Option<usize>,
    piece_bytes: usize,
    is_worth_lanes: bool,
}

impl Source {
    fn new(file: &[u8], header: &Header, layout: &Layout) -> Self {
        let bytes = file.len() - header.scan_start;
        let per_restart = (bytes / layout.units()).saturating_mul(header.restart_interval);
        let restarts_often = header.restart_interval > 0 && per_restart < LEAST_FOR_LANES;
        Source {
            next: Some(header.scan_start),
            piece_bytes: (bytes / (4 * LANES)).clamp(SMALLEST_PIECE, LARGEST_PIECE),
            is_worth_lanes: !restarts_often && bytes >= LANES * SMALLEST_PIECE,
        }
    }

    /// Whether there was a piece left to load.
    fn load(&mut self, file: &[u8], piece: &mut Piece) -> bool {
        let Some(from) = self.next else { return false };
        let end = piece.load(file, from, self.piece_bytes);
        self.next = match piece.ends_with {
            End::Open => Some(end),
            End::Marker(Some(RST0..=RST7)) => Some(end + 2),
            End::Marker(_) => None,
        };
        true
    }
}

struct Pass<'a> {
    file: &'a [u8],
    tables: &'a LaneTables,
    source: Source,
    assembly: Assembly<'a>,
}

impl Pass<'_> {
    fn one_by_one(mut self) -> Answer<()> {
        let mut piece = Piece::empty();
        while self.source.load(self.file, &mut piece) {
            self.assembly.take(&piece)?;
        }
        self.assembly.finish()
    }

    fn in_lanes(mut self) -> Answer<()> {
        let mut pieces: [Piece; PIECES] = std::array::from_fn(|_| Piece::empty());
        let mut done = [false; PIECES];
        let (mut begun, mut taken) = (0, 0);
        let mut lanes = [Lane::default(); LANES];
        let mut found = [Found::NOTHING; LANES];
        let mut work = [None; LANES];
        loop {
            for lane in 0..LANES {
                let slot = begun % PIECES;
                if work[lane].is_none()
                    && begun < taken + PIECES
                    && self.source.load(self.file, &mut pieces[slot])
                {
                    (lanes[lane], found[lane]) = self.tables.lane_at(0);
                    (work[lane], done[slot]) = (Some(slot), false);
                    begun += 1;
                }
            }
            if taken == begun {
                return self.assembly.finish();
            }
            let bytes = work.map(|slot: Option<usize>| pieces[slot.unwrap_or(0)].bytes());
            self.tables.run(&bytes, &mut lanes, &mut found);
            for lane in 0..LANES {
                let Some(slot) = work[lane] else { continue };
                if pieces[slot].drain(&lanes[lane], &found[lane], self.tables.machine().blocks()) {
                    (work[lane], done[slot]) = (None, true);
                }
            }
            while taken < begun && done[taken % PIECES] {
                self.assembly.take(&pieces[taken % PIECES])?;
                taken += 1;
            }
        }
    }
}

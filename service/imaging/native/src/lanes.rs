//! Several places of the scan parsed at once, without a branch that the processor could guess wrong.
//!
//! Parsing Huffman codes is one long chain: where the next code begins is known when the last one has
//! been looked up. A processor spends most of it waiting, so it is given several chains. Each `Lane`
//! starts at a place of its own, guessing that a unit begins there. The guess is wrong, but Huffman
//! codes fall into step after a few dozen blocks; `scan` finds out where, and takes a lane's word only
//! from a unit's beginning that it has reached itself.
//!
//! A lane only finds where blocks begin. It looks up `WINDOW_BITS` bits at a time: as many symbols as fit.

use crate::bits::{window_at, Room};
use crate::huffman::{Decoder, Pair, MAX_DC_BITS, MAX_LENGTH};
use crate::machine::{Lane, Machine, COUNT, COUNT_BITS, END, FIRST, FULL, MOST_AT_ONCE, TROUBLE};
use std::ops::Range;

/// Lanes that run side by side: as many as a processor gains by; they take turns in its registers.
pub const LANES: usize = 5;
/// Look-ups a lane makes in a batch, `STEPS_AT_ONCE` of them in the same word.
const STEPS: usize = 198;
const STEPS_AT_ONCE: usize = 3;
const RECORDS: usize = 256;
/// Room that a batch may need behind the end of what it is to parse.
pub const OVERSHOOT_BYTES: usize = STEPS * MAX_BITS / 8 + 16;
/// The longest code, and the magnitude behind it.
const MAX_BITS: usize = MAX_LENGTH + MAX_DC_BITS as usize;

const WINDOW_BITS: usize = 12;
const WINDOWS: usize = 1 << WINDOW_BITS;
const ENTRIES: usize = 8 * WINDOWS;
/// A look-up uses no more, so that a word's 57 bits suffice for `STEPS_AT_ONCE`.
const MAX_BITS_AT_ONCE: usize = (57 - WINDOW_BITS) / (STEPS_AT_ONCE - 1);

/// What one lane found in a batch.
#[derive(Clone, Copy)]
pub struct Found {
    /// Where the begin of the block after this one goes.
    next: usize,
    /// By block, `Lane::place` where it begins; the count is of no meaning.
    begins: [u32; RECORDS],
    /// The first and the last block that began anew, as a unit's first, since no code fitted.
    pub breaks: Option<(usize, usize)>,
}

impl Found {
    /// Nothing yet.
    pub const NOTHING: Found = Found { next: 1, begins: [0; RECORDS], breaks: None };

    /// Blocks that ended.
    pub fn blocks(&self) -> usize {
        self.next - 1
    }

    /// The bits where blocks begin; the first one began in the batch before.
    pub fn begins(&self, blocks: Range<usize>) -> impl Iterator<Item = u32> + '_ {
        self.begins[blocks].iter().map(|place| place >> COUNT_BITS)
    }
}

/// The machine of a scan, with what a window of its bits holds.
pub struct LaneTables {
    machine: Machine,
    entries: Box<[u16; ENTRIES]>,
}

impl LaneTables {
    /// `decoders` are pairs, DC and AC, at most four; `pairs` says which one each block of a unit has.
    pub fn new(decoders: Vec<Pair>, pairs: Vec<usize>) -> Self {
        let mut entries = Box::new([0; ENTRIES]);
        for (slots, pair) in entries.chunks_exact_mut(2 * WINDOWS).zip(&decoders) {
            let (first, further) = slots.split_at_mut(WINDOWS);
            fill(first, further, pair);
        }
        LaneTables { machine: Machine::new(decoders, pairs, WINDOW_BITS), entries }
    }

    /// See `Machine`.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// A lane at a bit where a unit begins, or is guessed to.
    pub fn lane_at(&self, bit: usize) -> (Lane, Found) {
        let mut found = Found::NOTHING;
        found.begins[0] = (bit as u32) << COUNT_BITS;
        (self.machine.lane_at(bit), found)
    }

    /// Parses on, each lane in its own room.
    pub fn run(&self, rooms: &[&Room; LANES], lanes: &mut [Lane; LANES], found: &mut [Found; LANES]) {
        let mut running = *lanes;
        for found in found.iter_mut() {
            found.begins[0] = found.begins[found.blocks() % RECORDS];
            (found.next, found.breaks) = (1, None);
        }
        let mut windows = [0; LANES];
        for _ in 0..STEPS / STEPS_AT_ONCE {
            for ((window, room), lane) in windows.iter_mut().zip(rooms).zip(&running) {
                *window = window_at(room, lane.bit());
            }
            for _ in 0..STEPS_AT_ONCE {
                for index in 0..LANES {
                    self.step(rooms[index], &mut windows[index], &mut running[index], &mut found[index]);
                }
            }
        }
        *lanes = running;
    }

    /// One look-up.
    #[inline(always)]
    fn step(&self, room: &Room, window: &mut u64, lane: &mut Lane, found: &mut Found) {
        let entry = lane.first_entry() | (*window >> (64 - WINDOW_BITS)) as usize;
        let added = u64::from(self.entries[entry % ENTRIES]);
        *window <<= added >> COUNT_BITS;
        lane.place += added;
        if lane.place & TROUBLE != 0 {
            lane.place -= added;
            *window = self.step_slowly(room, lane, found);
        }
        found.begins[found.next % RECORDS] = lane.place as u32;
        found.next += usize::from(self.machine.go_on(lane));
    }

    /// A single symbol, where the window holds too few or too many; returns the next window.
    #[cold]
    #[inline(never)]
    fn step_slowly(&self, room: &Room, lane: &mut Lane, found: &mut Found) -> u64 {
        if self.machine.read_one(window_at(room, lane.bit()), lane).is_none() {
            let anew = found.next;
            found.breaks = Some((found.breaks.map_or(anew, |breaks| breaks.0), anew));
            self.machine.begin_anew(lane);
        }
        window_at(room, lane.bit())
    }
}

/// For each window what a block that begins there adds to `Lane::place`, and one that goes on.
fn fill(first: &mut [u16], further: &mut [u16], (dc, ac): &Pair) {
    let mut shorter = vec![vec![0]];
    for bits in 1..=WINDOW_BITS {
        let entries = (0..1 << bits).map(|window| further_entry(window, bits, ac, &shorter)).collect();
        shorter.push(entries);
    }
    for (window, (first, further)) in first.iter_mut().zip(further.iter_mut()).enumerate() {
        *first = first_entry(window, dc, &shorter);
        *further = shorter[WINDOW_BITS][window];
        if *first == 0 {
            *first = (TROUBLE | FIRST) as u16;
        }
        if *further == 0 {
            *further = FULL as u16;
        }
    }
}

/// The symbols whose codes lie in a window of so many bits, 0 if there is none.
fn further_entry(window: usize, bits: usize, ac: &Decoder, shorter: &[Vec<u16>]) -> u16 {
    let code = ac.code((window as u64) << (64 - bits));
    let used = usize::from(code.length + (code.symbol & 15));
    if code.length == 0 || usize::from(code.length) > bits || used > MAX_BITS_AT_ONCE {
        return 0;
    }
    if code.symbol == 0 {
        return (used << COUNT_BITS) as u16 | END as u16;
    }
    let alone = (used << COUNT_BITS) as u16 | (u16::from(code.symbol >> 4) + 1);
    joined(alone, window, bits, used, shorter)
}

fn first_entry(window: usize, dc: &Decoder, shorter: &[Vec<u16>]) -> u16 {
    let code = dc.code((window as u64) << (64 - WINDOW_BITS));
    let used = usize::from(code.length + code.symbol);
    if code.length == 0 || usize::from(code.length) > WINDOW_BITS || used > MAX_BITS_AT_ONCE {
        return 0;
    }
    joined((used << COUNT_BITS) as u16 | FIRST as u16, window, WINDOW_BITS, used, shorter)
}

/// An entry and what comes behind it in the window, as long as the sum makes sense for every block.
fn joined(alone: u16, window: usize, bits: usize, used: usize, shorter: &[Vec<u16>]) -> u16 {
    let Some(left) = bits.checked_sub(used) else { return alone };
    let rest = shorter[left][window & ((1 << left) - 1)];
    let both = alone + rest;
    let count = u64::from(both) & COUNT;
    let run = (if count >= END { count - END } else { count }) - (u64::from(alone) & FIRST);
    if run > MOST_AT_ONCE || usize::from(both >> COUNT_BITS) > MAX_BITS_AT_ONCE {
        alone
    } else {
        both
    }
}

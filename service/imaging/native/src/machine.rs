//! Where a reader of Huffman codes is: in which block of the unit, and how far in it.
//!
//! Made for being carried on without a branch: a table entry is added to `Lane::place`, whose upper part
//! is the next bit, and whose lowest `COUNT_BITS` count the block's coefficients in a way that shows its
//! end in a few fixed bits.

use crate::huffman::{Class, Code, Pair};

/// See `Lane::place`.
pub const COUNT_BITS: u32 = 9;
/// See `Lane::place`.
pub const COUNT: u64 = (1 << COUNT_BITS) - 1;
/// What a block's first coefficient adds to the count, which is 0 before it; each other one adds 1. So a
/// full block has a count of `FULL`, and one overfull has `TROUBLE`, which no other has.
pub const FIRST: u64 = 64;
/// See `FIRST`.
pub const FULL: u64 = 127;
/// See `FIRST`.
pub const TROUBLE: u64 = 128;
/// What a block's end adds; behind a full block it is the next one's, and trouble too.
pub const END: u64 = 257;
/// One of these is set in the count and 1 of a block that is full or at its end, and in no other.
const ENDED: u64 = 128 | 256;
/// Coefficients in one step: with more, the count could go around.
pub const MOST_AT_ONCE: u64 = 62;

const STATE_BITS: u32 = 7;
const STATES: usize = 1 << STATE_BITS;

/// One reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lane {
    /// The next bit, above the count.
    pub place: u64,
    /// The first entry of the table that comes next, above the number of block and half of it.
    state: u32,
}

impl Lane {
    /// The next bit.
    #[inline(always)]
    pub fn bit(&self) -> usize {
        (self.place >> COUNT_BITS) as usize
    }

    /// Of the table that comes next.
    #[inline(always)]
    pub fn first_entry(&self) -> usize {
        (self.state >> STATE_BITS) as usize
    }
}

/// The order of a unit's blocks, and their tables: of each pair of decoders one for what a block begins
/// with, and one for what it goes on with.
pub struct Machine {
    /// The state that follows, by the last one and whether its block ended.
    following: [u32; STATES],
    start: u32,
    last: u32,
    decoders: Vec<Pair>,
    /// Which of the decoders each block of a unit has.
    pairs: Vec<usize>,
}

impl Machine {
    /// `decoders` are pairs, DC and AC, at most four; `pairs` says which one each block has. A table has
    /// 2 to the `table_bits` entries.
    pub fn new(decoders: Vec<Pair>, pairs: Vec<usize>, table_bits: usize) -> Self {
        let state = |block: usize, begun: bool| {
            let table = 2 * pairs[block] + usize::from(begun);
            (table << table_bits << STATE_BITS | (2 * block + usize::from(begun)) << 1) as u32
        };
        let mut following = [0; STATES];
        for block in 0..pairs.len() {
            for begun in [false, true] {
                let now = state(block, begun) as usize % STATES;
                following[now] = state(block, true);
                following[now + 1] = state((block + 1) % pairs.len(), false);
            }
        }
        let (start, last) = (state(0, false), state(pairs.len() - 1, true));
        Machine { following, start, last, decoders, pairs }
    }

    /// A reader at a bit where a unit begins.
    pub fn lane_at(&self, bit: usize) -> Lane {
        Lane { place: (bit as u64) << COUNT_BITS, state: self.start }
    }

    /// Blocks of a unit.
    pub fn blocks(&self) -> usize {
        self.pairs.len()
    }

    /// All pairs, DC and AC.
    pub fn decoders(&self) -> &[Pair] {
        &self.decoders
    }

    /// Which of them a unit's block has.
    pub fn pair_of(&self, block: usize) -> usize {
        self.pairs[block]
    }

    /// Those of a unit's block.
    #[inline(always)]
    pub fn decoders_of(&self, block: usize) -> &Pair {
        &self.decoders[self.pairs[block]]
    }

    /// What comes next, now that an entry has been added to `place`; whether the block ended.
    #[inline(always)]
    pub fn go_on(&self, lane: &mut Lane) -> bool {
        let ended = (lane.place + 1) & ENDED != 0;
        lane.state = self.following[(lane.state + u32::from(ended)) as usize % STATES];
        lane.place = if ended { lane.place & !COUNT } else { lane.place };
        ended
    }

    /// The decoders that come next, and which one of the pair.
    pub fn next(&self, lane: &Lane) -> (usize, Class) {
        let class = if lane.place & COUNT == 0 { Class::Dc } else { Class::Ac };
        (self.pairs[lane.state as usize % STATES / 4], class)
    }

    /// A single symbol from the window at the lane's bit, added to `place`; `None` where none fits.
    pub fn read_one(&self, window: u64, lane: &mut Lane) -> Option<Code> {
        let (pair, class) = self.next(lane);
        let (dc, ac) = &self.decoders[pair];
        let count = lane.place & COUNT;
        let (code, more) = match class {
            Class::Dc => (dc.code(window), FIRST),
            Class::Ac => match ac.code(window) {
                end @ Code { symbol: 0, .. } => (end, END),
                code => (code, u64::from(code.symbol >> 4) + 1),
            },
        };
        if code.length == 0 || (count + more) & TROUBLE != 0 {
            return None;
        }
        lane.place += u64::from(code.length + (code.symbol & 15)) << COUNT_BITS | more;
        Some(code)
    }

    /// As if the unit's last block had ended a bit further on, so that a new one is tried there.
    pub fn begin_anew(&self, lane: &mut Lane) {
        lane.place = ((lane.place >> COUNT_BITS) + 1) << COUNT_BITS | FULL;
        lane.state = self.last;
    }
}

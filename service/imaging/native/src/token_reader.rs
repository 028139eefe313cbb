//! Tokens of blocks, several places read at once, in the way that `lanes` explains; but what is found is
//! kept, phrase by phrase.

use crate::bits::{window_at, Room};
use crate::huffman::{Pair, MAX_DC_BITS, MAX_LENGTH};
use crate::machine::{Lane, Machine, TROUBLE};
use crate::phrases::{Entry, Phrases, MOST_BITS_READ};
use crate::refusal::{Answer, Refusal};
use crate::tokens::{table, Token, Tokens};

/// Lanes that run side by side; each does more at a step than those of `lanes`.
const LANES: usize = 4;
/// Look-ups a lane makes in a batch, `STEPS_AT_ONCE` of them in the same word, of which 57 bits are sure.
const STEPS: usize = 126;
const STEPS_AT_ONCE: usize = 3;
const _: () = assert!(STEPS_AT_ONCE * MOST_BITS_READ <= 57 && STEPS % STEPS_AT_ONCE == 0);
/// As many at least, and a power of two.
const ENDS: usize = 128;
/// Room that a batch may need behind the end of what it is to read.
pub const OVERSHOOT_BYTES: usize = STEPS * (MAX_LENGTH + MAX_DC_BITS as usize) / 8 + 16;
const WINDOW_BITS: usize = 11;
const WINDOWS: usize = 1 << WINDOW_BITS;
const ENTRIES: usize = 8 * WINDOWS;

/// Blocks that are to be read, the first of which is a unit's first.
pub struct Run {
    /// How many.
    pub blocks: usize,
    /// Where they begin in a room.
    pub bit: usize,
    /// How many bytes they have, nearly.
    pub bytes: usize,
}

/// Reads tokens.
pub struct TokenReader {
    machine: Machine,
    entries: Box<[Entry; ENTRIES]>,
    phrases: Phrases,
    /// By pair of decoders: of tables to write with.
    written_with: Vec<usize>,
}

/// What a lane is at.
struct Work {
    run: usize,
    blocks: usize,
    read: Tokens,
    /// Tokens of a block that has not ended.
    open: usize,
    sound: bool,
}

impl TokenReader {
    /// `decoders` are pairs, DC and AC, at most four, what they read is to be written with the pair, 0 or
    /// 1, that `written_with` says; `pairs` says which decoders each block of a unit has.
    pub fn new(decoders: Vec<Pair>, written_with: Vec<usize>, pairs: Vec<usize>) -> Self {
        let mut entries = Box::new([Entry::none(0); ENTRIES]);
        let mut phrases = Phrases::default();
        let all = decoders.iter().zip(&written_with);
        for (slots, ((dc, ac), &pair)) in entries.chunks_exact_mut(2 * WINDOWS).zip(all) {
            let (first, further) = slots.split_at_mut(WINDOWS);
            phrases.fill_first(first, dc, pair);
            phrases.fill_further(further, ac, pair);
        }
        let machine = Machine::new(decoders, pairs, WINDOW_BITS);
        TokenReader { machine, entries, phrases, written_with }
    }

    /// What the numbers of the tokens mean that it reads.
    pub fn phrases(&self) -> &Phrases {
        &self.phrases
    }

    /// Blocks of a unit.
    pub fn unit_blocks(&self) -> usize {
        self.machine.blocks()
    }

    /// Reads `runs` many runs: `load` puts one into a room, `take` gets its tokens, in any order.
    pub fn read(
        &self,
        runs: usize,
        mut load: impl FnMut(usize, &mut Room) -> Run,
        mut take: impl FnMut(usize, Tokens) -> Answer<()>,
    ) -> Answer<()> {
        let mut rooms: [Box<Room>; LANES] =
            std::array::from_fn(|_| Box::new([0; std::mem::size_of::<Room>()]));
        let mut lanes = [Lane::default(); LANES];
        let mut work: [Option<Work>; LANES] = std::array::from_fn(|_| None);
        let mut found = [Found::NOTHING; LANES];
        let mut next = 0;
        loop {
            for index in 0..LANES {
                if work[index].is_none() && next < runs {
                    let run = load(next, &mut rooms[index]);
                    lanes[index] = self.machine.lane_at(run.bit);
                    work[index] = Some(Work::new(next, &run));
                    next += 1;
                }
            }
            if work.iter().all(Option::is_none) {
                return Ok(());
            }
            self.run(&rooms, &mut lanes, &mut found);
            for (slot, found) in work.iter_mut().zip(&found) {
                let Some(mut one) = slot.take() else { continue };
                one.add(found);
                if one.read.lengths.len() < one.blocks && one.sound {
                    *slot = Some(one);
                } else {
                    take(one.run, one.finished()?)?;
                }
            }
        }
    }

    fn run(&self, rooms: &[Box<Room>; LANES], lanes: &mut [Lane; LANES], found: &mut [Found; LANES]) {
        let mut running = *lanes;
        for found in found.iter_mut() {
            (found.blocks, found.damaged_from) = (0, usize::MAX);
        }
        for step in (0..STEPS).step_by(STEPS_AT_ONCE) {
            let mut windows = [0; LANES];
            for ((window, room), lane) in windows.iter_mut().zip(rooms).zip(&running) {
                *window = window_at(room, lane.bit());
            }
            for step in step..step + STEPS_AT_ONCE {
                for index in 0..LANES {
                    self.step(
                        step,
                        &mut windows[index],
                        &rooms[index],
                        &mut running[index],
                        &mut found[index],
                    );
                }
            }
        }
        *lanes = running;
    }

    /// One look-up.
    #[inline(always)]
    fn step(&self, step: usize, window: &mut u64, room: &Room, lane: &mut Lane, found: &mut Found) {
        let index = lane.first_entry() | (*window >> (64 - WINDOW_BITS)) as usize;
        let entry = self.entries[index % ENTRIES];
        let added = entry.added();
        found.tokens[step] = entry.take(window);
        lane.place += added;
        if lane.place & TROUBLE != 0 {
            lane.place -= added;
            found.tokens[step] = self.step_slowly(room, lane, found);
            *window = window_at(room, lane.bit());
        }
        found.ends[found.blocks % ENDS] = step as u8 + 1;
        found.blocks += usize::from(self.machine.go_on(lane));
    }

    /// A single symbol, where the window holds too few or too many.
    #[cold]
    #[inline(never)]
    fn step_slowly(&self, room: &Room, lane: &mut Lane, found: &mut Found) -> Token {
        let window = window_at(room, lane.bit());
        let (decoders, class) = self.machine.next(lane);
        let table = table(self.written_with[decoders], class);
        match self.machine.read_one(window, lane) {
            Some(code) => {
                let extra = (window << code.length) >> 1 >> (63 - (code.symbol & 15));
                Token::new(table << 8 | u32::from(code.symbol), extra as u32)
            }
            None => {
                found.damaged_from = found.damaged_from.min(found.blocks);
                self.machine.begin_anew(lane);
                Token::default()
            }
        }
    }
}

/// What one lane read in a batch.
#[derive(Clone, Copy)]
struct Found {
    tokens: [Token; STEPS],
    /// Behind which of the tokens each block ends.
    ends: [u8; ENDS],
    blocks: usize,
    /// The first block that no code fitted.
    damaged_from: usize,
}

impl Found {
    const NOTHING: Found =
        Found { tokens: [Token::new(0, 0); STEPS], ends: [0; ENDS], blocks: 0, damaged_from: usize::MAX };
}

impl Work {
    fn new(number: usize, run: &Run) -> Self {
        // A token takes about a byte; more of them take a little longer.
        let read = Tokens::with_capacity(run.bytes + STEPS, run.blocks + STEPS);
        Work { run: number, blocks: run.blocks, read, open: 0, sound: true }
    }

    fn add(&mut self, found: &Found) {
        self.read.all.extend_from_slice(&found.tokens);
        let mut begin = 0;
        for &end in &found.ends[..found.blocks] {
            self.read.lengths.push((self.open + usize::from(end) - begin) as u8);
            (self.open, begin) = (0, usize::from(end));
        }
        self.open += STEPS - begin;
        let before = self.read.lengths.len() - found.blocks;
        self.sound &= found.damaged_from == usize::MAX || before + found.damaged_from >= self.blocks;
    }

    /// Without what was read behind the run.
    fn finished(mut self) -> Answer<Tokens> {
        if !self.sound {
            return Err(Refusal::Damaged);
        }
        self.read.lengths.truncate(self.blocks);
        let tokens = self.read.lengths.iter().map(|&length| usize::from(length)).sum();
        self.read.all.truncate(tokens);
        Ok(self.read)
    }
}

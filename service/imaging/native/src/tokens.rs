//! Blocks as they are written: symbols, each with the bits of its magnitude; several places read at once,
//! in the way that `lanes` explains, but one symbol at a time.

use crate::bits::{window_at, Room};
use crate::huffman::{Class, Decoder, Definition, Pair, MAX_AC_BITS, MAX_DC_BITS, MAX_LENGTH};
use crate::machine::{Lane, Machine, COUNT_BITS, END, FIRST, FULL, TROUBLE};
use crate::proof::require_readable;
use crate::refusal::{Answer, Refusal};

/// A symbol, below the number of the table that it is to be written with, and above 16 bits for the
/// magnitude's bits behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Token(u32);

const SIXTEEN_ZEROS: u32 = 0xF0;
/// DC and AC of two pairs; see `Token::symbol`.
pub const TABLES: usize = 4;
/// Symbols of all tables together.
pub const SYMBOLS: usize = TABLES << 8;

/// The number of a pair's table.
const fn table(pair: usize, class: Class) -> u32 {
    2 * pair as u32 + class as u32
}

impl Token {
    /// With its magnitude's bits, the highest of a window.
    #[inline(always)]
    fn new(symbol: u32, window: u64) -> Self {
        Token(symbol << 16 | (window >> 1 >> (63 - (symbol & 15))) as u32)
    }

    /// The end of a block.
    pub fn end(pair: usize) -> Self {
        Token(table(pair, Class::Ac) << 24)
    }

    /// What stands for zeros before a coefficient that has more than 15 of them before it.
    pub fn sixteen_zeros(pair: usize) -> Self {
        Token(table(pair, Class::Ac) << 24 | SIXTEEN_ZEROS << 16)
    }

    /// An error where the difference is larger than baseline JPEG can write.
    #[inline(always)]
    pub fn of_dc(difference: i32, pair: usize) -> Answer<Self> {
        Token::of(table(pair, Class::Dc), 0, difference, MAX_DC_BITS)
    }

    /// Of a coefficient with at most 15 zeros before it; an error where it is larger than baseline JPEG can
    /// write.
    #[inline(always)]
    pub fn of_ac(zeros: u32, value: i16, pair: usize) -> Answer<Self> {
        Token::of(table(pair, Class::Ac), zeros, i32::from(value), MAX_AC_BITS)
    }

    #[inline(always)]
    fn of(table: u32, zeros: u32, value: i32, most_bits: u8) -> Answer<Self> {
        // No branches: a processor would guess every other sign wrong.
        let sign = value >> 31;
        let size = 32 - ((value ^ sign) - sign).leading_zeros();
        if size > u32::from(most_bits) {
            return Err(Refusal::NotMine);
        }
        let extra = value + (sign & ((1 << size) - 1));
        Ok(Token(table << 24 | zeros << 20 | size << 16 | extra as u32))
    }

    /// What the Huffman code stands for, and from the ninth bit on its table.
    #[inline(always)]
    pub fn symbol(self) -> usize {
        (self.0 >> 16) as usize % SYMBOLS
    }

    /// The bits that follow the code.
    #[inline(always)]
    fn extra(self) -> u32 {
        self.0 & 0xFFFF
    }

    fn is_end(self) -> bool {
        self.0 << 8 == 0
    }

    fn is_sixteen_zeros(self) -> bool {
        self.0 >> 16 & 255 == SIXTEEN_ZEROS
    }
}

/// What tokens are written as: by `Token::symbol`, the code above room for the magnitude's bits, and how
/// many bits both are together.
pub struct Codes([(u32, u32); SYMBOLS]);

impl Codes {
    /// Of tables, in the order of `Token::symbol`; an error where one could not be read.
    pub fn of(tables: &[Definition]) -> Answer<Self> {
        let mut codes = [(0, 0); SYMBOLS];
        let classes = [Class::Dc, Class::Ac].into_iter().cycle();
        for ((codes, table), class) in codes.chunks_exact_mut(256).zip(tables).zip(classes) {
            require_readable(table, class)?;
            for (code, length, symbol) in table.codes() {
                let size = symbol & 15;
                codes[usize::from(symbol)] = (u32::from(code) << size, u32::from(length + size));
            }
        }
        Ok(Codes(codes))
    }

    /// Whether there is one for each of the symbols, table by table, that occur at all.
    pub fn are_for(&self, counts: &[[u32; 256]]) -> bool {
        counts.iter().flatten().zip(&self.0).all(|(&count, &(_, length))| count == 0 || length > 0)
    }

    /// A token's bits, the last one lowest, and how many they are.
    #[inline(always)]
    pub fn written_as(&self, token: Token) -> (u64, u32) {
        let (code, count) = self.0[token.symbol()];
        (u64::from(code | token.extra()), count)
    }

    /// Of two, one behind the other.
    #[inline(always)]
    pub fn both(&self, one: Token, other: Token) -> (u64, u32) {
        let (first, first_count) = self.written_as(one);
        let (second, second_count) = self.written_as(other);
        (first << second_count | second, first_count + second_count)
    }
}

/// The tokens of blocks, one behind another.
#[derive(Default)]
pub struct Tokens {
    /// Of all blocks.
    pub all: Vec<Token>,
    /// How many of them each block has.
    pub lengths: Vec<u8>,
}

impl Tokens {
    /// None yet, with room for some.
    fn with_capacity(tokens: usize, blocks: usize) -> Self {
        Tokens { all: Vec::with_capacity(tokens), lengths: Vec::with_capacity(blocks) }
    }

    /// Gives each block the DC token that `dc` says, and none but that and an end where it says so.
    ///
    /// An error where `dc` returns one, or where zeros are written out before a block's end, which nobody
    /// does, and which can be written shorter.
    pub fn give_dc(&mut self, mut dc: impl FnMut() -> Answer<(Token, Content)>) -> Answer<()> {
        let (mut from, mut to) = (0, 0);
        for length in &mut self.lengths {
            let behind = from + usize::from(*length);
            let ends = self.all[behind - 1].is_end();
            if self.all[behind - 1 - usize::from(ends)].is_sixteen_zeros() {
                return Err(Refusal::NotMine);
            }
            let (token, content) = dc()?;
            self.all[from] = token;
            if let Content::DcAlone { pair } = content {
                self.all[from + 1] = Token::end(pair);
                *length = 2;
            }
            if from != to {
                self.all.copy_within(from..from + usize::from(*length), to);
            }
            (from, to) = (behind, to + usize::from(*length));
        }
        self.all.truncate(to);
        Ok(())
    }
}

/// How much of a block is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// All of it.
    Whole,
    /// As little as can be, an end of these tables.
    DcAlone {
        /// See `TokenReader::new`.
        pair: usize,
    },
}

/// Lanes that run side by side; each does more at a step than those of `lanes`.
const LANES: usize = 4;
const STEPS: usize = 128;
const STEPS_AT_ONCE: usize = 2;
/// Room that a batch may need behind the end of what it is to read.
pub const OVERSHOOT_BYTES: usize = STEPS * (MAX_LENGTH + MAX_DC_BITS as usize) / 8 + 16;
/// In a block of a photo; more take a little longer.
const LIKELY_TOKENS: usize = 12;
const WINDOW_BITS: usize = 11;
const WINDOWS: usize = 1 << WINDOW_BITS;
const ENTRIES: usize = 8 * WINDOWS;
/// An entry: what is added to `Lane::place`, below the code's length and the symbol.
const LENGTH_AT: u32 = 16;
const SYMBOL_AT: u32 = 22;
const ADDED: u32 = (1 << LENGTH_AT) - 1;

/// Blocks that are to be read, the first of which is a unit's first.
pub struct Run {
    /// How many.
    pub blocks: usize,
    /// Where they begin in a room.
    pub bit: usize,
}

/// Reads tokens.
pub struct TokenReader {
    machine: Machine,
    entries: Box<[u32; ENTRIES]>,
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
        let mut entries = Box::new([0; ENTRIES]);
        let all = decoders.iter().zip(&written_with);
        for (slots, ((dc, ac), &pair)) in entries.chunks_exact_mut(2 * WINDOWS).zip(all) {
            let (first, further) = slots.split_at_mut(WINDOWS);
            let (dc_table, ac_table) = (table(pair, Class::Dc), table(pair, Class::Ac));
            for (window, (first, further)) in first.iter_mut().zip(further).enumerate() {
                let run = |symbol| if symbol == 0 { END } else { u64::from(symbol >> 4) + 1 };
                *first = entry(window, dc, dc_table, |_| FIRST).unwrap_or((TROUBLE | FIRST) as u32);
                *further = entry(window, ac, ac_table, run).unwrap_or(FULL as u32);
            }
        }
        TokenReader { machine: Machine::new(decoders, pairs, WINDOW_BITS), entries, written_with }
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
                    work[index] = Some(Work::new(next, run.blocks));
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

    /// One token.
    #[inline(always)]
    fn step(&self, step: usize, window: &mut u64, room: &Room, lane: &mut Lane, found: &mut Found) {
        let index = lane.first_entry() | (*window >> (64 - WINDOW_BITS)) as usize;
        let entry = self.entries[index % ENTRIES];
        let added = u64::from(entry & ADDED);
        found.tokens[step] = Token::new(entry >> SYMBOL_AT, *window << (entry >> LENGTH_AT & 63));
        *window <<= added >> COUNT_BITS;
        lane.place += added;
        if lane.place & TROUBLE != 0 {
            lane.place -= added;
            found.tokens[step] = self.step_slowly(room, lane, found);
            *window = window_at(room, lane.bit());
        }
        found.ends[found.blocks % STEPS] = step as u8 + 1;
        found.blocks += usize::from(self.machine.go_on(lane));
    }

    /// A token whose code is longer than the window.
    #[cold]
    #[inline(never)]
    fn step_slowly(&self, room: &Room, lane: &mut Lane, found: &mut Found) -> Token {
        let window = window_at(room, lane.bit());
        let (decoders, class) = self.machine.next(lane);
        let table = table(self.written_with[decoders], class);
        match self.machine.read_one(window, lane) {
            Some(code) => Token::new(table << 8 | u32::from(code.symbol), window << code.length),
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
    ends: [u8; STEPS],
    blocks: usize,
    /// The first block that no code fitted.
    damaged_from: usize,
}

impl Found {
    const NOTHING: Found =
        Found { tokens: [Token(0); STEPS], ends: [0; STEPS], blocks: 0, damaged_from: usize::MAX };
}

impl Work {
    fn new(run: usize, blocks: usize) -> Self {
        let read = Tokens::with_capacity(LIKELY_TOKENS * blocks + STEPS, blocks + STEPS);
        Work { run, blocks, read, open: 0, sound: true }
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

/// What a window begins with, if its code lies within; `count` says what the symbol adds to the count.
fn entry(window: usize, decoder: &Decoder, table: u32, count: impl Fn(u8) -> u64) -> Option<u32> {
    let code = decoder.code((window as u64) << (64 - WINDOW_BITS));
    if code.length == 0 || usize::from(code.length) > WINDOW_BITS {
        return None;
    }
    let bits = u32::from(code.length + (code.symbol & 15));
    let added = bits << COUNT_BITS | count(code.symbol) as u32;
    let symbol = table << 8 | u32::from(code.symbol);
    Some(symbol << SYMBOL_AT | u32::from(code.length) << LENGTH_AT | added)
}

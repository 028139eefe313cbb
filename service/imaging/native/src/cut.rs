//! A piece of the photo as a scan of its own: the same coefficients, written with tables of their own.
//!
//! Writes, byte for byte, what `service/imaging/jpeg_entropy.py` writes.

use crate::bits::{unstuff, Room, Writer, ROOM, SLACK};
use crate::header::Header;
use crate::huffman::{Class, Decoder, Definition, Pair};
use crate::layout::Layout;
use crate::optimal::definition_of;
use crate::proof::require_in;
use crate::refusal::{Answer, Refusal};
use crate::tokens::{Codes, Content, Run, Token, TokenReader, Tokens, OVERSHOOT_BYTES, SYMBOLS};
use std::ops::Range;

/// No cut is that large, so that damage cannot ask for more memory.
const MOST_TOKENS: usize = 1 << 23;
/// A run's, stuffed or not; its last unit may be as large as `LARGEST_UNIT`.
const RUN_BYTES: usize = ROOM / 2;
/// Ten blocks of 64 coefficients, each of a code and a magnitude, and all of it stuffed.
const LARGEST_UNIT: usize = 2 * 10 * 64 * 27 / 8;
const _: () = assert!(RUN_BYTES + LARGEST_UNIT + OVERSHOOT_BYTES + 2 * SLACK < ROOM);
/// So many bytes a token takes at most: a code of 16 bits, a magnitude of 11.
const LARGEST_TOKEN: usize = 4;
const TOKENS_AT_ONCE: usize = 256;

/// Units, half-open.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The first unit's column.
    pub left: usize,
    /// The first unit's row.
    pub top: usize,
    /// Behind the last column.
    pub right: usize,
    /// Behind the last row.
    pub bottom: usize,
}

/// Tables and data of a scan.
pub struct Cut {
    /// DC and AC of table 0, and of table 1 if there is one.
    pub tables: Vec<Definition>,
    /// Stuffed, and filled up to the last byte.
    pub data: Vec<u8>,
}

/// Cuts out the window; `starts` and `dc` are those of `scan`, `numbers` is each component's table, 0 or
/// 1.
///
/// An error where a DC difference is too large for baseline JPEG.
pub fn cut(
    file: &[u8],
    header: &Header,
    (starts, dc): (&[u32], &[i16]),
    window: Window,
    numbers: &[u8],
) -> Answer<Cut> {
    let layout = Layout::of(header);
    let sound = starts.len() == layout.units()
        && dc.len() >= layout.total_blocks()
        && numbers.len() == header.components.len()
        && numbers.iter().all(|&number| number <= 1)
        && window.left < window.right
        && window.top < window.bottom
        && window.right <= layout.across
        && window.bottom <= layout.down;
    if !sound {
        return Err(Refusal::BadCall);
    }
    let numbers: Vec<usize> = numbers.iter().map(|&number| usize::from(number)).collect();
    let by_block = layout.blocks.iter().map(|place| numbers[place.component]).collect();
    let runs = Source { file, header, layout: &layout, starts, dc, numbers }.runs_of_tokens(window)?;
    Writing { runs: &runs, numbers: by_block }.cut()
}

/// Where the window is read from.
struct Source<'a> {
    file: &'a [u8],
    header: &'a Header,
    layout: &'a Layout,
    starts: &'a [u32],
    dc: &'a [i16],
    /// By component, the pair of tables that it is to be written with.
    numbers: Vec<usize>,
}

impl Source<'_> {
    /// The window's, each DC as difference to the one before.
    fn runs_of_tokens(&self, window: Window) -> Answer<Vec<Tokens>> {
        let (decoders, written_with, chosen) = self.header.decoders_for(&self.numbers)?;
        let pairs = self.layout.blocks.iter().map(|place| chosen[place.component]).collect();
        let reader = TokenReader::new(decoders, written_with, pairs);
        let runs = self.runs(window);
        let mut read: Vec<Tokens> = runs.iter().map(|_| Tokens::default()).collect();
        let mut total = 0;
        reader.read(
            runs.len(),
            |index, room| self.load(&runs[index], room),
            |index, tokens| {
                total += tokens.all.len();
                read[index] = tokens;
                if total > MOST_TOKENS {
                    return Err(Refusal::NotMine);
                }
                Ok(())
            },
        )?;
        let mut last_dc = [0; 4];
        for (units, tokens) in runs.into_iter().zip(&mut read) {
            self.give_dc(units, tokens, &mut last_dc)?;
        }
        Ok(read)
    }

    /// Units side by side, no restart marker between them, and not too many for a room.
    fn runs(&self, window: Window) -> Vec<Range<usize>> {
        let mut runs = Vec::new();
        for row in window.top..window.bottom {
            let (mut unit, end) =
                (row * self.layout.across + window.left, row * self.layout.across + window.right);
            while unit < end {
                let room_for = self.starts[unit] + 8 * RUN_BYTES as u32;
                let next = unit + self.starts[unit..end].partition_point(|&start| start < room_for).max(1);
                let next = next.min(self.next_restart(unit));
                runs.push(unit..next);
                unit = next;
            }
        }
        runs
    }

    fn next_restart(&self, unit: usize) -> usize {
        match self.header.restart_interval {
            0 => self.starts.len(),
            interval => (unit / interval + 1) * interval,
        }
    }

    fn load(&self, units: &Range<usize>, room: &mut Room) -> Run {
        let start = self.starts[units.start];
        let most = RUN_BYTES + LARGEST_UNIT;
        let wanted = self.starts.get(units.end).map_or(most, |&next| ((next - start) / 8) as usize + 2);
        unstuff(self.file, (start >> 3) as usize, room, wanted.min(most), |_| ());
        Run { blocks: units.len() * self.layout.blocks.len(), bit: (start & 7) as usize }
    }

    /// Blocks that nobody sees get the DC of their neighbour and no AC, since that is the cheapest.
    fn give_dc(&self, units: Range<usize>, tokens: &mut Tokens, last_dc: &mut [i32; 4]) -> Answer<()> {
        let mut places = units.flat_map(|unit| {
            let unit = self.layout.row_and_column(unit);
            self.layout.blocks.iter().map(move |&place| (unit, place))
        });
        tokens.give_dc(|| {
            let (unit, place) = places.next().ok_or(Refusal::Damaged)?;
            let seen = self.layout.seen_index(place, unit);
            let dc = i32::from(self.dc[seen]);
            let pair = self.numbers[place.component];
            let token = Token::of_dc(dc - last_dc[place.component], pair)?;
            last_dc[place.component] = dc;
            let is_seen = seen == self.layout.index(place, unit);
            Ok((token, if is_seen { Content::Whole } else { Content::DcAlone { pair } }))
        })
    }
}

/// Tokens on their way into data.
struct Writing<'a> {
    runs: &'a [Tokens],
    /// Of each block of a unit, its tables' number.
    numbers: Vec<usize>,
}

impl Writing<'_> {
    fn cut(&self) -> Answer<Cut> {
        let counts = self.counts();
        let tables: Vec<Definition> = counts.iter().map(definition_of).collect();
        let codes = Codes::of(&tables)?;
        if !codes.are_for(&counts) {
            return Err(Refusal::Damaged);
        }
        let (data, begins) = self.written(&codes);
        require_in(&data, &codes, self.runs, &begins)?;
        if cfg!(fuzzing) {
            self.require_read_again(&data, &tables, &begins)?;
        }
        Ok(Cut { tables, data })
    }

    /// How often each symbol occurs, by table.
    fn counts(&self) -> Vec<[u32; 256]> {
        // The same number is not to be read right after it was written, which takes a processor long.
        let mut counts = [[0u32; SYMBOLS]; 2];
        for run in self.runs {
            let pairs = run.all.chunks_exact(2);
            pairs.remainder().iter().for_each(|token| counts[0][token.symbol()] += 1);
            for pair in pairs {
                counts[0][pair[0].symbol()] += 1;
                counts[1][pair[1].symbol()] += 1;
            }
        }
        let pairs = self.numbers.iter().max().map_or(0, |most| most + 1);
        let sum = |at: usize| counts[0][at] + counts[1][at];
        (0..2 * pairs).map(|table| std::array::from_fn(|symbol| sum(table << 8 | symbol))).collect()
    }

    /// The data, and at which bit each run begins before it was stuffed.
    fn written(&self, codes: &Codes) -> (Vec<u8>, Vec<usize>) {
        let mut writer = Writer::default();
        let mut begins = Vec::with_capacity(self.runs.len());
        for run in self.runs {
            begins.push(writer.bits());
            for tokens in run.all.chunks(TOKENS_AT_ONCE) {
                writer.make_room(tokens.len() * LARGEST_TOKEN);
                // A processor waits for what was written before: half as often with two at a time.
                let pairs = tokens.chunks_exact(2);
                let last = pairs.remainder();
                for pair in pairs {
                    let (value, count) = codes.both(pair[0], pair[1]);
                    writer.push(value, count);
                }
                for &token in last {
                    let (value, count) = codes.written_as(token);
                    writer.push(value, count);
                }
            }
        }
        (writer.finished(), begins)
    }

    /// As `require_in`, in the way that everybody goes: a second opinion.
    fn require_read_again(&self, data: &[u8], tables: &[Definition], begins: &[usize]) -> Answer<()> {
        let decoders = tables
            .chunks_exact(2)
            .map(|pair| Ok((Decoder::new(&pair[0], Class::Dc)?, Decoder::new(&pair[1], Class::Ac)?)));
        let decoders: Vec<Pair> = decoders.collect::<Answer<_>>()?;
        let numbers = (0..decoders.len()).collect();
        let reader = TokenReader::new(decoders, numbers, self.numbers.clone());
        let mut bytes = vec![0; data.len() + SLACK];
        let (_, length) = unstuff(data, 0, &mut bytes, data.len(), |_| ());
        reader.read(
            self.runs.len(),
            |index, room| {
                let begin = begins[index] / 8;
                let end = begins.get(index + 1).map_or(length, |next| next / 8 + 1);
                let from = &bytes[begin..end.min(begin + ROOM)];
                room[..from.len()].copy_from_slice(from);
                Run { blocks: self.runs[index].lengths.len(), bit: begins[index] % 8 }
            },
            |index, read| {
                let run = &self.runs[index];
                if run.all == read.all && run.lengths == read.lengths {
                    Ok(())
                } else {
                    Err(Refusal::Damaged)
                }
            },
        )
    }
}

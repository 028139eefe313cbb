//! A piece of the photo as a scan of its own: the same coefficients, written with tables of their own.
//!
//! Writes, byte for byte, what `service/imaging/jpeg_entropy.py` writes.

use crate::bits::{unstuff, Room, ROOM, SLACK};
use crate::codes::Codes;
use crate::header::Header;
use crate::huffman::{Class, Decoder, Definition, Pair};
use crate::layout::{BlockRow, Layout};
use crate::optimal::definition_of;
use crate::phrases::{Phrases, MOST_BITS};
use crate::proof::require_in;
use crate::refusal::{Answer, Refusal};
use crate::token_reader::{Run, TokenReader, OVERSHOOT_BYTES};
use crate::tokens::{Content, Token, Tokens};
use crate::writer::Writer;
use std::ops::Range;

/// No cut is that large, so that damage cannot ask for more memory.
const MOST_TOKENS: usize = 1 << 23;
/// A run's, stuffed or not; its last unit may be as large as `LARGEST_UNIT`.
const RUN_BYTES: usize = ROOM / 2;
/// Ten blocks of 64 coefficients, each of a code and a magnitude, and all of it stuffed.
const LARGEST_UNIT: usize = 2 * 10 * 64 * 27 / 8;
const _: () = assert!(RUN_BYTES + LARGEST_UNIT + OVERSHOOT_BYTES + 2 * SLACK < ROOM);
/// So many bytes a token takes at most.
const LARGEST_TOKEN: usize = MOST_BITS as usize / 8;
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
    let reader = reader(header, &layout, &numbers)?;
    let source = Source { file, header, layout: &layout, starts, dc, numbers };
    let runs = source.runs_of_tokens(&reader, window)?;
    Writing { runs: &runs, phrases: reader.phrases(), numbers: by_block }.cut()
}

/// Of the photo's blocks; `numbers` is by component, the pair of tables that it is to be written with.
fn reader(header: &Header, layout: &Layout, numbers: &[usize]) -> Answer<TokenReader> {
    let (decoders, written_with, chosen) = header.decoders_for(numbers)?;
    let pairs = layout.blocks.iter().map(|place| chosen[place.component]).collect();
    Ok(TokenReader::new(decoders, written_with, pairs))
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
    fn runs_of_tokens(&self, reader: &TokenReader, window: Window) -> Answer<Vec<Tokens>> {
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
        let (_, bytes) = unstuff(self.file, (start >> 3) as usize, room, wanted.min(most), |_| ());
        Run { blocks: units.len() * self.layout.blocks.len(), bit: (start & 7) as usize, bytes }
    }

    /// Blocks that nobody sees get the DC of their neighbour and no AC, since that is the cheapest.
    fn give_dc(&self, units: Range<usize>, tokens: &mut Tokens, last_dc: &mut [i32; 4]) -> Answer<()> {
        let (row, mut column) = self.layout.row_and_column(units.start);
        let rows: Vec<BlockRow> =
            self.layout.blocks.iter().map(|&place| self.layout.block_row(place, row)).collect();
        let mut next = rows.iter();
        tokens.give_dc(|| {
            let block = next.next().or_else(|| {
                column += 1;
                next = rows.iter();
                next.next()
            });
            let block = block.ok_or(Refusal::Damaged)?;
            let (seen, is_seen) = block.seen_index(column);
            let (dc, pair) = (i32::from(self.dc[seen]), self.numbers[block.component]);
            let token = Token::of_dc(dc - last_dc[block.component], pair)?;
            last_dc[block.component] = dc;
            Ok((token, if is_seen { Content::Whole } else { Content::DcAlone { pair } }))
        })
    }
}

/// Tokens on their way into data.
struct Writing<'a> {
    runs: &'a [Tokens],
    phrases: &'a Phrases,
    /// Of each block of a unit, its tables' number.
    numbers: Vec<usize>,
}

impl Writing<'_> {
    fn cut(&self) -> Answer<Cut> {
        let counts = self.counts();
        let tables: Vec<Definition> = self.by_table(&counts).iter().map(definition_of).collect();
        let mut codes = Codes::of(&tables)?;
        codes.learn(self.phrases, &counts)?;
        if !codes.are_for(&counts) {
            return Err(Refusal::Damaged);
        }
        let (data, begins) = self.written(&codes, codes.bits(&counts));
        require_in(&data, &codes, self.runs, &begins)?;
        if cfg!(fuzzing) {
            self.require_read_again(&data, &tables, &begins)?;
        }
        Ok(Cut { tables, data })
    }

    /// How often each number occurs.
    fn counts(&self) -> Vec<u32> {
        // The same number is not to be read right after it was written, which takes a processor long.
        let (mut counts, mut others) = (vec![0; self.phrases.numbers()], vec![0; self.phrases.numbers()]);
        for run in self.runs {
            let pairs = run.all.chunks_exact(2);
            pairs.remainder().iter().for_each(|token| counts[token.number()] += 1);
            for pair in pairs {
                counts[pair[0].number()] += 1;
                others[pair[1].number()] += 1;
            }
        }
        counts.iter_mut().zip(others).for_each(|(count, other)| *count += other);
        counts
    }

    /// How often each symbol occurs, by table.
    fn by_table(&self, counts: &[u32]) -> Vec<[u32; 256]> {
        let pairs = self.numbers.iter().max().map_or(0, |most| most + 1);
        let mut tables = vec![[0; 256]; 2 * pairs];
        for (table, counts) in tables.iter_mut().zip(counts.chunks_exact(256)) {
            table.copy_from_slice(counts);
        }
        for (number, phrase) in self.phrases.all() {
            for symbol in phrase.symbols() {
                tables[symbol.number() >> 8][symbol.number() & 255] += counts[number];
            }
        }
        tables
    }

    /// The data, and at which bit each run begins before it was stuffed.
    fn written(&self, codes: &Codes, bits: usize) -> (Vec<u8>, Vec<usize>) {
        let mut writer = Writer::with_room(bits + 8 * TOKENS_AT_ONCE * LARGEST_TOKEN);
        let mut begins = Vec::with_capacity(self.runs.len());
        for run in self.runs {
            begins.push(writer.bits());
            for tokens in run.all.chunks(TOKENS_AT_ONCE) {
                writer.write(tokens.len() * LARGEST_TOKEN, |pen, bytes| {
                    codes.each_written(tokens, |value, count| pen.push(bytes, value, count));
                });
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
                let blocks = self.runs[index].lengths.len();
                Run { blocks, bit: begins[index] % 8, bytes: from.len() }
            },
            |index, read| {
                let run = &self.runs[index];
                if run.by_block(self.phrases).eq(read.by_block(reader.phrases())) {
                    Ok(())
                } else {
                    Err(Refusal::Damaged)
                }
            },
        )
    }
}

//! A piece of the photo as a scan of its own: the same coefficients, written with tables of their own.
//!
//! Writes, byte for byte, what `service/imaging/jpeg_entropy.py` writes.

use crate::bits::{unstuff, Room, Writer, ROOM, SLACK};
use crate::header::Header;
use crate::huffman::{Class, Decoder, Definition};
use crate::layout::Layout;
use crate::optimal::definition_of;
use crate::refusal::{Answer, Refusal};
use crate::tokens::{are_same, Content, Run, Token, TokenReader, Tokens, OVERSHOOT_BYTES};
use std::ops::Range;

/// No cut is that large, so that damage cannot ask for more memory.
const MOST_TOKENS: usize = 1 << 23;
/// A run's, stuffed or not; its last unit may be as large as `LARGEST_UNIT`.
const RUN_BYTES: usize = ROOM / 2;
/// Ten blocks of 64 coefficients, each of a code and a magnitude, and all of it stuffed.
const LARGEST_UNIT: usize = 2 * 10 * 64 * 27 / 8;
const _: () = assert!(RUN_BYTES + LARGEST_UNIT + OVERSHOOT_BYTES + 2 * SLACK < ROOM);
/// What a block's tokens take at most.
const LARGEST_BLOCK: usize = 65 * 27 / 8 + 1;

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
    let runs = Source { file, header, layout: &layout, starts, dc }.runs_of_tokens(window)?;
    let numbers = layout.blocks.iter().map(|place| usize::from(numbers[place.component])).collect();
    Writing { runs: &runs, numbers }.cut()
}

/// Where the window is read from.
struct Source<'a> {
    file: &'a [u8],
    header: &'a Header,
    layout: &'a Layout,
    starts: &'a [u32],
    dc: &'a [i16],
}

impl Source<'_> {
    /// The window's, each DC as difference to the one before.
    fn runs_of_tokens(&self, window: Window) -> Answer<Vec<Tokens>> {
        let (decoders, chosen) = self.header.decoders()?;
        let pairs = self.layout.blocks.iter().map(|place| chosen[place.component]).collect();
        let reader = TokenReader::new(decoders, pairs);
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
            let token = Token::of_dc(dc - last_dc[place.component])?;
            last_dc[place.component] = dc;
            let is_seen = seen == self.layout.index(place, unit);
            Ok((token, if is_seen { Content::Whole } else { Content::DcAlone }))
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
        let tables: Vec<Definition> = self.counts().iter().map(definition_of).collect();
        let (data, begins) = self.written(&tables);
        self.require_in(&data, &tables, &begins)?;
        Ok(Cut { tables, data })
    }

    /// Each block's tables, and its tokens.
    fn blocks<'a>(&'a self, run: &'a Tokens) -> impl Iterator<Item = (usize, &'a [Token])> {
        self.numbers.iter().copied().cycle().zip(run.blocks())
    }

    /// How often each symbol occurs: DC and AC of each table.
    fn counts(&self) -> Vec<[u32; 256]> {
        let tables = self.numbers.iter().max().map_or(0, |most| most + 1);
        // The same number is not to be read right after it was written, which takes a processor long.
        let mut counts = vec![[[0; 256]; 2]; 2 * tables];
        for (number, block) in self.runs.iter().flat_map(|run| self.blocks(run)) {
            counts[2 * number][0][block[0].symbol()] += 1;
            for (index, token) in block[1..].iter().enumerate() {
                counts[2 * number + 1][index % 2][token.symbol()] += 1;
            }
        }
        let sum = |[even, odd]: [[u32; 256]; 2]| std::array::from_fn(|symbol| even[symbol] + odd[symbol]);
        counts.into_iter().map(sum).collect()
    }

    /// The data, and at which bit each run begins before it was stuffed.
    fn written(&self, tables: &[Definition]) -> (Vec<u8>, Vec<usize>) {
        let codes: Vec<[(u32, u32); 256]> = tables.iter().map(codes_of).collect();
        let mut writer = Writer::default();
        let mut begins = Vec::with_capacity(self.runs.len());
        for run in self.runs {
            begins.push(writer.bits());
            for (number, tokens) in self.blocks(run) {
                writer.make_room(LARGEST_BLOCK);
                push(&mut writer, &codes[2 * number], tokens[0]);
                for &token in &tokens[1..] {
                    push(&mut writer, &codes[2 * number + 1], token);
                }
            }
        }
        (writer.finished(), begins)
    }

    /// An error unless these very tokens are read back from the data.
    fn require_in(&self, data: &[u8], tables: &[Definition], begins: &[usize]) -> Answer<()> {
        let decoders = tables
            .chunks_exact(2)
            .map(|pair| Ok((Decoder::new(&pair[0], Class::Dc)?, Decoder::new(&pair[1], Class::Ac)?)));
        let reader = TokenReader::new(decoders.collect::<Answer<_>>()?, self.numbers.clone());
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
                if are_same(&run.all, &read.all) && run.lengths == read.lengths {
                    Ok(())
                } else {
                    Err(Refusal::Damaged)
                }
            },
        )
    }
}

/// By symbol, a code and its length.
fn codes_of(table: &Definition) -> [(u32, u32); 256] {
    let mut codes = [(0, 0); 256];
    for (code, length, symbol) in table.codes() {
        codes[usize::from(symbol)] = (u32::from(code), u32::from(length));
    }
    codes
}

#[inline(always)]
fn push(writer: &mut Writer, codes: &[(u32, u32); 256], token: Token) {
    let (code, length) = codes[token.symbol()];
    let (size, extra) = token.extra();
    writer.push(code << size | extra, length + size);
}

//! What one scan of a progressive JPEG adds to its coefficients (ITU-T T.81, annexes G.1.2 and G.2),
//! between two restart markers. What libjpeg would read in a way of its own is refused.

use crate::bits::{word_at, Bits};
use crate::block::{dc_difference, extended, known, COEFFICIENTS};
use crate::huffman::{Decoder, Definition, MAX_AC_BITS};
use crate::planes::Merging;
use crate::refusal::{Answer, Refusal};

/// Bits that a window has at least.
const WINDOW: usize = 32;
/// With no magnitude it does not end the block.
const SIXTEEN_ZEROS: u32 = 15;

/// The coefficients that a scan is about, and which of their bits.
#[derive(Clone, Copy, Debug)]
pub struct Band {
    /// In zigzag order.
    pub first: usize,
    /// In zigzag order.
    pub last: usize,
    /// The lowest bit known before; 0 where none is.
    pub high: u32,
    /// The lowest bit known afterwards.
    pub low: u32,
}

impl Band {
    /// A bit for each coefficient before it, in it, and behind it.
    fn masks(self) -> [u64; 3] {
        let (from, up_to) = (u64::MAX << self.first, u64::MAX >> (COEFFICIENTS - 1 - self.last));
        [!from, from & up_to, !up_to]
    }

    /// Of a table for its coefficients, DC left out. Any number of zeros may end a block (G.1.2.2), but
    /// no coefficient may become larger than baseline JPEG can write.
    pub fn decoder(self, definition: &Definition) -> Decoder {
        let most = if self.high > 0 { 1 } else { u32::from(MAX_AC_BITS) };
        Decoder::knowing(definition, |symbol| {
            let size = u32::from(symbol & 15);
            size == 0 || size <= most && size + self.low <= u32::from(MAX_AC_BITS)
        })
    }
}

/// Data without stuffing, of which a window can be taken anywhere; behind their end it is of no meaning.
pub struct Unstuffed<'a> {
    bytes: &'a [u8],
    end: usize,
    bit: usize,
}

impl<'a> Unstuffed<'a> {
    /// So many of the bytes.
    pub fn new(bytes: &'a [u8], length: usize) -> Self {
        Unstuffed { bytes, end: 8 * length, bit: 0 }
    }

    /// An error where more bits were taken than there are.
    pub fn require_enough(&self) -> Answer<()> {
        if self.bit > self.end {
            return Err(Refusal::Damaged);
        }
        Ok(())
    }

    /// An error unless all was taken but for what fills up the last byte.
    pub fn require_end(&self) -> Answer<()> {
        self.require_enough()?;
        if self.end - self.bit >= 8 {
            return Err(Refusal::Damaged);
        }
        Ok(())
    }
}

impl Bits for Unstuffed<'_> {
    #[inline(always)]
    fn window(&mut self) -> u64 {
        word_at(self.bytes, self.bit >> 3) << (self.bit & 7)
    }

    #[inline(always)]
    fn skip(&mut self, count: u32) {
        self.bit += count as usize;
    }
}

/// A block's DC, but for its lowest bits (G.1.2.1).
#[inline(always)]
pub fn first_dc(bits: &mut Unstuffed, dc: &Decoder, low: u32, prediction: &mut i32) -> Answer<i16> {
    let (size, window) = dc_difference(bits, dc)?;
    *prediction = prediction.wrapping_add(extended(window, u32::from(size)));
    let value = i64::from(*prediction) << low;
    i16::try_from(value).map_err(|_| Refusal::Damaged)
}

/// The next bit of a block's DC (G.1.2.1).
#[inline(always)]
pub fn next_bit_of_dc(bits: &mut Unstuffed, low: u32) -> i16 {
    let bit = (bits.window() >> 63) as i16;
    bits.skip(1);
    bit << low
}

/// Reads a band block by block.
pub struct BandReader<'a> {
    bits: Unstuffed<'a>,
    ac: &'a Decoder,
    band: Band,
    masks: [u64; 3],
    /// Blocks with nothing new in the band (G.1.2.2).
    empty_blocks: u32,
}

impl<'a> BandReader<'a> {
    /// From the first bit on; `ac` is `band`'s.
    pub fn new(bits: Unstuffed<'a>, ac: &'a Decoder, band: Band) -> Self {
        BandReader { bits, ac, band, masks: band.masks(), empty_blocks: 0 }
    }

    /// All blocks of the data; see `Spectrum`.
    pub fn read(self, blocks: &mut [u64], values: &mut Merging) -> Answer<()> {
        match self.band.high {
            0 => self.read_blocks(blocks, values, Self::first),
            _ => self.read_blocks(blocks, values, Self::next_bit),
        }
    }

    #[inline(always)]
    fn read_blocks(
        mut self,
        blocks: &mut [u64],
        values: &mut Merging,
        mut block: impl FnMut(&mut Self, &mut u64, &mut Merging) -> Answer<()>,
    ) -> Answer<()> {
        for present in blocks {
            let [ahead, _, behind] = self.masks.map(|mask| mask & *present);
            values.make_room();
            values.keep(ahead);
            block(&mut self, present, values)?;
            values.keep(behind);
            self.bits.require_enough()?;
        }
        if self.empty_blocks > 0 {
            return Err(Refusal::Damaged);
        }
        self.bits.require_end()
    }

    /// Coefficients but for their lowest bits (G.1.2.2).
    #[inline(always)]
    fn first(&mut self, present: &mut u64, values: &mut Merging) -> Answer<()> {
        if self.empty_blocks > 0 {
            self.empty_blocks -= 1;
            return Ok(());
        }
        let mut at = self.band.first;
        while at <= self.band.last {
            let (run, size, window) = match self.symbol()? {
                Symbol::Ends(blocks) => {
                    self.empty_blocks = blocks - 1;
                    return Ok(());
                }
                Symbol::Coefficient { run, size, window } => (run, size, window),
            };
            at += run as usize;
            if at > self.band.last {
                return Err(Refusal::Damaged);
            }
            if size > 0 {
                values.push((extended(window, size) << self.band.low) as i16);
                *present |= 1 << at;
            }
            at += 1;
        }
        Ok(())
    }

    /// The next bit of coefficients, and those that it makes differ from 0 (G.1.2.3).
    #[inline(always)]
    fn next_bit(&mut self, present: &mut u64, values: &mut Merging) -> Answer<()> {
        let before = *present;
        let mut left = self.masks[1];
        while self.empty_blocks == 0 {
            let (run, size, window) = match self.symbol()? {
                Symbol::Ends(blocks) => {
                    self.empty_blocks = blocks;
                    break;
                }
                Symbol::Coefficient { run, size, window } => (run, size, window),
            };
            let mut zeros = left & !before;
            for _ in 0..run {
                zeros &= zeros.wrapping_sub(1);
            }
            if zeros == 0 {
                return Err(Refusal::Damaged);
            }
            let place = zeros & zeros.wrapping_neg();
            self.correct(left & before & (place - 1), values);
            if size > 0 {
                let sign = if window >> 63 == 0 { -1 } else { 1 };
                values.push(sign << self.band.low);
                *present |= place;
            }
            left &= !(place | (place - 1));
            if left == 0 {
                return Ok(());
            }
        }
        self.correct(left & before, values);
        self.empty_blocks -= 1;
        Ok(())
    }

    #[inline(always)]
    fn symbol(&mut self) -> Answer<Symbol> {
        let window = self.bits.window();
        let code = known(self.ac.code(window))?;
        let (run, size) = (u32::from(code.symbol >> 4), u32::from(code.symbol & 15));
        let window = window << code.length;
        if size == 0 && run < SIXTEEN_ZEROS {
            self.bits.skip(u32::from(code.length) + run);
            return Ok(Symbol::Ends(1 << run | (window >> 1 >> (63 - run)) as u32));
        }
        self.bits.skip(u32::from(code.length) + size);
        Ok(Symbol::Coefficient { run, size, window })
    }

    /// The next bit of those that differed from 0 before.
    #[inline(always)]
    fn correct(&mut self, places: u64, values: &mut Merging) {
        let mut left = if places == 0 { 0 } else { places.count_ones() as usize };
        while left > 0 {
            let count = left.min(WINDOW);
            let mut window = self.bits.window();
            let low = self.band.low;
            values.go_on(count, |value| {
                let bit = (window >> 63) as i16;
                window <<= 1;
                value + ((((value >> 15) | 1) * bit) << low)
            });
            self.bits.skip(count as u32);
            left -= count;
        }
    }
}

/// What a code stands for.
enum Symbol {
    /// So many blocks have nothing new from here on, this one included.
    Ends(u32),
    /// Zeros, and a coefficient whose magnitude is the window's highest bits; with none it is one more zero.
    Coefficient { run: u32, size: u32, window: u64 },
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_BUT_LAST_BIT: Band = Band { first: 1, last: 63, high: 0, low: 1 };
    const LAST_BIT: Band = Band { high: 1, low: 0, ..ALL_BUT_LAST_BIT };

    /// 0 for a block's end, 10 for a magnitude of one bit behind a zero, 110 for sixteen zeros, 1110 for
    /// two or three blocks' ends.
    fn decoder(band: Band) -> Decoder {
        let counts = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        band.decoder(&Definition::of(counts, vec![0x00, 0x11, 0xF0, 0x10]))
    }

    fn read(band: Band, bits: &str, present: &mut [u64], values: &mut Vec<i16>) -> Answer<()> {
        let padded = format!("{bits:1<width$}", width = bits.len().next_multiple_of(8));
        let bytes = |at: usize| u8::from_str_radix(&padded[at..at + 8], 2).expect("it is of bits");
        let bytes: Vec<u8> = (0..padded.len()).step_by(8).map(bytes).collect();
        let mut merging = Merging::new(values);
        let ac = decoder(band);
        BandReader::new(Unstuffed::new(&bytes, bytes.len()), &ac, band).read(present, &mut merging)?;
        *values = merging.finished();
        Ok(())
    }

    #[test]
    fn a_coefficient_comes_bit_by_bit_and_blocks_end_together() {
        let (mut present, mut values) = ([0; 3], Vec::new());

        read(ALL_BUT_LAST_BIT, "10 1  1110 1".replace(' ', "").as_str(), &mut present, &mut values)
            .expect("two behind a zero, then the ends of three blocks");
        assert_eq!((present, &values[..]), ([0b100, 0, 0], &[2][..]));

        read(LAST_BIT, "10 0 1  1110 0  0".replace(' ', "").as_str(), &mut present, &mut values)
            .expect("a new one behind the old one, which gets its bit; the ends of two blocks, and of one");
        assert_eq!((present, &values[..]), ([0b1100, 0, 0], &[3, -1][..]));
    }

    #[test]
    fn what_goes_beyond_the_band_or_the_blocks_or_the_data_is_refused() {
        for (band, bits) in [
            (ALL_BUT_LAST_BIT, "110".repeat(4)),
            (LAST_BIT, "110".repeat(4)),
            (ALL_BUT_LAST_BIT, "11100".to_owned()),
            (LAST_BIT, "11101".to_owned()),
            (ALL_BUT_LAST_BIT, "0".repeat(9)),
            (ALL_BUT_LAST_BIT, "101".to_owned() + &"101".repeat(4)),
            (ALL_BUT_LAST_BIT, "1111".to_owned()),
        ] {
            assert!(read(band, &bits, &mut [0], &mut Vec::new()).is_err(), "{bits}");
        }
    }

    #[test]
    fn coefficients_larger_than_baseline_can_write_have_no_code() {
        let of = |size: u8, low| {
            let table = Definition::of([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], vec![size]);
            Band { low, ..ALL_BUT_LAST_BIT }.decoder(&table).code(0).length
        };
        assert_eq!([of(10, 0), of(10, 1), of(9, 1), of(1, 9), of(1, 10)], [1, 0, 1, 1, 0]);
    }
}

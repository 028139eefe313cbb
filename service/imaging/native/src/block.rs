//! One block's codes, read one by one.

use crate::bits::Bits;
use crate::huffman::{Code, Decoder, Pair};
use crate::refusal::{Answer, Refusal};

/// Coefficients of a block.
pub const COEFFICIENTS: usize = 64;

/// What a magnitude's bits are to be added to, by their number, and whether the first one is set.
const BASES: [[i32; 2]; 16] = {
    let mut bases = [[0; 2]; 16];
    let mut bits = 0;
    while bits < 16 {
        bases[bits][0] = 1 - (1 << bits);
        bits += 1;
    }
    bases
};

/// A magnitude's value from its bits (F.2.2.1), the highest of `window`; `bits` is at most 15.
#[inline(always)]
pub fn extended(window: u64, bits: u32) -> i32 {
    let value = (window >> 1 >> (63 - bits)) as i32;
    value + BASES[bits as usize & 15][(window >> 63) as usize]
}

/// DC differences looked up by the bits of code and magnitude together, which are seldom more.
pub struct Differences(Box<[i16; 1 << DIFFERENCE_BITS]>);

const DIFFERENCE_BITS: u32 = 12;
const TOO_LONG: i16 = i16::MIN;

impl Differences {
    /// Of a DC table.
    pub fn new(dc: &Decoder) -> Self {
        let mut found = Box::new([TOO_LONG; 1 << DIFFERENCE_BITS]);
        for (window, difference) in
            (0..).map(|bits: u64| bits << (64 - DIFFERENCE_BITS)).zip(found.iter_mut())
        {
            let code = dc.code(window);
            if code.length > 0 && u32::from(code.length + code.symbol) <= DIFFERENCE_BITS {
                *difference = extended(window << code.length, u32::from(code.symbol)) as i16;
            }
        }
        Differences(found)
    }

    /// That which a window begins with, where its code is known to be sound.
    #[inline(always)]
    pub fn at(&self, window: u64, dc: &Decoder) -> i16 {
        let found = self.0[(window >> (64 - DIFFERENCE_BITS)) as usize];
        if found == TOO_LONG {
            long_difference(window, dc)
        } else {
            found
        }
    }
}

#[cold]
#[inline(never)]
fn long_difference(window: u64, dc: &Decoder) -> i16 {
    let code = dc.code(window);
    extended(window << code.length, u32::from(code.symbol)) as i16
}

/// A block's DC difference: how many bits its magnitude has, and these as the highest of a window.
#[inline(always)]
pub fn dc_difference(bits: &mut impl Bits, dc: &Decoder) -> Answer<(u8, u64)> {
    let window = bits.window();
    let code = known(dc.code(window))?;
    bits.skip(u32::from(code.length + code.symbol));
    Ok((code.symbol, window << code.length))
}

/// A block's coefficients after the first that are not 0, all before `until`, given to `each`: the place
/// in zigzag order, how many bits its magnitude has, and these as the highest bits of a window.
#[inline(always)]
pub fn ac_coefficients(
    bits: &mut impl Bits,
    ac: &Decoder,
    until: usize,
    mut each: impl FnMut(usize, u8, u64),
) -> Answer<()> {
    let mut at = 1;
    while at < until {
        let window = bits.window();
        let code = known(ac.code(window))?;
        let size = code.symbol & 15;
        bits.skip(u32::from(code.length + size));
        if code.symbol == 0 {
            break;
        }
        at += usize::from(code.symbol >> 4);
        if at >= COEFFICIENTS {
            return Err(Refusal::Damaged);
        }
        if size > 0 {
            each(at, size, window << code.length);
        }
        at += 1;
    }
    Ok(())
}

/// An error where there was no code.
#[inline(always)]
pub fn known(code: Code) -> Answer<Code> {
    if code.length == 0 {
        return Err(Refusal::Damaged);
    }
    Ok(code)
}

/// The coefficients that the eighth or the quarter of a photo needs: DC (as difference), and those at
/// 1, 2 and 4 in zigzag order.
pub type Low = [i16; 4];
/// So many coefficients hold them.
pub const LOW_COEFFICIENTS: usize = 5;

/// A block's `Low`; goes on up to `until`, which is `COEFFICIENTS` to get to the next block.
#[inline(always)]
pub fn low(bits: &mut impl Bits, (dc, ac): &Pair, until: usize) -> Answer<Low> {
    let (size, window) = dc_difference(bits, dc)?;
    let mut low = [extended(window, u32::from(size)) as i16, 0, 0, 0];
    ac_coefficients(bits, ac, until, |at, size, window| match at {
        1 | 2 => low[at] = extended(window, u32::from(size)) as i16,
        4 => low[3] = extended(window, u32::from(size)) as i16,
        _ => (),
    })?;
    Ok(low)
}

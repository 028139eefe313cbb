//! What must hold for any bytes at all.

use crate::memory::peak_of;
use metercrop_jpeg::bits::Reader;
use metercrop_jpeg::block::{ac_coefficients, dc_difference, extended, COEFFICIENTS};
use metercrop_jpeg::cut::{cut, Window};
use metercrop_jpeg::header::Header;
use metercrop_jpeg::layout::Layout;
use metercrop_jpeg::planes::Spectrum;
use metercrop_jpeg::progressive::planes_of;
use metercrop_jpeg::scan::{scan, scan_one_by_one, Detail};
use metercrop_jpeg::sequential::sequential;
use metercrop_jpeg::shrink::shrink;

/// Larger photos would only make fewer of them.
const MOST_BLOCKS: usize = 40_000;
/// Whatever the file: tables, and the pieces that are in memory at a time.
const FIXED_BYTES: usize = 8_000_000;
/// Tokens of a cut, of which a byte of the file holds four at most, in a vector that doubles.
const BYTES_PER_BYTE: usize = 80;
const BYTES_PER_BLOCK: usize = 16;
const PICTURE: (usize, usize) = (24, 17);

/// Whether the file is accepted; panics where something does not hold.
pub fn check(file: &[u8]) -> bool {
    let (header, peak) = peak_of(|| Header::read(file));
    assert!(peak <= FIXED_BYTES, "the header took {peak} bytes");
    match header {
        Ok(header) => check_sequential(file, &header),
        Err(_) => check_progressive(file),
    }
}

/// What is written must be sound, and of the same coefficients.
fn check_progressive(file: &[u8]) -> bool {
    let (written, peak) = peak_of(|| sequential(file));
    assert!(peak <= FIXED_BYTES + BYTES_PER_BYTE * file.len(), "the scans took {peak} bytes");
    let Ok(written) = written else { return false };
    let Ok(header) = Header::read(&written) else { return false };
    require_same(file, &written, &header);
    let accepted = check_sequential(&written, &header);
    assert!(accepted || Layout::of(&header).total_blocks() > MOST_BLOCKS, "what was written is refused");
    accepted
}

/// Read block by block, in the way that everybody goes.
fn require_same(file: &[u8], written: &[u8], header: &Header) {
    let (_, planes) = planes_of(file).expect("it was written");
    let layout = &planes.layout;
    let (pairs, chosen) = header.decoders().expect("they were written");
    let mut reader = Reader::at(written, (header.scan_start << 3) as u32);
    let spectra: Vec<Vec<&[i16]>> = planes.spectra.iter().map(by_block).collect();
    let mut last_dc = [0; 4];
    for unit in 0..layout.units() {
        for &place in &layout.blocks {
            let (dc, ac) = &pairs[chosen[place.component]];
            let (size, window) = dc_difference(&mut reader, dc).expect("it was written");
            let mut read = Vec::new();
            let value = |size: u8, window| extended(window, u32::from(size)) as i16;
            last_dc[place.component] += i32::from(value(size, window));
            ac_coefficients(&mut reader, ac, COEFFICIENTS, |at, size, window| {
                read.push((at, value(size, window)));
            })
            .expect("it was written");
            let (row, column) = layout.row_and_column(unit);
            let plane = &layout.planes[place.component];
            let (y, x) = (row * plane.down + place.row, column * plane.across + place.column);
            if y >= plane.rows || x >= plane.columns {
                assert!(read.is_empty(), "something in a block that nobody sees");
                continue;
            }
            let block = y * plane.columns + x;
            let present = planes.spectra[place.component].present[block];
            let places = (0..COEFFICIENTS).filter(|at| present >> at & 1 == 1);
            let expected = places.zip(spectra[place.component][block].iter().copied());
            assert!(read.into_iter().eq(expected), "coefficients differ");
            let dc = planes.dc[layout.index(place, (row, column))];
            assert_eq!(last_dc[place.component], i32::from(dc), "DC differs");
        }
    }
}

fn by_block(spectrum: &Spectrum) -> Vec<&[i16]> {
    let mut left = &spectrum.values[..];
    let blocks = spectrum.present.iter().map(|present| {
        let (block, rest) = left.split_at(present.count_ones() as usize);
        left = rest;
        assert!(block.iter().all(|value| (1..1024).contains(&value.abs())), "no such coefficient");
        block
    });
    let blocks = blocks.collect();
    assert!(left.is_empty(), "coefficients of no block");
    blocks
}

fn check_sequential(file: &[u8], header: &Header) -> bool {
    let layout = Layout::of(header);
    if layout.total_blocks() > MOST_BLOCKS {
        return false;
    }
    let coarse = scanned(file, header, &layout, Detail::Eighth);
    let fine = scanned(file, header, &layout, Detail::Quarter);
    let (Some((starts, dc)), Some((fine_starts, values))) = (&coarse, &fine) else {
        assert!(coarse.is_none() && fine.is_none(), "accepted at one detail only");
        return false;
    };
    assert!(starts == fine_starts && dc[..] == values[..layout.total_blocks()], "the details disagree");
    assert!(starts.windows(2).all(|pair| pair[0] < pair[1]), "units do not ascend");
    require_picture(header, Detail::Eighth, dc);
    require_picture(header, Detail::Quarter, values);
    require_cuts(file, header, &layout, starts, dc);
    true
}

/// None where it is refused; both ways of reading must say the same.
fn scanned(file: &[u8], header: &Header, layout: &Layout, detail: Detail) -> Option<(Vec<u32>, Vec<i16>)> {
    let mut starts = vec![0; layout.units()];
    let mut values = vec![0; layout.total_blocks() * detail.values()];
    let (mut slow_starts, mut slow_values) = (starts.clone(), values.clone());
    let (answer, peak) = peak_of(|| scan(file, header, detail, &mut starts, &mut values));
    assert!(peak <= FIXED_BYTES, "the scan took {peak} bytes");
    let slow_answer = scan_one_by_one(file, header, detail, &mut slow_starts, &mut slow_values);
    assert_eq!(answer.is_ok(), slow_answer.is_ok(), "lanes: {answer:?}, one by one: {slow_answer:?}");
    answer.ok()?;
    assert!(starts == slow_starts && values == slow_values, "lanes read something else");
    Some((starts, values))
}

fn require_picture(header: &Header, detail: Detail, values: &[i16]) {
    let (width, height) = PICTURE;
    let mut rgb = vec![0; 3 * width * height];
    let (answer, peak) = peak_of(|| shrink(header, detail, values, width, &mut rgb));
    assert!(answer.is_ok(), "no picture: {answer:?}");
    assert!(peak <= FIXED_BYTES, "the picture took {peak} bytes");
}

/// The whole, a corner and a middle part; what was written was read back by `cut` itself.
fn require_cuts(file: &[u8], header: &Header, layout: &Layout, starts: &[u32], dc: &[i16]) {
    let (right, bottom) = (layout.across, layout.down);
    let windows = [
        Window { left: 0, top: 0, right, bottom },
        Window { left: right - 1, top: bottom - 1, right, bottom },
        Window { left: right / 3, top: bottom / 3, right: right / 2 + 1, bottom: bottom / 2 + 1 },
    ];
    let numbers: Vec<u8> = (0..header.components.len()).map(|component| u8::from(component > 0)).collect();
    let bound = FIXED_BYTES + BYTES_PER_BYTE * file.len() + BYTES_PER_BLOCK * layout.total_blocks();
    for window in windows {
        let (answer, peak) = peak_of(|| cut(file, header, (starts, dc), window, &numbers));
        assert!(peak <= bound, "the cut took {peak} bytes");
        if let Err(refusal) = answer {
            assert_eq!(refusal, metercrop_jpeg::refusal::Refusal::NotMine, "a cut of a sound scan failed");
        }
    }
}

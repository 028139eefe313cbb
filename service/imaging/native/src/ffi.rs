//! The C boundary: pointers become slices here, and panics end here.

use crate::cut::{cut, Window};
use crate::header::Header;
use crate::layout::Layout;
use crate::refusal::{Answer, Refusal};
use crate::scan::{scan, Detail};
use crate::sequential::sequential;
use crate::shrink::shrink;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::slice;

/// What each function returns.
fn status(work: impl FnOnce() -> Answer<()>) -> i32 {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => 0,
        Ok(Err(Refusal::NotMine)) => 1,
        Ok(Err(Refusal::Damaged)) => 2,
        Ok(Err(Refusal::BadCall)) => 3,
        Err(_) => 4,
    }
}

unsafe fn slice_of<'a, T>(start: *const T, length: usize) -> Answer<&'a [T]> {
    if start.is_null() {
        return Err(Refusal::BadCall);
    }
    Ok(slice::from_raw_parts(start, length))
}

unsafe fn slice_of_mut<'a, T>(start: *mut T, length: usize) -> Answer<&'a mut [T]> {
    if start.is_null() {
        return Err(Refusal::BadCall);
    }
    Ok(slice::from_raw_parts_mut(start, length))
}

/// Writes width, height, unit width, unit height, units, blocks.
///
/// # Safety
/// Each pointer is followed by its length, in elements; what is written overlaps nothing else.
#[no_mangle]
pub unsafe extern "C" fn metercrop_jpeg_header(
    file: *const u8,
    file_length: usize,
    numbers: *mut u32,
    numbers_length: usize,
) -> i32 {
    status(|| {
        let header = Header::read(slice_of(file, file_length)?)?;
        let layout = Layout::of(&header);
        let found = [
            header.width,
            header.height,
            layout.unit_width,
            layout.unit_height,
            layout.units(),
            layout.total_blocks(),
        ];
        let numbers = slice_of_mut(numbers, numbers_length)?;
        if numbers.len() != found.len() {
            return Err(Refusal::BadCall);
        }
        numbers.iter_mut().zip(found).for_each(|(to, from)| *to = from as u32);
        Ok(())
    })
}

fn detail_of(quarter: u32) -> Detail {
    if quarter == 0 {
        Detail::Eighth
    } else {
        Detail::Quarter
    }
}

/// See `scan::scan`.
///
/// # Safety
/// Each pointer is followed by its length, in elements; what is written overlaps nothing else.
#[no_mangle]
pub unsafe extern "C" fn metercrop_jpeg_scan(
    file: *const u8,
    file_length: usize,
    quarter: u32,
    starts: *mut u32,
    starts_length: usize,
    values: *mut i16,
    values_length: usize,
) -> i32 {
    status(|| {
        let file = slice_of(file, file_length)?;
        let header = Header::read(file)?;
        let starts = slice_of_mut(starts, starts_length)?;
        scan(file, &header, detail_of(quarter), starts, slice_of_mut(values, values_length)?)
    })
}

/// Writes a progressive JPEG as a sequential one, and how many bytes that are; see `sequential`.
///
/// # Safety
/// Each pointer is followed by its length, in elements; what is written overlaps nothing else.
#[no_mangle]
pub unsafe extern "C" fn metercrop_jpeg_sequential(
    file: *const u8,
    file_length: usize,
    written: *mut u8,
    written_length: usize,
    lengths: *mut usize,
    lengths_length: usize,
) -> i32 {
    status(|| {
        let all = sequential(slice_of(file, file_length)?)?;
        let [length] = slice_of_mut(lengths, lengths_length)? else {
            return Err(Refusal::BadCall);
        };
        let room = slice_of_mut(written, written_length)?.get_mut(..all.len());
        room.ok_or(Refusal::BadCall)?.copy_from_slice(&all);
        *length = all.len();
        Ok(())
    })
}

/// See `shrink::shrink`.
///
/// # Safety
/// Each pointer is followed by its length, in elements; what is written overlaps nothing else.
#[no_mangle]
pub unsafe extern "C" fn metercrop_jpeg_shrink(
    file: *const u8,
    file_length: usize,
    quarter: u32,
    values: *const i16,
    values_length: usize,
    width: usize,
    rgb: *mut u8,
    rgb_length: usize,
) -> i32 {
    status(|| {
        let header = Header::read(slice_of(file, file_length)?)?;
        let values = slice_of(values, values_length)?;
        shrink(&header, detail_of(quarter), values, width, slice_of_mut(rgb, rgb_length)?)
    })
}

/// Writes the tables' definitions one behind another, then the data; see `cut::cut`.
///
/// `window` is left, top, right, bottom in units, `lengths` is given the bytes of tables and data.
///
/// # Safety
/// Each pointer is followed by its length, in elements; what is written overlaps nothing else.
#[no_mangle]
pub unsafe extern "C" fn metercrop_jpeg_cut(
    file: *const u8,
    file_length: usize,
    starts: *const u32,
    starts_length: usize,
    values: *const i16,
    values_length: usize,
    window: *const usize,
    window_length: usize,
    numbers: *const u8,
    numbers_length: usize,
    written: *mut u8,
    written_length: usize,
    lengths: *mut usize,
    lengths_length: usize,
) -> i32 {
    status(|| {
        let file = slice_of(file, file_length)?;
        let header = Header::read(file)?;
        let known = (slice_of(starts, starts_length)?, slice_of(values, values_length)?);
        let &[left, top, right, bottom] = slice_of(window, window_length)? else {
            return Err(Refusal::BadCall);
        };
        let window = Window { left, top, right, bottom };
        let cut = cut(file, &header, known, window, slice_of(numbers, numbers_length)?)?;
        let tables: Vec<u8> = cut.tables.iter().flat_map(|table| table.written()).collect();
        let [tables_length, data_length] = slice_of_mut(lengths, lengths_length)? else {
            return Err(Refusal::BadCall);
        };
        let room = slice_of_mut(written, written_length)?.get_mut(..tables.len() + cut.data.len());
        let (tables_room, data_room) = room.ok_or(Refusal::BadCall)?.split_at_mut(tables.len());
        tables_room.copy_from_slice(&tables);
        data_room.copy_from_slice(&cut.data);
        (*tables_length, *data_length) = (tables.len(), cut.data.len());
        Ok(())
    })
}

//! Which edges of the code an input has reached, as LLVM's trace-pc-guard instrumentation tells.

use std::sync::atomic::{AtomicU32, AtomicU8, Ordering::Relaxed};

const EDGES: usize = 1 << 16;
static COUNTS: [AtomicU8; EDGES] = [const { AtomicU8::new(0) }; EDGES];
/// A bit for each magnitude of a count.
static REACHED: [AtomicU8; EDGES] = [const { AtomicU8::new(0) }; EDGES];
static NEXT: AtomicU32 = AtomicU32::new(1);

/// Numbers the edges of a module, once.
///
/// # Safety
/// LLVM calls it, with the bounds of the module's numbers.
#[no_mangle]
pub unsafe extern "C" fn __sanitizer_cov_trace_pc_guard_init(start: *mut u32, end: *mut u32) {
    let mut guard = start;
    while guard < end {
        if *guard == 0 {
            *guard = NEXT.fetch_add(1, Relaxed);
        }
        guard = guard.add(1);
    }
}

/// Counts an edge.
///
/// # Safety
/// LLVM calls it, with the edge's number.
#[no_mangle]
pub unsafe extern "C" fn __sanitizer_cov_trace_pc_guard(guard: *mut u32) {
    let count = &COUNTS[*guard as usize & (EDGES - 1)];
    count.store(count.load(Relaxed).saturating_add(1), Relaxed);
}

/// How many edges the last input reached for the first time, or a number of times that is new.
pub fn newly_reached() -> usize {
    let mut new = 0;
    for edge in 0..(NEXT.load(Relaxed) as usize).min(EDGES) {
        let count = COUNTS[edge].swap(0, Relaxed);
        if count == 0 {
            continue;
        }
        let magnitude = 1u8 << (7 - count.leading_zeros());
        let before = REACHED[edge].fetch_or(magnitude, Relaxed);
        new += usize::from(before & magnitude == 0);
    }
    new
}

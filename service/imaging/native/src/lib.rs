//! Thumbnails and exact crops of JPEGs, from one pass over their Huffman codes; a progressive one is
//! written as a sequential one before.
//!
//! What is read is untrusted: outside of `ffi` there is no unsafe code, every allocation is bounded by
//! the header and the file's size, and every loop goes forward in the file.

#![deny(unsafe_code)]

pub mod assembly;
pub mod bits;
pub mod block;
pub mod codes;
pub mod cut;
#[allow(unsafe_code)]
mod ffi;
pub mod header;
pub mod huffman;
pub mod intervals;
pub mod lanes;
pub mod layout;
pub mod machine;
pub mod optimal;
pub mod phrases;
pub mod pieces;
pub mod pixels;
pub mod planes;
pub mod progressive;
pub mod proof;
pub mod refusal;
pub mod scan;
pub mod segments;
pub mod sequential;
pub mod shrink;
pub mod successive;
pub mod taps;
pub mod token_reader;
pub mod tokens;
pub mod writer;

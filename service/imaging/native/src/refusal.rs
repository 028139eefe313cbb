//! Why a JPEG is left to the library.

/// Both mean "ask the library": only it decides what a user is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Sound perhaps, but of a kind that is not read here.
    NotMine,
    /// Something contradicts itself or is missing.
    Damaged,
    /// The caller's buffers or numbers do not fit the photo.
    BadCall,
}

/// What everything here returns.
pub type Answer<T> = Result<T, Refusal>;

//! How calls end: a number, and a sentence for people.

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

use streamlib_share::SurfaceError;

/// `STREAMLIB_OK`.
pub const OK: c_int = 0;
/// `STREAMLIB_TIMEOUT`.
pub const TIMEOUT: c_int = 1;

/// The errors, `STREAMLIB_ERROR_…` of the header.
pub mod code {
    #![allow(missing_docs, reason = "the header describes them")]
    use std::ffi::c_int;

    pub const ARGUMENT: c_int = -1;
    pub const BAD_NAME: c_int = -2;
    pub const NO_BROKER: c_int = -3;
    pub const NO_SURFACE: c_int = -4;
    pub const NAME_TAKEN: c_int = -5;
    pub const NOT_PERMITTED: c_int = -6;
    pub const TOO_MANY: c_int = -7;
    pub const PUBLISHER_GONE: c_int = -8;
    pub const PUBLISHER_SILENT: c_int = -9;
    pub const NO_BUFFER: c_int = -10;
    pub const TOO_MANY_FRAMES: c_int = -11;
    pub const NO_FREE_BUFFER: c_int = -12;
    pub const NOT_TAKEN: c_int = -13;
    pub const PROTOCOL: c_int = -14;
    pub const SYSTEM: c_int = -15;
    pub const INTERNAL: c_int = -16;
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("`{0}` is NULL")]
    Null(&'static str),
    #[error("`{argument}` is {found}; {wanted}")]
    Argument { argument: &'static str, found: i64, wanted: &'static str },
    #[error(transparent)]
    Surface(#[from] SurfaceError),
    #[error("this publisher has no buffer {0}; add_buffer gives the ids that there are")]
    UnknownBuffer(u64),
    #[error("this reader has seen no frame in buffer {0}; ask for the buffer of a frame that it acquired")]
    UnseenBuffer(u64),
    #[error("buffer {0} was not taken; take one, write the frame into that one, and publish it")]
    NotTaken(u64),
    #[error(
        "none of the {buffers} buffers is free: readers hold them, or the newest frame lies there; leave this frame out, or add one"
    )]
    NoFreeBuffer { buffers: usize },
    #[error("readers hold every frame that there can be; this one is dropped")]
    AllHeld,
    #[error("the system refused to {action}: {source}")]
    System { action: &'static str, source: std::io::Error },
}

impl Failure {
    fn code(&self) -> c_int {
        match self {
            Self::Null(_) | Self::Argument { .. } => code::ARGUMENT,
            Self::Surface(error) => code_of(error),
            Self::UnknownBuffer(_) | Self::UnseenBuffer(_) => code::NO_BUFFER,
            Self::NotTaken(_) => code::NOT_TAKEN,
            Self::NoFreeBuffer { .. } | Self::AllHeld => code::NO_FREE_BUFFER,
            Self::System { .. } => code::SYSTEM,
        }
    }
}

fn code_of(error: &SurfaceError) -> c_int {
    match error {
        SurfaceError::BadName(_) => code::BAD_NAME,
        SurfaceError::NoBroker { .. }
        | SurfaceError::UntrustedBroker { .. }
        | SurfaceError::BrokerSilent { .. }
        | SurfaceError::Broker(_) => code::NO_BROKER,
        SurfaceError::NoSuchSurface { .. } => code::NO_SURFACE,
        SurfaceError::NameTaken { .. } => code::NAME_TAKEN,
        SurfaceError::NotPermitted { .. } => code::NOT_PERMITTED,
        SurfaceError::TooMany { .. } => code::TOO_MANY,
        SurfaceError::PublisherGone { .. } => code::PUBLISHER_GONE,
        SurfaceError::PublisherSilent { .. } => code::PUBLISHER_SILENT,
        SurfaceError::NoBuffer { .. } => code::NO_BUFFER,
        SurfaceError::TooManyLeases { .. } => code::TOO_MANY_FRAMES,
        SurfaceError::Version { .. } | SurfaceError::Protocol { .. } => code::PROTOCOL,
        SurfaceError::Page(_) | SurfaceError::System { .. } => code::SYSTEM,
        // The enum may grow; its sentence says what this number does not.
        _ => code::INTERNAL,
    }
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// Keeps a sentence for `streamlib_last_error`. A thread that is ending keeps none.
fn remember(sentence: String) {
    let bytes: Vec<u8> = sentence.into_bytes().into_iter().filter(|byte| *byte != 0).collect();
    let sentence = CString::new(bytes).unwrap_or_default();
    let _ending = LAST.try_with(|last| *last.borrow_mut() = sentence);
}

/// Runs the body of a function that C calls: an error or a panic becomes a number and a sentence.
pub(crate) fn call(body: impl FnOnce() -> Result<c_int, Failure>) -> c_int {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(status)) => status,
        Ok(Err(failure)) => {
            let code = failure.code();
            remember(failure.to_string());
            code
        }
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
            remember(format!("a mistake of this library's: {text}; please report it"));
            code::INTERNAL
        }
    }
}

/// Runs the body of a function that C calls and that has nothing to say.
pub(crate) fn call_silently(body: impl FnOnce()) {
    let _told = call(|| {
        body();
        Ok(OK)
    });
}

/// See the header.
#[unsafe(no_mangle)]
pub extern "C" fn streamlib_last_error() -> *const c_char {
    // The text lives where it is until this thread remembers another one.
    LAST.try_with(|last| last.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    fn last_error() -> String {
        // SAFETY: a text of this thread, which remembers no other meanwhile.
        unsafe { CStr::from_ptr(streamlib_last_error()) }.to_str().expect("UTF-8").to_owned()
    }

    #[test]
    fn a_panic_becomes_a_number_and_a_sentence() {
        assert_eq!(call(|| panic!("no {}", "luck")), code::INTERNAL);
        assert!(last_error().contains("no luck"), "{}", last_error());
        assert_eq!(call(|| Err(Failure::UnknownBuffer(7))), code::NO_BUFFER);
        assert!(last_error().contains("no buffer 7"), "{}", last_error());
        assert_eq!(call(|| Ok(TIMEOUT)), TIMEOUT);
        assert!(last_error().contains("no buffer 7"), "what is no error leaves the sentence as it was");
    }

    #[test]
    fn each_thread_has_its_own_sentence_and_a_zero_does_not_cut_it_off() {
        remember("one\0two".to_owned());
        assert_eq!(last_error(), "onetwo");
        let other = std::thread::spawn(last_error).join().expect("it ends");
        assert_eq!(other, "");
    }
}

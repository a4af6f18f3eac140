//! Raw memory: texels that Python looks at in place, and arrays of others that are copied from.
#![allow(unsafe_code, reason = "Python is handed addresses, and hands out its own")]

use std::marker::PhantomData;
use std::sync::Arc;

use pyo3::prelude::*;
use streamlib::{Content, HostCopy, LiveFrame};

use crate::gate::Kept;

/// Whose memory it is: held, and never looked at.
enum Owner {
    Copy { _copy: HostCopy },
    Picture { _frame: LiveFrame },
}

/// Texels in mapped host memory, rows tightly packed. For as long as this lives they stay where they are and do not change.
pub(crate) struct HostTexels {
    start: *const u8,
    bytes: usize,
    _owner: Kept<Owner>,
}

// SAFETY: the memory belongs to `_owner`, which may be dropped on any thread, and is only read.
unsafe impl Send for HostTexels {}
// SAFETY: as above; nobody writes it.
unsafe impl Sync for HostTexels {}

impl HostTexels {
    pub(crate) fn of_copy(copy: HostCopy) -> Arc<Self> {
        // A copy promises that its bytes stay and do not change while it lives, wherever it is moved to.
        let found = copy.read(|bytes| (bytes.as_ptr(), bytes.len()));
        let (start, bytes) = found.expect("nothing else uses a copy");
        Arc::new(Self { start, bytes, _owner: Kept::new(Owner::Copy { _copy: copy }) })
    }

    /// The picture of a frame; none where the frame is a texture.
    pub(crate) fn of_frame(frame: &LiveFrame) -> Option<Arc<Self>> {
        let Content::Picture(picture) = &frame.content else { return None };
        // The engine reads the next frame into it when nobody holds this one any more.
        let found = picture.plane(0, |bytes| (bytes.as_ptr(), bytes.len()));
        let (start, bytes) = found.expect("a frame that was delivered is complete");
        Some(Arc::new(Self { start, bytes, _owner: Kept::new(Owner::Picture { _frame: frame.clone() }) }))
    }

    pub(crate) fn start(&self) -> *const u8 {
        self.start
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: `start` is the first of so many bytes of the owner's, which stay and do not change while it lives, and it lives
        // as long as `self`.
        unsafe { std::slice::from_raw_parts(self.start, self.bytes) }
    }
}

/// The memory of an array of somebody else's, tightly packed.
pub(crate) struct Foreign<'py> {
    start: *const u8,
    bytes: usize,
    /// Keeps the memory.
    _owner: Bound<'py, PyAny>,
}

/// The same, to be read while others use the interpreter.
pub(crate) struct ForeignBytes<'a> {
    start: *const u8,
    bytes: usize,
    _owner: PhantomData<&'a ()>,
}

// SAFETY: reading memory needs no certain thread, and it is there for as long as the borrowed `Foreign` is.
unsafe impl Send for ForeignBytes<'_> {}
// SAFETY: as above.
unsafe impl Sync for ForeignBytes<'_> {}

impl<'py> Foreign<'py> {
    /// The memory that `owner` says it keeps at `start` for as long as it lives: through `__array_interface__`, DLPack, or by
    /// being a `bytes`.
    pub(crate) fn new(owner: Bound<'py, PyAny>, start: usize, bytes: usize) -> Self {
        Self { start: start as *const u8, bytes, _owner: owner }
    }

    pub(crate) fn borrow(&self) -> ForeignBytes<'_> {
        ForeignBytes { start: self.start, bytes: self.bytes, _owner: PhantomData }
    }
}

impl ForeignBytes<'_> {
    /// Copies all of it; what another thread of Python's writes meanwhile may be in the copy or not.
    pub(crate) fn copy_to(&self, to: &mut [u8]) {
        assert_eq!(self.bytes, to.len(), "sizes were compared before");
        // SAFETY: the owner says that so many bytes are there, `to` has room for them, and it is memory of the GPU's that no
        // array of Python's lies in.
        unsafe { std::ptr::copy_nonoverlapping(self.start, to.as_mut_ptr(), self.bytes) };
    }
}

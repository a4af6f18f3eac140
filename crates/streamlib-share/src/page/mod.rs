//! What lies where in the memory that publishers and readers share.
//!
//! The *surface page* is written by the publisher and read by everybody who may open the surface. It holds nothing that has to be
//! believed: numbers are checked where they are used. A *reader page* is one reader's and the publisher's; whatever stands in it,
//! it can cost the publisher four slots and no more.

mod reader;
mod slot;
mod surface;

pub(crate) use reader::{LEASES, ReaderPage};
pub(crate) use slot::Slot;
pub(crate) use surface::{Feed, SLOTS, SurfacePage, SurfaceView};

/// First of the 32-bit words of a surface page, and of a reader page.
const MAGIC: [u32; 2] = [u32::from_le_bytes(*b"slsf"), u32::from_le_bytes(*b"slrd")];
/// Version of the layout of both pages.
const LAYOUT: u32 = 2;

/// Places of 32-bit words, in both pages.
mod head {
    pub(super) const MAGIC: usize = 0;
    pub(super) const LAYOUT: usize = 1;
    pub(super) const SLOTS: usize = 2;
    /// Counts publications; who waits for a frame that is done, waits for this.
    pub(super) const BELL: usize = 4;
    /// 1 when the publisher has ended.
    pub(super) const CLOSED: usize = 5;
    /// Counts publications, those among them that are not done yet; who takes such waits for this.
    pub(super) const EARLY_BELL: usize = 6;
}

#[cfg(test)]
mod tests;

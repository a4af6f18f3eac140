//! Which surfaces there are.

use std::path::Path;
use std::time::Duration;

use streamlib_core::format::Size;
use streamlib_linux::peer::Peer;

use crate::broker::{self, client};
use crate::buffer::FormatCode;
use crate::clock;
use crate::error::SurfaceError;
use crate::name::SurfaceName;
use crate::wire::Entry;

/// A rate says nothing of a surface that has shown nothing for this long.
const RATE_IS_OLD: Duration = Duration::from_secs(3);

/// A surface, as its publisher describes it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SurfaceInfo {
    /// Its name.
    pub name: SurfaceName,
    /// Who publishes it.
    pub publisher: Peer,
    /// Width and height of its newest frame in pixels; none if there is no frame yet.
    pub size: Option<Size>,
    /// Texels of its newest frame.
    pub format: FormatCode,
    /// Frames a second of late.
    pub rate: f64,
    /// Readers connected.
    pub readers: u64,
    /// Frames published.
    pub published: u64,
    /// Frames that could not be published.
    pub dropped: u64,
    /// How long ago the newest frame was published; none if there is no frame yet.
    pub newest_age: Option<Duration>,
}

impl SurfaceInfo {
    fn new(entry: Entry, now_ns: u64) -> Self {
        let has_frame = entry.newest_ns > 0;
        let newest_age = has_frame.then(|| Duration::from_nanos(now_ns.saturating_sub(entry.newest_ns)));
        let is_live = newest_age.is_some_and(|age| age < RATE_IS_OLD);
        Self {
            name: entry.name,
            publisher: entry.publisher,
            size: has_frame.then(|| Size::new(entry.width, entry.height)),
            format: FormatCode(entry.format),
            rate: if is_live { entry.rate_mhz as f64 / 1_000.0 } else { 0.0 },
            readers: entry.readers,
            published: entry.published,
            dropped: entry.dropped,
            newest_age,
        }
    }
}

/// The surfaces that this user may open, by name. `broker` is where the broker's socket is, if not in the usual place.
///
/// # Errors
/// When there is no broker, or it does not answer.
pub fn list(broker: Option<&Path>) -> Result<Vec<SurfaceInfo>, SurfaceError> {
    let path = broker.map_or_else(broker::socket_path, |path| Ok(path.to_owned()))?;
    let connection = client::connect_to_existing(&path)?;
    let entries = client::list(&path, &connection)?;
    let now_ns = clock::now().0.max(0) as u64;
    Ok(entries.into_iter().map(|entry| SurfaceInfo::new(entry, now_ns)).collect())
}

//! Surfaces between the processes of one machine: a named sequence of frames that lie in buffers of one process, and that others
//! look at without copying them.
//!
//! This crate knows no GPU. A buffer is a description and a descriptor, which the publisher exports and a reader imports; here they
//! are handed over once. From then on a frame is a few words in shared memory: publishing it and taking it are a store and a look,
//! and neither side ever waits for the other. While a reader holds a frame its buffer is not overwritten.
//!
//! ```
//! # use std::time::Duration;
//! # use streamlib_core::{format::{Size, TextureFormat}, frame::FrameMeta};
//! # use streamlib_share::{BufferDescription, BufferKind, Publisher, PublisherOptions, Reader, ReaderOptions};
//! # let directory = tempfile::tempdir()?;
//! # let broker = Some(directory.path().join("broker.sock"));
//! let mut publisher = Publisher::create("camera", &PublisherOptions { broker: broker.clone(), ..Default::default() })?;
//! let description = BufferDescription {
//!     kind: BufferKind::Memory,
//!     size: Size::new(640, 480),
//!     format: TextureFormat::Rgba8.into(),
//!     allocation: 640 * 480 * 4,
//!     tiling: 0,
//!     offset: 0,
//!     pitch: 640 * 4,
//!     device: [0; 16],
//!     driver: [0; 16],
//! };
//! let buffer = publisher.add_buffer(description, || Ok(std::fs::File::open("/dev/zero")?.into()));
//! publisher.publish(&buffer, &FrameMeta::default(), "kept as long as somebody looks").unwrap();
//!
//! let mut reader = Reader::open("camera", &ReaderOptions { broker, ..Default::default() })?;
//! let frame = reader.acquire(Duration::from_secs(1))?.expect("a frame is there");
//! let (description, descriptor) = reader.buffer(frame.buffer())?;
//! assert_eq!(description.size, frame.size());
//! # drop(descriptor);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg(target_os = "linux")]

mod access;
pub mod broker;
mod buffer;
mod clock;
mod error;
mod lease;
mod list;
mod name;
mod page;
mod publisher;
mod reader;
mod socket;
mod wire;

pub use access::Access;
pub use buffer::{BufferDescription, BufferId, BufferKind, FormatCode, TimelineDescription};
pub use error::{BrokerError, SurfaceError};
pub use list::{SurfaceInfo, list};
pub use name::{BadName, MAX_NAME_BYTES, SurfaceName};
pub use publisher::{Announced, Publisher, PublisherOptions, PublisherStats, SharedBuffer};
pub use reader::{Acquired, FrameWaiter, Reader, ReaderOptions};
pub use streamlib_linux::peer::Peer;

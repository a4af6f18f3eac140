//! Events of the Chrome trace format, as lines of JSON.

use serde::Serialize;
use serde::ser::Serializer;

use crate::frame::Timestamp;

/// One object of the format; fields that a phase has not are left out.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Event<'a> {
    pub(super) name: &'a str,
    pub(super) cat: &'a str,
    pub(super) ph: &'static str,
    pub(super) pid: u32,
    pub(super) tid: u32,
    #[serde(serialize_with = "micros")]
    pub(super) ts: Timestamp,
    #[serde(serialize_with = "optional_micros", skip_serializing_if = "Option::is_none")]
    pub(super) dur: Option<Timestamp>,
    /// Of a flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<u64>,
    /// Binding point of a flow's end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bp: Option<&'static str>,
    /// Scope of an instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) s: Option<&'static str>,
    #[serde(skip_serializing_if = "Args::is_empty")]
    pub(super) args: Args<'a>,
}

/// What a viewer shows beside an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Args<'a> {
    /// Of metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sort_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u64>,
}

impl Args<'_> {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The format counts in microseconds. A double tells nanoseconds apart for the first 104 days of uptime.
fn micros<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.0 as f64 / 1e3)
}

fn optional_micros<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    micros(&time.unwrap_or_default(), serializer)
}

//! Links: where an input's frames or messages come from, and how they are handed over.

use serde::{Deserialize, Serialize};

use super::OUTPUT;

/// Greatest delay of a link, in frames: every frame of delay is a texture kept in memory.
pub const MAX_DELAY: u32 = 16;
/// Most frames that may wait at an input.
pub const MAX_BOUND: u32 = 64;
/// Frames that may wait at an input that does not say how many.
pub const DEFAULT_BOUND: u32 = 4;

/// What happens when frames come faster than their reader takes them.
///
/// A policy is chosen at an input, and means something where frames change threads: at links that start at a source, end
/// at a sink or end at a processor. Effects of one plan run in lock-step, so a link between two effects has none, and an
/// effect's parameter always takes the newest message. All effects that read one source see the same frames, so they may
/// not ask for different policies. What an input without a policy gets is the choice of who runs the graph; runs from
/// beginning to end pay no attention to policies, since every frame goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Only the newest; what it replaces is lost.
    Latest,
    /// In order. When more than `bound` wait, the oldest is dropped and counted.
    Every {
        /// From 1 to [`MAX_BOUND`].
        bound: u32,
    },
    /// In order, all of them. When `bound` wait, whoever makes them waits too.
    Lossless {
        /// From 1 to [`MAX_BOUND`].
        bound: u32,
    },
}

impl Delivery {
    /// How many may wait.
    #[must_use]
    pub const fn bound(self) -> u32 {
        match self {
            Self::Latest => 1,
            Self::Every { bound } | Self::Lossless { bound } => bound,
        }
    }
}

impl std::fmt::Display for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Every { bound } => write!(f, "every, {bound} waiting"),
            Self::Lossless { bound } => write!(f, "lossless, {bound} waiting"),
        }
    }
}

/// The beginning of a link: an output of a node, now or some frames ago.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "LinkText", into = "LinkText")]
pub struct Link {
    /// Node it comes from.
    pub node: String,
    /// Output port of that node.
    pub port: String,
    /// How many frames ago, up to [`MAX_DELAY`]; before the first frame it is opaque black.
    pub delay: u32,
    /// How it is handed over, where it changes threads.
    pub delivery: Option<Delivery>,
}

impl Link {
    /// A link from the default output of `node`, without delay.
    #[must_use]
    pub fn from_node(node: impl Into<String>) -> Self {
        Self { node: node.into(), port: OUTPUT.to_owned(), delay: 0, delivery: None }
    }

    /// The same link, that many frames later.
    #[must_use]
    pub fn delayed(self, frames: u32) -> Self {
        Self { delay: frames, ..self }
    }

    /// The same link, handed over in that way.
    #[must_use]
    pub fn with_delivery(self, delivery: Delivery) -> Self {
        Self { delivery: Some(delivery), ..self }
    }

    /// `NODE`, or `NODE.PORT` where the port is not the default one.
    #[must_use]
    pub fn origin(&self) -> String {
        if self.port == OUTPUT { self.node.clone() } else { format!("{}.{}", self.node, self.port) }
    }
}

/// Reads `NODE` or `NODE.PORT`.
impl From<&str> for Link {
    fn from(origin: &str) -> Self {
        let (node, port) = origin.split_once('.').unwrap_or((origin, OUTPUT));
        Self { port: port.to_owned(), ..Self::from_node(node) }
    }
}

/// A link as it stands in a file or a message.
#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a link is \"NODE\", \"NODE.PORT\" or { from = \"NODE\", delay = 1 }, \
                               with delivery = \"latest\", \"every\" or \"lossless\" where it has one"
)]
pub(super) enum LinkText {
    Name(String),
    Full(FullLink),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FullLink {
    from: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    delay: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<DeliveryName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<u32>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DeliveryName {
    Latest,
    Every,
    Lossless,
}

fn is_zero(delay: &u32) -> bool {
    *delay == 0
}

/// A bound where nothing waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`bound` goes with `delivery = \"every\"` or `\"lossless\"`")]
pub struct StrayBound;

impl TryFrom<LinkText> for Link {
    type Error = StrayBound;

    fn try_from(text: LinkText) -> Result<Self, StrayBound> {
        let FullLink { from, delay, delivery, bound } = match text {
            LinkText::Name(from) => return Ok(Self::from(from.as_str())),
            LinkText::Full(full) => full,
        };
        let queue = bound.unwrap_or(DEFAULT_BOUND);
        let delivery = match delivery {
            Some(DeliveryName::Every) => Some(Delivery::Every { bound: queue }),
            Some(DeliveryName::Lossless) => Some(Delivery::Lossless { bound: queue }),
            Some(DeliveryName::Latest) | None if bound.is_some() => return Err(StrayBound),
            Some(DeliveryName::Latest) => Some(Delivery::Latest),
            None => None,
        };
        Ok(Self { delay, delivery, ..Self::from(from.as_str()) })
    }
}

impl From<Link> for LinkText {
    fn from(link: Link) -> Self {
        let from = link.origin();
        if link.delay == 0 && link.delivery.is_none() {
            return Self::Name(from);
        }
        let stated = |bound: u32| (bound != DEFAULT_BOUND).then_some(bound);
        let (delivery, bound) = match link.delivery {
            None => (None, None),
            Some(Delivery::Latest) => (Some(DeliveryName::Latest), None),
            Some(Delivery::Every { bound }) => (Some(DeliveryName::Every), stated(bound)),
            Some(Delivery::Lossless { bound }) => (Some(DeliveryName::Lossless), stated(bound)),
        };
        Self::Full(FullLink { from, delay: link.delay, delivery, bound })
    }
}

//! The broker: it knows which surfaces there are, and hands out connections between readers and publishers. No frame goes through
//! it, and connections that it has handed out outlive it.
//!
//! Usually it is a thread of the first program that publishes something. When that program ends, another one takes over. A daemon
//! (`streamlib broker`) serves several users, and programs that come and go.

pub(crate) mod client;
mod host;
mod listener;
mod place;
mod registry;
mod server;
mod stop;

use std::time::Duration;

pub(crate) use host::Stay;
pub use listener::Listener;
pub use place::socket_path;
pub use server::serve;
pub use stop::Stop;

/// How long a broker or a publisher may take to answer.
pub(crate) const ANSWER_TIME: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;

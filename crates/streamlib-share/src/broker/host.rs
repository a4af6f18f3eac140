//! A broker inside a program that needs one.

use std::path::Path;
use std::thread;

use tracing::{info, warn};

use super::listener::Listener;
use super::server::serve_while_needed;
use crate::error::BrokerError;

/// Makes this process the broker at `path`, unless somebody else is or becomes it.
pub(super) fn host(path: &Path) -> Result<(), BrokerError> {
    let listener = match Listener::bind(path) {
        Err(BrokerError::AlreadyRunning { .. }) => return Ok(()),
        listener => listener?,
    };
    info!("{}: this process brokers surfaces for this user's programs", path.display());
    let place = path.to_owned();
    let run = move || {
        if let Err(error) = serve_while_needed(listener) {
            warn!("{}: the broker has ended: {error}", place.display());
        }
    };
    thread::Builder::new()
        .name("streamlib-broker".to_owned())
        .spawn(run)
        .map(drop)
        .map_err(|source| BrokerError::System { path: path.to_owned(), action: "start a thread", source })
}

//! `streamlib surfaces`, `watch` and `broker`: what programs of one machine share.

use std::path::PathBuf;

use streamlib::graph::Source;
use streamlib::play_graph;
use streamlib::share::{SurfaceInfo, broker as brokering, list};

use super::Done;
use super::run::{self, Job};
use crate::cli::{BrokerArgs, SurfacesArgs, WatchArgs};
use crate::output::{self, line, remark};

/// Lists the surfaces that this user may open.
pub(crate) fn surfaces(args: &SurfacesArgs) -> Done {
    let mut found = match list(args.broker.as_deref()) {
        Ok(found) => found,
        // No broker: nobody has ever published one.
        Err(streamlib::share::SurfaceError::NoBroker { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    found.sort_by(|a, b| a.name.cmp(&b.name));
    if args.json {
        output::json(&found.iter().map(row).collect::<Vec<_>>());
        return Ok(());
    }
    if found.is_empty() {
        remark("No program publishes a surface. One that does: streamlib play camera: -o surface:front");
        return Ok(());
    }
    line(format!(
        "{:<24} {:>11} {:<11} {:>8} {:>8} {:>7} {:>10} {:>8}  process",
        "surface", "size", "format", "frames/s", "age ms", "readers", "frames", "dropped"
    ));
    found.iter().for_each(|surface| line(row(surface)));
    Ok(())
}

/// A surface, for people and for machines.
#[derive(serde::Serialize)]
struct Row {
    name: String,
    size: Option<String>,
    format: Option<&'static str>,
    frames_per_second: f64,
    /// How long ago the newest frame was published.
    newest_age_ms: Option<f64>,
    readers: u64,
    frames: u64,
    dropped: u64,
    pid: u32,
    uid: u32,
}

fn row(surface: &SurfaceInfo) -> Row {
    Row {
        name: surface.name.to_string(),
        size: surface.size.map(|size| size.to_string()),
        format: surface.size.and_then(|_| surface.format.texture_format()).map(|format| format.name()),
        frames_per_second: (surface.rate * 10.0).round() / 10.0,
        newest_age_ms: surface.newest_age.map(|age| (age.as_secs_f64() * 1e4).round() / 10.0),
        readers: surface.readers,
        frames: surface.published,
        dropped: surface.dropped,
        pid: surface.publisher.pid,
        uid: surface.publisher.uid,
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let age = self.newest_age_ms.map_or_else(|| "-".to_owned(), |age| format!("{age:.1}"));
        write!(
            f,
            "{:<24} {:>11} {:<11} {:>8.1} {:>8} {:>7} {:>10} {:>8}  {} of user {}",
            self.name,
            or_dash(self.size.as_deref()),
            or_dash(self.format),
            self.frames_per_second,
            age,
            self.readers,
            self.frames,
            self.dropped,
            self.pid,
            self.uid
        )
    }
}

/// Shows a surface in a window until that is closed.
pub(crate) fn watch(args: &WatchArgs) -> Done {
    let name = &args.name;
    let source = Source { uri: format!("surface:{name}"), size: None, fps: None, frames: None };
    let title: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '+' }).collect();
    let graph = play_graph(source, &[], None, &format!("display:?title={title}&fps=on"));
    let read = || Ok(graph.clone());
    let job = Job { graph: graph.clone(), base: PathBuf::new(), title: name, file: None, read: &read };
    run::execute(job, &args.running)
}

/// Runs the broker.
pub(crate) fn broker(args: &BrokerArgs) -> Done {
    let listener = match (&args.socket, brokering::Listener::inherited()?) {
        (Some(socket), _) => brokering::Listener::bind(socket)?,
        (None, Some(inherited)) => inherited,
        (None, None) => brokering::Listener::bind(&brokering::socket_path()?)?,
    };
    let stop = brokering::Stop::new()?;
    let told = stop.clone();
    ctrlc::set_handler(move || told.stop())?;
    let place = listener
        .path()
        .map_or_else(|| "the socket that it was given".to_owned(), |path| path.display().to_string());
    remark(format!("The broker listens at {place}. Ctrl-C ends it; what runs goes on."));
    Ok(brokering::serve(listener, &stop)?)
}

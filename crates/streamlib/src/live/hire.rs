//! Who takes the frames of an outlet: the consumer that runs already, or a new one, opened.

use std::collections::BTreeMap;
use std::sync::Arc;

use streamlib_core::engine::OutletSpec;
use streamlib_core::gpu::Sharing;
use streamlib_core::graph::{Delivery, Graph, Link, Node};
use streamlib_core::plan::Layout;
use streamlib_media::{OutputOptions, VideoWriter};
use streamlib_vulkan::VulkanGpu;

use super::build::{next_tag, without_origins};
use super::display::{self, Display};
use super::options::{LiveOptions, Pacing};
use super::processor::View;
use super::showing::ScreenFacts;
use super::stage::{ConsumerKind, ConsumerSpec, Stage};
use super::system::{self, Publication, ScanoutScreen};
use crate::display::DISPLAY;
use crate::error::RunError;
use crate::scanout::{KMS, ScanoutOptions};
use crate::sinks::NULL;
use crate::sources::APP;
use crate::surface::{PublishOptions, SURFACE, SurfaceError};

/// Frames that a consumer may hold beside those that wait for it.
pub(super) const IN_HAND: usize = 2;

/// Frames that wait for a file by default.
const FILE_BOUND: u32 = 8;

pub(super) struct BuiltConsumer {
    pub(super) spec: ConsumerSpec,
    pub(super) tag: u64,
    pub(super) is_kept: bool,
    /// The file of a new sink.
    pub(super) writer: Option<Box<dyn VideoWriter>>,
    /// Or its window.
    pub(super) display: Option<Display>,
    /// Or its screen.
    pub(super) screen: Option<ScanoutScreen>,
    /// What the screen takes, a new one's or one's that runs already.
    pub(super) facts: Option<ScreenFacts>,
    /// Or its surface.
    pub(super) publication: Option<Publication>,
    /// Frames that it may hold beside those that wait for it.
    pub(super) in_hand: usize,
    /// Who may open them.
    pub(super) sharing: Sharing,
}

impl BuiltConsumer {
    pub(super) fn outlet(&self) -> OutletSpec {
        let depth = match self.spec.kind {
            ConsumerKind::Null => 0,
            _ => self.spec.delivery.bound() as usize + self.in_hand,
        };
        OutletSpec { tag: self.tag, depth }
    }
}

/// What is needed to find a consumer for an outlet.
pub(super) struct Hiring<'a> {
    pub(super) gpu: &'a Arc<VulkanGpu>,
    pub(super) options: &'a LiveOptions,
    pub(super) layout: &'a Layout,
    pub(super) views: &'a BTreeMap<String, View>,
    pub(super) stage: &'a Stage,
    pub(super) frame_rate: Option<(u32, u32)>,
}

impl Hiring<'_> {
    /// The consumer that runs already, or a new one.
    pub(super) fn consumer(
        &self,
        graph: &Graph,
        key: &(String, String),
        link: &Link,
    ) -> Result<BuiltConsumer, RunError> {
        let (node, _) = key;
        let running = self.stage.consumers.get(key);
        let mut writer = None;
        let (kind, usual) = match &graph.nodes[node] {
            Node::Sink(sink) if sink.uri == APP => (ConsumerKind::App, Delivery::Latest),
            Node::Sink(sink) if sink.uri == NULL => (ConsumerKind::Null, Delivery::Latest),
            Node::Sink(sink) if sink.uri.starts_with(DISPLAY) => {
                (ConsumerKind::Display(sink.uri.clone()), Delivery::Latest)
            }
            Node::Sink(sink) if sink.uri.starts_with(KMS) => {
                (ConsumerKind::Scanout(sink.uri.clone()), Delivery::Latest)
            }
            Node::Sink(sink) if sink.uri.starts_with(SURFACE) => {
                (ConsumerKind::Surface(sink.uri.clone()), Delivery::Latest)
            }
            Node::Sink(sink) => {
                let uri = &sink.uri;
                let format = match running.map(|running| &running.spec.kind) {
                    Some(ConsumerKind::File(path, format)) if path == uri => {
                        if format.size != self.layout.size(node) {
                            let (from, to) = (format.size, self.layout.size(node));
                            return Err(RunError::SinkSize { node: node.clone(), from, to });
                        }
                        *format
                    }
                    _ => {
                        let created = self.create(node, uri)?;
                        let format = created.picture_format();
                        writer = Some(created);
                        format
                    }
                };
                // Where no time has to be kept, frames wait for the file.
                let usual = match self.options.pacing {
                    Pacing::Free => Delivery::Lossless { bound: FILE_BOUND },
                    Pacing::Clock | Pacing::Rate(_) => Delivery::Every { bound: FILE_BOUND },
                };
                (ConsumerKind::File(uri.clone(), format), usual)
            }
            Node::Processor(processor) => {
                let processor = without_origins(processor);
                let view = self.views.get(node).copied().unwrap_or_default();
                (ConsumerKind::Processor(processor, view), Delivery::Latest)
            }
            Node::Source(_) | Node::Effect(_) => {
                unreachable!("only sinks and processors are outside the plan")
            }
        };
        let spec = ConsumerSpec { kind, delivery: link.delivery.unwrap_or(usual) };
        let kept = running.filter(|running| running.spec == spec);
        if kept.is_none()
            && running.is_some()
            && writer.is_none()
            && matches!(spec.kind, ConsumerKind::File(..))
        {
            return Err(RunError::SinkBusy { node: node.clone() });
        }
        let display = match &spec.kind {
            ConsumerKind::Display(uri) if kept.is_none() => {
                let opened = display::open(self.gpu, node, uri, self.layout.size(&link.node));
                Some(opened.map_err(|error| RunError::Display { node: node.clone(), error })?)
            }
            _ => None,
        };
        let screen = match &spec.kind {
            ConsumerKind::Scanout(uri) if kept.is_none() => {
                let opened =
                    ScanoutOptions::parse(uri).and_then(|options| system::open_screen(self.gpu, &options));
                Some(opened.map_err(|error| RunError::Display { node: node.clone(), error })?)
            }
            _ => None,
        };
        let facts = match &screen {
            Some(screen) => Some(screen.facts()),
            None => kept.and_then(|running| running.facts.clone()),
        };
        let (mut publication, mut in_hand, mut sharing) = (None, IN_HAND, Sharing::default());
        if let ConsumerKind::Surface(uri) = &spec.kind {
            let failed = |error| RunError::Surface { node: node.clone(), error };
            let options = PublishOptions::parse(uri).map_err(failed)?;
            if matches!(spec.delivery, Delivery::Lossless { .. }) {
                return Err(failed(SurfaceError::Lossless));
            }
            (in_hand, sharing) = (options.buffers, options.sharing);
            if kept.is_none() {
                publication = Some(system::open(node, self.gpu, &options).map_err(failed)?);
            }
        }
        let (tag, is_kept) = (kept.map_or_else(next_tag, |running| running.tag), kept.is_some());
        Ok(BuiltConsumer {
            spec,
            tag,
            is_kept,
            writer,
            display,
            screen,
            facts,
            publication,
            in_hand,
            sharing,
        })
    }

    fn create(&self, node: &str, uri: &str) -> Result<Box<dyn VideoWriter>, RunError> {
        let (frame_rate, quality) = (self.frame_rate, self.options.quality);
        let output = OutputOptions { frame_rate, quality, ..OutputOptions::new(self.layout.size(node)) };
        let writer = streamlib_media::create(&self.options.base.join(uri), &output);
        writer.map_err(|error| RunError::Create { node: node.to_owned(), error })
    }
}

//! Which results a screen without a window system shows where they lie.
//!
//! A screen takes buffers of one size, in some formats, with some format modifiers. Where a result has that size, and the GPU writes
//! such buffers, the plan's own textures are made so, and no pass is needed to show them.

use std::collections::BTreeMap;

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::graph::{Graph, Link, Node};
use streamlib_core::plan::Layout;
use streamlib_vulkan::VulkanGpu;

use super::hire::BuiltConsumer;
use super::stage::ConsumerKind;

/// Formats in which results may be written for a screen, and what that means to it: alpha is not looked at.
pub(super) const FORMATS: [TextureFormat; 4] =
    [TextureFormat::Rgba8, TextureFormat::Bgra8, TextureFormat::Rgba8Srgb, TextureFormat::Bgra8Srgb];

/// What an open screen takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ScreenFacts {
    /// Size of its mode.
    pub(super) size: Size,
    /// Format modifiers by format.
    pub(super) modifiers: Vec<(TextureFormat, Vec<u64>)>,
}

impl ScreenFacts {
    pub(super) fn modifiers(&self, format: TextureFormat) -> &[u64] {
        let found = self.modifiers.iter().find(|(known, _)| *known == format);
        found.map_or(&[], |(_, modifiers)| modifiers)
    }
}

/// A node and one of its input ports.
type Key = (String, String);

/// Finds the screens whose frames can be written where they show them, each with the format modifiers to choose from. Where nobody
/// else takes a result, its bytes are put in the order that the screen knows.
pub(super) fn arrange(
    gpu: &VulkanGpu,
    graph: &mut Graph,
    layout: &Layout,
    outlets: &[(Key, Link)],
    consumers: &BTreeMap<Key, BuiltConsumer>,
) -> BTreeMap<Key, Vec<u64>> {
    let mut found = BTreeMap::new();
    for (key, link) in outlets {
        let Some(facts) = consumers.get(key).and_then(|consumer| consumer.facts.as_ref()) else { continue };
        let Some(Node::Effect(effect)) = graph.nodes.get_mut(&link.node) else { continue };
        let others: Vec<_> =
            outlets.iter().filter(|(other, _)| other != key).filter(|(_, l)| l.node == link.node).collect();
        let is_handed_out = |(other, _): &&(Key, Link)| {
            let kind = consumers.get(other).map(|consumer| &consumer.spec.kind);
            matches!(kind, Some(ConsumerKind::Surface(_) | ConsumerKind::Scanout(_)))
        };
        if layout.size(&link.node) != facts.size || others.iter().any(is_handed_out) {
            continue;
        }
        let orders = [Some(effect.format), swapped(effect.format).filter(|_| others.is_empty())];
        let modifiers =
            |format: TextureFormat| gpu.scanout_modifiers(format, facts.size, facts.modifiers(format));
        let fitting = orders.into_iter().flatten().map(|format| (format, modifiers(format)));
        if let Some((format, modifiers)) = fitting.into_iter().find(|(_, modifiers)| !modifiers.is_empty()) {
            effect.format = format;
            found.insert(key.clone(), modifiers);
        }
    }
    found
}

/// The same with red and blue in each other's place, which no effect can tell.
fn swapped(format: TextureFormat) -> Option<TextureFormat> {
    match format {
        TextureFormat::Rgba8 => Some(TextureFormat::Bgra8),
        TextureFormat::Bgra8 => Some(TextureFormat::Rgba8),
        TextureFormat::Rgba8Srgb => Some(TextureFormat::Bgra8Srgb),
        TextureFormat::Bgra8Srgb => Some(TextureFormat::Rgba8Srgb),
        TextureFormat::Rgba16Float | TextureFormat::R8 | TextureFormat::Rg8 => None,
    }
}

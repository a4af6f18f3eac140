//! How large the frames of every node are.

use std::collections::BTreeMap;

use crate::format::Size;
use crate::graph::{Graph, GraphError, Node, OutputSize};

/// Frame size of every node that has one. A sink's is that of its input; a processor has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    sizes: BTreeMap<String, Size>,
}

impl Layout {
    /// Finds every size, from those of the sources. `max` is the greatest side of a texture.
    ///
    /// # Errors
    /// When an effect has nothing to take its size from, or a size is zero or beyond `max`.
    pub fn new(graph: &Graph, sources: &BTreeMap<String, Size>, max: u32) -> Result<Self, GraphError> {
        let mut layout = Self { sizes: BTreeMap::new() };
        let have_frames = graph.nodes.iter().filter(|(_, node)| !matches!(node, Node::Processor(_)));
        for (name, _) in have_frames {
            layout.resolve(graph, sources, max, name)?;
        }
        Ok(layout)
    }

    /// Size of a node's frames.
    ///
    /// # Panics
    /// When the graph has no such node, or it is a processor.
    #[must_use]
    pub fn size(&self, node: &str) -> Size {
        self.sizes[node]
    }

    /// Walks upstream along main inputs until a node of known size, then comes back with the sizes.
    fn resolve(
        &mut self,
        graph: &Graph,
        sources: &BTreeMap<String, Size>,
        max: u32,
        start: &str,
    ) -> Result<(), GraphError> {
        let mut way = Vec::new();
        let mut at = start;
        let mut size = loop {
            if let Some(&known) = self.sizes.get(at) {
                break known;
            }
            let no_size = || GraphError::NoSize(at.to_owned());
            if way.contains(&at) {
                return Err(no_size());
            }
            match &graph.nodes[at] {
                Node::Source(_) => {
                    way.push(at);
                    break *sources.get(at).ok_or_else(no_size)?;
                }
                Node::Effect(effect) => {
                    way.push(at);
                    if let OutputSize::Fixed(size) = effect.size {
                        break size;
                    }
                }
                Node::Sink(_) | Node::Processor(_) => way.push(at),
            }
            at = &graph.main_link(at).ok_or_else(no_size)?.node;
        };
        while let Some(name) = way.pop() {
            let (mut width, mut height) = (u64::from(size.width), u64::from(size.height));
            if let Node::Effect(effect) = &graph.nodes[name]
                && let OutputSize::Scale(scale) = effect.size
            {
                // The cast saturates, and NaN becomes 0, which is refused below.
                let scaled = |side: u64| (side as f64 * scale).ceil() as u64;
                (width, height) = (scaled(width), scaled(height));
            }
            let fits = 1..=u64::from(max);
            if !fits.contains(&width) || !fits.contains(&height) {
                return Err(GraphError::BadSize { node: name.to_owned(), width, height, max });
            }
            size = Size::new(width as u32, height as u32);
            self.sizes.insert(name.to_owned(), size);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str) -> Result<Layout, GraphError> {
        let graph = Graph::from_toml(text).expect("a graph");
        Layout::new(&graph, &BTreeMap::from([("cam".to_owned(), Size::new(101, 50))]), 4096)
    }

    const CAM: &str = "[nodes.cam]\nsource = 'x'\n";

    #[test]
    fn sizes_flow_from_the_default_input_through_scales() {
        let text = format!(
            "{CAM}[nodes.half]\neffect = 'x'\ninputs = {{ input = 'cam' }}\nscale = 0.5\n\
             [nodes.mix]\neffect = 'x'\ninputs = {{ a = 'cam', input = 'half' }}\n\
             [nodes.out]\nsink = 'x'\ninputs = {{ input = 'mix' }}"
        );
        let layout = layout(&text).expect("sizes");
        assert_eq!(layout.size("half"), Size::new(51, 25));
        assert_eq!(layout.size("out"), Size::new(51, 25));
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        let effect = |rest: &str| layout(&format!("{CAM}[nodes.e]\neffect = 'x'\n{rest}"));
        assert_eq!(effect(""), Err(GraphError::NoSize("e".into())));
        let itself = effect("inputs = { input = { from = 'e', delay = 1 } }");
        assert_eq!(itself, Err(GraphError::NoSize("e".into())));
        for scale in ["0.0", "-1.0", "nan", "1e9", "inf"] {
            let scaled = effect(&format!("inputs = {{ input = 'cam' }}\nscale = {scale}"));
            assert!(matches!(scaled, Err(GraphError::BadSize { .. })), "{scale}: {scaled:?}");
        }
        assert!(effect("size = [4096, 1]").is_ok());
        assert!(matches!(effect("size = [4097, 1]"), Err(GraphError::BadSize { .. })));
    }
}

//! The links of a plan's picture: between which boxes they run, and along which curves.

use std::fmt::Write as _;

use streamlib_core::graph::INPUT;

use super::arrange::Edge;
use super::cards::{Card, find};
use super::{Explanation, LinkPlan};

/// Where a link is drawn: from the right edge of a box to the left edge of one.
pub(super) struct Route<'a> {
    pub(super) link: &'a LinkPlan,
    pub(super) from: (usize, f64),
    pub(super) to: (usize, f64),
    /// Its number among the links that run to the right.
    pub(super) forward: Option<usize>,
}

/// Every link but those inside a kernel.
pub(super) fn routes<'a>(plan: &'a Explanation, cards: &[Card<'_>]) -> Vec<Route<'a>> {
    let mut count = 0;
    let mut routes = Vec::new();
    for link in &plan.links {
        let (Some(from), Some(to)) = (find(cards, &link.from), find(cards, &link.to)) else { continue };
        if from.0 == to.0 && link.delay == 0 && !link.is_data {
            continue;
        }
        let is_forward = cards[from.0].column < cards[to.0].column;
        routes.push(Route {
            link,
            from: (from.0, cards[from.0].members[from.1].output(&link.from_port)),
            to: (to.0, cards[to.0].members[to.1].input(&link.to_port)),
            forward: is_forward.then_some(count),
        });
        count += usize::from(is_forward);
    }
    routes
}

impl Route<'_> {
    /// What decides where boxes go.
    pub(super) fn edge(&self) -> Edge {
        let is_main = self.link.delay == 0 && self.link.to_port == INPUT;
        Edge { from: self.from, to: self.to, is_main }
    }
}

/// What is written at the input of a link.
pub(super) fn label(link: &LinkPlan) -> String {
    let delay = match link.delay {
        0 => None,
        1 => Some("1 frame ago".to_owned()),
        delay => Some(format!("{delay} frames ago")),
    };
    delay.into_iter().chain(link.delivery.clone()).collect::<Vec<_>>().join(" \u{b7} ")
}

/// From one point to one right of it, level at both.
pub(super) fn curve(path: &mut String, from: (f64, f64), to: (f64, f64)) {
    let bend = (to.0 - from.0) / 2.0;
    write!(
        path,
        " C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
        from.0 + bend,
        from.1,
        to.0 - bend,
        to.1,
        to.0,
        to.1
    )
    .expect("a string takes everything");
}

/// From one point to one left of it, through a lane below; `reach` is how far it swings out.
pub(super) fn back(path: &mut String, from: (f64, f64), (lane, reach): (f64, f64), to: (f64, f64)) {
    write!(
        path,
        " C{:.1} {:.1} {:.1} {lane:.1} {:.1} {lane:.1} H{:.1} C{:.1} {lane:.1} {:.1} {:.1} {:.1} {:.1}",
        from.0 + reach,
        from.1,
        from.0 + reach,
        from.0,
        to.0,
        to.0 - reach,
        to.0 - reach,
        to.1,
        to.0,
        to.1
    )
    .expect("a string takes everything");
}

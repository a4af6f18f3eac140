//! Where the messages of processors go.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError, Weak};

use streamlib_core::graph::{Graph, Node};
use streamlib_core::mailbox::Sender;

use super::control::Control;
use super::event::LiveEvent;
use super::processor::{DataMessage, Route};

/// One end of a data link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End {
    pub(super) node: String,
    pub(super) port: String,
}

/// Processors that were started, and the mailboxes of their data inputs.
#[derive(Debug, Default)]
pub(super) struct Started {
    pub(super) nodes: Vec<String>,
    pub(super) inboxes: Vec<(End, Sender<DataMessage>)>,
}

/// All data links of a graph.
#[derive(Debug, Default)]
pub(super) struct Routes(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    /// Inputs by the output that they are linked to.
    links: BTreeMap<End, Vec<End>>,
    /// Mailboxes of the data inputs of processors.
    inboxes: BTreeMap<End, Sender<DataMessage>>,
    /// What was told of refusals, so that it is told once.
    told: Vec<String>,
}

impl Routes {
    /// Goes on with the links of `graph`, for which `started` were started.
    pub(super) fn follow(&self, graph: &Graph, started: Started) {
        let mut links: BTreeMap<End, Vec<End>> = BTreeMap::new();
        for node in graph.nodes.keys() {
            for (port, link) in graph.data_links(node) {
                let from = End { node: link.node.clone(), port: link.port.clone() };
                links.entry(from).or_default().push(End { node: node.clone(), port: port.to_owned() });
            }
        }
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let goes_on = |node: &String| {
            matches!(graph.nodes.get(node), Some(Node::Processor(_))) && !started.nodes.contains(node)
        };
        table.inboxes.retain(|end, _| goes_on(&end.node));
        table.inboxes.extend(started.inboxes);
        table.links = links;
        table.told.clear();
    }

    /// Lets processors that wait for messages end.
    pub(super) fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Table::default();
    }
}

/// The way from processors to the graph; it does not keep the graph alive.
pub(super) struct Router(pub(super) Weak<Control>);

impl Route for Router {
    fn is_over(&self) -> bool {
        self.0.upgrade().is_none_or(|control| control.driver.is_stopping.load(Ordering::Acquire))
    }

    fn send(&self, node: &str, port: &str, message: &DataMessage) {
        let Some(control) = self.0.upgrade() else { return };
        let from = End { node: node.to_owned(), port: port.to_owned() };
        let mut settings = Vec::new();
        {
            let mut table = control.routes.0.lock().unwrap_or_else(PoisonError::into_inner);
            let table = &mut *table;
            for to in table.links.get(&from).into_iter().flatten() {
                match table.inboxes.get_mut(to) {
                    // Messages are worth most when they are new: one that was not read makes room.
                    Some(inbox) => drop(inbox.send(message.clone())),
                    None => settings.push((to.node.clone(), to.port.clone(), message.value.clone())),
                }
            }
        }
        if settings.is_empty() {
            return;
        }
        if let Err(error) = control.set(&settings) {
            let why = error.to_string();
            let mut table = control.routes.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !table.told.contains(&why) {
                table.told.push(why.clone());
                control.events.tell(LiveEvent::DataRefused { node: node.to_owned(), why });
            }
        }
    }
}

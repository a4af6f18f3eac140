//! Parameters of a running graph, set from any thread.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use streamlib_core::engine::ParameterPlace;
use streamlib_core::graph::{Graph, GraphError, Node};
use streamlib_core::interface::{ParameterError, ParameterValue};
use streamlib_core::live::ParameterSet;
use streamlib_core::mailbox::Sender;
use streamlib_core::value::Value;

use super::knob::Target;
use super::stage::{Setting, Values};

/// The parameters, and the way to the frame loop.
#[derive(Debug)]
pub(super) struct Knobs(Mutex<(Values, Sender<ParameterSet>)>);

impl Knobs {
    pub(super) fn new(values: Values, frame_loop: Sender<ParameterSet>) -> Self {
        Self(Mutex::new((values, frame_loop)))
    }

    fn lock(&self) -> MutexGuard<'_, (Values, Sender<ParameterSet>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn graph(&self) -> Graph {
        self.lock().0.graph.clone()
    }

    /// Sets parameters, all in the same frame, or none.
    pub(super) fn set(&self, settings: &[Setting]) -> Result<(), GraphError> {
        let mut guard = self.lock();
        let (values, frame_loop) = &mut *guard;
        let mut parameters = values.parameters.clone();
        for (node, parameter, value) in settings {
            values.check(node, parameter)?;
            parameters.set(&values.plan, node, parameter, value)?;
        }
        values.parameters = parameters;
        for (node, parameter, value) in settings {
            if let Some(Node::Effect(effect)) = values.graph.nodes.get_mut(node) {
                effect.set.insert(parameter.clone(), value.clone());
            }
        }
        if let Some(journal) = &mut values.journal {
            journal.extend(settings.iter().cloned());
        }
        values.send(frame_loop);
        Ok(())
    }

    /// Sets the same value at several places, in the same frame, or nowhere.
    pub(super) fn turn(&self, targets: &mut [Target], value: &Value) -> Result<(), GraphError> {
        turn(&mut self.lock(), targets, value)
    }

    /// As [`turn`](Self::turn); `false` where another thread is at the parameters.
    pub(super) fn try_turn(&self, targets: &mut [Target], value: &Value) -> Result<bool, GraphError> {
        let mut guard = match self.0.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(false),
        };
        turn(&mut guard, targets, value).map(|()| true)
    }

    /// A parameter's value now.
    pub(super) fn value(&self, node: &str, parameter: &str) -> Option<Value> {
        let (values, _) = &*self.lock();
        if let Some(Node::Effect(effect)) = values.graph.nodes.get(node)
            && let Some(value) = effect.set.get(parameter)
        {
            return Some(value.clone());
        }
        let known = values.interfaces.get(node)?.parameters.iter().find(|known| known.name == parameter)?;
        Some(known.default_value())
    }

    /// Whether there is such a parameter to set.
    pub(super) fn check(&self, node: &str, parameter: &str) -> Result<(), GraphError> {
        self.lock().0.check(node, parameter)
    }

    /// The graph, to be changed. What is set from now on is remembered, until [`replace`](Self::replace) or
    /// [`keep`](Self::keep).
    pub(super) fn begin_change(&self) -> Graph {
        let (values, _) = &mut *self.lock();
        values.journal = Some(Vec::new());
        values.graph.clone()
    }

    /// The change came to nothing.
    pub(super) fn keep(&self) {
        self.lock().0.journal = None;
    }

    /// Puts other values in the place of these, once `hand_over` has handed the plan that they belong to over. What was set
    /// while that was built is set in it, too, where it still can be.
    pub(super) fn replace<E>(
        &self,
        mut next: Values,
        hand_over: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        let mut guard = self.lock();
        let (values, frame_loop) = &mut *guard;
        let journal = values.journal.take().unwrap_or_default();
        hand_over()?;
        for (node, parameter, value) in &journal {
            let fits = next
                .check(node, parameter)
                .and_then(|()| next.parameters.set(&next.plan, node, parameter, value));
            if fits.is_ok()
                && let Some(Node::Effect(effect)) = next.graph.nodes.get_mut(node)
            {
                effect.set.insert(parameter.clone(), value.clone());
            }
        }
        *values = next;
        if !journal.is_empty() {
            values.send(frame_loop);
        }
        Ok(())
    }
}

fn turn(
    (values, frame_loop): &mut (Values, Sender<ParameterSet>),
    targets: &mut [Target],
    value: &Value,
) -> Result<(), GraphError> {
    for target in &mut *targets {
        values.find(target)?;
    }
    // Nothing is written before all was checked.
    match &*targets {
        [Target { place: Some((_, place)), node, .. }] => {
            let checked = values.checked(node, *place, value)?;
            values.parameters.put(&values.plan, *place, checked);
        }
        several if several.iter().all(|target| target.place.is_some()) => {
            let places =
                several.iter().filter_map(|Target { node, place, .. }| Some((node, place.as_ref()?.1)));
            let checked = places.map(|(node, place)| Ok((place, values.checked(node, place, value)?)));
            let checked: Vec<_> = checked.collect::<Result<_, GraphError>>()?;
            checked.into_iter().for_each(|(place, value)| values.parameters.put(&values.plan, place, value));
        }
        // Buffers change rarely, and are too large to be checked on the side.
        with_buffers => {
            let mut parameters = values.parameters.clone();
            for target in with_buffers {
                parameters.set(&values.plan, &target.node, &target.parameter, value)?;
            }
            values.parameters = parameters;
        }
    }
    for Target { node, parameter, .. } in targets {
        if let Some(Node::Effect(effect)) = values.graph.nodes.get_mut(node.as_str()) {
            match effect.set.get_mut(parameter.as_str()) {
                Some(known) => known.clone_from(value),
                None => drop(effect.set.insert(parameter.clone(), value.clone())),
            }
        }
        if let Some(journal) = &mut values.journal {
            journal.push((node.clone(), parameter.clone(), value.clone()));
        }
    }
    values.send(frame_loop);
    Ok(())
}

impl Values {
    /// Looks where the plan that runs has a parameter, where that is not known.
    fn find(&self, target: &mut Target) -> Result<(), GraphError> {
        if target.place.is_none_or(|(generation, _)| generation != self.generation) {
            self.check(&target.node, &target.parameter)?;
            let place = ParameterPlace::of(&self.plan, &target.node, &target.parameter);
            target.place = place.map(|place| (self.generation, place));
        }
        Ok(())
    }

    fn checked(
        &self,
        node: &str,
        place: ParameterPlace,
        value: &Value,
    ) -> Result<ParameterValue, GraphError> {
        let parameter = &self.plan.passes[place.pass].interface.parameters[place.parameter];
        parameter.check(value).map_err(|error| GraphError::Parameter { node: node.to_owned(), error })
    }

    /// Whether an effect has such a parameter; the error speaks of the effect's own names.
    fn check(&self, node: &str, parameter: &str) -> Result<(), GraphError> {
        let wrong = |error| GraphError::Parameter { node: node.to_owned(), error };
        let Some(interface) = self.interfaces.get(node) else {
            let known = self.interfaces.keys().cloned().collect();
            return Err(GraphError::UnknownEffect { node: node.to_owned(), known });
        };
        if interface.parameter_names().iter().any(|known| known == parameter) {
            return Ok(());
        }
        let (name, known) = (parameter.to_owned(), interface.parameter_names());
        Err(wrong(ParameterError::Unknown { name, known }))
    }

    fn send(&mut self, frame_loop: &mut Sender<ParameterSet>) {
        let mut values = self.spare.take().unwrap_or_default();
        values.catch_up(&self.parameters);
        // A graph that has ended takes no parameters any more; one that replaces another was never seen.
        let unseen = frame_loop.send(ParameterSet { generation: self.generation, values });
        // Set faster than frames run, the memory of one set goes round and round.
        self.spare =
            unseen.ok().flatten().filter(|set| set.generation == self.generation).map(|set| set.values);
    }
}

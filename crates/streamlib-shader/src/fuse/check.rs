//! What must hold before stages are fused, and after.

use std::collections::HashSet;

use streamlib_core::interface::{EffectForm, Interface};

use super::{FuseError, Stage, StageInput};

/// There are stages, and every name is given once.
pub(super) fn names(stages: &[Stage<'_>]) -> Result<(), FuseError> {
    let mut seen = HashSet::new();
    for stage in stages {
        if !seen.insert(stage.name) {
            return Err(FuseError::Repeated { name: stage.name.to_owned() });
        }
        let mut ports = HashSet::new();
        if let Some((port, _)) = stage.inputs.iter().find(|(port, _)| !ports.insert(*port)) {
            return Err(FuseError::Repeated { name: format!("{}.{port}", stage.name) });
        }
    }
    if stages.is_empty() { Err(FuseError::Empty) } else { Ok(()) }
}

/// The stage at `index` can be fused, and gets every input that it reads.
pub(super) fn stage(stage: &Stage<'_>, index: usize, interface: &Interface) -> Result<(), FuseError> {
    let name = || stage.name.to_owned();
    if interface.form != EffectForm::Pixel {
        return Err(FuseError::NotPixel { stage: name() });
    }
    for (port, input) in stage.inputs {
        let port = (*port).to_owned();
        let Some(slot) = interface.inputs.iter().find(|slot| slot.name == port) else {
            let known = interface.inputs.iter().map(|slot| slot.name.clone()).collect();
            return Err(FuseError::UnknownInput { stage: name(), port, known });
        };
        match *input {
            StageInput::Stage(wanted) if wanted >= index => {
                return Err(FuseError::NotEarlier { stage: name(), port, wanted });
            }
            StageInput::Stage(_) if !slot.is_local => {
                return Err(FuseError::NotLocal { stage: name(), port });
            }
            _ => {}
        }
    }
    let is_given = |port: &str| stage.inputs.iter().any(|(given, _)| *given == port);
    match interface.inputs.iter().find(|slot| !is_given(&slot.name)) {
        Some(slot) => Err(FuseError::MissingInput { stage: name(), port: slot.name.clone() }),
        None => Ok(()),
    }
}

/// Everything that can be set on the stage by itself can be set on the fused effect.
pub(super) fn nothing_is_hidden(
    stage: &Stage<'_>,
    own: &Interface,
    fused: &Interface,
) -> Result<(), FuseError> {
    let there: HashSet<String> = fused.parameter_names().into_iter().collect();
    let hidden = own.parameter_names().into_iter().find(|name| !there.contains(&public_name(stage, name)));
    hidden.map_or(Ok(()), |name| Err(FuseError::Hidden { stage: stage.name.to_owned(), name }))
}

/// The name that something of a stage has in the fused effect.
pub(super) fn public_name(stage: &Stage<'_>, name: &str) -> String {
    format!("{}.{name}", stage.name)
}

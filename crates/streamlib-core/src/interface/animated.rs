//! Components of parameters that are computed for every frame.

use super::{Interface, Parameter, ParameterError, ParameterValue};
use crate::expression::{Expression, FrameVariables};
use crate::value::Value;

/// One component of a parameter, and the expression that it follows.
#[derive(Clone, Debug, PartialEq)]
pub struct AnimatedComponent {
    /// Index into [`Interface::parameters`].
    parameter: usize,
    /// Which of its components, in reading order.
    component: usize,
    /// Byte offset in the uniform block.
    at: usize,
    expression: Expression,
}

impl AnimatedComponent {
    /// Writes what it is in a frame into a uniform block of the interface that it was made for.
    pub fn write(&self, interface: &Interface, frame: &FrameVariables, block: &mut [u8]) {
        let parameter = &interface.parameters[self.parameter];
        let number = parameter.nearest(self.component, self.expression.evaluate(frame));
        block[self.at..self.at + 4].copy_from_slice(&parameter.ty.scalar.bytes(number));
    }
}

impl Interface {
    /// Sets a parameter: numbers go into `block`, and expressions take the place of those that it has in `animated`.
    ///
    /// # Errors
    /// When there is no such parameter or the value does not fit it; nothing is changed then.
    pub fn set(
        &self,
        name: &str,
        value: &Value,
        block: &mut [u8],
        animated: &mut Vec<AnimatedComponent>,
    ) -> Result<(), ParameterError> {
        let index = self.index(name)?;
        self.put(index, self.parameters[index].check(value)?, block, animated);
        Ok(())
    }

    /// Sets the parameter of that index to what its own check gave.
    ///
    /// # Panics
    /// When there is no such parameter.
    pub fn put(
        &self,
        index: usize,
        checked: ParameterValue,
        block: &mut [u8],
        animated: &mut Vec<AnimatedComponent>,
    ) {
        let parameter = &self.parameters[index];
        parameter.write(&checked.numbers, block);
        animated.retain(|known| known.parameter != index);
        animated.extend(checked.expressions.into_iter().filter_map(|(component, expression)| {
            let at = offset(parameter, component)?;
            Some(AnimatedComponent { parameter: index, component, at, expression })
        }));
    }
}

/// Where a component lies in the uniform block.
fn offset(parameter: &Parameter, component: usize) -> Option<usize> {
    let within = parameter.ty.component_offsets().nth(component)?;
    Some(parameter.offset as usize + within)
}

//! The table of `effects/README.md`, made from what the effects say about themselves.

use streamlib::interface::{BufferSlot, Interface, Parameter};

use crate::library::{self, Library};

const BEGIN: &str = "<!-- table: STREAMLIB_BLESS=1 cargo test -p streamlib --test effects -->\n";
const END: &str = "<!-- end of table -->\n";

#[test]
fn the_readme_lists_every_effect_as_it_is() {
    let Some(library) = Library::open() else { return };
    let path = library::directory().join("README.md");
    let text = std::fs::read_to_string(&path).expect("effects/README.md can be read");
    let (before, rest) = text.split_once(BEGIN).expect("the README has the start of the table");
    let (_, after) = rest.split_once(END).expect("the README has the end of the table");
    let right = format!("{before}{BEGIN}{}{END}{after}", table(library));
    if library::bless() {
        std::fs::write(&path, right).expect("effects/README.md can be written");
    } else {
        assert!(text == right, "effects/README.md is out of date: STREAMLIB_BLESS=1 writes it anew");
    }
}

fn table(library: &Library) -> String {
    let mut table = String::from("\n| effect | what it does | inputs | parameters |\n|---|---|---|---|\n");
    for (case, effect) in library.effects() {
        let interface = &effect.interface;
        let what = interface.description.lines().next().unwrap_or_default();
        let name = case.name;
        let (inputs, parameters) = (inputs(interface), parameters(interface));
        table.push_str(&format!("| [`{name}`]({name}.hlsl) | {what} | {inputs} | {parameters} |\n"));
    }
    table.push('\n');
    table
}

fn inputs(interface: &Interface) -> String {
    let mut names: Vec<&str> = interface.inputs.iter().map(|slot| slot.name.as_str()).collect();
    names.sort_by_key(|name| (*name != "input", *name));
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn parameters(interface: &Interface) -> String {
    let parameters = interface.parameters.iter().map(parameter);
    let cells: Vec<String> = parameters.chain(interface.buffers.iter().map(buffer)).collect();
    cells.join("<br>")
}

fn parameter(parameter: &Parameter) -> String {
    let numbers: Vec<String> = parameter.default.iter().map(ToString::to_string).collect();
    let default = match &numbers[..] {
        [] => "0".to_owned(),
        [number] => number.clone(),
        // A matrix or an array is long and stands in the source.
        many if many.len() > 4 => "…".to_owned(),
        many => format!("({})", many.join(", ")),
    };
    let range = match (parameter.min, parameter.max) {
        (Some(min), Some(max)) => format!(", {min} to {max}"),
        _ => String::new(),
    };
    let what = parameter.description.as_deref().unwrap_or_default();
    format!("`{}` {} = {default}{range}: {what}", parameter.name, parameter.ty)
}

fn buffer(buffer: &BufferSlot) -> String {
    let what = buffer.description.as_deref().unwrap_or_default();
    format!("`{}` buffer of {}{}: {what}", buffer.name, buffer.scalar.name(), buffer.columns)
}

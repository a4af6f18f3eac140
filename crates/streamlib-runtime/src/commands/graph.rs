//! `streamlib graph explain`: what a graph becomes on a device.

use std::fmt::{self, Write};

use streamlib::{Explanation, PassPlan, RunOptions, load_graph};

use super::{Done, run};
use crate::cli::{GraphAction, GraphArgs};
use crate::output::{self, line};

pub(crate) fn graph(args: &GraphArgs) -> Done {
    let GraphAction::Explain { graph, sources, device, no_fusion, svg, json } = &args.action;
    let (mut graph, base) = load_graph(graph)?;
    run::redirect_sources(&mut graph, sources)?;
    let runtime = device.start(false)?;
    let options = RunOptions { base, fuse: !no_fusion, ..RunOptions::default() };
    let explanation = runtime.explain(&graph, &options)?;
    if let Some(path) = svg {
        std::fs::write(path, explanation.to_svg())
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    if *json {
        output::json(&explanation);
    } else {
        line(text(&explanation).trim_end());
    }
    Ok(())
}

/// What a graph becomes, for people.
pub(crate) fn text(explanation: &Explanation) -> String {
    let mut text = String::new();
    write(explanation, &mut text).expect("a text takes everything");
    text
}

fn write(explanation: &Explanation, to: &mut String) -> fmt::Result {
    writeln!(to, "{}", explanation.name.as_deref().unwrap_or("graph"))?;
    writeln!(to, "  {}", explanation.summary())?;
    writeln!(to)?;
    writeln!(to, "Passes of a frame, in order")?;
    for (index, pass) in explanation.passes.iter().enumerate() {
        write_pass(index + 1, pass, to)?;
    }
    if let Some(why) = &explanation.read_back_barrier {
        writeln!(to, "     barrier before results are read back: {why}")?;
    }
    if !explanation.effects.is_empty() {
        writeln!(to)?;
        writeln!(to, "Effects")?;
        write_effects(explanation, to)?;
    }
    writeln!(to)?;
    writeln!(to, "Textures")?;
    write_textures(explanation, to)
}

fn write_pass(number: usize, pass: &PassPlan, to: &mut String) -> fmt::Result {
    if let Some(why) = &pass.barrier {
        writeln!(to, "     barrier: {why}")?;
    }
    let when = if pass.only_when_fed { ", when its source has a new picture" } else { "" };
    writeln!(to, "{number:>3}. {} ({} threads{when})", pass.label, pass.threads)?;
    let reads = if pass.reads.is_empty() { "nothing".to_owned() } else { pass.reads.join(", ") };
    writeln!(to, "     {reads} -> {}", pass.writes.join(", "))?;
    Ok(())
}

fn write_effects(explanation: &Explanation, to: &mut String) -> fmt::Result {
    let names = explanation.effects.iter().map(|fate| fate.node.chars().count());
    let width = names.max().unwrap_or(0);
    for fate in &explanation.effects {
        let what = match (&fate.fused_into, &fate.stored_because) {
            (Some(kernel), _) => format!("fused into the kernel of {kernel}"),
            (None, Some(why)) => format!("stored, since {why}"),
            (None, None) => continue,
        };
        writeln!(to, "  {:width$}  {what}", fate.node)?;
    }
    Ok(())
}

fn write_textures(explanation: &Explanation, to: &mut String) -> fmt::Result {
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    for (index, texture) in explanation.textures.iter().enumerate() {
        let copies = if texture.copies > 1 { format!(" x {}", texture.copies) } else { String::new() };
        let shape = format!("{} {}{copies}", texture.size, texture.format);
        let name = format!("T{}", index + 1);
        let holds = texture.holds.join(", then ");
        writeln!(to, "  {name:>3}  {shape:<24} {:>6.1} MiB  {holds}", mib(texture.bytes))?;
    }
    Ok(())
}

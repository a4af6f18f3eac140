//! `streamlib graph explain`: what a graph becomes on a device.

use streamlib::{Explanation, PassPlan, RunOptions, load_graph};

use super::{Done, run};
use crate::cli::{GraphAction, GraphArgs};
use crate::output::{self, line};

pub(crate) fn graph(args: &GraphArgs) -> Done {
    let GraphAction::Explain { graph, sources, device, no_fusion, svg, json } = &args.action;
    let (mut graph, base) = load_graph(graph)?;
    run::redirect_sources(&mut graph, sources)?;
    let runtime = device.start()?;
    let options = RunOptions { base, fuse: !no_fusion, ..RunOptions::default() };
    let explanation = runtime.explain(&graph, &options)?;
    if let Some(path) = svg {
        std::fs::write(path, explanation.to_svg())
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    if *json {
        output::json(&explanation);
    } else {
        print(&explanation);
    }
    Ok(())
}

fn print(explanation: &Explanation) {
    line(explanation.name.as_deref().unwrap_or("graph"));
    line(format_args!("  {}", explanation.summary()));
    line("");
    line("Passes of a frame, in order");
    explanation.passes.iter().enumerate().for_each(|(index, pass)| print_pass(index + 1, pass));
    if let Some(why) = &explanation.read_back_barrier {
        line(format_args!("     barrier before results are read back: {why}"));
    }
    if !explanation.effects.is_empty() {
        line("");
        line("Effects");
        print_effects(explanation);
    }
    line("");
    line("Textures");
    print_textures(explanation);
}

fn print_pass(number: usize, pass: &PassPlan) {
    if let Some(why) = &pass.barrier {
        line(format_args!("     barrier: {why}"));
    }
    let when = if pass.only_when_fed { ", when its source has a new picture" } else { "" };
    line(format_args!("{number:>3}. {} ({} threads{when})", pass.label, pass.threads));
    let reads = if pass.reads.is_empty() { "nothing".to_owned() } else { pass.reads.join(", ") };
    line(format_args!("     {reads} -> {}", pass.writes.join(", ")));
}

fn print_effects(explanation: &Explanation) {
    let names = explanation.effects.iter().map(|fate| fate.node.chars().count());
    let width = names.max().unwrap_or(0);
    for fate in &explanation.effects {
        let what = match (&fate.fused_into, &fate.stored_because) {
            (Some(kernel), _) => format!("fused into the kernel of {kernel}"),
            (None, Some(why)) => format!("stored, since {why}"),
            (None, None) => continue,
        };
        line(format_args!("  {:width$}  {what}", fate.node));
    }
}

fn print_textures(explanation: &Explanation) {
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    for (index, texture) in explanation.textures.iter().enumerate() {
        let copies = if texture.copies > 1 { format!(" x {}", texture.copies) } else { String::new() };
        let shape = format!("{} {}{copies}", texture.size, texture.format);
        let name = format!("T{}", index + 1);
        let holds = texture.holds.join(", then ");
        line(format_args!("  {name:>3}  {shape:<24} {:>6.1} MiB  {holds}", mib(texture.bytes)));
    }
}

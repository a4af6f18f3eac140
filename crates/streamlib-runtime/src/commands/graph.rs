//! `streamlib graph explain`: what a graph becomes on a device.

use streamlib::{Explanation, RunOptions, load_graph};

use super::{Done, run};
use crate::cli::{GraphAction, GraphArgs};
use crate::output::{self, line};

pub(crate) fn graph(args: &GraphArgs) -> Done {
    let GraphAction::Explain { graph, sources, device, no_fusion, json } = &args.action;
    let (mut graph, base) = load_graph(graph)?;
    run::redirect_sources(&mut graph, sources)?;
    let runtime = device.start()?;
    let options = RunOptions { base, fuse: !no_fusion, ..RunOptions::default() };
    let explanation = runtime.explain(&graph, &options)?;
    if *json {
        output::json(&explanation);
    } else {
        print(&explanation);
    }
    Ok(())
}

fn print(explanation: &Explanation) {
    line("Passes of a frame, in order");
    for (number, pass) in explanation.passes.iter().enumerate() {
        let when = if pass.only_when_fed { ", when its source has a new picture" } else { "" };
        line(format_args!("  {}. {} ({} threads{when})", number + 1, pass.label, pass.threads));
        let reads = if pass.reads.is_empty() { "nothing".to_owned() } else { pass.reads.join(", ") };
        line(format_args!("     {reads} -> {}", pass.writes.join(", ")));
    }
    line("Effects");
    for fate in &explanation.effects {
        match (&fate.fused_into, &fate.stored_because) {
            (Some(kernel), _) => line(format_args!("  {}: computed in the kernel of {kernel}", fate.node)),
            (None, Some(why)) => line(format_args!("  {}: stored, since {why}", fate.node)),
            (None, None) => {}
        }
    }
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    line(format_args!("Textures: {:.1} MiB", mib(explanation.texture_bytes)));
    for texture in &explanation.textures {
        let copies = if texture.copies > 1 { format!(" x {}", texture.copies) } else { String::new() };
        line(format_args!(
            "  {}: {} {}{copies}, {:.1} MiB",
            texture.label,
            texture.size,
            texture.format,
            mib(texture.bytes)
        ));
    }
}

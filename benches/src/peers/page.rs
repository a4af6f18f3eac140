//! The written page of a comparison, in Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::contender::OURS;
use super::results::{CaseResult, Comparison, Entry, Measured, Outcome, Paced};
use super::statistics::{Ratio, Spread};

/// The page. `plot` is the file name of the picture beside it.
pub(crate) fn write(comparison: &Comparison, plot: &str) -> String {
    let mut page = String::new();
    let device = &comparison.device;
    let cores = comparison.cores;
    let _ = writeln!(page, "# {device}, beside other programs\n");
    let _ = writeln!(
        page,
        "Written by `./x bench peers`; what is compared and how is in [README.md](README.md#beside-other-programs). The \
         machine shows {cores} CPU cores. Times are of one frame, from asking for it until its pixels are there, with the \
         input on the device before and the output left there. × is the time over ours in the same round; in brackets, the \
         least and the greatest over the process restarts.\n"
    );
    let _ = writeln!(page, "![Ratios to ours]({plot})");
    let absent = never_there(comparison);
    if !absent.is_empty() {
        let words: Vec<_> =
            absent.iter().map(|(contender, reason)| format!("{contender} ({reason})")).collect();
        let _ = writeln!(page, "\nNot there: {}.", words.join(", "));
    }
    for case in &comparison.cases {
        write_case(&mut page, case, (comparison.is_cpu, &absent));
    }
    write_versions(&mut page, comparison);
    page
}

/// Who was skipped in every case, and why.
fn never_there(comparison: &Comparison) -> BTreeMap<&str, &str> {
    let entries = || comparison.cases.iter().flat_map(|case| &case.entries);
    let mut absent = BTreeMap::new();
    for entry in entries() {
        if let Outcome::Skipped { reason } = &entry.outcome {
            absent.insert(entry.contender.as_str(), reason.as_str());
        }
    }
    for entry in entries().filter(|entry| !matches!(entry.outcome, Outcome::Skipped { .. })) {
        absent.remove(entry.contender.as_str());
    }
    absent
}

fn write_case(page: &mut String, case: &CaseResult, (is_cpu, never_there): (bool, &BTreeMap<&str, &str>)) {
    let CaseResult { title, command, rounds, .. } = case;
    let _ = writeln!(page, "\n## {title}\n");
    let restarts =
        if *rounds == 1 { "one process each".to_owned() } else { format!("{rounds} process restarts") };
    let _ = writeln!(page, "{}, `{command}`, {restarts}.\n", date(case.measured_at));
    if case.period_ns.is_some() {
        write_paced(page, case);
    } else {
        write_times(page, case, is_cpu);
    }
    let others = case.entries.iter().filter(|entry| !never_there.contains_key(entry.contender.as_str()));
    let absent = others.filter_map(|entry| Some(format!("{} {}", entry.contender, absence(&entry.outcome)?)));
    let absent: Vec<_> = absent.collect();
    if !absent.is_empty() {
        let _ = writeln!(page, "\nWithout times: {}.", absent.join("; "));
    }
}

fn measured(case: &CaseResult) -> impl Iterator<Item = (&Entry, &Measured)> {
    case.entries.iter().filter_map(|entry| match &entry.outcome {
        Outcome::Measured(measured) => Some((entry, measured)),
        _ => None,
    })
}

fn write_times(page: &mut String, case: &CaseResult, is_cpu: bool) {
    let on_gpu = if is_cpu { "" } else { " on the GPU p50 | × |" };
    let _ = writeln!(page, "| |{on_gpu} p50 | p99 | p99.9 | max | × | error, codes | |");
    let _ = writeln!(page, "|---|{}---|---|---|---|---|---|---|", if is_cpu { "" } else { "---|---|" });
    for (entry, found) in measured(case) {
        let name = name(&entry.contender);
        let gpu = match (is_cpu, found.gpu) {
            (true, _) => String::new(),
            (false, None) => " | |".to_owned(),
            (false, Some(gpu)) => format!(" {} | {} |", time(gpu.p50_us), ratio(found.gpu_ratio)),
        };
        let Spread { p50_us, p99_us, p999_us, max_us, .. } = found.wall;
        let times = [p50_us, p99_us, p999_us, max_us].map(time).join(" | ");
        let errors = found.errors.map_or(String::new(), |errors| {
            format!("{:.2} at most, {:.3} on average", errors.max_codes, errors.mean_codes)
        });
        let (ratio, note) = (ratio(found.wall_ratio), &entry.note);
        let _ = writeln!(page, "| {name} |{gpu} {times} | {ratio} | {errors} | {note} |");
    }
}

fn write_paced(page: &mut String, case: &CaseResult) {
    let _ = writeln!(
        page,
        "Latency counts from a frame's tick until its pixels are there; late is how long after the tick it was begun.\n\n\
         | | frames | latency p50 | p99 | p99.9 | max | late p50 | p99.9 | misses | CPU time per frame |\n\
         |---|---|---|---|---|---|---|---|---|---|"
    );
    for (entry, found) in measured(case) {
        let Some(Paced { frames, late, misses, cpu_ms_per_frame }) = found.paced else { continue };
        let Spread { p50_us, p99_us, p999_us, max_us, .. } = found.wall;
        let times = [p50_us, p99_us, p999_us, max_us, late.p50_us, late.p999_us].map(time).join(" | ");
        let name = name(&entry.contender);
        let _ = writeln!(page, "| {name} | {frames} | {times} | {misses} | {cpu_ms_per_frame:.2} ms |");
    }
}

fn write_versions(page: &mut String, comparison: &Comparison) {
    let mut versions: BTreeMap<&str, (String, &str)> = BTreeMap::new();
    for entry in comparison.cases.iter().flat_map(|case| &case.entries) {
        if !entry.versions.is_empty() {
            let words: Vec<_> =
                entry.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
            versions.insert(&entry.contender, (words.join(", "), &entry.device));
        }
    }
    let _ = writeln!(page, "\n## Versions\n\n| | versions | ran on |\n|---|---|---|");
    for (contender, (words, device)) in versions {
        let _ = writeln!(page, "| {contender} | {words} | {device} |");
    }
}

fn name(contender: &str) -> String {
    if contender == OURS { format!("**{contender}**") } else { contender.to_owned() }
}

/// Why an outcome has no times.
fn absence(outcome: &Outcome) -> Option<String> {
    Some(match outcome {
        Outcome::Measured(_) => return None,
        Outcome::Wrong { errors } => format!(
            "(wrong pixels: off by {:.2} codes at most, {:.3} on average, {:.2} % by more than two)",
            errors.max_codes,
            errors.mean_codes,
            errors.far_share * 100.0
        ),
        Outcome::Unsupported { reason } => format!("({reason})"),
        Outcome::Skipped { reason } => format!("(not there: {reason})"),
        Outcome::Failed { reason } => format!("(failed: {reason})"),
    })
}

fn time(microseconds: f64) -> String {
    match microseconds {
        us if us < 1000.0 => format!("{us:.1} µs"),
        us if us < 1e6 => format!("{:.2} ms", us / 1e3),
        us => format!("{:.2} s", us / 1e6),
    }
}

fn ratio(ratio: Option<Ratio>) -> String {
    ratio.map_or(String::new(), |Ratio { median, least, greatest }| {
        format!("{median:.2} ({least:.2}–{greatest:.2})")
    })
}

/// A day in UTC as year, month, day. Source: H. Hinnant, "chrono-compatible low-level date algorithms".
pub(crate) fn date(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * shifted + 2) / 5 + 1, (shifted + 2) % 12 + 1);
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

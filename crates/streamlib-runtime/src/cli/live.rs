//! Arguments of graphs that run live.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use streamlib::Pacing;

/// How to run live. The first four are what asks for it; ends that only live graphs have do as well.
#[derive(Debug, Args)]
#[command(next_help_heading = "Live options")]
pub(crate) struct LiveArgs {
    /// Run in real time, until the clock source ends, Ctrl-C, --frames or --duration.
    #[arg(long)]
    live: bool,
    /// Run live, and reload the graph, its effects and what they include when they are saved.
    #[arg(long)]
    pub(crate) watch: bool,
    /// Run live, and show rates, times and drops: a table on a terminal, else a line a second.
    #[arg(long, conflicts_with = "quiet")]
    pub(crate) stats: bool,
    /// Run live, and write a trace of every frame, for ui.perfetto.dev.
    #[arg(long, value_name = "OUT.json")]
    pub(crate) trace: Option<PathBuf>,
    /// Stop after so long, such as 500ms, 30s or 5m.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) duration: Option<Duration>,
    /// Run so many frames a second, whatever the sources do, until the first one ends.
    #[arg(long, value_name = "FPS", value_parser = parse_rate, conflicts_with = "free")]
    rate: Option<f64>,
    /// Run frames as fast as the device goes: each picture of a file once, without keeping its time.
    #[arg(long)]
    free: bool,
    /// Look for frames without sleeping, from so long before one is expected until so long after, such as 2ms: it saves waking up,
    /// and costs processors that share of the time.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) awake: Option<Duration>,
}

impl LiveArgs {
    /// Whether the graph is to run live.
    pub(crate) fn is_live(&self) -> bool {
        self.live || self.watch || self.stats || self.trace.is_some()
    }

    /// Says no to what only means something live.
    pub(crate) fn refuse_pace(&self) -> Result<(), &'static str> {
        let is_asked = self.duration.is_some() || self.rate.is_some() || self.free || self.awake.is_some();
        let what = "--duration, --rate, --free and --awake are for live graphs: add --live";
        if is_asked { Err(what) } else { Ok(()) }
    }

    pub(crate) fn pacing(&self) -> Pacing {
        match self.rate {
            Some(fps) => Pacing::Rate(fps),
            None if self.free => Pacing::Free,
            None => Pacing::Clock,
        }
    }
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| *rate > 0.0 && *rate <= 10_000.0);
    rate.ok_or_else(|| "write frames a second, from above 0 to 10000, such as 30 or 59.94".to_owned())
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let unit = match unit {
        "ms" => Some(1e-3),
        "s" => Some(1.0),
        "m" | "min" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    };
    let seconds = unit.and_then(|unit| Some(number.trim().parse::<f64>().ok()? * unit));
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let duration = duration.filter(|duration| !duration.is_zero());
    duration.ok_or_else(|| "write a time above 0 with its unit, such as 500ms, 30s, 5m or 1.5h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_rates_are_above_zero() {
        for (text, milliseconds) in [("500ms", 500), ("30s", 30_000), ("1.5m", 90_000), ("2 h", 7_200_000)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for bad in ["30", "s", "-1s", "0s", "1e400s", "nans", "1d", "30sec", ""] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_rate("59.94"), Ok(59.94));
        for bad in ["0", "-1", "nan", "inf", "1e6", "fast"] {
            assert!(parse_rate(bad).is_err(), "{bad}");
        }
    }
}

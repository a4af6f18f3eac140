//! Contenders that misbehave: each is reported, and the run goes on.

use std::path::Path;
use std::time::Duration;

use streamlib::format::Size;

use crate::peers::cases::{Case, Memory};
use crate::peers::conductor::{Effort, Entrant, Setting, compare};
use crate::peers::contender::Contender;
use crate::peers::process;
use crate::peers::protocol::Work;
use crate::peers::results::Outcome;

/// A contender that is a line of shell; `$1` is the request, `$2` the answer.
fn shell(name: &str, script: &str) -> Entrant {
    Entrant { contender: Contender::new(name, "sh", &["-c", script, "sh"]), skipped: None }
}

fn setting(folder: &Path) -> Setting {
    let limit = Duration::from_secs(5);
    Setting {
        device: "none".to_owned(),
        is_cpu: true,
        effects: folder.to_owned(),
        folder: folder.to_owned(),
        command: "test".to_owned(),
        effort: Effort { rounds: 2, frames: 3, seconds: 0.0, warmup: 0, limit },
    }
}

fn graph() -> Case {
    Case {
        name: "graph".to_owned(),
        title: "graph".to_owned(),
        work: Work::Graph,
        size: Size::new(1, 1),
        memory: Memory::None,
        pace: None,
    }
}

const SAMPLES: &str = r#"echo '{"wall_ns": [5, 6, 7], "note": "fine"}' > "$2""#;

#[test]
fn a_contender_that_crashes_hangs_or_talks_nonsense_is_reported_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut setting = setting(folder.path());
    setting.effort.limit = Duration::from_millis(700);
    let absent = Contender::new("absent", "/no/such/program", &[]);
    let entrants = [
        shell("fails", "echo first >&2; echo 'no device' >&2; exit 3"),
        shell("crashes", "kill -SEGV $$"),
        // The child would keep the group alive: it has to end as well.
        shell("hangs", "sleep 1000 & wait"),
        shell("garbage", r#"echo '][' > "$2""#),
        shell("silent", "true"),
        shell("empty", r#"echo '{}' > "$2""#),
        shell("unsupported", r#"echo '{"unsupported": "it cannot"}' > "$2""#),
        Entrant { contender: absent.clone(), skipped: None },
        Entrant { contender: absent, skipped: Some("not installed".to_owned()) },
        shell("good", SAMPLES),
    ];
    let result = compare(&graph(), &entrants, &setting).unwrap();
    let said: Vec<String> = result
        .entries
        .iter()
        .map(|entry| match &entry.outcome {
            Outcome::Failed { reason } => format!("failed: {reason}"),
            Outcome::Unsupported { reason } => format!("unsupported: {reason}"),
            Outcome::Skipped { reason } => format!("skipped: {reason}"),
            Outcome::Measured(measured) => format!("{} samples", measured.wall.samples),
            Outcome::Wrong { .. } => "wrong".to_owned(),
        })
        .collect();
    let expected = [
        "failed: ended with 3: no device",
        "failed: was ended by signal 11",
        "failed: did not end within 0.7 s, and was killed",
        "failed: its answer is no JSON of ours",
        "failed: ended without an answer",
        "failed: answered without a single sample",
        "unsupported: it cannot",
        "failed: /no/such/program cannot be started",
        "skipped: not installed",
        "6 samples",
    ];
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.starts_with(expected), "{said:?} does not begin with {expected:?}");
    }
}

/// A blur of 16 × 1 whose contender writes what the test says.
fn blur() -> Case {
    Case { name: "blur".to_owned(), work: Work::Blur, size: Size::new(16, 1), ..graph() }
}

#[test]
fn wrong_pixels_are_not_timed() {
    let folder = tempfile::tempdir().unwrap();
    let black = r#"head -c 64 /dev/zero | tr '\0' '\377' > "$(dirname "$2")/output.raw""#;
    let entrants = [shell("white", &format!("{SAMPLES}; {black}")), shell("none", SAMPLES)];
    let result = compare(&blur(), &entrants, &setting(folder.path())).unwrap();
    assert!(matches!(result.entries[0].outcome, Outcome::Wrong { errors } if errors.max_codes > 100.0));
    let Outcome::Failed { reason } = &result.entries[1].outcome else { panic!("{:?}", result.entries[1]) };
    assert_eq!(reason, "wrote no pixels");
}

#[test]
fn pixels_of_an_earlier_round_do_not_count_for_a_later_one() {
    let folder = tempfile::tempdir().unwrap();
    // Writes pixels in the first round only.
    let once =
        r#"d=$(dirname "$2"); [ -e "$d/done" ] || cp "$d/../input-0.raw" "$d/output.raw"; touch "$d/done""#;
    let mut case = blur();
    case.work = Work::Shader;
    let entrants = [shell("once", &format!("{SAMPLES}; {once}"))];
    let result = compare(&case, &entrants, &setting(folder.path())).unwrap();
    // Noise is no blur, so the first round is wrong already; what matters is that no outcome is a time.
    assert!(!matches!(result.entries[0].outcome, Outcome::Measured(_)), "{:?}", result.entries[0]);
}

#[test]
fn rounds_are_interleaved_and_a_failed_contender_is_not_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let noted = |name: &str, rest: &str| shell(name, &format!("echo {name} >> {}; {rest}", log.display()));
    let entrants = [noted("a", SAMPLES), noted("b", "exit 1"), noted("c", SAMPLES)];
    let mut setting = setting(folder.path());
    setting.effort.rounds = 3;
    compare(&graph(), &entrants, &setting).unwrap();
    let ran = std::fs::read_to_string(&log).unwrap();
    assert_eq!(ran.split_whitespace().collect::<Vec<_>>(), ["a", "b", "c", "c", "a", "a", "c"]);
}

#[test]
fn what_is_cached_is_filled_by_a_run_that_does_not_count_and_what_is_cold_is_emptied() {
    for (memory, expected) in [(Memory::Cached, "0 1 2"), (Memory::Cold, "0 0")] {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        // How many runs the cache has seen before.
        let script = format!(
            r#"{SAMPLES}; c="$XDG_CACHE_HOME"; mkdir -p "$c"; ls "$c" | wc -l >> {}; touch "$c/$$""#,
            log.display()
        );
        let case = Case { memory, ..graph() };
        compare(&case, &[shell("a", &script)], &setting(folder.path())).unwrap();
        let seen = std::fs::read_to_string(&log).unwrap();
        assert_eq!(seen.split_whitespace().collect::<Vec<_>>().join(" "), expected, "{memory:?}");
    }
}

#[test]
fn a_probe_tells_versions_or_why_a_contender_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let probe =
        |script: &str| process::probe(&shell("p", script).contender, folder.path(), Duration::from_secs(5));
    assert_eq!(probe("echo warning; echo '{\"versions\": {}}'"), Ok("{\"versions\": {}}".to_owned()));
    assert_eq!(
        probe("echo 'No module named x' >&2; exit 1"),
        Err("ended with 1: No module named x".to_owned())
    );
}

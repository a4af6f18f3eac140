//! Order, percentiles, merging, ratios, and what is written.

use std::collections::BTreeMap;

use crate::peers::judge::PixelErrors;
use crate::peers::protocol::Answer;
use crate::peers::results::{CaseResult, Comparison, Entry, Measured, Outcome, Round, merge};
use crate::peers::statistics::{Ratio, Spread};
use crate::peers::{cases, chart, order, page};

fn round(wall_us: &[u64]) -> Round {
    let wall_ns = wall_us.iter().map(|us| us * 1000).collect();
    Round { answer: Answer { wall_ns, ..Answer::default() }, errors: None, is_right: true }
}

fn measured(rounds: &[&[u64]]) -> Measured {
    let rounds: Vec<_> = rounds.iter().map(|samples| round(samples)).collect();
    merge(&rounds, None).unwrap()
}

fn entry(contender: &str, outcome: Outcome) -> Entry {
    let versions = BTreeMap::from([(contender.to_owned(), "1.2".to_owned())]);
    Entry {
        contender: contender.to_owned(),
        versions,
        device: "a device".to_owned(),
        note: String::new(),
        outcome,
    }
}

fn case(name: &str, entries: Vec<Entry>) -> CaseResult {
    let mut case = CaseResult {
        name: name.to_owned(),
        title: format!("title of {name}"),
        measured_at: 1_782_864_000,
        command: "./x bench peers".to_owned(),
        rounds: 2,
        period_ns: None,
        entries,
    };
    case.set_ratios("streamlib");
    case
}

fn comparison(cases: Vec<CaseResult>) -> Comparison {
    Comparison { device: "a device".to_owned(), is_cpu: true, cores: 2, cases }
}

#[test]
fn rounds_run_forward_and_backward_in_turn() {
    let all: Vec<_> = (0..4).flat_map(|round| order::of_round(3, round)).collect();
    assert_eq!(all, [0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0]);
}

#[test]
fn percentiles_are_samples_that_were_taken() {
    let spread = Spread::of((1..=1000).map(|us| us * 1000)).unwrap();
    assert_eq!((spread.p50_us, spread.p99_us, spread.p999_us, spread.max_us), (500.0, 990.0, 999.0, 1000.0));
    assert_eq!(Spread::of([]), None);
}

#[test]
fn merging_takes_all_samples_and_keeps_each_rounds_median() {
    let measured = measured(&[&[1, 2, 3], &[10, 20, 30]]);
    assert_eq!(measured.wall.samples, 6);
    assert_eq!((measured.wall.p50_us, measured.wall.max_us), (3.0, 30.0));
    assert_eq!(measured.wall_rounds_us, [2.0, 20.0]);
    assert_eq!((measured.gpu, measured.paced), (None, None));
    assert!(merge(&[round(&[])], None).is_none());
}

#[test]
fn merging_keeps_the_worst_errors() {
    let errors = |max, mean| Some(PixelErrors { max_codes: max, mean_codes: mean, far_share: 0.0 });
    let rounds = [
        Round { errors: errors(0.5, 0.2), ..round(&[1]) },
        Round { errors: errors(0.4, 0.3), ..round(&[1]) },
    ];
    assert_eq!(merge(&rounds, None).unwrap().errors, errors(0.5, 0.3));
}

#[test]
fn a_paced_frame_that_was_not_done_when_the_next_was_due_is_a_miss() {
    let mut paced = round(&[900, 1000, 1001, 5000]);
    paced.answer.late_ns = vec![0, 1, 2, 3];
    paced.answer.cpu_ns = Some(8_000_000);
    let paced = merge(&[paced], Some(1_000_000)).unwrap().paced.unwrap();
    assert_eq!((paced.frames, paced.misses, paced.cpu_ms_per_frame), (4, 2, 2.0));
    assert_eq!(paced.late.max_us, 0.003);
}

#[test]
fn ratios_compare_medians_of_the_same_round() {
    // The machine slowed down tenfold in the second round: for both.
    let ours = Outcome::Measured(measured(&[&[2], &[20]]));
    let theirs = Outcome::Measured(measured(&[&[6], &[40]]));
    let case = case("a", vec![entry("streamlib", ours), entry("wgpu", theirs)]);
    let Outcome::Measured(theirs) = &case.entries[1].outcome else { panic!("it was measured") };
    assert_eq!(theirs.ratio(), Some(Ratio { median: 2.0, least: 2.0, greatest: 3.0 }));
}

#[test]
fn without_ours_there_is_no_ratio() {
    let failed = Outcome::Failed { reason: "crashed".to_owned() };
    let theirs = Outcome::Measured(measured(&[&[6]]));
    let case = case("a", vec![entry("streamlib", failed), entry("wgpu", theirs)]);
    let Outcome::Measured(theirs) = &case.entries[1].outcome else { panic!("it was measured") };
    assert_eq!(theirs.ratio(), None);
}

fn everything() -> Comparison {
    let ours = || Outcome::Measured(measured(&[&[2], &[3]]));
    let wrong = PixelErrors { max_codes: 90.0, mean_codes: 3.0, far_share: 0.25 };
    comparison(vec![
        case(
            "a",
            vec![
                entry("streamlib", ours()),
                entry("wgpu", Outcome::Measured(measured(&[&[6], &[4]]))),
                entry("moderngl", Outcome::Wrong { errors: wrong }),
                entry("opencv", Outcome::Unsupported { reason: "no such thing".to_owned() }),
                entry("torch", Outcome::Skipped { reason: "No module named 'torch'".to_owned() }),
                entry("cupy", Outcome::Failed { reason: "was ended by signal 11".to_owned() }),
            ],
        ),
        case(
            "b",
            vec![
                entry("streamlib", ours()),
                entry("torch", Outcome::Skipped { reason: "No module named 'torch'".to_owned() }),
            ],
        ),
    ])
}

#[test]
fn what_was_written_is_read_back_and_a_case_takes_the_place_of_its_older_self() {
    let text = serde_json::to_string(&everything()).unwrap();
    let mut back: Comparison = serde_json::from_str(&text).unwrap();
    assert_eq!(back, everything());
    back.put(case("b", Vec::new()));
    back.put(case("c", Vec::new()));
    let names: Vec<_> = back.cases.iter().map(|case| (case.name.as_str(), case.entries.len())).collect();
    assert_eq!(names, [("a", 6), ("b", 0), ("c", 0)]);
}

#[test]
fn the_page_says_for_everybody_what_came_of_it() {
    let page = page::write(&everything(), "picture.svg");
    for words in [
        "![Ratios to ours](picture.svg)",
        "## title of a",
        "2026-07-01, `./x bench peers`, 2 process restarts.",
        "| **streamlib** | 2.0 µs |",
        "| wgpu | 4.0 µs |",
        "1.33 (1.33–3.00)",
        "moderngl (wrong pixels: off by 90.00 codes at most, 3.000 on average, 25.00 % by more than two); \
         opencv (no such thing); cupy (failed: was ended by signal 11).",
        "Not there: torch (No module named 'torch').",
        "| wgpu | wgpu 1.2 | a device |",
    ] {
        assert!(page.contains(words), "{words:?} is not in\n{page}");
    }
}

#[test]
fn dates_are_days_of_the_calendar() {
    assert_eq!(page::date(0), "1970-01-01");
    assert_eq!(page::date(951_782_400), "2000-02-29");
    assert_eq!(page::date(1_798_761_599), "2026-12-31");
}

#[test]
fn the_plot_has_a_label_for_every_case_with_a_ratio() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plot.svg");
    chart::draw(&path, &everything()).unwrap();
    let svg = std::fs::read_to_string(&path).unwrap();
    assert!(svg.contains("title of a") && svg.contains("wgpu") && !svg.contains("title of b"));
    // Nothing measured at all is still a picture.
    chart::draw(&path, &comparison(Vec::new())).unwrap();
}

#[test]
fn case_names_are_unique() {
    for is_cpu in [false, true] {
        let mut names: Vec<_> = cases::all(is_cpu, true).into_iter().map(|case| case.name).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

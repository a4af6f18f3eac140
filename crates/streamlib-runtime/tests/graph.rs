//! `streamlib graph explain`.

mod common;

use common::{cannot_run, repository, streamlib, succeed};

#[test]
fn a_graph_is_explained_in_words_and_as_a_picture() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let graph = repository().join("effects/graphs/bloom.toml");
    let mut command = streamlib(folder.path());
    let said = succeed(command.args(["graph", "explain", "--svg", "bloom.svg"]).arg(&graph));
    for what in ["barrier: reads bright.output", "stored, since", "bright.output, then columns.output"] {
        assert!(said.contains(what), "{what:?} is missing in {said}");
    }
    let svg = std::fs::read_to_string(folder.path().join("bloom.svg")).expect("it was drawn");
    assert!(
        svg.starts_with("<svg ") && svg.contains("blur_horizontal") && svg.contains("640\u{d7}360"),
        "{svg}"
    );
    let refused =
        streamlib(folder.path()).args(["graph", "explain", "--svg", "no/such/x.svg"]).arg(&graph).output();
    assert_eq!(refused.expect("it starts").status.code(), Some(2));
}

//! Effects that do not compile: what is said, and where.

mod common;

use std::path::Path;
use std::time::Duration;

use common::{compile, compiler, compiler_with, diagnostic, refused};
use streamlib_shader::{
    CacheOptions, CompileError, Diagnostic, EffectSource, IncludeProblem, Severity, SourceError,
};

fn place(d: &Diagnostic) -> (u32, u32) {
    (d.line, d.column)
}

#[test]
fn errors_are_at_the_authors_line_and_column() {
    let Some(compiler) = compiler() else { return };
    let text = "float strength <min = 0; max = 1;> = 0.5;\nTexture2D input;\n\
                float4 main(float2 uv : TEXCOORD) : SV_Target {\n    float3 é = input.Sample(s, uv).rgb; return nope + é;\n}\n";
    let d = diagnostic(&compiler, text);
    assert_eq!(d.message, "use of undeclared identifier 'nope'");
    assert_eq!(place(&d), (4, 48), "{d}");
    assert_eq!(d.excerpt, "    float3 é = input.Sample(s, uv).rgb; return nope + é;");
    assert_eq!((d.severity, d.file.as_str()), (Severity::Error, "test"));
    assert!(d.suggestion.is_some());

    let d = diagnostic(&compiler, "float4 main() : SV_Target\n{\n\tfloat3 c = float2(1, 2);\n\treturn c;\n}");
    assert_eq!(place(&d), (3, 9), "{d}");
    let rendered = d.to_string();
    assert!(rendered.contains(" --> test:3:9\n3 | \tfloat3 c = float2(1, 2);\n  | \t       ^"), "{rendered}");

    let d = diagnostic(&compiler, "cbuffer B { float a = 1; }\nfloat4 main() : SV_Target { return a }");
    assert_eq!(place(&d), (2, 37), "{d}");
}

#[test]
fn a_brace_that_is_not_closed_is_missed_at_the_end_of_the_authors_text() {
    let Some(compiler) = compiler() else { return };
    let d = diagnostic(&compiler, "float4 main() : SV_Target {\n    if (1) { return 1; \n}\n\n");
    assert_eq!((place(&d), d.excerpt.as_str()), ((3, 2), "}"), "{d}");
}

#[test]
fn what_the_compiler_says_twice_is_said_once_with_its_place() {
    let Some(compiler) = compiler() else { return };
    let error =
        refused(&compiler, "float4 main(float2 uv : TEXCOORD) : SV_Target { return (uv.* uv.x).xyxy; }");
    let errors: Vec<_> = error.diagnostics().iter().filter(|d| d.severity == Severity::Error).collect();
    assert!(!errors.is_empty() && errors.iter().all(|d| d.line == 1), "{error}");
}

#[test]
fn author_line_directives_do_not_mislead() {
    let Some(compiler) = compiler() else { return };
    let d = diagnostic(&compiler, "#line 100 \"other.hlsl\"\nfloat4 main() : SV_Target { return nope; }");
    assert_eq!((place(&d), d.file.as_str()), ((2, 36), "test"));
}

#[test]
fn a_misspelt_name_comes_with_what_was_meant() {
    let Some(compiler) = compiler() else { return };
    let d = diagnostic(&compiler, "float strength;\nfloat4 main() : SV_Target { return strenght; }");
    assert_eq!(d.suggestion.as_deref(), Some("did you mean `strength`?"));
}

#[test]
fn recursion_is_an_error_at_the_function() {
    let Some(compiler) = compiler() else { return };
    let text = "float f(float x) { return x > 1 ? f(x - 1) : 0; }\nfloat4 main(float2 uv : TEXCOORD) : SV_Target { return f(uv.x); }";
    let d = diagnostic(&compiler, text);
    assert!(d.message.contains("recursive"), "{d}");
    assert_eq!(place(&d), (1, 1));
    assert!(d.suggestion.is_some());
}

#[test]
fn an_effect_without_main_says_what_to_write() {
    let Some(compiler) = compiler() else { return };
    for (text, line) in [
        ("", 0),
        ("float4 shade() { return 1; }", 0),
        ("// float4 main() {}\n#define main_ main\n\"main\"", 0),
        ("float4 main();", 0),
        ("\nfloat4 effect(float2 uv : TEXCOORD) : SV_Target { return 1; }", 2),
        ("[numthreads(8, 8, 1)] void kernel(uint3 id : SV_DispatchThreadID) {}", 1),
    ] {
        let error = refused(&compiler, text);
        assert!(matches!(error, CompileError::NoEntryPoint { .. }), "{error}");
        let d = &error.diagnostics()[0];
        assert_eq!(d.line, line, "{d}");
        assert!(d.suggestion.is_some());
    }
}

#[test]
fn what_cannot_run_is_refused_in_plain_words() {
    let Some(compiler) = compiler() else { return };
    let pixel = "float4 main(float2 uv : TEXCOORD) : SV_Target { return 1; }";
    let cases = [
        (
            "float4 main(float2 uv : TEXCOORD) : SV_Target { return ddx(uv.x); }",
            "`ddx` is not available",
            (1, 56),
        ),
        ("float4 main() : SV_Target { discard; return 1; }", "`discard` is not available", (1, 29)),
        ("float4 main(float2 uv) : SV_Target { return 1; }", "cannot take `float2 uv`", (1, 13)),
        (
            "float4 main(float3 n : NORMAL) : SV_Target { return 1; }",
            "cannot take `float3 n : NORMAL`",
            (1, 13),
        ),
        ("int4 main() : SV_Target { return 1; }", "cannot return `int4`", (1, 6)),
        ("float2 main() : SV_Target { return 1; }", "two components", (1, 8)),
        ("float4 main() : SV_Depth { return 1; }", "cannot return a `SV_Depth`", (1, 8)),
        ("void main() {}", "numthreads", (1, 6)),
        (
            &format!("float3 time;\n{pixel}"),
            "`time` is set for every frame and is a `float`, not a `float3`",
            (1, 8),
        ),
        (&format!("double d;\n{pixel}"), "32 bits wide", (1, 8)),
        (&format!("float a[2][3];\n{pixel}"), "2 array dimensions", (1, 7)),
        (&format!("int2x2 m;\n{pixel}"), "a matrix parameter has floats", (1, 8)),
        (&format!("struct P {{ float a; }};\nP p;\n{pixel}"), "`p` cannot be a parameter", (2, 3)),
        (
            &format!("struct P {{ float a; }};\nStructuredBuffer<P> p;\n{pixel}"),
            "scalars or vectors",
            (2, 21),
        ),
        (&format!("Texture3D volume;\n{pixel}"), "nothing can be bound to", (1, 11)),
        (&format!("Texture2D<uint4> ids;\n{pixel}"), "two-dimensional texture of floats", (1, 18)),
        (&format!("Texture2D many[4];\n{pixel}"), "array of `Texture2D`", (1, 11)),
        (&format!("RWTexture2D<float4> output;\n{pixel}"), "cannot write to `output`", (1, 21)),
        (&format!("float streamlib_x;\n{pixel}"), "are taken", (1, 7)),
        (&format!("float k <min = 0; max = 1;> = 2;\n{pixel}"), "outside 0..=1", (1, 7)),
        (&format!("float k <min = 2; max = 1;>;\n{pixel}"), "above its greatest", (1, 7)),
        (
            "[numthreads(8, 8, 1)] void main(uint3 id : SV_DispatchThreadID) {}",
            "writes to no texture",
            (0, 0),
        ),
        (
            "float4 main() : SV_Target { float4 c : tex2D(input, 0); return c; }",
            "cannot have a semantic",
            (1, 36),
        ),
        (&format!("int k = 1.5;\n{pixel}"), "cannot be 1.5", (1, 5)),
    ];
    for (text, expected, at) in cases {
        let d = diagnostic(&compiler, text);
        assert!(d.message.contains(expected), "{d}");
        assert_eq!(place(&d), at, "{d}");
        assert!(d.suggestion.is_some(), "{d}");
    }
}

#[test]
fn a_default_that_cannot_be_read_is_a_warning_and_zero() {
    let Some(compiler) = compiler() else { return };
    let effect = compile(
        &compiler,
        "float k = sqrt(2);\nfloat3 v = { 1, 2 };\nfloat4 main() : SV_Target { return k + v.x; }",
    );
    assert_eq!(effect.interface.parameters[0].default, [0.0]);
    assert_eq!(effect.interface.parameters[1].default, [0.0; 3]);
    assert_eq!(effect.warnings.iter().map(place).collect::<Vec<_>>(), [(1, 11), (2, 8)]);
}

#[test]
fn warnings_of_the_compiler_reach_the_author() {
    let Some(compiler) = compiler() else { return };
    let effect =
        compile(&compiler, "float4 main(float2 uv : TEXCOORD) : SV_Target {\n  float a = uv;\n  return a; }");
    let [warning] = effect.warnings.as_slice() else { panic!("{:?}", effect.warnings) };
    assert_eq!((warning.severity, place(warning)), (Severity::Warning, (2, 9)), "{warning}");
    assert!(!warning.message.contains("[-W"), "{warning}");
}

fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("directory");
    std::fs::write(path, text).expect("file");
}

#[test]
fn includes_are_found_beside_the_file_that_names_them() {
    let Some(compiler) = compiler() else { return };
    let temporary = tempfile::tempdir().expect("temporary directory");
    let dir = temporary.path();
    write(
        dir,
        "a.hlsl",
        "#include \"lib/b.hlsli\"\n#include \"lib/b.hlsli\"\nfloat4 main() : SV_Target { return half_of(k); }\n",
    );
    write(dir, "lib/b.hlsli", "#pragma once\n#include \"c.hlsli\"\nfloat k = 3;\n");
    write(dir, "lib/c.hlsli", "#ifndef C\n#define C\nfloat half_of(float x) { return x / 2; }\n#endif\n");
    let source = EffectSource::from_file(dir.join("a.hlsl")).expect("readable");
    let effect = compiler.compile(&source).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(effect.interface.parameters[0].default, [3.0]);

    write(dir, "lib/c.hlsli", "#ifndef C\n#define C\nfloat half_of(float x) { return y / 2; }\n#endif\n");
    let changed = EffectSource::from_file(dir.join("a.hlsl")).expect("readable");
    assert_ne!(changed.id(), source.id());
    let error = compiler.compile(&changed).expect_err("an error in an include");
    let d = &error.diagnostics()[0];
    assert!(Path::new(&d.file).ends_with("lib/c.hlsli"), "{d}");
    assert_eq!(place(d), (3, 33), "{d}");
}

#[test]
fn an_include_that_cannot_be_followed_is_named_at_its_line() {
    let Some(compiler) = compiler() else { return };
    let temporary = tempfile::tempdir().expect("temporary directory");
    let dir = temporary.path().join("effect");
    write(&dir, "../secret.hlsli", "float secret;");
    write(&dir, "self.hlsl", "#include \"cycle.hlsli\"\nfloat4 main() : SV_Target { return 1; }");
    write(&dir, "cycle.hlsli", "\n#include \"cycle.hlsli\"\n");
    write(&dir, "binary.hlsli", "");
    std::fs::write(dir.join("binary.hlsli"), [0xFF, 0xFE, 0]).expect("file");
    let main = "float4 main() : SV_Target { return 1; }";
    let cases = [
        ("nope.hlsli", IncludeProblem::NotFound),
        ("../secret.hlsli", IncludeProblem::Outside),
        ("/etc/hostname", IncludeProblem::Outside),
        ("binary.hlsli", IncludeProblem::NotText),
    ];
    for (path, expected) in cases {
        let source =
            EffectSource::from_text("test", format!("\n  #include \"{path}\"\n{main}")).with_base_dir(&dir);
        match compiler.compile(&source) {
            Err(CompileError::MissingInclude { path: named, problem, diagnostics }) => {
                assert_eq!((named.as_str(), problem), (path, expected));
                assert_eq!((place(&diagnostics[0]), diagnostics[0].file.as_str()), ((2, 12), "test"));
            }
            other => panic!("{path}: {other:?}"),
        }
    }
    let source = EffectSource::from_file(dir.join("self.hlsl")).expect("readable");
    match compiler.compile(&source) {
        Err(CompileError::MissingInclude { problem: IncludeProblem::Cycle, diagnostics, .. }) => {
            assert!(diagnostics[0].file.ends_with("cycle.hlsli") && diagnostics[0].line == 2);
        }
        other => panic!("{other:?}"),
    }
    let without = refused(&compiler, "#include \"a.hlsli\"\n");
    assert!(
        matches!(without, CompileError::MissingInclude { problem: IncludeProblem::NoBaseDirectory, .. }),
        "{without}"
    );
    compile(&compiler, &format!("#if 0\n#include \"a.hlsli\"\n#endif\n{main}"));
}

#[test]
fn a_source_that_cannot_be_read_is_a_typed_error() {
    let temporary = tempfile::tempdir().expect("temporary directory");
    let missing = EffectSource::from_file(temporary.path().join("no.hlsl"));
    assert!(matches!(missing, Err(SourceError::Unreadable { .. })));
    assert!(matches!(EffectSource::from_file(temporary.path()), Err(SourceError::Unreadable { .. })));
    let binary = temporary.path().join("b.hlsl");
    std::fs::write(&binary, [b'a', 0xFF]).expect("file");
    assert!(matches!(EffectSource::from_file(binary), Err(SourceError::NotText { at: 1, .. })));
}

#[test]
fn a_source_on_which_the_compiler_never_ends_times_out_and_is_not_tried_again() {
    let Some(compiler) = compiler_with(CacheOptions::MemoryOnly, Duration::from_millis(300)) else {
        return;
    };
    let text = "float4 main() : SV_Target {\n  float array[1][0] = { {} };\n  return 1;\n}";
    for _ in 0..2 {
        let error = refused(&compiler, text);
        assert!(matches!(error, CompileError::TimedOut { .. }), "{error}");
    }
    assert_eq!(compiler.cache_stats().misses, 1);
    compile(&compiler, "float4 main() : SV_Target { return 1; }");
}

#[test]
fn odd_text_is_refused_and_not_fatal() {
    let Some(compiler) = compiler() else { return };
    let chains = ["-+", "!", "(float)", "1 + ", "1 ? 2 : "]
        .map(|part| format!("float4 main() : SV_Target {{ return {}1; }}", part.repeat(20_000)));
    for text in &chains {
        let d = diagnostic(&compiler, text);
        assert!(d.message.contains("more than 4096"), "{}", d.message);
    }
    let deep = format!("float4 main() : SV_Target {{ return {}1{}; }}", "(".repeat(5000), ")".repeat(5000));
    let cases = [
        "float4 main() : SV_Target { return 1; } /* never closed",
        "float4 main() : SV_Target { return \"text; }",
        "float4 main( : SV_Target {",
        "#if 1\nfloat4 main() : SV_Target { return 1; }",
        "float4 main() : SV_Target { return asuint(int(1)) + undefined; }",
        "float x <; float4 main() : SV_Target { return x; }",
        "}}}} float4 main() : SV_Target { return 1; }",
        "\0\0\u{1F3A5} float4 main() : SV_Target { return 1; }",
        &deep,
    ];
    for text in cases {
        let error = refused(&compiler, text);
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn pixels_per_thread_that_cannot_be_meant_are_an_error_at_the_constant() {
    let Some(compiler) = compiler() else { return };
    for value in ["4", "{ 0, 1 }", "{ 1.5, 1 }", "{ 65, 1 }", "{ 1, 2, 3 }", "{ f(), 1 }"] {
        let text = format!(
            "static const uint2 pixels_per_thread = {value};\n\
             [numthreads(8, 8, 1)] void main(uint3 id : SV_DispatchThreadID) {{ output[id.xy] = 1; }}"
        );
        let d = diagnostic(&compiler, &text);
        assert!(d.message.contains("pixels_per_thread"), "{value}: {d}");
        assert_eq!(place(&d), (1, 20), "{value}: {d}");
    }
}

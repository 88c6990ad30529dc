//! What the compiler says to somebody whose function is no task handler.
//!
//! The compiler is run on the libraries that this test itself was built with, so that nothing is built anew.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What the compiler says of a program that registers a handler.
fn compile(registration: &str) -> (bool, String) {
    let program = format!(
        "use augmented_engine::{{EngineBuilder, TaskContext, TaskError}};\n\
         pub struct NoJson;\n\
         pub fn register(builder: EngineBuilder) -> EngineBuilder {{ {registration} }}\n"
    );
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("program.rs");
    std::fs::write(&source, program).unwrap();
    let libraries = libraries();
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "lib",
            "--emit",
            "metadata",
            "--out-dir",
        ])
        .arg(folder.path())
        .arg("-L")
        .arg(format!("dependency={}", libraries.display()))
        .arg("--extern")
        .arg(format!(
            "augmented_engine={}",
            newest(&libraries, "libaugmented_engine-").display()
        ))
        .arg(&source)
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// The folder of the libraries this program was linked with.
fn libraries() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.parent().unwrap().to_owned()
}

/// The library that was built last, should there be several with other features.
fn newest(folder: &Path, prefix: &str) -> PathBuf {
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .filter(|path| {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            name.starts_with(prefix) && name.ends_with(".rlib")
        })
        .max_by_key(|path| path.metadata().unwrap().modified().unwrap())
        .unwrap()
}

#[test]
fn a_function_that_is_no_handler_is_told_what_one_looks_like() {
    for (registration, said) in [
        (
            "builder.with_task(\"t\", 7)",
            [
                "`{integer}` is not a task handler",
                "write `async fn(TaskContext, YourInput) -> Result<YourOutput, TaskError>`",
            ],
        ),
        (
            "builder.with_task(\"t\", |_: TaskContext, n: u64| async move { Ok::<_, TaskError>(NoJson) })",
            [
                "is not a task handler",
                "`YourOutput` implements `Serialize` and `JsonSchema`",
            ],
        ),
        (
            "struct Held; \
             impl augmented_engine::TaskHandler for Held { \
                 type Input = u64; \
                 type Output = NoJson; \
                 async fn handle(&self, _: TaskContext, _: u64) -> Result<NoJson, TaskError> { Ok(NoJson) } \
             } \
             builder",
            [
                "`NoJson` cannot be the output of a task",
                "derive `serde::Serialize` and `schemars::JsonSchema` for it",
            ],
        ),
        (
            "builder.with_blocking_task(\"t\", \"no function\")",
            ["is not a blocking task handler", "without `async`"],
        ),
    ] {
        let (compiled, text) = compile(registration);
        assert!(!compiled, "{registration}");
        for part in said {
            assert!(
                text.contains(part),
                "{registration} is answered with\n{text}"
            );
        }
    }
}

#[test]
fn a_handler_compiles() {
    let (compiled, text) = compile(
        "builder.with_task(\"t\", |_: TaskContext, n: u64| async move { Ok::<_, TaskError>(n) })",
    );
    assert!(compiled, "{text}");
}

//! Other programs, each ended when it takes too long.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::waiting::wait_for;

/// What a program gave.
pub(crate) struct Called {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) took: Duration,
}

/// Runs a program to its end; panics when that takes longer than the limit.
#[track_caller]
pub(crate) fn call(command: &mut Command, limit: Duration) -> Called {
    // Files, not pipes: a program that writes much must not wait for somebody to read.
    let (out, err) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out.try_clone().unwrap())
        .stderr(err.try_clone().unwrap())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let status = end_of(&mut child, limit);
    let called = Called {
        code: status.map_or(-1, |status| status.code().unwrap_or(-1)),
        out: text(out),
        err: text(err),
        took: began.elapsed(),
    };
    if status.is_none() {
        end(&mut child);
        panic!("{command:?} took longer than {limit:?}\n{}", called.err);
    }
    called
}

/// The `augmented` command on a store.
pub(crate) fn augmented(store: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_augmented"));
    command
        .args(arguments)
        .env("AUGMENTED_STORE", store)
        .env("NO_COLOR", "1")
        .env_remove("RUST_LOG");
    command
}

/// Waits for the end of a process; `None` if it still runs.
pub(crate) fn end_of(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    wait_for(limit, || child.try_wait().unwrap())
}

/// Kills a process and waits until it is gone.
pub(crate) fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Sends a signal by its name, such as `TERM`.
pub(crate) fn signal(child: &Child, name: &str) {
    let line = format!("kill -{name} {}", child.id());
    let status = Command::new("sh").args(["-c", &line]).status().unwrap();
    assert!(status.success(), "{line}");
}

fn text(mut file: std::fs::File) -> String {
    use std::io::{Read, Seek};
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

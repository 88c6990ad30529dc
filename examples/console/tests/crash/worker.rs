//! Worker processes.

use std::fs::File;
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use crate::process::{augmented, end, end_of, signal};
use crate::waiting::{seconds, wait_for};

/// A running `augmented worker`; it is killed with this value.
pub(crate) struct Worker {
    child: Child,
    said: PathBuf,
    _directory: tempfile::TempDir,
}

impl Worker {
    /// Starts one and waits until it says that it is ready.
    #[track_caller]
    pub(crate) fn start(store: &str, lease: &str) -> Self {
        let mut worker = Self::spawn(store, lease);
        worker.await_ready();
        worker
    }

    /// Starts one.
    pub(crate) fn spawn(store: &str, lease: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let said = directory.path().join("said");
        let child = augmented(store, &["worker", "--lease", lease])
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(File::create(&said).unwrap())
            .spawn()
            .unwrap();
        Self {
            child,
            said,
            _directory: directory,
        }
    }

    #[track_caller]
    pub(crate) fn await_ready(&mut self) {
        let ready = wait_for(seconds(30), || {
            let ended = self.child.try_wait().unwrap();
            (ended.is_some() || self.said().contains("the worker is ready")).then_some(ended)
        });
        assert_eq!(ready, Some(None), "a worker is not ready: {}", self.said());
    }

    /// What it wrote to standard error so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.said).unwrap()
    }

    /// Kills it without warning.
    pub(crate) fn kill(mut self) {
        end(&mut self.child);
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it has ended by itself; its exit code.
    #[track_caller]
    pub(crate) fn end(&mut self, limit: Duration) -> i32 {
        let status = end_of(&mut self.child, limit);
        let status = status
            .unwrap_or_else(|| panic!("a worker still runs after {limit:?}: {}", self.said()));
        status.code().unwrap_or(-1)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

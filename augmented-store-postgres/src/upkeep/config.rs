//! What upkeep is asked to do, and what it answers.

use std::time::Duration;

use augmented_core::Timestamp;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The longest span of time the rules reckon with: a century.
const LONGEST: Duration = Duration::from_secs(36_525 * 24 * 3600);

/// How much time one slice of the large tables covers; slices begin at round instants in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SliceWidth {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// A calendar month; the default.
    Month,
    /// A span of whole minutes, from one hour on, reckoned from 1970-01-01.
    Every(Duration),
}

/// How long ended work is kept, each status from the instant it was reached; by default 365 days.
///
/// ```
/// use std::time::Duration;
/// use augmented_store_postgres::Retention;
/// let day = Duration::from_secs(24 * 3600);
/// let retention = Retention::of(day * 90).with_failed(Some(day * 365)).with_cancelled(None);
/// # let _ = retention;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    pub(super) completed: Option<Duration>,
    pub(super) failed: Option<Duration>,
    pub(super) cancelled: Option<Duration>,
    pub(super) tasks: Option<Duration>,
}

impl Retention {
    /// The same time for everything.
    #[must_use]
    pub const fn of(time: Duration) -> Self {
        Self {
            completed: Some(time),
            failed: Some(time),
            cancelled: Some(time),
            tasks: Some(time),
        }
    }

    /// Everything for ever; slices are made, and none goes.
    #[must_use]
    pub const fn forever() -> Self {
        Self {
            completed: None,
            failed: None,
            cancelled: None,
            tasks: None,
        }
    }

    /// How long completed instances are kept; `None` for ever.
    #[must_use]
    pub const fn with_completed(mut self, time: Option<Duration>) -> Self {
        self.completed = time;
        self
    }

    /// How long failed instances are kept, which an operator may take up again until then; `None` for ever.
    #[must_use]
    pub const fn with_failed(mut self, time: Option<Duration>) -> Self {
        self.failed = time;
        self
    }

    /// How long cancelled instances are kept; `None` for ever.
    #[must_use]
    pub const fn with_cancelled(mut self, time: Option<Duration>) -> Self {
        self.cancelled = time;
        self
    }

    /// How long ended tasks are kept that belong to no workflow; `None` for ever. Tasks of workflows go with them.
    #[must_use]
    pub const fn with_tasks(mut self, time: Option<Duration>) -> Self {
        self.tasks = time;
        self
    }

    /// The time after which the first of them may go; `None` if none ever does.
    pub(super) fn shortest(&self) -> Option<Duration> {
        [self.completed, self.failed, self.cancelled, self.tasks]
            .into_iter()
            .flatten()
            .min()
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self::of(DAY * 365)
    }
}

/// What [`PostgresStore::maintain`](crate::PostgresStore::maintain) does; the defaults suit most hosts.
///
/// ```
/// use std::time::Duration;
/// use augmented_store_postgres::{Retention, SliceWidth, UpkeepConfig};
/// let day = Duration::from_secs(24 * 3600);
/// let config = UpkeepConfig::default()
///     .with_slices(SliceWidth::Week, 4)
///     .with_retention(Retention::of(day * 90));
/// assert!(config.check().is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct UpkeepConfig {
    pub(super) slices: Option<(SliceWidth, u32)>,
    pub(super) retention: Retention,
    pub(super) keys: Duration,
    pub(super) nodes: Duration,
    pub(super) chunk: u32,
    pub(super) pause: Duration,
    pub(super) longest_wait: Duration,
    pub(super) time_limit: Duration,
    pub(super) large_default: u64,
    pub(super) now: Option<Timestamp>,
}

impl Default for UpkeepConfig {
    fn default() -> Self {
        Self {
            slices: Some((SliceWidth::Month, 3)),
            retention: Retention::default(),
            keys: DAY * 7,
            nodes: DAY,
            chunk: 1000,
            pause: Duration::from_millis(100),
            longest_wait: Duration::from_millis(500),
            time_limit: Duration::from_secs(600),
            large_default: 8 << 20,
            now: None,
        }
    }
}

impl UpkeepConfig {
    /// How wide slices are, and how many are kept ready after the current one (1–100); by default a month, and 3.
    ///
    /// A changed width counts for slices that are made from then on.
    #[must_use]
    pub fn with_slices(mut self, width: SliceWidth, ahead: u32) -> Self {
        self.slices = Some((width, ahead));
        self
    }

    /// Makes no slices; those that exist are still dropped when their time is over.
    #[must_use]
    pub fn without_slices(mut self) -> Self {
        self.slices = None;
        self
    }

    /// How long ended work is kept, from one day on; by default 365 days.
    #[must_use]
    pub fn with_retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// How long an idempotency key holds past the end of its instance, from one hour on; by default 7 days, and no longer
    /// than the instance itself is kept.
    #[must_use]
    pub fn with_key_retention(mut self, time: Duration) -> Self {
        self.keys = time;
        self
    }

    /// How long fenced nodes that own nothing stay listed, from one hour on; by default a day.
    #[must_use]
    pub fn with_node_retention(mut self, time: Duration) -> Self {
        self.nodes = time;
        self
    }

    /// How many instances one transaction deletes at most (1–100 000), each with everything of it; by default 1000.
    #[must_use]
    pub fn with_chunk(mut self, instances: u32) -> Self {
        self.chunk = instances;
        self
    }

    /// The pause after each chunk, so that running work has the disk to itself in between; by default 100 ms.
    #[must_use]
    pub fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// How long running work may have to wait for a change of slices, in one go (8 ms – 10 s); by default 500 ms.
    ///
    /// If the locks are not had within that time, the change is left for the next call.
    #[must_use]
    pub fn with_longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }

    /// After what time the call returns even if something is left to do, up to one step more; by default 10 minutes.
    #[must_use]
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// From which size in bytes on the default slice is closed as it stands, instead of moving its rows; by default 8 MiB.
    #[must_use]
    pub fn with_large_default(mut self, bytes: u64) -> Self {
        self.large_default = bytes;
        self
    }

    /// The instant from which everything is reckoned, for tests; by default the clock of the database.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// Whether the settings make sense together; [`maintain`](crate::PostgresStore::maintain) asks first of all.
    ///
    /// # Errors
    /// [`UpkeepFault`], which says what to set instead.
    pub fn check(&self) -> Result<(), UpkeepFault> {
        if let Some((width, ahead)) = self.slices {
            if let SliceWidth::Every(width) = width
                && (width < HOUR
                    || width > LONGEST
                    || width.as_secs() % 60 != 0
                    || width.subsec_nanos() != 0)
            {
                return Err(UpkeepFault::SliceWidth { width });
            }
            if !(1..=100).contains(&ahead) {
                return Err(UpkeepFault::SlicesAhead { ahead });
            }
        }
        let Retention {
            completed,
            failed,
            cancelled,
            tasks,
        } = self.retention;
        for (of, time) in [
            ("completed instances", completed),
            ("failed instances", failed),
            ("cancelled instances", cancelled),
            ("tasks", tasks),
        ] {
            let Some(time) = time else { continue };
            if !(DAY..=LONGEST).contains(&time) {
                return Err(UpkeepFault::Retention { of, time });
            }
            if time < self.keys && of != "tasks" {
                return Err(UpkeepFault::KeysOutlive {
                    of,
                    time,
                    keys: self.keys,
                });
            }
        }
        for (of, time) in [("idempotency keys", self.keys), ("nodes", self.nodes)] {
            if !(HOUR..=LONGEST).contains(&time) {
                return Err(UpkeepFault::ShortRetention { of, time });
            }
        }
        if !(1..=100_000).contains(&self.chunk) {
            return Err(UpkeepFault::Chunk { chunk: self.chunk });
        }
        let waits = Duration::from_millis(8)..=Duration::from_secs(10);
        if !waits.contains(&self.longest_wait) {
            return Err(UpkeepFault::LongestWait {
                wait: self.longest_wait,
            });
        }
        Ok(())
    }

    /// The lock timeout of the server.
    pub(super) fn wait_ms(&self) -> i32 {
        i32::try_from(self.longest_wait.as_millis()).unwrap_or(i32::MAX)
    }
}

/// Settings of upkeep that make no sense; the text says in one line what to set instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpkeepFault {
    /// Slices of no width, or of one that cannot be kept.
    #[error(
        "slices of {width:?} cannot be made: use SliceWidth::Day, Week or Month, or whole minutes from one hour on"
    )]
    SliceWidth {
        /// The width asked for.
        width: Duration,
    },
    /// No slices ahead, or too many.
    #[error("{ahead} slices ahead cannot be kept ready: ask for 1 to 100")]
    SlicesAhead {
        /// How many were asked for.
        ahead: u32,
    },
    /// A retention out of bounds.
    #[error("{of} cannot be kept for {time:?}: use a day or more, or None to keep them for ever")]
    Retention {
        /// What is kept.
        of: &'static str,
        /// The time asked for.
        time: Duration,
    },
    /// Keys would outlive the instances they stand for.
    #[error(
        "{of} would go after {time:?}, before their idempotency keys after {keys:?}: keep them longer, or shorten with_key_retention"
    )]
    KeysOutlive {
        /// What is kept.
        of: &'static str,
        /// For how long.
        time: Duration,
        /// How long the keys are.
        keys: Duration,
    },
    /// A time out of bounds.
    #[error("{of} cannot be kept for {time:?}: use an hour or more")]
    ShortRetention {
        /// What is kept.
        of: &'static str,
        /// The time asked for.
        time: Duration,
    },
    /// A chunk of nothing, or of too much.
    #[error("{chunk} instances cannot be deleted at once: use 1 to 100000")]
    Chunk {
        /// How many were asked for.
        chunk: u32,
    },
    /// A wait out of bounds.
    #[error("running work cannot be made to wait {wait:?} at most: use 8 ms to 10 s")]
    LongestWait {
        /// The wait asked for.
        wait: Duration,
    },
}

/// What a call of [`PostgresStore::maintain`](crate::PostgresStore::maintain) did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpkeepReport {
    /// Somebody else is at it on the same tables, so nothing was done.
    pub already_running: bool,
    /// The time limit came first; the next call goes on.
    pub out_of_time: bool,
    /// Slices made, by the suffix of their tables, with that of a default slice that was closed.
    pub slices_made: Vec<String>,
    /// Slices dropped, by the suffix of their tables.
    pub slices_dropped: Vec<String>,
    /// Changes of slices that were left for the next call, each with its reason.
    pub left_for_next_time: Vec<String>,
    /// Rows that moved from the default slice into one of their own.
    pub rows_moved: u64,
    /// Instances deleted one by one.
    pub instances_deleted: u64,
    /// Tasks deleted with them or on their own.
    pub tasks_deleted: u64,
    /// Failed attempts deleted with their tasks.
    pub attempts_deleted: u64,
    /// Rows of the history deleted with their instances.
    pub facts_deleted: u64,
    /// Idempotency keys deleted.
    pub keys_deleted: u64,
    /// Messages and timers of instances that are gone, and index rows of definitions that are, deleted.
    pub leftovers_deleted: u64,
    /// Fenced nodes deleted.
    pub nodes_deleted: u64,
}

//! How an engine is set.

use std::time::Duration;

use augmented_core::model::RetryPolicy;

/// The settings of an engine; every one has a default.
///
/// ```
/// use augmented_engine::EngineConfig;
/// use std::time::Duration;
/// let config = EngineConfig::default().with_workers(4).with_park_after(Duration::from_secs(60));
/// assert_eq!(config.workers, Some(4));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EngineConfig {
    /// Workers that drive instances. Default: one for each core; on virtual time always one.
    pub workers: Option<usize>,
    /// How long a node may be silent before others take its instances. Default: 30 s.
    pub node_lease: Duration,
    /// How often mailboxes are looked at when nothing wakes the engine. Default: 1 s.
    pub mailbox_poll: Duration,
    /// How many instances one look at the mailboxes takes. Default: 256.
    pub mailbox_batch: usize,
    /// How often timers are looked at when nothing wakes the engine. Default: 1 s.
    pub timer_poll: Duration,
    /// How many due timers one transaction fires. Default: 256.
    pub timer_batch: usize,
    /// Facts between two snapshots of a running instance. Default: 50.
    pub snapshot_interval: u64,
    /// A wait before the next attempt longer than this parks the instance. Default: 10 s.
    pub park_after: Duration,
    /// How many transitions one commit takes. Default: 512.
    pub commit_batch: usize,
    /// How many instances may be in memory before starts are refused; parked ones do not count. Default: 10 000.
    pub max_active_instances: usize,
    /// How many handlers may run at once; more tasks wait for their turn. Default: 1024.
    pub max_running_tasks: usize,
    /// How long a handler may run before its task is shown in the store as running, so that people see it and its attempt
    /// counts if the node is lost. Default: 1 s.
    pub visible_after: Duration,
    /// How many compiled definitions are kept. Default: 1000.
    pub definition_cache: usize,
    /// How long the choice of a version is remembered, in which a version that another node publishes may be missed.
    /// Default: 1 s.
    pub resolution_ttl: Duration,
    /// How long a shutdown waits for running handlers. Default: 30 s.
    pub shutdown_timeout: Duration,
    /// The retry policy where step, task and workflow state none. Default: the shared defaults.
    pub default_retry_policy: RetryPolicy,
    /// The limit of an attempt where step and task state none. Default: 5 min.
    pub default_timeout: Duration,
    /// How long a handler that is over time may go on before it is dropped. Default: 10 s.
    pub timeout_buffer: Duration,
    /// How long a cancelled handler may go on before it is dropped. Default: 30 s.
    pub cancel_grace: Duration,
    /// How often a step may be entered in its scope. Default: 100.
    pub max_step_visits: u32,
    /// The largest state of an instance in bytes. Default: 1 MiB.
    pub max_state_bytes: usize,
    /// How many compiled schemas are kept. Default: 512.
    pub schema_cache: usize,
    /// How long the registry remembers which version of a schema is the latest, in which a version that another node
    /// registers may be missed; on virtual time nothing is remembered. Default: 5 s.
    pub schema_ttl: Duration,
    /// Whether the engine refuses to start when a published schema needs a validator that is not registered.
    /// Default: true.
    pub strict_startup: bool,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            workers: None,
            node_lease: Duration::from_secs(30),
            mailbox_poll: Duration::from_secs(1),
            mailbox_batch: 256,
            timer_poll: Duration::from_secs(1),
            timer_batch: 256,
            snapshot_interval: 50,
            park_after: Duration::from_secs(10),
            visible_after: Duration::from_secs(1),
            commit_batch: 512,
            max_active_instances: 10_000,
            max_running_tasks: 1024,
            definition_cache: 1000,
            resolution_ttl: Duration::from_secs(1),
            shutdown_timeout: Duration::from_secs(30),
            default_retry_policy: RetryPolicy::default(),
            default_timeout: Duration::from_secs(300),
            timeout_buffer: Duration::from_secs(10),
            cancel_grace: Duration::from_secs(30),
            max_step_visits: 100,
            max_state_bytes: 1 << 20,
            schema_cache: 512,
            schema_ttl: Duration::from_secs(5),
            strict_startup: true,
        }
    }
}

macro_rules! setters {
    ($($setter:ident => $field:ident: $type:ty),* $(,)?) => {
        impl EngineConfig {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
                #[must_use]
                pub fn $setter(mut self, $field: $type) -> Self {
                    self.$field = $field;
                    self
                }
            )*
        }
    };
}

setters! {
    with_node_lease => node_lease: Duration,
    with_mailbox_poll => mailbox_poll: Duration,
    with_mailbox_batch => mailbox_batch: usize,
    with_timer_poll => timer_poll: Duration,
    with_timer_batch => timer_batch: usize,
    with_snapshot_interval => snapshot_interval: u64,
    with_park_after => park_after: Duration,
    with_visible_after => visible_after: Duration,
    with_commit_batch => commit_batch: usize,
    with_max_active_instances => max_active_instances: usize,
    with_max_running_tasks => max_running_tasks: usize,
    with_definition_cache => definition_cache: usize,
    with_resolution_ttl => resolution_ttl: Duration,
    with_shutdown_timeout => shutdown_timeout: Duration,
    with_default_retry_policy => default_retry_policy: RetryPolicy,
    with_default_timeout => default_timeout: Duration,
    with_timeout_buffer => timeout_buffer: Duration,
    with_cancel_grace => cancel_grace: Duration,
    with_max_step_visits => max_step_visits: u32,
    with_max_state_bytes => max_state_bytes: usize,
    with_schema_cache => schema_cache: usize,
    with_schema_ttl => schema_ttl: Duration,
    with_strict_startup => strict_startup: bool,
}

impl EngineConfig {
    /// Sets how many [`workers`](Self::workers) drive instances; at least one.
    #[must_use]
    pub fn with_workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers.max(1));
        self
    }
}

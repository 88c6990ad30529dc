//! Wakes engines when there may be work: those of this process at once, all others by NOTIFY.

use std::sync::Arc;
use std::time::Duration;

use augmented_core::NodeId;
use augmented_core::store::Wakeup;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool};
use sqlx::{AssertSqlSafe, ConnectOptions};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::SchemaName;

/// The longest pause between two tries to listen again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Counts the reasons to look for work; a waiting node remembers the last one it was told of.
pub(crate) struct Bell {
    rings: watch::Sender<u64>,
    /// What each node has heard.
    heard: Mutex<FxHashMap<NodeId, watch::Receiver<u64>>>,
    /// Wakes the task that tells other processes.
    tell: Notify,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Bell {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            rings: watch::Sender::new(0),
            heard: Mutex::default(),
            tell: Notify::new(),
            tasks: Mutex::default(),
        })
    }

    /// Tells every node that there may be work.
    pub(crate) fn ring(&self) {
        self.ring_here();
        self.tell.notify_one();
    }

    fn ring_here(&self) {
        self.rings
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn register(&self, node: NodeId) {
        self.heard
            .lock()
            .entry(node)
            .or_insert_with(|| self.rings.subscribe());
    }

    pub(crate) fn forget(&self, node: NodeId) {
        self.heard.lock().remove(&node);
    }

    /// Waits for a ring that the node was not told of yet. Dropped early, it has told nobody of any.
    pub(crate) async fn wait(&self, node: NodeId) -> Wakeup {
        // Nothing is known to have been told to a stranger; its next heartbeat tells it to register.
        let Some(mut heard) = self.heard.lock().get(&node).cloned() else {
            return Wakeup::Work;
        };
        match heard.changed().await {
            Ok(()) => {
                if let Some(mark) = self.heard.lock().get_mut(&node) {
                    *mark = heard;
                }
                Wakeup::Work
            }
            Err(_) => Wakeup::Closed,
        }
    }

    /// Begins to listen to other processes and to tell them.
    pub(crate) fn start(
        self: &Arc<Self>,
        pool: PgPool,
        listen: Option<PgConnectOptions>,
        schema: &SchemaName,
    ) {
        let runtime = tokio::runtime::Handle::current();
        let channel = channel(schema);
        let mut tasks = self.tasks.lock();
        let bell = Arc::clone(self);
        let told = channel.clone();
        tasks.push(runtime.spawn(async move { bell.tell_others(&pool, &told).await }));
        if let Some(options) = listen {
            let bell = Arc::clone(self);
            tasks.push(runtime.spawn(async move { bell.listen(&options, &channel).await }));
        }
    }

    /// Ends both.
    pub(crate) fn stop(&self) {
        for task in self.tasks.lock().drain(..) {
            task.abort();
        }
    }

    /// Sends one notification for all rings since the last one. It goes behind the commits, not with them: transactions
    /// that notify commit one after the other, and those of the door must not wait for each other. If the process dies
    /// in between, the polls of the others find the work.
    async fn tell_others(&self, pool: &PgPool, channel: &str) {
        loop {
            self.tell.notified().await;
            let told = sqlx::query(AssertSqlSafe(
                "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)"
                    .to_owned(),
            ))
            .persistent(false)
            .bind(channel)
            .bind("")
            .execute(pool)
            .await;
            if let Err(error) = told {
                tracing::debug!(%error, "other nodes were not told of work; they will find it by polling");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    /// Rings for every notification, and once after each interruption, because what came meanwhile was not heard.
    async fn listen(&self, options: &PgConnectOptions, channel: &str) {
        let mut pause = Duration::from_millis(50);
        loop {
            if let Ok(mut listener) = listener(options, channel).await {
                pause = Duration::from_millis(50);
                self.ring_here();
                while listener.recv().await.is_ok() {
                    self.ring_here();
                }
            }
            tracing::debug!("notifications are not heard; work is found by polling until they are");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// The channel on which nodes tell each other of work.
pub(crate) fn channel(schema: &SchemaName) -> String {
    format!("{schema}_work")
}

async fn listener(options: &PgConnectOptions, channel: &str) -> Result<PgListener, sqlx::Error> {
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options.clone().disable_statement_logging())
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(channel).await?;
    Ok(listener)
}

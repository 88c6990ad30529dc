//! Callers: they do what the plan says, and do it again when they got no answer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use augmented_core::{InstanceId, Timestamp};
use augmented_engine::{
    CancelRequest, ControlRequest, Engine, EngineError, SignalRequest, StartRequest,
};

use super::plan::Act;

/// The callers of a run, and what they were told.
#[derive(Default)]
pub struct Client {
    acts: Vec<(i64, Act)>,
    /// The next act that was not answered yet.
    next: usize,
    /// The instance of each key.
    pub instances: BTreeMap<String, InstanceId>,
    /// Signals that were accepted.
    pub signals: BTreeSet<(InstanceId, String)>,
    /// Instances whose cancellation was accepted.
    pub cancelled: BTreeSet<InstanceId>,
    /// Answers that should not have been given.
    pub complaints: Vec<String>,
}

enum Answer {
    Final,
    TryAgain,
}

impl Client {
    /// Callers who are about to do this.
    pub fn new(acts: Vec<(i64, Act)>) -> Self {
        Self {
            acts,
            ..Self::default()
        }
    }

    /// Goes on with what was not answered yet. Dropped half-way, the act under way is done again.
    pub async fn perform(&mut self, engine: &Engine, epoch: Timestamp) {
        while let Some((second, act)) = self.acts.get(self.next).cloned() {
            loop {
                // Time stands still until the guard goes, so that acts of one second happen in it.
                let guard = engine.wait_until(epoch.plus_millis(second * 1000)).await;
                let answer = self.act(engine, &act).await;
                drop(guard);
                match answer {
                    Answer::Final => break,
                    Answer::TryAgain => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
            self.next += 1;
        }
    }

    async fn act(&mut self, engine: &Engine, act: &Act) -> Answer {
        match act {
            Act::Start {
                workflow,
                key,
                input,
            } => {
                let request = StartRequest::new(*workflow)
                    .with_input(input.clone())
                    .with_idempotency_key(key);
                match engine.start(request).await {
                    Ok(handle) => self.started(key, handle.id()),
                    Err(error) => self.judge(act, &error),
                }
            }
            Act::Signal {
                key,
                signal_type,
                signal_id,
            } => {
                let Some(instance) = self.instances.get(key).copied() else {
                    return Answer::Final;
                };
                match engine
                    .signal(
                        instance,
                        SignalRequest::new(*signal_type).with_signal_id(signal_id),
                    )
                    .await
                {
                    Ok(_) => {
                        self.signals.insert((instance, signal_id.clone()));
                        Answer::Final
                    }
                    Err(error) => self.judge(act, &error),
                }
            }
            Act::Pause { .. } | Act::Resume { .. } => self.control(engine, act).await,
            Act::Cancel { key, request_id } => {
                let Some(instance) = self.instances.get(key).copied() else {
                    return Answer::Final;
                };
                match engine
                    .cancel(
                        instance,
                        CancelRequest::new("no longer wanted").with_request_id(request_id),
                    )
                    .await
                {
                    Ok(_) => {
                        self.cancelled.insert(instance);
                        Answer::Final
                    }
                    Err(error) => self.judge(act, &error),
                }
            }
        }
    }

    async fn control(&mut self, engine: &Engine, act: &Act) -> Answer {
        let (Act::Pause { key, request_id } | Act::Resume { key, request_id }) = act else {
            return Answer::Final;
        };
        let Some(instance) = self.instances.get(key).copied() else {
            return Answer::Final;
        };
        let request = ControlRequest::new().with_request_id(request_id);
        let answer = match act {
            Act::Pause { .. } => engine.pause(instance, request).await,
            _ => engine.resume(instance, request).await,
        };
        match answer {
            Ok(_) => Answer::Final,
            Err(error) => self.judge(act, &error),
        }
    }

    fn started(&mut self, key: &str, instance: InstanceId) -> Answer {
        let known = *self.instances.entry(key.to_owned()).or_insert(instance);
        if known != instance {
            self.complaints
                .push(format!("{key} started {known} and then {instance}"));
        }
        Answer::Final
    }

    /// What an error means to a caller.
    fn judge(&mut self, act: &Act, error: &EngineError) -> Answer {
        match error.code() {
            "UNAVAILABLE" => return Answer::TryAgain,
            // It ended before.
            "ILLEGAL_STATE" if !matches!(act, Act::Start { .. }) => {}
            _ => self
                .complaints
                .push(format!("{act:?} was answered {error}")),
        }
        Answer::Final
    }
}

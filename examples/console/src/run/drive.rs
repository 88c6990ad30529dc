//! Drives one instance until it has ended or nothing more can happen, and does what a script says meanwhile.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use augmented_core::Timestamp;
use augmented_engine::{
    CancelRequest, ControlRequest, Engine, EngineError, InstanceView, SignalRequest, TimeHold,
    WorkflowHandle,
};

use super::script::{Action, Stimulus, Trigger};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunEnd {
    /// The instance is COMPLETED, FAILED or CANCELLED.
    Ended,
    /// Nothing more can ever happen.
    StandsStill,
}

/// One instance under way.
pub(crate) struct Drive {
    engine: Engine,
    handle: WorkflowHandle,
    started_at: Timestamp,
    /// Whether time is virtual.
    is_virtual: bool,
    at: VecDeque<(Timestamp, Stimulus)>,
    reactive: Vec<Stimulus>,
    on_idle: VecDeque<Stimulus>,
    notes: Vec<String>,
}

impl Drive {
    /// `script` as read, with stimuli at instants in their order.
    pub(crate) fn new(
        engine: Engine,
        handle: WorkflowHandle,
        started_at: Timestamp,
        is_virtual: bool,
        script: Vec<Stimulus>,
    ) -> Self {
        let mut drive = Self {
            engine,
            handle,
            started_at,
            is_virtual,
            at: VecDeque::new(),
            reactive: Vec::new(),
            on_idle: VecDeque::new(),
            notes: Vec::new(),
        };
        for stimulus in script {
            match stimulus.trigger {
                Trigger::At(micros) => drive
                    .at
                    .push_back((drive.started_at.plus_micros(micros), stimulus)),
                Trigger::OnIdle => drive.on_idle.push_back(stimulus),
                Trigger::AfterStep { .. } | Trigger::OnSignalWait(_) | Trigger::OnStepWait(_) => {
                    drive.reactive.push(stimulus)
                }
            }
        }
        drive
    }

    /// Runs to the end; gives what people should know about stimuli that had no effect.
    pub(crate) async fn run(mut self) -> Result<(RunEnd, Vec<String>), EngineError> {
        let end = self.follow().await?;
        let left = self
            .at
            .iter()
            .map(|(_, stimulus)| stimulus)
            .chain(&self.reactive)
            .chain(&self.on_idle);
        let why = match end {
            RunEnd::Ended => "the workflow had ended before its time came",
            RunEnd::StandsStill => "its time never came",
        };
        let mut left: Vec<usize> = left.map(|stimulus| stimulus.position).collect();
        left.sort_unstable();
        self.notes.extend(
            left.into_iter().map(|position| {
                format!("stimulus {position} of the script was not delivered: {why}")
            }),
        );
        Ok((end, self.notes))
    }

    async fn follow(&mut self) -> Result<RunEnd, EngineError> {
        let mut facts = None;
        loop {
            let happened = {
                let ended = self.handle.result();
                let due = due(&self.engine, self.at.front().map(|(at, _)| *at));
                let changed = changed(
                    &self.engine,
                    facts,
                    !self.reactive.is_empty(),
                    self.is_virtual,
                );
                // On real time the engine does not know of the stimuli to come.
                let idle = idle(&self.engine, self.is_virtual || self.at.is_empty());
                tokio::select! {
                    biased;
                    ended = ended => Happened::Ended(ended.map(|_| ())),
                    now = changed => Happened::Changed(now),
                    hold = due => Happened::Due(hold),
                    () = idle => Happened::Idle,
                }
            };
            match happened {
                Happened::Ended(ended) => return ended.map(|()| RunEnd::Ended),
                Happened::Changed(now) => {
                    facts = Some(now);
                    self.react().await?;
                }
                Happened::Due(_hold) => {
                    if let Some((_, stimulus)) = self.at.pop_front() {
                        self.deliver(stimulus).await;
                    }
                }
                Happened::Idle => match self.on_idle.pop_front() {
                    Some(stimulus) => self.deliver(stimulus).await,
                    None => return Ok(RunEnd::StandsStill),
                },
            }
        }
    }

    /// Delivers the first stimulus whose moment has come; the others follow when the engine is quiet again.
    async fn react(&mut self) -> Result<(), EngineError> {
        // After everything that is ready, before time moves on.
        let _hold = self.engine.wait_until(self.engine.now()).await;
        let view = self.engine.instance(self.handle.id()).await?;
        let Some(index) = self
            .reactive
            .iter()
            .position(|stimulus| has_come(&stimulus.trigger, &view))
        else {
            return Ok(());
        };
        let stimulus = self.reactive.remove(index);
        self.deliver(stimulus).await;
        Ok(())
    }

    async fn deliver(&mut self, stimulus: Stimulus) {
        let id = self.handle.id();
        // Stable, so that equal runs are equal.
        let identity = format!("script-{}", stimulus.position);
        let answer = match stimulus.action {
            Action::Signal {
                signal_type,
                payload,
                signal_id,
            } => {
                let request = SignalRequest::new(signal_type)
                    .with_payload(payload)
                    .with_signal_id(signal_id.unwrap_or(identity));
                self.engine.signal(id, request).await.map(|_| ())
            }
            Action::Pause => {
                let request = ControlRequest::new().with_request_id(identity);
                self.engine.pause(id, request).await.map(|_| ())
            }
            Action::Resume => {
                let request = ControlRequest::new().with_request_id(identity);
                self.engine.resume(id, request).await.map(|_| ())
            }
            Action::Cancel { reason } => self
                .engine
                .cancel(id, CancelRequest::new(reason).with_request_id(identity))
                .await
                .map(|_| ()),
        };
        if let Err(error) = answer {
            self.notes.push(format!(
                "stimulus {} of the script was refused: {error}",
                stimulus.position
            ));
        }
    }
}

enum Happened {
    Ended(Result<(), EngineError>),
    Changed(u64),
    Due(TimeHold),
    Idle,
}

async fn due(engine: &Engine, at: Option<Timestamp>) -> TimeHold {
    match at {
        Some(at) => engine.wait_until(at).await,
        None => std::future::pending().await,
    }
}

/// Waits until the engine has written a fact since it had written `known`.
async fn changed(engine: &Engine, known: Option<u64>, wanted: bool, is_virtual: bool) -> u64 {
    if !wanted {
        return std::future::pending().await;
    }
    loop {
        let facts = engine.metrics().facts;
        if Some(facts) != known {
            return facts;
        }
        if is_virtual {
            // Looked at again before anything else that is woken, so that time cannot move on in between.
            AfterOthers::default().await;
        } else {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn idle(engine: &Engine, wanted: bool) {
    if wanted {
        engine.idle().await;
    } else {
        std::future::pending::<()>().await;
    }
}

fn has_come(trigger: &Trigger, view: &InstanceView) -> bool {
    match trigger {
        Trigger::AfterStep { step_id, status } => view
            .steps()
            .iter()
            .any(|step| step.step_id == *step_id && step.status == *status),
        Trigger::OnSignalWait(signal) => view
            .waiting_for()
            .iter()
            .any(|wait| wait.signal_type.as_ref() == Some(signal)),
        Trigger::OnStepWait(step) => view.waiting_for().iter().any(|wait| wait.step_id == *step),
        Trigger::At(_) | Trigger::OnIdle => false,
    }
}

/// Completes when every task that is ready now has had its turn.
#[derive(Default)]
struct AfterOthers {
    waited: bool,
}

impl Future for AfterOthers {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.waited {
            return Poll::Ready(());
        }
        self.waited = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

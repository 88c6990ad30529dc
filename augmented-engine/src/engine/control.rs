//! Steering instances: signals and cancellation.

use std::sync::Arc;
use std::time::Duration;

use augmented_core::runtime::{self, CancelSource, InstanceStatus, Message, SignalMessage};
use augmented_core::store::{NewMessage, SendOutcome};
use augmented_core::{InstanceId, Seq};
use serde_json::Value;

use super::start::refuse_nul;
use super::{Engine, InstanceView, WaitKind};
use crate::EngineError;
use crate::workflow::has_room_for;

/// A signal to an instance.
///
/// ```
/// use augmented_engine::SignalRequest;
/// use serde_json::json;
/// let signal = SignalRequest::new("approve").with_payload(json!({ "by": "Ada" })).with_signal_id("approval-1");
/// # let _ = signal;
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is not sent by itself"]
pub struct SignalRequest {
    signal_type: String,
    payload: Value,
    signal_id: Option<String>,
    sent_by: Option<String>,
    wait: Option<Duration>,
}

impl SignalRequest {
    /// A signal of that type, with payload null.
    pub fn new(signal_type: impl Into<String>) -> Self {
        Self {
            signal_type: signal_type.into(),
            payload: Value::Null,
            signal_id: None,
            sent_by: None,
            wait: None,
        }
    }

    /// Sets its data.
    pub fn with_payload(mut self, payload: Value) -> Self {
        self.payload = augmented_core::json::normalise_numbers(payload);
        self
    }

    /// Gives it an identity: the same id takes effect once. Default: a new one.
    pub fn with_signal_id(mut self, signal_id: impl Into<String>) -> Self {
        self.signal_id = Some(signal_id.into());
        self
    }

    /// Says who sends it.
    pub fn with_sender(mut self, sent_by: impl Into<String>) -> Self {
        self.sent_by = Some(sent_by.into());
        self
    }

    /// Answers only when the instance has applied it, and at the latest after that time; see
    /// [`SignalReceipt::processed`]. Default: as soon as it is stored.
    pub fn with_wait(mut self, longest: Duration) -> Self {
        self.wait = Some(longest);
        self
    }
}

/// What became of a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignalReceipt {
    /// Its identity.
    pub signal_id: String,
    /// Whether the instance has it or will have it.
    pub accepted: bool,
    /// Whether it had been sent before; it takes effect once.
    pub duplicate: bool,
    /// Whether the instance had applied it by the end of the wait; none without a wait.
    pub processed: Option<bool>,
    /// Whether no step waited for it when it was applied, so that it was kept for a later one; none until then, and where
    /// the workflow has only failures recorded.
    pub buffered: Option<bool>,
}

/// A request to stop an instance.
///
/// ```
/// use augmented_engine::CancelRequest;
/// let cancel = CancelRequest::new("ordered twice").with_request_id("cancel-1");
/// # let _ = cancel;
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is not sent by itself"]
pub struct CancelRequest {
    reason: String,
    request_id: Option<String>,
    requested_by: Option<String>,
    source: CancelSource,
}

impl CancelRequest {
    /// Asks to stop for that reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            request_id: None,
            requested_by: None,
            source: CancelSource::User,
        }
    }

    /// Gives it an identity: repeated, it succeeds without effect. Default: a new one.
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }

    /// Says who asks.
    pub fn with_requester(mut self, requested_by: impl Into<String>) -> Self {
        self.requested_by = Some(requested_by.into());
        self
    }

    /// Says what kind of party asks. Default: USER.
    pub fn with_source(mut self, source: CancelSource) -> Self {
        self.source = source;
        self
    }
}

/// What became of a request to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CancelReceipt {
    /// Its identity.
    pub request_id: String,
    /// Whether it had been made before.
    pub duplicate: bool,
}

impl Engine {
    /// Sends a signal to an instance, and returns once it is stored, or applied if the request waits for that.
    ///
    /// A step that waits for it takes it; otherwise it is kept for a later one.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such instance; `ILLEGAL_STATE` if it has ended; `INVALID_ARGUMENT`, reason
    /// `SIGNAL_INVALID`, if the workflow declares its signals and this is none of them or its payload does not fit;
    /// `CAPACITY_EXCEEDED`, reason `SIGNAL_QUEUE_FULL`, if too many are kept; errors of the store.
    pub async fn signal(
        &self,
        instance: InstanceId,
        request: SignalRequest,
    ) -> Result<SignalReceipt, EngineError> {
        let wait = request.wait;
        let (receipt, next) = self.send_signal(instance, request).await?;
        match wait {
            Some(longest) => self.await_signal(instance, receipt, next, longest).await,
            None => Ok(receipt),
        }
    }

    /// Sends a signal; also answers the first fact that may be its own.
    async fn send_signal(
        &self,
        instance: InstanceId,
        request: SignalRequest,
    ) -> Result<(SignalReceipt, Seq), EngineError> {
        self.check_running()?;
        let _hold = self.shared().time().hold();
        let view = self.instance(instance).await?;
        check_open(&view, "a signal")?;
        let signal_id = request
            .signal_id
            .unwrap_or_else(|| self.shared().ids.new_id(self.now()).to_string());
        refuse_nul("SIGNAL_INVALID", "the payload", &request.payload)?;
        let findings = view
            .flow()
            .check_signal(&request.signal_type, &request.payload);
        if !findings.is_empty() {
            let message = format!(
                "the instance does not take this signal `{}`",
                request.signal_type
            );
            return Err(EngineError::invalid("SIGNAL_INVALID", message, findings));
        }
        let signal = SignalMessage {
            signal_id: Arc::from(signal_id.as_str()),
            signal_type: Arc::from(request.signal_type.as_str()),
            payload: Arc::new(request.payload),
            sent_by: request.sent_by,
        };
        let limits = &view.state().limits;
        // What a step waits for now need not be kept.
        let awaited = waits_for(&view, &signal.signal_type);
        if awaited == 0 && !has_room_for(view.state(), &signal) {
            return Err(queue_full(format!(
                "instance {instance} has no room for this signal within its {} bytes of state",
                limits.max_state_bytes
            )));
        }
        let room = limits.max_signals.saturating_add(awaited);
        let message =
            NewMessage::new(self.tenant, instance, Message::Signal(signal)).with_max_signals(room);
        let duplicate = match self.deliver(message).await? {
            SendOutcome::Stored => false,
            SendOutcome::Full => {
                return Err(queue_full(format!(
                    "instance {instance} holds {} signals that no step has taken",
                    limits.max_signals
                )));
            }
            SendOutcome::Ignored => {
                // The instance may have ended meanwhile; otherwise the signal was there before.
                let now = self.instance(instance).await?;
                if !knows_signal(&now, &signal_id) {
                    check_open(&now, "a signal")?;
                }
                true
            }
        };
        let next = if duplicate {
            0
        } else {
            view.state().next_seq()
        };
        let receipt = SignalReceipt {
            signal_id,
            accepted: true,
            duplicate,
            processed: None,
            buffered: None,
        };
        Ok((receipt, next))
    }

    /// Asks an instance to stop, and returns once the request is stored.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such instance; `ILLEGAL_STATE` if it has ended or is being cancelled by another request;
    /// errors of the store.
    pub async fn cancel(
        &self,
        instance: InstanceId,
        request: CancelRequest,
    ) -> Result<CancelReceipt, EngineError> {
        self.check_running()?;
        let _hold = self.shared().time().hold();
        let view = self.instance(instance).await?;
        let request_id = request
            .request_id
            .unwrap_or_else(|| self.shared().ids.new_id(self.now()).to_string());
        if view
            .state()
            .cancellation
            .as_ref()
            .is_some_and(|known| *known.request_id == *request_id)
        {
            return Ok(CancelReceipt {
                request_id,
                duplicate: true,
            });
        }
        check_open(&view, "a cancellation")?;
        if view.status() == InstanceStatus::Cancelling {
            return Err(EngineError::illegal_state(
                "STATUS_FORBIDS",
                format!("instance {instance} is being cancelled already"),
            ));
        }
        let message = Message::Cancel(runtime::CancelRequest {
            request_id: Arc::from(request_id.as_str()),
            reason: request.reason,
            source: request.source,
            requested_by: request.requested_by,
        });
        let message = NewMessage::new(self.tenant, instance, message);
        let is_new = self.deliver(message).await? == SendOutcome::Stored;
        if !is_new {
            let now = self.instance(instance).await?;
            let known = now
                .state()
                .cancellation
                .as_ref()
                .is_some_and(|known| *known.request_id == *request_id);
            if !known {
                check_open(&now, "a cancellation")?;
            }
        }
        Ok(CancelReceipt {
            request_id,
            duplicate: !is_new,
        })
    }

    /// Puts a message into the mailbox.
    pub(super) async fn deliver(&self, message: NewMessage) -> Result<SendOutcome, EngineError> {
        let sent = self.shared().store.send(vec![message]).await?;
        self.shared().nudge.notify_one();
        Ok(sent.first().copied().unwrap_or(SendOutcome::Ignored))
    }
}

fn check_open(view: &InstanceView, what: &str) -> Result<(), EngineError> {
    if view.status().is_terminal() {
        let message = format!(
            "instance {} is {} and takes no {what}",
            view.id(),
            view.status()
        );
        return Err(EngineError::illegal_state(
            "STATUS_FORBIDS",
            message.replace("no a ", "no "),
        ));
    }
    Ok(())
}

/// How many steps wait for signals of this type now.
fn waits_for(view: &InstanceView, signal_type: &str) -> u32 {
    let waiting = view.waiting_for();
    let fitting = waiting.iter().filter(|wait| {
        wait.kind == WaitKind::Signal && wait.signal_type.as_deref() == Some(signal_type)
    });
    u32::try_from(fitting.count()).unwrap_or(u32::MAX)
}

fn queue_full(message: String) -> EngineError {
    EngineError::CapacityExceeded {
        reason: "SIGNAL_QUEUE_FULL",
        message,
    }
}

fn knows_signal(view: &InstanceView, signal_id: &str) -> bool {
    view.state()
        .signals
        .iter()
        .any(|kept| *kept.0.signal_id == *signal_id)
}

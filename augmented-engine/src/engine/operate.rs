//! What operators do to instances: hold them and let them go on.

use std::sync::Arc;
use std::time::Duration;

use augmented_core::runtime::{self, Fact, InstanceStatus, Message};
use augmented_core::store::{NewMessage, SendOutcome};
use augmented_core::{InstanceId, Seq};

use super::Engine;
use super::start::refuse_nul;
use crate::EngineError;

/// What an operator asks of an instance, and on what terms.
///
/// ```
/// use augmented_engine::ControlRequest;
/// let request = ControlRequest::new().with_reason("the bank is closed").with_requester("ada");
/// # let _ = request;
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "it is not sent by itself"]
pub struct ControlRequest {
    request_id: Option<String>,
    reason: Option<String>,
    requested_by: Option<String>,
    expected_version: Option<Seq>,
    wait: Option<Duration>,
}

impl ControlRequest {
    /// A request without a reason, by nobody in particular.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives it an identity: repeated, it succeeds without effect. Default: a new one.
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }

    /// Says why; the history keeps it.
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Says who asks; the history keeps it.
    pub fn with_requester(mut self, requested_by: impl Into<String>) -> Self {
        self.requested_by = Some(requested_by.into());
        self
    }

    /// Demands that the instance is still at this version, the last fact that [`InstanceView::version`] showed: of two
    /// who saw the same, one gets its way.
    ///
    /// [`InstanceView::version`]: crate::InstanceView::version
    pub fn with_expected_version(mut self, version: Seq) -> Self {
        self.expected_version = Some(version);
        self
    }

    /// Answers only when the instance has applied it, and at the latest after that time; see
    /// [`ControlReceipt::applied`]. Default: as soon as it is stored.
    pub fn with_wait(mut self, longest: Duration) -> Self {
        self.wait = Some(longest);
        self
    }
}

/// What became of an operator's request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ControlReceipt {
    /// Its identity.
    pub request_id: String,
    /// Whether it had been made before.
    pub duplicate: bool,
    /// Whether the instance had applied it by the end of the wait; none without a wait.
    pub applied: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    Pause,
    Resume,
}

impl Control {
    const fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }

    /// Whether an instance in that status can do it.
    const fn fits(self, status: InstanceStatus) -> bool {
        match self {
            Self::Pause => matches!(
                status,
                InstanceStatus::Created | InstanceStatus::Running | InstanceStatus::WaitingForEvent
            ),
            Self::Resume => matches!(status, InstanceStatus::Paused),
        }
    }

    fn request_of(self, message: &Message) -> Option<&runtime::ControlRequest> {
        match (self, message) {
            (Self::Pause, Message::Pause(request)) | (Self::Resume, Message::Resume(request)) => {
                Some(request)
            }
            _ => None,
        }
    }
}

impl Engine {
    /// Holds an instance: no further step begins. Tasks that are under way run to their end; their results, and events,
    /// signals and timers that come meanwhile, are recorded and move it when it goes on. Its `executionTimeout` runs on,
    /// and it can be cancelled.
    ///
    /// Returns once the request is stored, or applied if it waits for that. Of two requests at once the first counts and
    /// the other changes nothing. A node that dies loses nothing: the request and what is held are in the store.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such instance; `ILLEGAL_STATE`, reason `STATUS_FORBIDS`, unless it is CREATED, RUNNING or
    /// WAITING_FOR_EVENT; `VERSION_CONFLICT` if it is not at the expected version, or somebody else asked first; errors of
    /// the store.
    pub async fn pause(
        &self,
        instance: InstanceId,
        request: ControlRequest,
    ) -> Result<ControlReceipt, EngineError> {
        self.control(Control::Pause, instance, request).await
    }

    /// Lets an instance that is held go on: what came meanwhile is applied in the order in which it came.
    ///
    /// # Errors
    /// As for [`pause`](Self::pause); `ILLEGAL_STATE` unless it is PAUSED.
    pub async fn resume(
        &self,
        instance: InstanceId,
        request: ControlRequest,
    ) -> Result<ControlReceipt, EngineError> {
        self.control(Control::Resume, instance, request).await
    }

    async fn control(
        &self,
        control: Control,
        instance: InstanceId,
        request: ControlRequest,
    ) -> Result<ControlReceipt, EngineError> {
        let wait = request.wait;
        let (mut receipt, next) = self.send_control(control, instance, request).await?;
        if let Some(longest) = wait {
            let is_it = |fact: &Fact| is_request(control, fact, &receipt.request_id);
            let applied = self.await_fact(instance, next, longest, is_it).await?;
            receipt.applied = Some(applied.is_some());
        }
        Ok(receipt)
    }

    /// Sends the request; also answers the first fact that may be its own.
    async fn send_control(
        &self,
        control: Control,
        instance: InstanceId,
        request: ControlRequest,
    ) -> Result<(ControlReceipt, Seq), EngineError> {
        self.check_running()?;
        let _hold = self.shared().time().hold();
        for text in [&request.reason, &request.requested_by, &request.request_id] {
            let text = serde_json::Value::from(text.clone().unwrap_or_default());
            refuse_nul("REQUEST_INVALID", "the request", &text)?;
        }
        let view = self.instance(instance).await?;
        let request_id = request
            .request_id
            .unwrap_or_else(|| self.shared().ids.new_id(self.now()).to_string());
        let receipt = |duplicate| ControlReceipt {
            request_id: request_id.clone(),
            duplicate,
            applied: None,
        };
        let conflict = |found: &str| EngineError::VersionConflict {
            message: format!("instance {instance} {found}: read it again and decide anew"),
        };
        if let Some(expected) = request.expected_version
            && view.version() != Some(expected)
        {
            if self.was_applied(control, instance, &request_id).await? {
                return Ok((receipt(true), 0));
            }
            let found = view.version().map_or_else(
                || "has not begun".to_owned(),
                |version| format!("is at version {version}, not {expected}"),
            );
            return Err(conflict(&found));
        }
        if !control.fits(view.status()) {
            if self.was_applied(control, instance, &request_id).await? {
                return Ok((receipt(true), 0));
            }
            let message = format!(
                "instance {instance} is {} and cannot {}",
                view.status(),
                control.name()
            );
            return Err(EngineError::illegal_state("STATUS_FORBIDS", message));
        }
        let made = runtime::ControlRequest {
            request_id: Arc::from(request_id.as_str()),
            reason: request.reason.map(Arc::from),
            requested_by: request.requested_by.map(Arc::from),
            expected_version: request.expected_version,
        };
        let message = match control {
            Control::Pause => Message::Pause(made),
            Control::Resume => Message::Resume(made),
        };
        let next = view.state().next_seq();
        match self
            .deliver(NewMessage::new(self.tenant, instance, message))
            .await?
        {
            SendOutcome::Stored => Ok((receipt(false), next)),
            SendOutcome::Full | SendOutcome::Ignored => {
                let now = self.instance(instance).await?;
                if now.status().is_terminal() {
                    let message = format!("instance {instance} is {}", now.status());
                    return Err(EngineError::illegal_state("STATUS_FORBIDS", message));
                }
                // The same request, or somebody else's on the same version.
                let is_own = request.expected_version.is_none()
                    || self.was_applied(control, instance, &request_id).await?;
                if is_own {
                    Ok((receipt(true), 0))
                } else {
                    Err(conflict("was asked by somebody else first"))
                }
            }
        }
    }

    /// Whether the request stands among the facts.
    async fn was_applied(
        &self,
        control: Control,
        instance: InstanceId,
        request_id: &str,
    ) -> Result<bool, EngineError> {
        let is_it = |fact: &Fact| is_request(control, fact, request_id);
        let found = self.find_fact(instance, &mut 0, &is_it).await?;
        Ok(found.is_some())
    }
}

fn is_request(control: Control, fact: &Fact, request_id: &str) -> bool {
    control
        .request_of(&fact.message)
        .is_some_and(|request| *request.request_id == *request_id)
}

//! What an object of a document is, told by where it stands.

use serde_json::{Map, Value};

use crate::json::pointer;
use crate::model::DefinitionKind;

/// The objects that import forms are known for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Context {
    Root(DefinitionKind),
    Step,
    Transition,
    OnFailure,
    FailureHandler,
    RetryPolicy,
    Join,
    Branch,
    EventTimeout,
    Compensation,
    CancellationTrigger,
    OnError,
    Implementation,
    ExecutionConfig,
    Resources,
    Manual,
    Timing,
    Target,
    UiBinding,
    Other,
}

impl Context {
    /// The context of the object at a pointer.
    pub(super) fn of(kind: DefinitionKind, at: &str) -> Self {
        let tokens: Vec<_> = pointer::tokens(at).collect();
        let (last, element) = match tokens.as_slice() {
            [] => return Self::Root(kind),
            [.., list, index] if pointer::index(index).is_some() => (list.as_ref(), true),
            [.., name] => (name.as_ref(), false),
        };
        match (last, element) {
            ("steps", true) => Self::Step,
            ("next", true) => Self::Transition,
            ("handlers", true) => Self::FailureHandler,
            ("branches", true) => Self::Branch,
            ("compensationSteps", true) => Self::Compensation,
            ("cancellationTriggers", true) => Self::CancellationTrigger,
            ("uiComponents", true) => Self::UiBinding,
            ("onFailure", false) => Self::OnFailure,
            ("retryPolicy" | "defaultRetryPolicy", false) => Self::RetryPolicy,
            ("join", false) => Self::Join,
            ("eventTimeout", false) => Self::EventTimeout,
            ("onError", false) => Self::OnError,
            ("implementation", false) => Self::Implementation,
            ("executionConfig", false) => Self::ExecutionConfig,
            ("resourceRequirements", false) => Self::Resources,
            ("manual", false) => Self::Manual,
            ("timing", false) => Self::Timing,
            ("target", false) => Self::Target,
            _ => Self::Other,
        }
    }
}

impl Context {
    /// What messages call such an object.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Root(DefinitionKind::Workflow) => "a workflow",
            Self::Root(DefinitionKind::Task) => "a task definition",
            Self::Root(DefinitionKind::Event) => "an event definition",
            Self::Root(DefinitionKind::Trigger) => "a trigger",
            Self::Root(DefinitionKind::Schedule) => "a schedule",
            Self::Root(DefinitionKind::Schema) => "a schema definition",
            Self::Step => "this kind of step",
            Self::Transition => "a transition",
            Self::OnFailure => "`onFailure`",
            Self::FailureHandler => "a failure handler",
            Self::RetryPolicy => "a retry policy",
            Self::Join => "a join",
            Self::Branch => "a branch",
            Self::EventTimeout => "`eventTimeout`",
            Self::Compensation => "a compensation step",
            Self::CancellationTrigger => "a cancellation trigger",
            Self::OnError => "`onError`",
            Self::Implementation => "this kind of implementation",
            Self::ExecutionConfig => "`executionConfig`",
            Self::Resources => "`resourceRequirements`",
            Self::Manual => "`manual`",
            Self::Timing => "`timing`",
            Self::Target => "a target",
            Self::UiBinding => "an entry of `uiComponents`",
            Self::Root(_) | Self::Other => "the object here",
        }
    }
}

/// Members whose value is a duration.
pub(super) fn is_duration(member: &str) -> bool {
    matches!(
        member,
        "timeout"
            | "heartbeatTimeout"
            | "queueTimeout"
            | "totalTimeout"
            | "executionTimeout"
            | "initialInterval"
            | "maxInterval"
            | "interval"
            | "duration"
            | "retention"
            | "catchupWindow"
            | "after"
            | "since"
    )
}

/// The object at a pointer, if it is one.
pub(super) fn object_at<'v>(document: &'v Value, at: &str) -> Option<&'v Map<String, Value>> {
    pointer::resolve(document, at)?.as_object()
}

/// The `type` of a step, in any spelling, in capitals.
pub(super) fn step_type(step: &Map<String, Value>) -> String {
    let text = step.get("type").and_then(Value::as_str).unwrap_or_default();
    text.replace(['-', ' '], "_").to_ascii_uppercase()
}

//! What expressions of a running instance read.

use std::sync::Arc;

use augmented_core::expr::{Bindings, Bound, Record};
use augmented_core::runtime::{Frame, FrameId, InstanceState, StepIdx, Token, Visit};
use augmented_core::time::Timestamp;
use serde_json::Value;

use super::graph::{Body, CompiledWorkflow};

/// The roots at one control point.
pub(crate) struct Roots<'a> {
    state: &'a InstanceState,
    steps: Steps<'a>,
    workflow: Workflow<'a>,
    error: Option<&'a Value>,
    output: Option<&'a Value>,
    outcome: &'a str,
    now: Timestamp,
}

impl<'a> Roots<'a> {
    /// The roots at a control point, with the error it handles, if any.
    pub(crate) fn at(
        flow: &'a CompiledWorkflow,
        state: &'a InstanceState,
        token: &'a Token,
        error: Option<&'a Value>,
        now: Timestamp,
    ) -> Self {
        Self::in_frame(flow, state, token.frame, error, now)
    }

    /// The roots in the root scope, for what belongs to the whole workflow.
    pub(crate) fn in_frame(
        flow: &'a CompiledWorkflow,
        state: &'a InstanceState,
        frame: FrameId,
        error: Option<&'a Value>,
        now: Timestamp,
    ) -> Self {
        Self {
            state,
            steps: Steps { flow, state, frame },
            workflow: Workflow { state },
            error,
            output: None,
            outcome: "",
            now,
        }
    }

    /// Adds the raw result of the step that finishes.
    pub(crate) fn with_result(mut self, output: &'a Value, outcome: &'a str) -> Self {
        self.output = Some(output);
        self.outcome = outcome;
        self
    }

    /// The item of the innermost enclosing loop whose items carry that name.
    fn item(&self, name: &str) -> Option<Bound<'_>> {
        let mut frame = self.state.frames.get(&self.steps.frame);
        while let Some(Frame {
            parent,
            owner,
            item,
            ..
        }) = frame
        {
            if let (Some(owner), Some((_, value))) = (owner, item)
                && let Some(Body::ForEach(body)) = self
                    .steps
                    .flow
                    .steps
                    .get(usize::from(*owner))
                    .map(|step| &step.body)
                && *body.item_name == *name
            {
                return Some(Bound::Json(value));
            }
            frame = parent.and_then(|parent| self.state.frames.get(&parent));
        }
        None
    }

    fn index(&self) -> Option<Bound<'_>> {
        let (index, _) = self.state.frames.get(&self.steps.frame)?.item.as_ref()?;
        Some(Bound::Int(i64::from(*index)))
    }
}

impl Bindings for Roots<'_> {
    fn root(&self, name: &str) -> Option<Bound<'_>> {
        Some(match name {
            "input" => Bound::Json(&self.state.header.input),
            "vars" => Bound::Json(&self.state.vars),
            "steps" => Bound::Record(&self.steps),
            "output" => Bound::Json(self.output?),
            "outcome" => Bound::Str(self.outcome),
            "workflow" => Bound::Record(&self.workflow),
            "error" => self.error.map_or(Bound::Null, Bound::Json),
            "signal" => Bound::Json(self.output?),
            "now" => Bound::Timestamp(self.now),
            "index" => return self.index(),
            _ => return self.item(name),
        })
    }
}

/// The roots of `variables`, before anything else exists.
pub(crate) struct StartRoots<'a> {
    pub(crate) input: &'a Value,
    pub(crate) now: Timestamp,
}

impl Bindings for StartRoots<'_> {
    fn root(&self, name: &str) -> Option<Bound<'_>> {
        match name {
            "input" => Some(Bound::Json(self.input)),
            "now" => Some(Bound::Timestamp(self.now)),
            _ => None,
        }
    }
}

/// The root `steps`.
struct Steps<'a> {
    flow: &'a CompiledWorkflow,
    state: &'a InstanceState,
    frame: FrameId,
}

impl Steps<'_> {
    /// The latest visit of a step, seen from a frame: in the nearest frame outwards that records it.
    fn visit(&self, step: StepIdx) -> Option<&Visit> {
        let compiled = self.flow.steps.get(usize::from(step))?;
        let owner = self
            .flow
            .scopes
            .get(usize::from(compiled.scope))?
            .frame_owner;
        let mut frame = self.state.frames.get(&self.frame);
        while let Some(current) = frame {
            if current.owner == owner {
                return current.visits.get(usize::from(compiled.slot))?.as_deref();
            }
            frame = current
                .parent
                .and_then(|parent| self.state.frames.get(&parent));
        }
        None
    }
}

impl Record for Steps<'_> {
    fn member(&self, name: &str) -> Option<Bound<'_>> {
        let step = self.flow.step_index(name)?;
        Some(Bound::Record(self.visit(step)?))
    }

    fn names(&self) -> Vec<&str> {
        let visited = self
            .flow
            .sorted
            .iter()
            .filter(|step| self.visit(**step).is_some());
        visited
            .filter_map(|step| self.flow.step_id(*step))
            .map(|id| &**id)
            .collect()
    }
}

/// The root `workflow`.
struct Workflow<'a> {
    state: &'a InstanceState,
}

/// Its members, in code point order.
const WORKFLOW_MEMBERS: [&str; 12] = [
    "cancellation",
    "correlationId",
    "initiatorId",
    "instanceId",
    "parentInstanceId",
    "startedAt",
    "status",
    "tenantId",
    "triggerEventId",
    "triggerId",
    "version",
    "workflowId",
];

impl Record for Workflow<'_> {
    fn member(&self, name: &str) -> Option<Bound<'_>> {
        let header = &self.state.header;
        let text = |value: &'_ Option<Arc<str>>| {
            value.as_ref().map(|text| Value::String(text.to_string()))
        };
        let owned = |value: Option<Value>| value.map_or(Bound::Null, Bound::Owned);
        Some(match name {
            "instanceId" => Bound::Owned(Value::String(header.instance_id.to_string())),
            "workflowId" => Bound::Str(&header.definition.workflow_id),
            "version" => Bound::Str(&header.definition.version),
            "status" => Bound::Str(self.state.status.as_str()),
            "correlationId" => owned(text(&header.correlation_id)),
            "startedAt" => Bound::from(self.state.started_at),
            "triggerId" => owned(text(&header.trigger_id)),
            "triggerEventId" => owned(header.trigger_event_id.map(|id| Value::String(id.to_string()))),
            "tenantId" => Bound::Owned(Value::String(header.tenant_id.to_string())),
            "initiatorId" => owned(text(&header.initiator_id)),
            "parentInstanceId" => owned(header.parent.as_ref().map(|parent| Value::String(parent.instance_id.to_string()))),
            "cancellation" => owned(self.state.cancellation.as_ref().map(|request| {
                serde_json::json!({"reason": request.reason, "source": request.source, "requestedBy": request.requested_by})
            })),
            _ => return None,
        })
    }

    fn names(&self) -> Vec<&str> {
        WORKFLOW_MEMBERS.to_vec()
    }
}

//! Starting child instances: their version is chosen before the commit that inserts them.

use std::sync::Arc;

use augmented_core::error::{ErrorCategory, ErrorInfo};
use augmented_core::runtime::{ChildDone, ChildStatus, InstanceHeader, InstanceState, Message};
use augmented_core::store::{NewInstance, StoreError};
use augmented_core::{InstanceId, TenantId, Timestamp};
use serde_json::json;

use super::Shared;
use super::commit::{Prepared, Setting};
use super::instance::{Live, Queued};
use super::recovery::{CallDone, delay_after, leave_alone};
use super::worker::{CallHold, Worker};
use crate::EngineError;
use crate::definitions::StartPlan;
use crate::workflow::StartChild;

/// A prepared commit whose children have been looked up.
pub(crate) struct ResolvedChildren {
    prepared: Prepared,
    plans: Vec<Result<Arc<StartPlan>, EngineError>>,
    _hold: CallHold,
}

/// What is to be done for a child that is not in the store although its parent waits for it.
pub(crate) struct ChildVerdict {
    child: StartChild,
    plan: Result<Arc<StartPlan>, EngineError>,
}

impl Worker {
    /// Chooses the versions of the children, then goes on with the commit.
    pub(super) fn resolve_children(&mut self, prepared: Prepared) {
        let shared = Arc::clone(&self.shared);
        self.calls.push(Box::pin(async move {
            let hold = shared.time().hold();
            let mut plans = Vec::with_capacity(prepared.children.len());
            for child in &prepared.children {
                plans.push(plan_of(&shared, prepared.commit.tenant, child).await);
            }
            CallDone::Children(Box::new(ResolvedChildren {
                prepared,
                plans,
                _hold: hold,
            }))
        }));
    }

    pub(super) fn handle_children(&mut self, resolved: ResolvedChildren) {
        let ResolvedChildren {
            mut prepared,
            plans,
            ..
        } = resolved;
        if prepared.receipt.epoch != self.epoch {
            return;
        }
        let (instance, now) = (prepared.receipt.instance, self.now);
        let setting = Setting {
            limits: &self.shared.limits,
            config: &self.shared.config,
            node: self.node,
            now,
            draining: self.draining,
        };
        let Some(live) = self.live.get_mut(&instance) else {
            return;
        };
        for (child, plan) in std::mem::take(&mut prepared.children)
            .into_iter()
            .zip(plans)
        {
            match new_child(&live.state, &child, plan, now) {
                Ok(new) => prepared.commit.children.push(new),
                Err(error) => live.queue.push_back(child_refused(&child, error)),
            }
        }
        live.settle(&mut prepared, setting);
        self.push(prepared);
    }

    /// After a crash: a child that could not be started left nothing, so it is tried again.
    pub(super) fn check_child(&mut self, instance: InstanceId, live: &Live, child: StartChild) {
        let (shared, tenant) = (Arc::clone(&self.shared), live.tenant);
        self.calls.push(Box::pin(async move {
            let hold = shared.time().hold();
            let wanted = child.instance_id;
            let verdict = match is_missing(&shared, tenant, child.instance_id).await {
                true => {
                    let plan = plan_of(&shared, tenant, &child).await;
                    Some(Box::new(ChildVerdict { child, plan }))
                }
                false => None,
            };
            CallDone::ChildChecked {
                instance,
                child: wanted,
                verdict,
                _hold: hold,
            }
        }));
    }

    pub(super) fn handle_child_checked(
        &mut self,
        instance: InstanceId,
        child: InstanceId,
        verdict: Option<Box<ChildVerdict>>,
    ) {
        let now = self.now;
        // A copy that was read again has asked again.
        let Some(live) = self.live.get_mut(&instance) else {
            return;
        };
        let Some(at) = live.checking.iter().position(|wanted| *wanted == child) else {
            return;
        };
        live.checking.swap_remove(at);
        if let Some(verdict) = verdict {
            let ChildVerdict { child, plan } = *verdict;
            match new_child(&live.state, &child, plan, now) {
                Ok(new) => live.missing_children.push(new),
                Err(error) => live.queue.push_back(child_refused(&child, error)),
            }
        }
        self.list(instance);
    }
}

/// The version of a child to start. A store that cannot be reached says nothing about the child, so it is asked again.
async fn plan_of(
    shared: &Shared,
    tenant: TenantId,
    child: &StartChild,
) -> Result<Arc<StartPlan>, EngineError> {
    for troubles in 0.. {
        match shared
            .definitions
            .start_plan(tenant, &child.workflow_id, child.requirement.as_deref())
            .await
        {
            Err(EngineError::Unavailable { .. }) => leave_alone(delay_after(troubles)).await,
            answer => return answer,
        }
    }
    Err(EngineError::internal("a child could not be looked up"))
}

/// Whether a child that its parent waits for is not in the store.
async fn is_missing(shared: &Shared, tenant: TenantId, child: InstanceId) -> bool {
    for troubles in 0.. {
        match shared.store.load(tenant, &[child]).await {
            Ok(found) => return found.iter().all(Option::is_none),
            Err(StoreError::Unavailable { .. }) => leave_alone(delay_after(troubles)).await,
            // What cannot be read is there.
            Err(_) => return false,
        }
    }
    false
}

/// The row of a child, or why it cannot be started.
fn new_child(
    parent: &InstanceState,
    child: &StartChild,
    plan: Result<Arc<StartPlan>, EngineError>,
    now: Timestamp,
) -> Result<NewInstance, ErrorInfo> {
    let plan = plan.map_err(|error| {
        ErrorInfo::new(
            error.reason().unwrap_or(error.code()),
            ErrorCategory::Permanent,
            error.to_string(),
        )
    })?;
    let findings = plan.plan.flow.check_input(&child.input);
    if let Some(first) = findings.first() {
        let message = format!(
            "the input does not fit the input schema of workflow `{}`: {first}",
            child.workflow_id
        );
        return Err(
            ErrorInfo::new("INPUT_INVALID", ErrorCategory::Validation, message)
                .with_details(json!({ "findings": findings })),
        );
    }
    let from = &parent.header;
    let header = InstanceHeader {
        tenant_id: from.tenant_id,
        instance_id: child.instance_id,
        definition: plan.pin.clone(),
        input: Arc::clone(&child.input),
        correlation_id: child.correlation_id.clone(),
        idempotency_key: None,
        initiator_id: from.initiator_id.clone(),
        trigger_id: None,
        trigger_event_id: None,
        parent: Some(child.parent.clone()),
        root_instance_id: from.root_instance_id,
        depth: from.depth.saturating_add(1),
        priority: from.priority,
        trace_parent: from.trace_parent.clone(),
        metadata: None,
        created_at: now,
        expires_at: plan.execution_micros.map(|length| now.plus_micros(length)),
    };
    Ok(NewInstance::new(Arc::new(header), None))
}

/// The end of a child that was never started.
fn child_refused(child: &StartChild, error: ErrorInfo) -> Queued {
    Queued::derived(Message::ChildDone(Box::new(ChildDone {
        activation: child.activation,
        instance_id: child.instance_id,
        status: ChildStatus::Failed,
        output: None,
        outcome: None,
        error: Some(error),
    })))
}

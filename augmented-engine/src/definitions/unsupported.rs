//! What a definition asks for and this engine does not run: found at publish, so that nothing stands still later.

use augmented_core::json::pointer;
use augmented_core::model::{
    Definition, DeliveryMode, ImplementationKind, OnExhausted, Step, TaskDefinition,
    WorkflowDefinition,
};
use augmented_core::validate::Finding;

use crate::task::TaskRegistry;

/// The code of every such finding.
const CODE: &str = "EXECUTOR_NOT_REGISTERED";

/// Everything in a definition that this engine cannot run.
pub(crate) fn unsupported(definition: &Definition, registry: &TaskRegistry) -> Vec<Finding> {
    unsupported_findings(definition, |task| registry.has_mock(task))
}

/// What [`Engine::publish`](crate::Engine::publish) refuses in a definition because this engine has no service for it;
/// `is_mocked` tells which tasks are replaced by canned results.
///
/// Pointers lead into the document of the definition.
#[must_use]
pub fn unsupported_findings(
    definition: &Definition,
    is_mocked: impl Fn(&str) -> bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    match definition {
        Definition::Workflow(workflow) => in_workflow(workflow, &mut findings),
        Definition::Task(task) if is_mocked(&task.task_id) => {}
        Definition::Task(task) => in_task(task, &mut findings),
        Definition::Trigger(_) => findings.push(missing("", "a trigger", "the event service")),
        Definition::Schedule(_) => findings.push(missing("", "a schedule", "the scheduler")),
        Definition::Event(_) | Definition::Schema(_) => {}
        // Kinds that are yet to come have no service here.
        _ => findings.push(missing("", "a definition of this kind", "its service")),
    }
    findings
}

fn missing(at: impl Into<String>, what: &str, service: &str) -> Finding {
    Finding::error(
        CODE,
        at,
        format!("{what} needs {service}, which this engine does not run"),
    )
}

fn in_workflow(workflow: &WorkflowDefinition, findings: &mut Vec<Finding>) {
    in_steps(&workflow.steps, "/steps", findings);
    if workflow
        .compensation_steps
        .as_ref()
        .is_some_and(|steps| !steps.is_empty())
    {
        findings.push(missing(
            "/compensationSteps",
            "a compensation",
            "the compensation service",
        ));
    }
    if workflow
        .cancellation_triggers
        .as_ref()
        .is_some_and(|triggers| !triggers.is_empty())
    {
        findings.push(missing(
            "/cancellationTriggers",
            "a cancellation by events",
            "the event service",
        ));
    }
    if workflow.concurrency.is_some() {
        findings.push(missing(
            "/concurrency",
            "a limit of live instances",
            "the admission service",
        ));
    }
}

fn in_steps(steps: &[Step], base: &str, findings: &mut Vec<Finding>) {
    for (index, step) in steps.iter().enumerate() {
        let at = pointer::join_index(base, index);
        let name = |what: &str| format!("the step `{}` is {what} and", step.step_id());
        match step {
            Step::HumanTask(_) => findings.push(missing(at, &name("a HUMAN_TASK"), "the inbox")),
            Step::EventWait(wait) if wait.signal_type.is_none() => {
                findings.push(
                    missing(at, &name("an EVENT_WAIT for events"), "the event service")
                        .with_hint("a wait for a signal (`signalType`) needs none"),
                );
            }
            Step::Task(task) if task.integration_instance_id.is_some() => {
                findings.push(missing(
                    format!("{at}/integrationInstanceId"),
                    &name("a TASK with an integration instance"),
                    "the integration service",
                ));
            }
            Step::Parallel(parallel) => {
                for (branch, within) in parallel.branches.iter().enumerate() {
                    in_steps(
                        &within.steps,
                        &format!("{at}/branches/{branch}/steps"),
                        findings,
                    );
                }
            }
            Step::ForEach(each) => in_steps(&each.steps, &format!("{at}/steps"), findings),
            _ => {}
        }
    }
}

fn in_task(task: &TaskDefinition, findings: &mut Vec<Finding>) {
    let kind = task.implementation.kind();
    // The other kinds are asked of the host's registries.
    if matches!(kind, ImplementationKind::Worker | ImplementationKind::Human) {
        findings.push(missing(
            "/implementation/kind",
            &format!("a task of kind {}", kind.as_str()),
            "an executor",
        ));
    }
    if task.on_exhausted() == OnExhausted::RaiseException {
        findings.push(missing("/onExhausted", "an exception task", "the inbox"));
    }
    let Some(config) = &task.execution_config else {
        return;
    };
    if config.delivery_mode == Some(DeliveryMode::AtMostOnce) {
        findings.push(missing(
            "/executionConfig/deliveryMode",
            "AT_MOST_ONCE",
            "the task queue",
        ));
    }
    if config.executor.is_some() {
        findings.push(missing(
            "/executionConfig/executor",
            "an executor pool",
            "the task queue",
        ));
    }
    if config.concurrency.is_some() {
        findings.push(missing(
            "/executionConfig/concurrency",
            "a limit of concurrent tasks",
            "the task queue",
        ));
    }
}

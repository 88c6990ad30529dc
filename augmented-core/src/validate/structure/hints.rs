//! Examples for members that are missing.

use serde_json::Value;

use super::super::Finding;
use super::context::{Context, object_at, step_type};
use super::values::likely_type;
use crate::json::pointer;
use crate::model::DefinitionKind;

/// Shows how the missing member could look.
pub(super) fn required(kind: DefinitionKind, document: &Value, finding: &mut Finding) {
    let Some((parent, name)) = pointer::split_last(&finding.pointer) else {
        return;
    };
    let context = Context::of(kind, parent);
    let example = match (context, name.as_ref()) {
        (Context::Step, "type") => match likely_type(document, parent) {
            Some(likely) => {
                finding.hint = Some(format!(
                    "add `\"type\": \"{likely}\"`, which the other members suggest"
                ));
                return;
            }
            None => "\"TASK\"".to_owned(),
        },
        (Context::Step, "stepId") => {
            let kind = object_at(document, parent)
                .map(step_type)
                .unwrap_or_default()
                .to_ascii_lowercase();
            let number = parent
                .rsplit('/')
                .next()
                .and_then(|i| i.parse::<usize>().ok())
                .map_or(1, |i| i + 1);
            format!(
                "\"{}-{number}\"",
                if kind.is_empty() { "step" } else { &kind }.replace('_', "-")
            )
        }
        (_, "version") if parent.is_empty() => "\"1.0.0\"".into(),
        (_, "name") => "\"Order processing\"".into(),
        (_, "steps") => {
            "[{\"stepId\": \"work\", \"type\": \"TASK\", \"taskId\": \"std.echo\"}]".into()
        }
        (_, "taskId") => "\"std.echo\"".into(),
        (_, "nextStepId" | "handlerStepId") => "\"approve\"".into(),
        (_, "inputSchema" | "outputSchema" | "payloadSchema" | "schema") => {
            "{\"type\": \"object\"}".into()
        }
        (_, "branches") => "[{\"branchId\": \"a\", \"steps\": […]}]".into(),
        (_, "items") => "\"input.orderItems\"".into(),
        (_, "until") => "\"output.status == \\\"done\\\"\"".into(),
        (_, "interval") => "\"PT30S\"".into(),
        (_, "next") => "[{\"nextStepId\": \"approve\"}]".into(),
        (_, "implementation") => "{\"kind\": \"NATIVE\", \"endpoint\": \"my-handler\"}".into(),
        (_, "endpoint") => "\"my-handler\"".into(),
        (_, "manual") => "{}".into(),
        (_, "eventPattern" | "pattern") => "\"order.placed\"".into(),
        (_, "timing") => "{\"cronExpression\": \"0 2 * * *\"}".into(),
        (_, "target") => "{\"type\": \"WORKFLOW\", \"id\": \"order-processing\"}".into(),
        (_, "triggerType") => "\"START\"".into(),
        (_, "reason") => "\"the customer cancelled the order\"".into(),
        (_, "shouldCompensate") => "true".into(),
        (_, "max") => "1".into(),
        (Context::Root(_), id) if Some(id) == kind.id_member() => "\"order-processing\"".into(),
        (Context::Root(DefinitionKind::Task), "type") => "\"AUTOMATED\"".into(),
        (Context::Root(DefinitionKind::Schedule), "type") => "\"RECURRING\"".into(),
        _ => {
            finding.hint.get_or_insert_with(|| format!("add `{name}`"));
            return;
        }
    };
    finding.hint = Some(format!("add `\"{name}\": {example}`"));
}

//! Definitions made for measuring: deterministic, of any size, and valid.

use serde_json::{Value, json};

/// The workflow of the contests: `steps` tasks one after the other, each adding one to `n`.
pub fn sequence(steps: u64) -> Value {
    let step = |number: u64| {
        let before = match number {
            1 => "${input.n}".to_owned(),
            _ => format!("${{steps.add_{}.output.n}}", number - 1),
        };
        let mut step = json!({
            "stepId": format!("add_{number}"),
            "type": "TASK",
            "taskId": ADD_ONE,
            "input": {"n": before},
        });
        if number < steps {
            step["next"] = json!([{"nextStepId": format!("add_{}", number + 1)}]);
        }
        step
    };
    json!({
        "kind": "workflow",
        "workflowId": format!("sequence-{steps}"),
        "version": "1.0.0",
        "name": format!("{steps} steps, one after the other"),
        "steps": (1..=steps).map(step).collect::<Vec<_>>(),
    })
}

/// Business id of the task that [`sequence`] runs.
pub const ADD_ONE: &str = "add-one";

/// A workflow that waits for a signal, with the little data a waiting process carries.
pub fn waiting() -> Value {
    json!({
        "kind": "workflow",
        "workflowId": WAITING,
        "version": "1.0.0",
        "name": "Waits for a signal",
        "steps": [{"stepId": "wait", "type": "EVENT_WAIT", "signalType": "go-on"}],
    })
}

/// Business id of [`waiting`].
pub const WAITING: &str = "waiting";

/// An order process of `steps` steps in a row, as people write them: every step maps its input, shapes its output,
/// assigns a variable and chooses where to go by a condition.
pub fn order_process(steps: usize) -> Value {
    let last = steps.saturating_sub(1);
    let mut all: Vec<Value> = (0..last).map(|index| order_step(index, last)).collect();
    all.push(json!({
        "stepId": step_id(last),
        "type": "END",
        "output": {"total": "${vars.total}", "customer": "${input.customer.name}", "notes": "${size(vars.notes)} notes"},
    }));
    json!({
        "kind": "workflow",
        "workflowId": "order-process",
        "version": "1.0.0",
        "name": "Order process",
        "description": "Checks, charges and ships an order.",
        "inputSchema": {
            "type": "object",
            "required": ["orderId", "amount", "region", "customer", "items"],
            "properties": {
                "orderId": {"type": "string", "minLength": 1},
                "amount": {"type": "number"},
                "region": {"type": "string", "enum": ["EU", "US", "APAC"]},
                "customer": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"type": "string"}, "email": {"type": "string", "format": "email"}},
                },
                "items": {"type": "array", "items": {
                    "type": "object",
                    "required": ["sku", "price", "qty"],
                    "properties": {"sku": {"type": "string"}, "price": {"type": "number"}, "qty": {"type": "integer"}},
                }},
            },
        },
        "variables": {"total": "${input.amount}", "notes": [], "reviewed": false},
        "steps": all,
    })
}

/// An input that [`order_process`] accepts, and the input of the expression benchmarks.
pub fn order() -> Value {
    json!({
        "orderId": "o-1001",
        "amount": 1200,
        "region": "EU",
        "customer": {"name": "Ada Lovelace", "email": "ada@example.org"},
        "items": [{"sku": "s-1", "price": 7, "qty": 2}, {"sku": "s-2", "price": 10.5, "qty": 1}, {"sku": "s-3", "price": 99, "qty": 12}],
    })
}

fn step_id(index: usize) -> String {
    format!("step_{index}")
}

fn order_step(index: usize, last: usize) -> Value {
    let input = match index {
        0 => json!({
            "orderId": "${input.orderId}",
            "total": "${sum(input.items.map(i, i.price * i.qty))}",
            "note": "Order ${input.orderId} of ${input.customer.name}",
        }),
        _ => {
            let before = step_id(index - 1);
            json!({
                "orderId": "${input.orderId}",
                "amount": format!("${{vars.total + {index}}}"),
                "approved": format!("${{steps.{before}.output.approved}}"),
                "note": format!("Step {index} of ${{input.orderId}} for ${{input.customer.name}}"),
                "skus": "${input.items.map(i, i.sku)}",
            })
        }
    };
    let follower = step_id(index + 1);
    let next = match index + 2 <= last {
        true => json!([
            {"nextStepId": follower, "condition": format!("output.approved && vars.total > {}", 100 + index)},
            {"nextStepId": follower},
        ]),
        false => json!([{"nextStepId": follower}]),
    };
    json!({
        "stepId": step_id(index),
        "type": "TASK",
        "name": format!("Step {index}"),
        "taskId": "check-order",
        "input": input,
        "outputMapping": {"approved": "${output.status == 'approved'}", "by": "${output.by}"},
        "assign": {"total": format!("${{vars.total + {index}}}")},
        "retryPolicy": {"maxAttempts": 5, "initialInterval": "PT2S"},
        "timeout": "PT30S",
        "next": next,
    })
}

#[cfg(test)]
mod tests {
    use augmented_core::expr::CelEngine;
    use augmented_core::model::WorkflowDefinition;
    use augmented_engine::workflow::CompiledWorkflow;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_documents_compile() {
        for document in [sequence(1), sequence(3), sequence(300), order_process(50)] {
            let definition: WorkflowDefinition = serde_json::from_value(document).unwrap();
            let compiled = CompiledWorkflow::compile(&definition, Uuid::nil(), CelEngine::shared());
            assert_eq!(compiled.map(|flow| flow.task_refs().len()).unwrap(), 1);
        }
    }
}

//! Random workflows that publish without a finding.

use serde_json::{Map, Value, json};

use super::Dice;

/// How a workload is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Whatever happens in between, each instance ends in one and the same way: no races, no limits of time, no signals.
    Confluent,
    /// Anything goes.
    Wild,
}

/// The signal types that workflows wait for.
pub const SIGNALS: [&str; 2] = ["approved", "paid"];

/// The workflows that are started from outside.
pub const ROOTS: [&str; 2] = ["main-1", "main-2"];

/// Makes the workflows of a plan.
pub fn workflows(dice: &mut Dice, style: Style) -> Vec<Value> {
    let mut all: Vec<Value> = ROOTS
        .iter()
        .map(|id| workflow(dice, style, id, 2))
        .collect();
    all.push(workflow(dice, style, "child", 0));
    all
}

fn workflow(dice: &mut Dice, style: Style, id: &str, depth: usize) -> Value {
    let mut maker = Maker {
        dice,
        style,
        steps: 0,
        may_have_children: id != "child",
    };
    let steps = maker.scope(depth);
    let mut document = json!({
        "kind": "workflow", "workflowId": id, "version": "1.0.0", "name": format!("Simulated {id}"),
        "variables": { "count": 0 },
        "steps": steps,
    });
    if style == Style::Wild && maker.dice.chance(150) {
        document["executionTimeout"] = json!(format!("PT{}S", maker.dice.between(5, 300)));
    }
    document
}

struct Maker<'a> {
    dice: &'a mut Dice,
    style: Style,
    steps: usize,
    may_have_children: bool,
}

impl Maker<'_> {
    fn new_id(&mut self) -> String {
        self.steps += 1;
        format!("s{}", self.steps)
    }

    /// A chain of steps, some of which repeat.
    fn scope(&mut self, depth: usize) -> Vec<Value> {
        let ids: Vec<String> = (0..self.dice.between(1, 3))
            .map(|_| self.new_id())
            .collect();
        let mut steps = Vec::new();
        for (place, id) in ids.iter().enumerate() {
            let mut step = self.step(id, depth);
            let mut next = Vec::new();
            // A loop must wait or work somewhere.
            if step["type"] != "PASS"
                && step["branches"].is_null()
                && step["steps"].is_null()
                && self.dice.chance(150)
            {
                let back = &ids[self.dice.below(place + 1)];
                next.push(json!({ "nextStepId": back, "condition": format!("steps.{id}.visit < {}", self.dice.between(2, 3)) }));
            }
            if let Some(following) = ids.get(place + 1) {
                next.push(json!({ "nextStepId": following }));
            } else if !next.is_empty() {
                // A loop needs a way out.
                let out = self.new_id();
                next.push(json!({ "nextStepId": out }));
                steps.push(json!({ "stepId": out, "type": "PASS" }));
            }
            if !next.is_empty() {
                step["next"] = Value::Array(next);
            }
            if self.dice.chance(200) {
                step["assign"] = json!({ "count": "${vars.count + 1}" });
            }
            steps.push(step);
        }
        // Steps that only loops lead to were put before them; the first of a scope is where it begins.
        steps.sort_by_key(|step| {
            ids.iter()
                .position(|id| step["stepId"] == **id)
                .unwrap_or(usize::MAX)
        });
        steps
    }

    fn step(&mut self, id: &str, depth: usize) -> Value {
        let wild = self.style == Style::Wild;
        match self.dice.below(if depth == 0 { 9 } else { 13 }) {
            0..=2 => self.task(id),
            3 => json!({ "stepId": id, "type": "PASS" }),
            4 => {
                json!({ "stepId": id, "type": "DELAY", "duration": format!("PT{}S", self.dice.between(0, 40)) })
            }
            5 => self.poll(id),
            6 | 7 if wild => self.signal_wait(id),
            8 if self.may_have_children => self.sub_workflow(id),
            9 | 10 => self.parallel(id, depth),
            11 | 12 => self.for_each(id, depth),
            _ => self.task(id),
        }
    }

    fn task(&mut self, id: &str) -> Value {
        // An attempt that is interrupted may count, so confluent tasks have attempts to spare.
        let attempts = if self.style == Style::Confluent {
            30
        } else {
            self.dice.between(1, 4)
        };
        let mut input = json!({
            "fail": if self.dice.chance(300) { self.dice.between(1, 2) } else { 0 },
            "sleep": if self.dice.chance(400) { self.dice.between(1, 30_000) } else { 0 },
            "value": self.dice.below(1000),
        });
        if self.dice.chance(120) {
            input["refuse"] = json!(true);
        }
        let mut step = json!({
            "stepId": id, "type": "TASK", "taskId": "work", "input": input,
            "retryPolicy": { "maxAttempts": attempts, "initialInterval": format!("PT{}S", self.dice.between(1, 20)), "backoffMultiplier": 1.5 },
        });
        if self.style == Style::Wild && self.dice.chance(200) {
            step["timeout"] = json!(format!("PT{}S", self.dice.between(1, 20)));
        }
        if self.dice.chance(600) {
            step["onFailure"] = json!({ "action": "CONTINUE" });
        }
        step
    }

    fn poll(&mut self, id: &str) -> Value {
        let mut step = json!({
            "stepId": id, "type": "POLL", "taskId": "look", "input": { "ready": self.dice.between(1, 4) },
            "until": "output.ready == true", "interval": format!("PT{}S", self.dice.between(1, 15)), "maxAttempts": 10,
            "onFailure": { "action": "CONTINUE" },
        });
        if self.style == Style::Wild && self.dice.chance(300) {
            step["timeout"] = json!(format!("PT{}S", self.dice.between(1, 30)));
        }
        step
    }

    fn signal_wait(&mut self, id: &str) -> Value {
        let mut step = json!({ "stepId": id, "type": "EVENT_WAIT", "signalType": SIGNALS[self.dice.below(SIGNALS.len())] });
        if self.dice.chance(500) {
            step["eventTimeout"] =
                json!({ "duration": format!("PT{}S", self.dice.between(1, 60)) });
            step["onFailure"] = json!({ "action": "CONTINUE" });
        }
        step
    }

    fn sub_workflow(&mut self, id: &str) -> Value {
        let mut step = json!({ "stepId": id, "type": "SUB_WORKFLOW", "workflowId": "child", "input": { "list": [1, 2] } });
        if self.style == Style::Wild {
            step["waitForCompletion"] = json!(self.dice.chance(800));
            if self.dice.chance(300) {
                step["timeout"] = json!(format!("PT{}S", self.dice.between(1, 60)));
            }
            if self.dice.chance(300) {
                step["retryPolicy"] =
                    json!({ "maxAttempts": 2, "retryableErrors": ["CHILD_FAILED"] });
            }
        }
        if self.dice.chance(700) {
            step["onFailure"] = json!({ "action": "CONTINUE" });
        }
        step
    }

    fn parallel(&mut self, id: &str, depth: usize) -> Value {
        let count = self.dice.between(2, 3);
        let wild = self.style == Style::Wild;
        let branches: Vec<Value> = (0..count)
            .map(|number| {
                let steps = self.scope(depth - 1);
                let mut branch =
                    json!({ "branchId": format!("b{number}"), "name": "Branch", "steps": steps });
                // Branches that nobody waits for are in a race with those that count.
                branch["required"] = json!(!wild || self.dice.chance(700));
                if wild && self.dice.chance(150) {
                    branch["timeout"] = json!(format!("PT{}S", self.dice.between(1, 60)));
                }
                branch
            })
            .collect();
        let join = match self.dice.below(if wild { 3 } else { 1 }) {
            0 => json!({ "type": "ALL" }),
            1 => json!({ "type": "FIRST" }),
            _ => json!({ "type": "N_OF_M", "count": self.dice.between(1, count) }),
        };
        let mut step =
            json!({ "stepId": id, "type": "PARALLEL", "branches": branches, "join": join });
        step["onBranchFailure"] = json!(if wild && self.dice.chance(500) {
            "FAIL_FAST"
        } else {
            "WAIT_ALL"
        });
        step["cancelRemaining"] = json!(!wild || self.dice.chance(700));
        if self.dice.chance(600) {
            step["onFailure"] = json!({ "action": "CONTINUE" });
        }
        step
    }

    fn for_each(&mut self, id: &str, depth: usize) -> Value {
        let wild = self.style == Style::Wild;
        let mut step: Map<String, Value> = Map::new();
        step.insert("stepId".to_owned(), json!(id));
        step.insert("type".to_owned(), json!("FOR_EACH"));
        step.insert("items".to_owned(), json!("input.list"));
        step.insert("itemName".to_owned(), json!(format!("item{id}")));
        step.insert("maxConcurrency".to_owned(), json!(self.dice.between(1, 3)));
        step.insert(
            "onItemFailure".to_owned(),
            json!(if wild && self.dice.chance(500) {
                "FAIL_FAST"
            } else {
                "COLLECT"
            }),
        );
        step.insert("steps".to_owned(), Value::Array(self.scope(depth - 1)));
        if self.dice.chance(600) {
            step.insert("onFailure".to_owned(), json!({ "action": "CONTINUE" }));
        }
        Value::Object(step)
    }
}

//! Older spellings inside task definitions, and of retry policies.

use serde_json::{Value, json};

use super::Conversion::{Millis, PlusOne, Same, Unclear};
use super::Meaning::{self, Member, Repair, Words};
use super::{Found, duration_value, unit_hint};
use crate::json::pointer;
use crate::validate::PatchOp;

impl Found<'_> {
    pub(super) fn task(&self, name: &str) -> Option<Meaning> {
        Some(match name {
            "maxretries" | "retries" | "retrycount" => return self.retries("retryPolicy"),
            "retry" | "retryconfig" => Member("retryPolicy", Same),
            "input" | "inputs" | "parameters" if self.value.is_object() => {
                Member("inputSchema", Same)
            }
            "output" | "outputs" if self.value.is_object() => Member("outputSchema", Same),
            "handler" | "endpoint" => {
                return self.put(
                    "write `\"implementation\": {\"kind\": \"NATIVE\", \"endpoint\": …}`",
                    &[(&["implementation", "endpoint"], self.value.clone())],
                );
            }
            "tasktype" => Member("type", Same),
            "execution" | "executionconfiguration" => Member("executionConfig", Same),
            "manualconfig" | "humantask" => Member("manual", Same),
            "resources" if self.value.is_object() => {
                return self.put(
                    "write `\"executionConfig\": {\"resourceRequirements\": …}`",
                    &[(
                        &["executionConfig", "resourceRequirements"],
                        self.value.clone(),
                    )],
                );
            }
            "assignmentrules" => {
                return self.assignment_rules(&["manual", "assignment", "candidates"]);
            }
            _ => return None,
        })
    }

    pub(super) fn assignment_rules(&self, to: &[&str]) -> Option<Meaning> {
        let rules = self.value.as_object()?;
        let (member, values) = ["role", "user", "team", "group", "department"]
            .into_iter()
            .find_map(|m| {
                let value = rules.get(m).or_else(|| rules.get(&format!("{m}s")))?;
                let list = if value.is_array() {
                    value.clone()
                } else {
                    json!([value])
                };
                Some((candidate_list(m), list))
            })?;
        let mut path = to.to_vec();
        path.push(member);
        self.put(&format!("write `\"manual\": {{\"assignment\": {{\"candidates\": {{\"{member}\": {values}}}}}}}`"), &[(&path, values)])
    }

    pub(super) fn implementation(&self, name: &str) -> Option<Meaning> {
        Some(match name {
            "type" => {
                let text = self.text()?;
                if matches!(
                    text.to_ascii_lowercase().as_str(),
                    "javascript" | "js" | "python" | "lua" | "code" | "wasm"
                ) {
                    Words("write `\"kind\": \"SCRIPT\"` with `parameters.runtime` and `parameters.code`".into())
                } else {
                    Member("kind", Same)
                }
            }
            "handler" | "handlername" | "function" | "functionname" | "url" | "uri" | "model"
            | "arn" | "script" => Member("endpoint", Same),
            "params" | "config" | "configuration" | "settings" | "options" => {
                Member("parameters", Same)
            }
            "code" => {
                return self.put(
                    "write `\"parameters\": {\"code\": …}`",
                    &[(&["parameters", "code"], self.value.clone())],
                );
            }
            "method" | "headers" | "body" => {
                let member = match name {
                    "method" => "method",
                    "headers" => "headers",
                    _ => "body",
                };
                return self.put(
                    &format!("write it inside `parameters`: `\"parameters\": {{\"{member}\": …}}`"),
                    &[(&["parameters", member], self.value.clone())],
                );
            }
            _ => return None,
        })
    }

    pub(super) fn execution_config(&self, name: &str) -> Option<Meaning> {
        match name {
            "resources" => Some(Member("resourceRequirements", Same)),
            "timeout" | "timeoutseconds" | "timeoutms" => {
                let value = match (name, self.value) {
                    ("timeoutms", Value::Number(_)) => duration_value(self.value, 1)?,
                    (_, Value::Number(_)) => duration_value(self.value, 1000)?,
                    _ => self.value.clone(),
                };
                if self.document.get("timeout").is_some() {
                    return Some(Words("write it as `timeout` of the task; there is one already, the smaller one wins".into()));
                }
                Some(Repair(
                    format!("write `\"timeout\": {value}` at the task itself"),
                    vec![
                        PatchOp::Remove { path: self.here() },
                        PatchOp::Add {
                            path: "/timeout".into(),
                            value,
                        },
                    ],
                ))
            }
            "integration" => {
                let implementation = self.document.get("implementation")?.as_object()?;
                if implementation.contains_key("integration") {
                    return None;
                }
                Some(Repair(
                    "write it as `implementation.integration`".into(),
                    vec![PatchOp::Move {
                        from: self.here(),
                        path: "/implementation/integration".into(),
                    }],
                ))
            }
            "env" | "environment" => Some(Member("environmentVariables", Same)),
            "security" => Some(Member("securityContext", Same)),
            "queue" | "pool" => Some(Member("executor", Same)),
            "delivery" => Some(Member("deliveryMode", Same)),
            _ => None,
        }
    }

    pub(super) fn resources(&self, name: &str) -> Option<Meaning> {
        match name {
            "timeoutseconds" | "timeout" | "timeoutms" => self.move_timeout(name),
            "ram" | "mem" => Some(Member("memory", Same)),
            "cpus" | "cores" => Some(Member("cpu", Same)),
            "storage" => Some(Member("disk", Same)),
            _ => None,
        }
    }

    pub(super) fn manual(&self, name: &str) -> Option<Meaning> {
        match name {
            "actions" | "allowedactions" | "decisions" => {
                let actions = self.value.as_array()?;
                let outcomes: Vec<Value> = actions
                    .iter()
                    .map(|a| {
                        if a.is_string() {
                            json!({ "id": a })
                        } else {
                            a.clone()
                        }
                    })
                    .collect();
                self.put(
                    "write `\"outcomes\": [{\"id\": …}]`",
                    &[(&["outcomes"], outcomes.into())],
                )
            }
            "assignmentrules" => self.assignment_rules(&["assignment", "candidates"]),
            "duein" | "duedate" | "deadline" if self.value.is_string() => self.put(
                "write `\"due\": {\"duration\": …}`",
                &[(&["due", "duration"], self.value.clone())],
            ),
            "candidates" => self.put(
                "write `\"assignment\": {\"candidates\": …}`",
                &[(&["assignment", "candidates"], self.value.clone())],
            ),
            "permissions" | "allowed" => Some(Member("allow", Same)),
            _ => None,
        }
    }

    pub(super) fn move_timeout(&self, name: &str) -> Option<Meaning> {
        let value = match (name, self.value) {
            ("timeout", Value::Number(_)) => {
                return Some(Words(format!(
                    "write `timeout` beside `{}`: {}",
                    self.parent.rsplit('/').next().unwrap_or_default(),
                    unit_hint(self.value)
                )));
            }
            ("timeoutseconds", Value::Number(_)) => duration_value(self.value, 1000)?,
            (_, Value::Number(_)) => duration_value(self.value, 1)?,
            _ => self.value.clone(),
        };
        let (outer, _) = pointer::split_last(self.parent)?;
        let owner = if outer.ends_with("/executionConfig") {
            pointer::parent(outer)?
        } else {
            outer
        };
        let target = pointer::join(owner, "timeout");
        let words = format!(
            "write `\"timeout\": {value}` beside `{}`",
            self.parent.rsplit('/').next().unwrap_or_default()
        );
        if pointer::resolve(self.document, &target).is_some() {
            return Some(Words(format!(
                "{words}; it has a `timeout` already, the smaller one wins"
            )));
        }
        Some(Repair(
            words,
            vec![
                PatchOp::Remove { path: self.here() },
                PatchOp::Add {
                    path: target,
                    value,
                },
            ],
        ))
    }

    pub(super) fn retry_policy(&self, name: &str) -> Option<Meaning> {
        Some(match name {
            "maxretries" | "retries" | "retrycount" | "maxretry" | "maxretrycount" => {
                Member("maxAttempts", PlusOne)
            }
            "attempts" | "max" | "limit" => Member("maxAttempts", Same),
            // The task sheet says of these two that they count milliseconds.
            "retryinterval" | "retrydelay" => Member("initialInterval", Millis),
            "maxretryinterval" => Member("maxInterval", Millis),
            "delay" | "interval" | "initialdelay" | "backoff" | "wait" | "initialbackoff" => {
                Member("initialInterval", Unclear)
            }
            "maxdelay" | "maxbackoff" | "maximuminterval" | "maxretrydelay" => {
                Member("maxInterval", Unclear)
            }
            "jitterfactor" | "randomization" => Member("jitter", Same),
            "retrybackoffmultiplier"
            | "backofffactor"
            | "multiplier"
            | "backoffrate"
            | "factor"
            | "backoffcoefficient"
            | "exponentialbase" => Member("backoffMultiplier", Same),
            "strategy" | "backoffstrategy" | "backofftype" => {
                let multiplier =
                    match self.text()?.to_ascii_lowercase().as_str() {
                        "fixed" | "constant" => 1,
                        "exponential" => 2,
                        _ => return Some(Words(
                            "write `backoffMultiplier`: 1 for equal delays, 2 for doubling ones"
                                .into(),
                        )),
                    };
                return self.put(
                    &format!("write `\"backoffMultiplier\": {multiplier}`"),
                    &[(&["backoffMultiplier"], multiplier.into())],
                );
            }
            "retryon" | "retryableerrorcodes" | "retryfor" => Member("retryableErrors", Same),
            "nonretryable" | "nonretryableerrorcodes" | "noretryon" => {
                Member("nonRetryableErrors", Same)
            }
            "timeout" | "timeoutms" | "timeoutseconds" => return self.move_timeout(name),
            _ => return None,
        })
    }
}

pub(super) fn candidate_list(word: &str) -> &'static str {
    match word {
        "user" => "users",
        "role" => "roles",
        "department" => "departments",
        _ => "teams",
    }
}

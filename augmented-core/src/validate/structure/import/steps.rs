//! Older spellings inside steps.

use serde_json::{Map, Value, json};

use super::super::context::step_type;
use super::Conversion::{Millis, Minutes, Same, Seconds, Unclear};
use super::Meaning::{self, Member, Repair, Words};
use super::{Found, category_of};
use crate::validate::PatchOp;

impl Found<'_> {
    pub(super) fn step(&self, name: &str) -> Option<Meaning> {
        let kind = step_type(self.object);
        if let Some(own) = self.step_of(&kind, name) {
            return Some(own);
        }
        Some(match name {
            "id" => Member("stepId", Same),
            "steptype" | "kind" | "nodetype" => Member("type", Same),
            "label" | "title" | "displayname" => Member("name", Same),
            "transitions" | "nextsteps" | "outgoing" => Member("next", Same),
            "nextstep" | "nextstepid" | "goto" | "then" if self.value.is_string() && !self.object.contains_key("next") => {
                let list = json!([{"nextStepId": self.value}]);
                return self.put(&format!("write `\"next\": {list}`"), &[(&["next"], list)]);
            }
            "choices" | "cases" | "default" | "otherwise" => return self.choices(),
            "retry" | "retryconfig" => Member("retryPolicy", Same),
            "maxretries" | "retries" | "retrycount" => return self.retries("retryPolicy"),
            "inputs" | "inputmapping" | "parameters" | "params" | "args" | "arguments" | "with" => Member("input", Same),
            "output" | "outputs" | "resultmapping" | "outputpath" => Member("outputMapping", Same),
            "set" | "setvariables" | "variables" | "assignments" => Member("assign", Same),
            "onerror" | "catch" | "errorhandler" | "failurehandler" => match self.value {
                Value::Object(_) => Member("onFailure", Same),
                Value::String(_) => {
                    let handlers = json!([{"nextStepId": self.value}]);
                    return self.put("write `\"onFailure\": {\"handlers\": [{\"nextStepId\": …}]}`", &[(&["onFailure", "handlers"], handlers)]);
                }
                _ => return None,
            },
            "maxiterations" | "maxloops" | "maxvisit" => Member("maxVisits", Same),
            "heartbeat" => Member("heartbeatTimeout", Same),
            "condition" | "when" | "if" => {
                Words("a step has no condition of its own: put it on the transition that leads here, `\"next\": [{\"condition\": …, \"nextStepId\": …}]`".into())
            }
            "dependson" | "after" | "previous" => Words("order is drawn forwards: name this step in the `next` of the step before it".into()),
            _ => return None,
        })
    }

    pub(super) fn step_of(&self, kind: &str, name: &str) -> Option<Meaning> {
        match kind {
            "TASK" | "POLL" => match name {
                "task" | "taskdefinitionid" | "taskdefinition" | "taskname" | "action"
                | "activity" | "handler" => Some(Member("taskId", Same)),
                "version" | "taskdefinitionversion" => Some(Member("taskVersion", Same)),
                "pollinterval" | "every" if kind == "POLL" => Some(Member(
                    "interval",
                    if self.value.is_number() {
                        Unclear
                    } else {
                        Same
                    },
                )),
                "maxpolls" | "maxrounds" if kind == "POLL" => Some(Member("maxAttempts", Same)),
                "condition" | "successcondition" | "pollcondition" if kind == "POLL" => {
                    Some(Member("until", Same))
                }
                _ => None,
            },
            "HUMAN_TASK" => self.human(name),
            "EVENT_WAIT" => self.wait_step(name),
            "DELAY" => match name {
                "delay" | "wait" | "time" | "waittime" => Some(Member(
                    "duration",
                    if self.value.is_number() {
                        Unclear
                    } else {
                        Same
                    },
                )),
                "seconds" => Some(Member("duration", Seconds)),
                "minutes" => Some(Member("duration", Minutes)),
                "milliseconds" | "ms" => Some(Member("duration", Millis)),
                "tz" => Some(Member("timezone", Same)),
                _ => None,
            },
            "FOR_EACH" => match name {
                "collection" | "list" | "itemsexpression" | "over" | "in" => {
                    Some(Member("items", Same))
                }
                "itemvariable" | "itemvar" | "as" | "iterator" | "variable" => {
                    Some(Member("itemName", Same))
                }
                "concurrency" | "parallelism" | "maxparallel" | "maxparallelism" => {
                    Some(Member("maxConcurrency", Same))
                }
                "body" | "do" | "tasks" => Some(Member("steps", Same)),
                "continueonerror" => Some(Words("write `\"onItemFailure\": \"COLLECT\"`".into())),
                _ => None,
            },
            "PARALLEL" => match name {
                "jointype" | "waitfor" => self.put(
                    "write `\"join\": {\"type\": …}`",
                    &[(&["join", "type"], self.value.clone())],
                ),
                "parallelbranches" | "paths" => Some(Member("branches", Same)),
                _ => None,
            },
            "SUB_WORKFLOW" => match name {
                "workflow"
                | "subworkflowid"
                | "childworkflowid"
                | "subworkflow"
                | "workflowdefinitionid" => Some(Member("workflowId", Same)),
                "version" => Some(Member("workflowVersion", Same)),
                "wait" | "waitforresult" | "sync" => Some(Member("waitForCompletion", Same)),
                _ => None,
            },
            "END" => match name {
                "status" => Some(Member("result", Same)),
                "outputmapping" => Some(Member("output", Same)),
                "error" | "code" => Some(Member("errorCode", Same)),
                "message" | "reason" => Some(Member("errorMessage", Same)),
                _ => None,
            },
            "DECISION" => match name {
                "conditions" | "rules" | "branches" => Some(Member("next", Same)),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn choices(&self) -> Option<Meaning> {
        if self.object.contains_key("next") {
            return Some(Words("move the entries into `next`; the default is the last entry, with `nextStepId` only".into()));
        }
        let choices = ["choices", "cases"]
            .into_iter()
            .find_map(|m| Some((m, self.object.get(m)?.as_array()?)));
        let default = ["default", "otherwise"]
            .into_iter()
            .find_map(|m| Some((m, self.object.get(m)?.as_str()?)));
        let mut next = Vec::new();
        let mut ops = Vec::new();
        if let Some((member, choices)) = choices {
            for choice in choices {
                next.push(transition_of(choice)?);
            }
            ops.push(PatchOp::Remove {
                path: self.beside(member),
            });
        }
        if let Some((member, target)) = default {
            next.push(json!({"nextStepId": target}));
            ops.push(PatchOp::Remove {
                path: self.beside(member),
            });
        }
        if next.is_empty() {
            return None;
        }
        let next = Value::Array(next);
        ops.push(PatchOp::Add {
            path: self.beside("next"),
            value: next.clone(),
        });
        Some(Repair(format!("write `\"next\": {next}`"), ops))
    }

    pub(super) fn human(&self, name: &str) -> Option<Meaning> {
        match name {
            "task" | "taskdefinitionid" | "taskname" => Some(Member("taskId", Same)),
            "assignment" => self.old_assignment(),
            "assignee" | "assignees" | "user" | "users" => self.candidates("users"),
            "role" | "roles" | "candidateroles" => self.candidates("roles"),
            "group" | "groups" | "team" | "teams" | "candidategroups" => self.candidates("teams"),
            "allowedactions" | "outcomes" | "actions" => {
                let actions = self.value.as_array()?;
                let outcomes: Vec<Value> = actions.iter().map(|a| if a.is_string() { json!({ "id": a }) } else { a.clone() }).collect();
                self.put("write `\"manual\": {\"outcomes\": [{\"id\": …}]}`", &[(&["manual", "outcomes"], outcomes.into())])
            }
            "duein" | "due" | "duedate" | "deadline" if self.value.is_string() => {
                self.put("write `\"manual\": {\"due\": {\"duration\": …}}`", &[(&["manual", "due", "duration"], self.value.clone())])
            }
            "allowdelegation" => self.put("write `\"manual\": {\"allow\": {\"delegate\": …}}`", &[(&["manual", "allow", "delegate"], self.value.clone())]),
            "allowreassignment" => self.put("write `\"manual\": {\"allow\": {\"reassign\": …}}`", &[(&["manual", "allow", "reassign"], self.value.clone())]),
            "onoverdue" => Some(Words("write `manual.escalation`, for example `{\"levels\": [{\"atFraction\": 1.0, \"action\": \"NOTIFY\"}]}`, or `timeout` for a hard limit".into())),
            "title" => self.put("write `\"manual\": {\"title\": …}`", &[(&["manual", "title"], self.value.clone())]),
            "form" | "formid" | "uicomponent" | "component" if self.value.is_string() => Some(Member("uiComponentId", Same)),
            "instruction" => Some(Member("instructions", Same)),
            _ => None,
        }
    }

    pub(super) fn candidates(&self, list: &str) -> Option<Meaning> {
        let values = match self.value {
            Value::String(_) => json!([self.value]),
            Value::Array(_) => self.value.clone(),
            _ => return None,
        };
        let words = format!(
            "write `\"manual\": {{\"assignment\": {{\"candidates\": {{\"{list}\": {values}}}}}}}`"
        );
        self.put(
            &words,
            &[(&["manual", "assignment", "candidates", list], values)],
        )
    }

    pub(super) fn old_assignment(&self) -> Option<Meaning> {
        let assignment = self.value.as_object()?;
        let list = match assignment.get("type").and_then(Value::as_str).map(str::to_ascii_uppercase).as_deref() {
            Some("USER") => "users",
            Some("ROLE") => "roles",
            Some("GROUP") => "teams",
            _ => return Some(Words("write `manual.assignment`, for example `{\"candidates\": {\"roles\": [\"reviewer\"]}}`".into())),
        };
        let assignees = assignment.get("assignees")?;
        let assignees = if assignees.is_array() {
            assignees.clone()
        } else {
            json!([assignees])
        };
        let words = format!(
            "write `\"manual\": {{\"assignment\": {{\"candidates\": {{\"{list}\": {assignees}}}}}}}`"
        );
        self.put(
            &words,
            &[(&["manual", "assignment", "candidates", list], assignees)],
        )
    }

    pub(super) fn wait_step(&self, name: &str) -> Option<Meaning> {
        match name {
            "eventpayloadmapping" | "payloadmapping" => {
                if !self.value.is_object() {
                    return Some(Member("outputMapping", Same));
                }
                self.put(
                    "write it as `outputMapping`, and as `assign` where variables are to be set",
                    &[
                        (&["outputMapping"], self.value.clone()),
                        (&["assign"], self.value.clone()),
                    ],
                )
            }
            "lookback" => {
                let since = match self.text()?.to_ascii_lowercase().as_str() {
                    "instance" => "INSTANCE",
                    "step" | "none" => "STEP",
                    _ => return Some(Member("since", Same)),
                };
                self.put(
                    &format!("write `\"since\": \"{since}\"`"),
                    &[(&["since"], since.into())],
                )
            }
            "correlation" => {
                let correlation = self.value.as_object()?;
                let (key, value) = (correlation.get("eventKey")?, correlation.get("value")?);
                self.put(
                    &format!("write `\"correlationKey\": {key}, \"correlationValue\": {value}`"),
                    &[
                        (&["correlationKey"], key.clone()),
                        (&["correlationValue"], value.clone()),
                    ],
                )
            }
            "timeout" if self.value.is_string() => self.put(
                "write `\"eventTimeout\": {\"duration\": …}`",
                &[(&["eventTimeout", "duration"], self.value.clone())],
            ),
            "timeouthandlerstepid" | "ontimeout" if self.value.is_string() => self.put(
                "write `\"eventTimeout\": {\"timeoutHandlerStepId\": …}`",
                &[(
                    &["eventTimeout", "timeoutHandlerStepId"],
                    self.value.clone(),
                )],
            ),
            other => wait(other),
        }
    }

    pub(super) fn compensation(&self, name: &str) -> Option<Meaning> {
        match name {
            "for" | "compensates" | "compensatesstepid" | "forstep" | "forstepid" => {
                Some(Member("compensationFor", Same))
            }
            "id" => Some(Member("stepId", Same)),
            "task" | "taskdefinitionid" => Some(Member("taskId", Same)),
            "inputmapping" | "inputs" => Some(Member("input", Same)),
            "maxretries" | "retries" => self.retries("retryPolicy"),
            _ => None,
        }
    }

    pub(super) fn transition(&self, name: &str) -> Option<Meaning> {
        Some(match name {
            "target" | "to" | "goto" | "step" | "stepid" | "nextstep" | "next" | "targetstepid"
            | "targetstep" => Member("nextStepId", Same),
            "when" | "if" | "expression" | "guard" | "expr" => Member("condition", Same),
            "outcome" | "outcomes" | "result" | "branchid" | "label" => Member("on", Same),
            "default" | "isdefault" | "otherwise" if self.value.is_boolean() => Repair(
                "remove it: the entry without `on` and `condition` is the default".into(),
                vec![PatchOp::Remove { path: self.here() }],
            ),
            _ => return None,
        })
    }

    pub(super) fn on_failure(&self, name: &str) -> Option<Meaning> {
        match name {
            "handlerstepid" | "handler" | "errorhandler" | "goto" | "stepid"
                if self.value.is_string() =>
            {
                let handlers = json!([{"nextStepId": self.value}]);
                self.put(
                    &format!("write `\"handlers\": {handlers}`"),
                    &[(&["handlers"], handlers)],
                )
            }
            "strategy" | "policy" | "type" => Some(Member("action", Same)),
            "nextstep" | "next" | "target" if self.value.is_string() => {
                Some(Member("nextStepId", Same))
            }
            "catch" | "rules" => Some(Member("handlers", Same)),
            _ => None,
        }
    }

    pub(super) fn failure_handler(&self, name: &str) -> Option<Meaning> {
        match name {
            "errortype" | "type" | "error" => {
                let category = category_of(self.text()?)?;
                self.put(
                    &format!("write `\"errorCategory\": \"{category}\"`"),
                    &[(&["errorCategory"], category.into())],
                )
            }
            "category" => Some(Member("errorCategory", Same)),
            "code" => Some(Member("errorCode", Same)),
            "handlerstepid" | "target" | "to" | "goto" | "stepid" | "nextstep" | "next" => {
                Some(Member("nextStepId", Same))
            }
            "when" | "if" => Some(Member("condition", Same)),
            "input" | "mapping" => Some(Member("inputMapping", Same)),
            _ => None,
        }
    }

    pub(super) fn join(&self, name: &str) -> Option<Meaning> {
        match name {
            "n" | "required" | "min" | "quorum" => Some(Member("count", Same)),
            "mode" | "strategy" | "kind" => Some(Member("type", Same)),
            _ => None,
        }
    }
}

pub(super) fn branch(name: &str) -> Option<Meaning> {
    match name {
        "id" => Some(Member("branchId", Same)),
        "tasks" | "activities" => Some(Member("steps", Same)),
        "condition" => Some(Words(
            "a branch has no condition: every branch runs; use a DECISION to choose one".into(),
        )),
        _ => None,
    }
}

pub(super) fn event_timeout(name: &str) -> Option<Meaning> {
    match name {
        "handlerstepid" | "handler" | "nextstepid" | "stepid" => {
            Some(Member("timeoutHandlerStepId", Same))
        }
        "timeout" | "after" | "length" => Some(Member("duration", Same)),
        "at" => Some(Member("until", Same)),
        _ => None,
    }
}

pub(super) fn wait(name: &str) -> Option<Meaning> {
    match name {
        "filtercondition" | "condition" | "filter" | "eventfilter" => {
            Some(Member("eventCondition", Same))
        }
        "event" | "pattern" | "eventtype" | "eventname" | "waitfor" => {
            Some(Member("eventPattern", Same))
        }
        "events" | "patterns" => Some(Member("eventPatterns", Same)),
        "signal" | "signalname" => Some(Member("signalType", Same)),
        "compensate" => Some(Member("shouldCompensate", Same)),
        _ => None,
    }
}

pub(super) fn transition_of(choice: &Value) -> Option<Value> {
    let choice = choice.as_object()?;
    let target = ["nextStepId", "next", "target", "to", "goto", "stepId"]
        .into_iter()
        .find_map(|m| choice.get(m)?.as_str())?;
    let condition = ["condition", "when", "if", "expression"]
        .into_iter()
        .find_map(|m| choice.get(m)?.as_str());
    let mut transition = Map::new();
    transition.insert("nextStepId".into(), target.into());
    if let Some(condition) = condition {
        transition.insert("condition".into(), condition.into());
    }
    if let Some(on) = choice.get("on").or_else(|| choice.get("outcome")) {
        transition.insert("on".into(), on.clone());
    }
    Some(Value::Object(transition))
}

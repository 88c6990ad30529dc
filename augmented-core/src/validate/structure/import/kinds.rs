//! Older spellings at the root of workflows, triggers, schedules and events.

use serde_json::json;

use super::Conversion::{Same, Unclear};
use super::Found;
use super::Meaning::{self, Member, Repair, Words};
use crate::validate::PatchOp;

impl Found<'_> {
    pub(super) fn workflow(&self, name: &str) -> Option<Meaning> {
        Some(match name {
            "startat" | "start" | "startstep" | "initialstep" | "initialstepid" | "entrypoint" => Member("startStepId", Same),
            "timeout" | "workflowtimeout" | "maxduration" => Member("executionTimeout", if self.value.is_number() { Unclear } else { Same }),
            "outputmapping" => Member("output", Same),
            "inputs" | "input" | "inputparameters" if self.value.is_object() => Member("inputSchema", Same),
            "vars" | "initialvariables" | "context" => Member("variables", Same),
            "retrypolicy" | "retry" => Member("defaultRetryPolicy", Same),
            "compensation" | "compensations" => Member("compensationSteps", Same),
            "canceltriggers" | "cancelon" => Member("cancellationTriggers", Same),
            "errorhandler" | "errorhandlerstepid" if self.value.is_string() => {
                return self.put("write `\"onError\": {\"handlerStepId\": …}`", &[(&["onError", "handlerStepId"], self.value.clone())]);
            }
            "loglevel" => {
                let level = self.text()?.to_ascii_uppercase();
                return self.put("write `\"executionLog\": {\"level\": …}`", &[(&["executionLog", "level"], level.into())]);
            }
            "audittrail" | "audit" => Repair("remove it: the history is always kept".into(), vec![PatchOp::Remove { path: self.here() }]),
            "maxretries" | "retries" => return self.retries("defaultRetryPolicy"),
            "nodes" | "activities" | "tasks" if self.value.is_array() => Member("steps", Same),
            "edges" | "connections" | "links" | "transitions" => {
                Words("there are no separate edges: each step lists its successors in `next`, for example `\"next\": [{\"nextStepId\": \"approve\"}]`".into())
            }
            _ => return None,
        })
    }

    pub(super) fn trigger(&self, name: &str) -> Option<Meaning> {
        Some(match name {
            "workflowdefinitionid" | "workflow" | "targetworkflow" => Member("workflowId", Same),
            "workflowdefinitionversion" => Member("workflowVersion", Same),
            "pattern" | "event" | "eventtype" | "eventname" | "on" => Member("eventPattern", Same),
            "condition" | "filter" | "filtercondition" | "eventfilter" => {
                Member("eventCondition", Same)
            }
            "type" | "action" => Member("triggerType", Same),
            "input" | "mapping" | "eventpayloadmapping" | "payloadmapping" => {
                Member("inputMapping", Same)
            }
            "correlation" | "correlationid" if self.value.is_string() => {
                Member("correlationKey", Same)
            }
            "signal" | "signalname" => Member("signalType", Same),
            "compensate" => Member("shouldCompensate", Same),
            "enabled" | "activefrom" => Repair(
                format!(
                    "remove it: `{}` is set by an operator, not by the document",
                    self.name
                ),
                vec![PatchOp::Remove { path: self.here() }],
            ),
            _ => return None,
        })
    }

    pub(super) fn schedule(&self, name: &str) -> Option<Meaning> {
        let into_timing = |member: &'static str| {
            self.put(
                &format!("write `\"timing\": {{\"{member}\": …}}`"),
                &[(&["timing", member], self.value.clone())],
            )
        };
        match name {
            "cron" | "cronexpression" => into_timing("cronExpression"),
            "timezone" => into_timing("timezone"),
            "executeat" | "runat" | "at" => into_timing("executeAt"),
            "startdate" => into_timing("startDate"),
            "enddate" => into_timing("endDate"),
            "workflowid" => self.put(
                "write `\"target\": {\"type\": \"WORKFLOW\", \"id\": …}`",
                &[(&["target"], json!({"type": "WORKFLOW", "id": self.value}))],
            ),
            "taskid" => self.put(
                "write `\"target\": {\"type\": \"TASK\", \"id\": …}`",
                &[(&["target"], json!({"type": "TASK", "id": self.value}))],
            ),
            "overlap" => Some(Member("overlapPolicy", Same)),
            "misfire" => Some(Member("misfirePolicy", Same)),
            "inputmapping" => Some(Member("input", Same)),
            "scheduletype" => Some(Member("type", Same)),
            "enabled" => Some(Words(
                "a schedule is paused and resumed by an operator; remove it".into(),
            )),
            _ => None,
        }
    }

    pub(super) fn event(&self, name: &str) -> Option<Meaning> {
        Some(match name {
            "schema" | "payload" | "jsonschema" if self.value.is_object() => {
                Member("payloadSchema", Same)
            }
            "eventtype" | "eventpattern" | "eventname" | "type" | "topic" => {
                Member("pattern", Same)
            }
            "sources" | "source" | "sourcetype" if self.value.is_array() => {
                Member("sourceTypes", Same)
            }
            "ui" => Member("uiMetadata", Same),
            "orderingkey" | "partitionkey" => Member("streamKey", Same),
            _ => return None,
        })
    }

    pub(super) fn target(&self, name: &str) -> Option<Meaning> {
        let kind = match name {
            "workflowid" | "workflow" => "WORKFLOW",
            "taskid" | "task" => "TASK",
            _ => return None,
        };
        if self.object.contains_key("type") {
            return Some(Member("id", Same));
        }
        self.put(
            &format!("write `\"type\": \"{kind}\", \"id\": …`"),
            &[(&["type"], kind.into()), (&["id"], self.value.clone())],
        )
    }
}

pub(super) fn on_error(name: &str) -> Option<Meaning> {
    match name {
        "stepid" | "nextstepid" | "handler" | "step" | "goto" => {
            Some(Member("handlerStepId", Same))
        }
        "input" | "mapping" => Some(Member("inputMapping", Same)),
        _ => None,
    }
}

pub(super) fn timing(name: &str) -> Option<Meaning> {
    match name {
        "cron" | "expression" | "schedule" => Some(Member("cronExpression", Same)),
        "runat" | "at" | "date" | "datetime" => Some(Member("executeAt", Same)),
        "tz" | "zone" => Some(Member("timezone", Same)),
        "start" | "from" => Some(Member("startDate", Same)),
        "end" | "until" => Some(Member("endDate", Same)),
        "calendar" => Some(Member("calendarId", Same)),
        _ => None,
    }
}

pub(super) fn ui_binding(name: &str) -> Option<Meaning> {
    match name {
        "component" | "id" => Some(Member("componentId", Same)),
        "visibleif" | "when" | "if" => Some(Member("condition", Same)),
        _ => None,
    }
}

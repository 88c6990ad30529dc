//! Spellings of older definitions and of neighbouring products, answered with the canonical one.

use serde_json::{Map, Value, json};

use super::super::rules::common::{Guess, guess_duration, millis_to_duration};
use super::super::{Finding, PatchOp};
use super::context::{Context, is_duration, object_at, step_type};
use crate::json::pointer;
use crate::model::DefinitionKind;

/// How the value of a member becomes that of the canonical one.
#[derive(Clone, Copy)]
enum Conversion {
    /// As it is.
    Same,
    /// A number of retries becomes one of attempts.
    PlusOne,
    /// Milliseconds or a duration.
    Millis,
    /// Seconds or a duration.
    Seconds,
}

/// What an unknown member means.
enum Meaning {
    /// Another member of the same object.
    Member(&'static str, Conversion),
    /// A repair of its own, with the canonical form in words.
    Repair(String, Vec<PatchOp>),
    /// No certain repair, but words.
    Words(String),
}

use Conversion::{Millis, PlusOne, Same, Seconds};
use Meaning::{Member, Repair, Words};

/// Replaces hint and fix of an unknown member by those of the import form it is, if it is one.
pub(super) fn member(kind: DefinitionKind, document: &Value, finding: &mut Finding) {
    let at = finding.pointer.clone();
    let Some((parent, name)) = pointer::split_last(&at) else {
        return;
    };
    let Some(object) = object_at(document, parent) else {
        return;
    };
    let Some(value) = object.get(name.as_ref()) else {
        return;
    };
    let context = Context::of(kind, parent);
    finding.message = format!(
        "{} has no member `{}`",
        context.name(),
        super::super::wording::cut(&name)
    );
    let found = Found {
        parent,
        name: &name,
        value,
        object,
        document,
    };
    let Some(meaning) = found.meaning(context) else {
        if finding.hint.is_none() && matches!(context, Context::Root(_) | Context::Step) {
            finding.hint = Some("free data of your own belongs in `metadata`".into());
        }
        return;
    };
    match meaning {
        Member(canonical, how) => found.rename(finding, canonical, how),
        Repair(words, ops) => {
            finding.hint = Some(words);
            finding.fix = Some(ops);
        }
        Words(words) => {
            finding.hint = Some(words);
            finding.fix = None;
        }
    }
}

struct Found<'f> {
    parent: &'f str,
    name: &'f str,
    value: &'f Value,
    object: &'f Map<String, Value>,
    document: &'f Value,
}

impl Found<'_> {
    fn here(&self) -> String {
        pointer::join(self.parent, self.name)
    }

    fn beside(&self, member: &str) -> String {
        pointer::join(self.parent, member)
    }

    fn rename(&self, finding: &mut Finding, canonical: &'static str, how: Conversion) {
        let converted = match how {
            Same => Some(self.value.clone()),
            PlusOne => self
                .value
                .as_i64()
                .and_then(|n| n.checked_add(1))
                .map(Value::from),
            Millis => duration_value(self.value, 1),
            Seconds => duration_value(self.value, 1000),
        };
        if self.object.contains_key(canonical) {
            finding.hint = Some(format!(
                "`{canonical}` is meant, and is there already; remove `{}`",
                self.name
            ));
            finding.fix = None;
            return;
        }
        let Some(converted) = converted else {
            finding.hint = Some(format!("write `{canonical}`"));
            finding.fix = None;
            return;
        };
        let rename = PatchOp::Move {
            from: self.here(),
            path: self.beside(canonical),
        };
        finding.hint = Some(match how {
            Same => format!("write `{canonical}`"),
            _ => format!("write `\"{canonical}\": {converted}`"),
        });
        finding.fix = Some(if converted == *self.value {
            vec![rename]
        } else {
            vec![
                PatchOp::Replace {
                    path: self.here(),
                    value: converted,
                },
                rename,
            ]
        });
    }

    /// A repair that puts values below members of the same object, making the objects on the way, and removes this one.
    fn put(&self, words: &str, values: &[(&[&str], Value)]) -> Option<Meaning> {
        let mut ops = vec![PatchOp::Remove { path: self.here() }];
        let mut work = Value::Object(self.object.clone());
        for (path, value) in values {
            let mut at = self.parent.to_owned();
            let mut place = &mut work;
            let mut rest = path.iter().peekable();
            while let Some(token) = rest.next() {
                let members = place.as_object_mut()?;
                pointer::push(&mut at, token);
                let last = rest.peek().is_none();
                if last {
                    if members.contains_key(*token) {
                        return Some(Words(format!(
                            "{words}; it is there already, so keep one of the two"
                        )));
                    }
                    members.insert((*token).to_owned(), value.clone());
                    ops.push(PatchOp::Add {
                        path: at.clone(),
                        value: value.clone(),
                    });
                    break;
                }
                if !members.contains_key(*token) {
                    // Everything below is new: one addition makes it.
                    let below: Vec<&str> = rest.copied().collect();
                    let whole = below
                        .iter()
                        .rev()
                        .fold(value.clone(), |inner, token| json!({ (*token): inner }));
                    members.insert((*token).to_owned(), whole.clone());
                    ops.push(PatchOp::Add {
                        path: at.clone(),
                        value: whole,
                    });
                    break;
                }
                place = members.get_mut(*token)?;
            }
        }
        Some(Repair(words.to_owned(), ops))
    }

    fn text(&self) -> Option<&str> {
        self.value.as_str()
    }

    fn meaning(&self, context: Context) -> Option<Meaning> {
        let folded: String = self
            .name
            .chars()
            .filter(|c| !matches!(c, '_' | '-' | ' '))
            .flat_map(char::to_lowercase)
            .collect();
        let folded = folded.as_str();
        let own = match context {
            Context::Root(kind) => self.root(kind, folded),
            Context::Step => self.step(folded),
            Context::Compensation => self.compensation(folded),
            Context::Transition => self.transition(folded),
            Context::OnFailure => self.on_failure(folded),
            Context::FailureHandler => self.failure_handler(folded),
            Context::RetryPolicy => self.retry_policy(folded),
            Context::Join => self.join(folded),
            Context::Branch => branch(folded),
            Context::EventTimeout => event_timeout(folded),
            Context::CancellationTrigger => wait(folded),
            Context::OnError => on_error(folded),
            Context::Implementation => self.implementation(folded),
            Context::ExecutionConfig => self.execution_config(folded),
            Context::Resources => self.resources(folded),
            Context::Manual => self.manual(folded),
            Context::Timing => timing(folded),
            Context::Target => self.target(folded),
            Context::UiBinding => ui_binding(folded),
            Context::Other => None,
        };
        own.or_else(|| self.unit_suffix(context))
    }

    /// `timeoutMs`, `initialIntervalMillis`, `durationSeconds`: a duration with its unit in the name.
    fn unit_suffix(&self, context: Context) -> Option<Meaning> {
        let stem = |suffixes: &[&str]| {
            let stem = suffixes
                .iter()
                .find_map(|suffix| self.name.strip_suffix(suffix))?
                .trim_end_matches('_');
            let stem = if context == Context::Root(DefinitionKind::Workflow) && stem == "timeout" {
                "executionTimeout"
            } else {
                stem
            };
            DURATIONS
                .iter()
                .copied()
                .find(|known| crate::json::nearest::same_letters(known, stem))
        };
        if let Some(member) = stem(&["Ms", "Millis", "Milliseconds", "_ms", "_millis"]) {
            return Some(Member(member, Millis));
        }
        stem(&["Seconds", "Secs", "Sec", "_seconds", "_secs", "_sec"])
            .map(|member| Member(member, Seconds))
    }

    fn root(&self, kind: DefinitionKind, name: &str) -> Option<Meaning> {
        let id = kind.id_member()?;
        match (kind, name) {
            (_, "id") if !self.object.contains_key(id) => return Some(Member(id, Same)),
            (
                _,
                "id" | "status" | "createdat" | "updatedat" | "publishedat" | "createdby"
                | "updatedby" | "contenthash" | "revision" | "tenantid",
            ) => {
                return Some(Repair(
                    format!("remove it: `{}` is set by the engine", self.name),
                    vec![PatchOp::Remove { path: self.here() }],
                ));
            }
            (_, "title" | "label" | "displayname") => return Some(Member("name", Same)),
            (_, "tags" | "labels" | "author" | "owner" | "category")
                if kind != DefinitionKind::Schema =>
            {
                return Some(Words(format!(
                    "free data belongs in `metadata`: `\"metadata\": {{\"{}\": …}}`",
                    self.name
                )));
            }
            _ => {}
        }
        match kind {
            DefinitionKind::Workflow => self.workflow(name),
            DefinitionKind::Task => self.task(name),
            DefinitionKind::Trigger => self.trigger(name),
            DefinitionKind::Schedule => self.schedule(name),
            DefinitionKind::Event => self.event(name),
            DefinitionKind::Schema => match name {
                "jsonschema" | "definition" | "content" => Some(Member("schema", Same)),
                _ => None,
            },
            _ => None,
        }
    }

    fn workflow(&self, name: &str) -> Option<Meaning> {
        Some(match name {
            "startat" | "start" | "startstep" | "initialstep" | "initialstepid" | "entrypoint" => Member("startStepId", Same),
            "timeout" | "workflowtimeout" | "maxduration" => Member("executionTimeout", if self.value.is_number() { Millis } else { Same }),
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

    fn retries(&self, policy: &str) -> Option<Meaning> {
        let attempts = self.value.as_i64()?.checked_add(1)?;
        let words = format!(
            "write `\"{policy}\": {{\"maxAttempts\": {attempts}}}`; the first attempt counts"
        );
        self.put(&words, &[(&[policy, "maxAttempts"], attempts.into())])
    }

    fn task(&self, name: &str) -> Option<Meaning> {
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

    fn assignment_rules(&self, to: &[&str]) -> Option<Meaning> {
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

    fn trigger(&self, name: &str) -> Option<Meaning> {
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

    fn schedule(&self, name: &str) -> Option<Meaning> {
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

    fn event(&self, name: &str) -> Option<Meaning> {
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

    fn step(&self, name: &str) -> Option<Meaning> {
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

    fn step_of(&self, kind: &str, name: &str) -> Option<Meaning> {
        match kind {
            "TASK" | "POLL" => match name {
                "task" | "taskdefinitionid" | "taskdefinition" | "taskname" | "action"
                | "activity" | "handler" => Some(Member("taskId", Same)),
                "version" | "taskdefinitionversion" => Some(Member("taskVersion", Same)),
                "pollinterval" | "every" if kind == "POLL" => Some(Member(
                    "interval",
                    if self.value.is_number() { Millis } else { Same },
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
                    if self.value.is_number() { Millis } else { Same },
                )),
                "seconds" => Some(Member("duration", Seconds)),
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

    /// `choices` with `default` beside it become the ordered list of transitions.
    fn choices(&self) -> Option<Meaning> {
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

    fn human(&self, name: &str) -> Option<Meaning> {
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

    fn candidates(&self, list: &str) -> Option<Meaning> {
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

    fn old_assignment(&self) -> Option<Meaning> {
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

    fn wait_step(&self, name: &str) -> Option<Meaning> {
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

    fn compensation(&self, name: &str) -> Option<Meaning> {
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

    fn transition(&self, name: &str) -> Option<Meaning> {
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

    fn on_failure(&self, name: &str) -> Option<Meaning> {
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

    fn failure_handler(&self, name: &str) -> Option<Meaning> {
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

    fn retry_policy(&self, name: &str) -> Option<Meaning> {
        Some(match name {
            "maxretries" | "retries" | "retrycount" | "maxretry" | "maxretrycount" => {
                Member("maxAttempts", PlusOne)
            }
            "attempts" | "max" | "limit" => Member("maxAttempts", Same),
            "retryinterval" | "retrydelay" | "delay" | "interval" | "initialdelay" | "backoff"
            | "wait" | "initialbackoff" => Member("initialInterval", Millis),
            "maxretryinterval" | "maxdelay" | "maxbackoff" | "maximuminterval"
            | "maxretrydelay" => Member("maxInterval", Millis),
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

    /// A timeout inside another object belongs beside it.
    fn move_timeout(&self, name: &str) -> Option<Meaning> {
        let value = match (name, self.value) {
            ("timeoutseconds" | "timeout", Value::Number(_)) => duration_value(self.value, 1000)?,
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

    fn join(&self, name: &str) -> Option<Meaning> {
        match name {
            "n" | "required" | "min" | "quorum" => Some(Member("count", Same)),
            "mode" | "strategy" | "kind" => Some(Member("type", Same)),
            _ => None,
        }
    }

    fn implementation(&self, name: &str) -> Option<Meaning> {
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

    fn execution_config(&self, name: &str) -> Option<Meaning> {
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

    fn resources(&self, name: &str) -> Option<Meaning> {
        match name {
            "timeoutseconds" | "timeout" | "timeoutms" => self.move_timeout(name),
            "ram" | "mem" => Some(Member("memory", Same)),
            "cpus" | "cores" => Some(Member("cpu", Same)),
            "storage" => Some(Member("disk", Same)),
            _ => None,
        }
    }

    fn manual(&self, name: &str) -> Option<Meaning> {
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

    fn target(&self, name: &str) -> Option<Meaning> {
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

const DURATIONS: &[&str] = &[
    "timeout",
    "heartbeatTimeout",
    "queueTimeout",
    "totalTimeout",
    "executionTimeout",
    "initialInterval",
    "maxInterval",
    "interval",
    "duration",
    "retention",
    "catchupWindow",
    "after",
];

fn branch(name: &str) -> Option<Meaning> {
    match name {
        "id" => Some(Member("branchId", Same)),
        "tasks" | "activities" => Some(Member("steps", Same)),
        "condition" => Some(Words(
            "a branch has no condition: every branch runs; use a DECISION to choose one".into(),
        )),
        _ => None,
    }
}

fn event_timeout(name: &str) -> Option<Meaning> {
    match name {
        "handlerstepid" | "handler" | "nextstepid" | "stepid" => {
            Some(Member("timeoutHandlerStepId", Same))
        }
        "timeout" | "after" | "length" => Some(Member("duration", Same)),
        "at" => Some(Member("until", Same)),
        _ => None,
    }
}

/// Members of waits and cancellation triggers.
fn wait(name: &str) -> Option<Meaning> {
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

fn on_error(name: &str) -> Option<Meaning> {
    match name {
        "stepid" | "nextstepid" | "handler" | "step" | "goto" => {
            Some(Member("handlerStepId", Same))
        }
        "input" | "mapping" => Some(Member("inputMapping", Same)),
        _ => None,
    }
}

fn timing(name: &str) -> Option<Meaning> {
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

fn ui_binding(name: &str) -> Option<Meaning> {
    match name {
        "component" | "id" => Some(Member("componentId", Same)),
        "visibleif" | "when" | "if" => Some(Member("condition", Same)),
        _ => None,
    }
}

fn candidate_list(word: &str) -> &'static str {
    match word {
        "user" => "users",
        "role" => "roles",
        "department" => "departments",
        _ => "teams",
    }
}

/// A choice of an older decision as a transition.
fn transition_of(choice: &Value) -> Option<Value> {
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

/// The category an older word for a kind of error means.
pub(super) fn category_of(word: &str) -> Option<&'static str> {
    let folded = word.to_ascii_lowercase();
    let stem = folded
        .strip_suffix("error")
        .or_else(|| folded.strip_suffix("exception"))
        .unwrap_or(&folded);
    crate::ErrorCategory::ALL
        .iter()
        .map(|c| c.as_str())
        .find(|c| c.eq_ignore_ascii_case(stem))
}

/// A number in a unit of `millis` milliseconds, or a duration in any spelling, as an ISO duration.
pub(super) fn duration_value(value: &Value, millis: i64) -> Option<Value> {
    match value {
        Value::Number(number) => {
            let whole = number.as_i64().and_then(|n| n.checked_mul(millis));
            millis_to_duration(whole?).map(Value::from)
        }
        Value::String(text) => match guess_duration(text) {
            Some(Guess::Certain(right)) => Some(Value::from(right)),
            // It stays as it is and has a finding of its own in the next round.
            _ => Some(value.clone()),
        },
        _ => None,
    }
}

/// Whether the member of that name holds a duration, wherever it stands.
pub(super) fn holds_duration(at: &str) -> bool {
    pointer::split_last(at)
        .is_some_and(|(parent, name)| is_duration(&name) || parent.ends_with("/byPriority"))
}

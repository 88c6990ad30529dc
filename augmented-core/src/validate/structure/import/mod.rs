//! Spellings of older definitions and of neighbouring products, answered with the canonical one.

mod kinds;
mod steps;
mod tasks;

use serde_json::{Map, Value, json};

use super::super::rules::common::{Guess, guess_duration, millis_to_duration};
use super::super::{Finding, PatchOp, wording};
use super::context::{Context, is_duration, object_at};
use super::values::unit_hint;
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
    /// Minutes or a duration.
    Minutes,
    /// A number of a unit that the name does not tell, or a duration.
    Unclear,
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

use kinds::{on_error, timing, ui_binding};
use steps::{branch, event_timeout, wait};

use Conversion::{Millis, Minutes, PlusOne, Same, Seconds, Unclear};
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
    finding.message = format!("{} has no member `{}`", context.name(), wording::cut(&name));
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
            Minutes => duration_value(self.value, 60_000),
            Unclear if self.value.is_number() => None,
            Unclear => duration_value(self.value, 1),
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
            finding.hint = Some(match how {
                Unclear => format!("write `{canonical}`: {}", unit_hint(self.value)),
                _ => format!("write `{canonical}`"),
            });
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
                rename,
                PatchOp::Replace {
                    path: self.beside(canonical),
                    value: converted,
                },
            ]
        });
    }

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
        if let Some(member) = stem(&["Minutes", "Mins", "_minutes", "_mins"]) {
            return Some(Member(member, Minutes));
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

    fn retries(&self, policy: &str) -> Option<Meaning> {
        let attempts = self.value.as_i64()?.checked_add(1)?;
        let words = format!(
            "write `\"{policy}\": {{\"maxAttempts\": {attempts}}}`; the first attempt counts"
        );
        self.put(&words, &[(&[policy, "maxAttempts"], attempts.into())])
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

pub(super) fn holds_duration(at: &str) -> bool {
    pointer::split_last(at)
        .is_some_and(|(parent, name)| is_duration(&name) || parent.ends_with("/byPriority"))
}

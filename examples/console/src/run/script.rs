//! What happens from outside while a workflow runs.

use augmented_core::IsoDuration;
use augmented_core::runtime::StepStatus;
use serde_json::{Map, Value};

use crate::exit::Failure;

/// Something that is done from outside, and when.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stimulus {
    /// Its place in the list, from 0.
    pub(crate) position: usize,
    pub(crate) trigger: Trigger,
    pub(crate) action: Action,
}

/// When it is done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Trigger {
    /// So many microseconds after the start.
    At(i64),
    /// When a step first has that status.
    AfterStep { step_id: String, status: StepStatus },
    /// When the instance waits for that signal.
    OnSignalWait(String),
    /// When the instance waits at that step.
    OnStepWait(String),
    /// When nothing else can happen.
    OnIdle,
}

/// What is done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    Signal {
        signal_type: String,
        payload: Value,
        signal_id: Option<String>,
    },
    Cancel {
        reason: String,
    },
    Pause,
    Resume,
}

const TRIGGERS: &str = "`at`, `afterStep`, `onWait` or `onIdle`";
const ACTIONS: &str = "`signal`, `cancel`, `pause` or `resume`";

/// Reads a list of stimuli; those with `at` are put in time order.
pub(crate) fn read(script: &Value) -> Result<Vec<Stimulus>, Failure> {
    let Value::Array(list) = script else {
        return Err(Failure::usage("--script must be a list of stimuli"));
    };
    let read = |(position, value): (usize, &Value)| {
        stimulus(position, value)
            .map_err(|problem| Failure::usage(format!("--script /{position}{problem}")))
    };
    let mut stimuli: Vec<Stimulus> = list
        .iter()
        .enumerate()
        .map(read)
        .collect::<Result<_, _>>()?;
    stimuli.sort_by_key(|stimulus| match stimulus.trigger {
        Trigger::At(micros) => micros,
        Trigger::AfterStep { .. }
        | Trigger::OnSignalWait(_)
        | Trigger::OnStepWait(_)
        | Trigger::OnIdle => i64::MIN,
    });
    Ok(stimuli)
}

/// The problem begins with the pointer to it inside the stimulus.
fn stimulus(position: usize, value: &Value) -> Result<Stimulus, String> {
    let Value::Object(members) = value else {
        return Err(": a stimulus is an object".to_owned());
    };
    let (mut triggers, mut actions) = (Vec::new(), Vec::new());
    for (name, value) in members {
        match name.as_str() {
            "at" | "afterStep" | "onWait" | "onIdle" => triggers.push(trigger(name, value)?),
            "signal" | "cancel" | "pause" | "resume" => actions.push(action(name, value)?),
            "event" | "completeTask" | "failTask" | "retry" => {
                return Err(format!(
                    ": this command does not offer the action `{name}`, use {ACTIONS}"
                ));
            }
            _ => {
                return Err(format!(
                    ": there is no member `{name}`; a stimulus has one trigger ({TRIGGERS}) and one action ({ACTIONS})"
                ));
            }
        }
    }
    match (<[_; 1]>::try_from(triggers), <[_; 1]>::try_from(actions)) {
        (Ok([trigger]), Ok([action])) => Ok(Stimulus {
            position,
            trigger,
            action,
        }),
        (Err(_), _) => Err(format!(": a stimulus has exactly one trigger, {TRIGGERS}")),
        (_, Err(_)) => Err(format!(": a stimulus has exactly one action, {ACTIONS}")),
    }
}

fn trigger(name: &str, value: &Value) -> Result<Trigger, String> {
    match name {
        "at" => {
            let text = value
                .as_str()
                .ok_or("/at: a duration such as PT10M is needed")?;
            let duration: IsoDuration = text.parse().map_err(|error| format!("/at: {error}"))?;
            Ok(Trigger::At(duration.as_micros()))
        }
        "afterStep" => {
            let members = object(value, "/afterStep", &["stepId", "status"])?;
            let status = match optional_text(members, "status", "/afterStep")? {
                None => StepStatus::Completed,
                Some(name) => status(&name).ok_or_else(|| format!("/afterStep/status: `{name}` is no status of a step, use for example COMPLETED or FAILED"))?,
            };
            Ok(Trigger::AfterStep {
                step_id: required_text(members, "stepId", "/afterStep")?,
                status,
            })
        }
        "onWait" => {
            let members = object(value, "/onWait", &["signalType", "stepId", "eventPattern"])?;
            if members.contains_key("eventPattern") {
                return Err("/onWait: this command does not offer waits for events, use `signalType` or `stepId`".to_owned());
            }
            match (
                optional_text(members, "signalType", "/onWait")?,
                optional_text(members, "stepId", "/onWait")?,
            ) {
                (Some(signal), None) => Ok(Trigger::OnSignalWait(signal)),
                (None, Some(step)) => Ok(Trigger::OnStepWait(step)),
                _ => Err("/onWait: exactly one of `signalType` and `stepId` is needed".to_owned()),
            }
        }
        _ if *value == Value::Bool(true) => Ok(Trigger::OnIdle),
        _ => Err("/onIdle: only `true` has a meaning".to_owned()),
    }
}

fn action(name: &str, value: &Value) -> Result<Action, String> {
    if name == "signal" {
        let members = object(value, "/signal", &["type", "payload", "signalId"])?;
        return Ok(Action::Signal {
            signal_type: required_text(members, "type", "/signal")?,
            payload: members.get("payload").cloned().unwrap_or_default(),
            signal_id: optional_text(members, "signalId", "/signal")?,
        });
    }
    if name == "pause" || name == "resume" {
        let members = value.as_object();
        return match (members.is_some_and(Map::is_empty), name) {
            (true, "pause") => Ok(Action::Pause),
            (true, _) => Ok(Action::Resume),
            (false, _) => Err(format!("/{name}: only `{{}}` has a meaning")),
        };
    }
    let members = object(value, "/cancel", &["reason", "compensate"])?;
    if members.contains_key("compensate") {
        return Err("/cancel: this command does not offer `compensate`".to_owned());
    }
    Ok(Action::Cancel {
        reason: required_text(members, "reason", "/cancel")?,
    })
}

fn object<'a>(
    value: &'a Value,
    at: &str,
    known: &[&str],
) -> Result<&'a Map<String, Value>, String> {
    let members = value
        .as_object()
        .ok_or_else(|| format!("{at}: an object is needed"))?;
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(other) => Err(format!(
            "{at}: there is no member `{other}`, known are {}",
            known.join(", ")
        )),
        None => Ok(members),
    }
}

fn required_text(members: &Map<String, Value>, name: &str, at: &str) -> Result<String, String> {
    optional_text(members, name, at)?.ok_or_else(|| format!("{at}: `{name}` is missing"))
}

fn optional_text(
    members: &Map<String, Value>,
    name: &str,
    at: &str,
) -> Result<Option<String>, String> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("{at}/{name}: text is needed")),
    }
}

fn status(name: &str) -> Option<StepStatus> {
    const ALL: [StepStatus; 7] = [
        StepStatus::Running,
        StepStatus::Waiting,
        StepStatus::Retrying,
        StepStatus::Completed,
        StepStatus::Failed,
        StepStatus::Cancelled,
        StepStatus::Skipped,
    ];
    ALL.into_iter().find(|status| status.as_str() == name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(script: Value, expected: &str) {
        match read(&script) {
            Ok(stimuli) => assert_eq!(format!("{stimuli:?}"), expected, "{script}"),
            Err(failure) => assert_eq!(failure.to_string(), expected, "{script}"),
        }
    }

    #[test]
    fn stimuli_are_put_in_time_order_and_keep_their_place_in_the_list() {
        let stimuli = read(&json!([
            {"at": "PT2M", "cancel": {"reason": "late"}},
            {"at": "PT1M", "signal": {"type": "go"}},
            {"onWait": {"signalType": "go"}, "signal": {"type": "go", "payload": 1, "signalId": "a"}},
        ]))
        .unwrap();
        assert_eq!(
            stimuli
                .iter()
                .map(|stimulus| stimulus.position)
                .collect::<Vec<_>>(),
            [2, 1, 0]
        );
    }

    #[test]
    fn what_is_wrong_with_a_stimulus_is_told_with_its_place() {
        check(json!({}), "--script must be a list of stimuli");
        check(json!([1]), "--script /0: a stimulus is an object");
        check(
            json!([{"at": "PT1S", "event": {"pattern": "a.b"}}]),
            "--script /0: this command does not offer the action `event`, use `signal`, `cancel`, `pause` or `resume`",
        );
        check(
            json!([{"at": "PT1S"}]),
            "--script /0: a stimulus has exactly one action, `signal`, `cancel`, `pause` or `resume`",
        );
        check(
            json!([{"at": "PT1S", "pause": {"reason": "x"}}]),
            "--script /0/pause: only `{}` has a meaning",
        );
        check(
            json!([{"onIdle": true, "at": "PT1S", "cancel": {"reason": "x"}}]),
            "--script /0: a stimulus has exactly one trigger, `at`, `afterStep`, `onWait` or `onIdle`",
        );
        check(
            json!([{"onIdle": true, "signal": {}}]),
            "--script /0/signal: `type` is missing",
        );
        check(
            json!([{"afterStep": {"stepId": "a", "status": "DONE"}, "cancel": {"reason": "x"}}]),
            "--script /0/afterStep/status: `DONE` is no status of a step, use for example COMPLETED or FAILED",
        );
        check(
            json!([{"onWait": {"eventPattern": "a.b"}, "cancel": {"reason": "x"}}]),
            "--script /0/onWait: this command does not offer waits for events, use `signalType` or `stepId`",
        );
    }
}

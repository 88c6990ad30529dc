//! What the JSON Schemas of the models say beyond what Rust types can: patterns, kinds of text, and rules between members.

use std::borrow::Cow;

use schemars::transform::Transform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::event::Retention;
use super::implementation::{
    AiAgentImplementation, AwsLambdaImplementation, HttpImplementation, HumanImplementation,
    Implementation, IntegrationImplementation, NativeImplementation, ScriptImplementation,
    WorkerImplementation,
};
use super::patterns;
use super::since::Since;
use super::step::Step;
use super::steps::{
    DecisionStep, DelayStep, EndStep, EventWaitStep, ForEachStep, HumanTaskStep, ParallelStep,
    PassStep, PollStep, StartStep, SubWorkflowStep, TaskStep,
};
use super::tag::SchemaLink;
use super::transition::OutcomeFilter;
use crate::time::IsoDuration;

/// Writes a shape that is a pattern and nothing else.
macro_rules! pattern_shapes {
    ($($name:ident = $pattern:ident),+ $(,)?) => {
        $(pub(super) fn $name(schema: &mut Schema) {
            schema.insert("pattern".into(), patterns::$pattern.into());
        })+
    };
}

pattern_shapes! {
    business_id = BUSINESS_ID,
    step_id = STEP_ID,
    identifier = IDENTIFIER,
    event_pattern = EVENT_PATTERN,
    since = SINCE,
    retention = RETENTION,
    component_reference = COMPONENT_REFERENCE,
    run_as = RUN_AS,
    secret_reference = SECRET_REFERENCE,
    instant = INSTANT,
    instant_or_date = INSTANT_OR_DATE,
    json_pointer = JSON_POINTER,
    color = COLOR,
}

fn insert(schema: &mut Schema, keywords: Value) {
    if let Value::Object(keywords) = keywords {
        for (keyword, value) in keywords {
            schema.insert(keyword, value);
        }
    }
}

/// Semantic version of a definition.
pub(super) fn version(schema: &mut Schema) {
    insert(
        schema,
        json!({"pattern": patterns::SEMVER, "maxLength": 50}),
    );
}

/// Exact version or SemVer range; its grammar is checked with the references.
pub(super) fn version_range(schema: &mut Schema) {
    insert(schema, json!({"minLength": 1, "maxLength": 255}));
}

/// Exact event name.
pub(super) fn event_name(schema: &mut Schema) {
    insert(
        schema,
        json!({"pattern": patterns::EVENT_NAME, "maxLength": 255}),
    );
}

/// Two to eight event patterns.
pub(super) fn event_patterns(schema: &mut Schema) {
    insert(
        schema,
        json!({
            "items": {"type": "string", "pattern": patterns::EVENT_PATTERN},
            "minItems": 2,
            "maxItems": 8,
            "uniqueItems": true,
        }),
    );
}

/// Name shown to people.
pub(super) fn label(schema: &mut Schema) {
    insert(schema, json!({"minLength": 1, "maxLength": 255}));
}

/// Name that must not be blank.
pub(super) fn name(schema: &mut Schema) {
    insert(
        schema,
        json!({"minLength": 1, "maxLength": 255, "pattern": patterns::NOT_BLANK}),
    );
}

/// A JSON Schema.
pub(super) fn schema(schema: &mut Schema) {
    schema.insert("type".into(), json!(["object", "boolean"]));
}

/// A JSON Schema that describes an object.
pub(super) fn object_schema(schema: &mut Schema) {
    insert(
        schema,
        json!({"type": "object", "required": ["type"], "properties": {"type": {"const": "object"}}}),
    );
}

/// JSON Schemas by name.
pub(super) fn schemas_by_name(schema: &mut Schema) {
    insert(
        schema,
        json!({"type": "object", "additionalProperties": {"type": ["object", "boolean"]}}),
    );
}

/// Different business ids.
pub(super) fn business_ids(schema: &mut Schema) {
    insert(
        schema,
        json!({"items": {"type": "string", "pattern": patterns::BUSINESS_ID}, "uniqueItems": true}),
    );
}

/// Fractions between 0 and 1.
pub(super) fn fractions(schema: &mut Schema) {
    schema.insert(
        "items".into(),
        json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
    );
}

/// A list without repetition.
pub(super) fn unique(schema: &mut Schema) {
    schema.insert("uniqueItems".into(), true.into());
}

/// A duration for each priority.
pub(super) fn by_priority(schema: &mut Schema) {
    let entry = |name: &str, example: &str| {
        json!({
            "$ref": "#/$defs/Duration",
            "description": format!("How long a task of priority {name} may take."),
            "examples": [example],
        })
    };
    insert(
        schema,
        json!({
            "type": "object",
            "properties": {
                "LOW": entry("LOW", "P5D"),
                "MEDIUM": entry("MEDIUM", "P2D"),
                "HIGH": entry("HIGH", "PT8H"),
                "CRITICAL": entry("CRITICAL", "PT1H"),
            },
            "additionalProperties": false,
        }),
    );
}

/// Environment variables, but for the two that the sandbox sets.
pub(super) fn environment(schema: &mut Schema) {
    schema.insert(
        "properties".into(),
        json!({"TASK_ID": false, "WORKFLOW_ID": false}),
    );
}

/// The member `$schema`.
pub(super) fn link(schema: &mut Schema) {
    schema.remove("writeOnly");
    schema.remove("default");
}

/// Adds the member that tells a tagged variant from its siblings.
pub(super) fn tag(member: &'static str, word: &'static str) -> impl Transform {
    move |schema: &mut Schema| {
        let description = match member {
            "type" => format!("Says that this is a {word} step."),
            _ => format!("Says that the work is done by means of {word}."),
        };
        let object = schema.ensure_object();
        if let Value::Object(properties) = object.entry("properties").or_insert_with(|| json!({})) {
            properties.insert(
                member.to_owned(),
                json!({"const": word, "description": description, "examples": [word]}),
            );
        }
        if let Value::Array(required) = object.entry("required").or_insert_with(|| json!([])) {
            required.insert(0, member.into());
        }
    }
}

/// Exactly one of these members is present.
fn exactly_one_of(schema: &mut Schema, members: &[&str]) {
    let alternatives: Vec<Value> = members
        .iter()
        .map(|member| json!({"required": [member]}))
        .collect();
    schema.insert("oneOf".into(), alternatives.into());
}

/// The two correlation expressions come together.
pub(super) fn correlation(schema: &mut Schema) {
    schema.insert(
        "dependentRequired".into(),
        json!({"correlationKey": ["correlationValue"], "correlationValue": ["correlationKey"]}),
    );
}

/// One source of events, and a correlation only with events.
pub(super) fn event_wait(schema: &mut Schema) {
    exactly_one_of(schema, &["eventPattern", "eventPatterns", "signalType"]);
    correlation(schema);
}

/// A length of time or an instant.
pub(super) fn delay(schema: &mut Schema) {
    exactly_one_of(schema, &["duration", "until"]);
}

/// A length of time or an instant.
pub(super) fn event_timeout(schema: &mut Schema) {
    exactly_one_of(schema, &["duration", "until"]);
}

/// One way to say when.
pub(super) fn escalation_level(schema: &mut Schema) {
    exactly_one_of(schema, &["atFraction", "after"]);
}

// The conditions below name the values they mean, both ways: a misspelt value then meets neither of them, and its own
// finding stays the only one.

/// Outcomes belong to completion, error codes to failure.
pub(super) fn end_step(schema: &mut Schema) {
    schema.insert(
        "allOf".into(),
        json!([
            {
                "if": {"properties": {"result": {"const": "FAILED"}}, "required": ["result"]},
                "then": {"properties": {"outcome": false}},
            },
            {
                "if": {"properties": {"result": {"const": "COMPLETED"}}},
                "then": {"properties": {"errorCode": false, "errorMessage": false}},
            },
        ]),
    );
}

/// Human work has its settings, automated work its time limits.
pub(super) fn task(schema: &mut Schema) {
    schema.insert(
        "allOf".into(),
        json!([
            {
                "if": {"properties": {"type": {"const": "MANUAL"}}, "required": ["type"]},
                "then": {
                    "required": ["manual"],
                    "properties": {"queueTimeout": false, "totalTimeout": false, "heartbeatTimeout": false},
                },
            },
            {
                "if": {"properties": {"type": {"enum": ["AUTOMATED", "INTEGRATION"]}}, "required": ["type"]},
                "then": {"properties": {"manual": false}},
            },
        ]),
    );
}

/// A signal has a name.
pub(super) fn trigger(schema: &mut Schema) {
    insert(
        schema,
        json!({
            "if": {"properties": {"triggerType": {"const": "SIGNAL"}}, "required": ["triggerType"]},
            "then": {"required": ["signalType"]},
        }),
    );
}

/// An instant for one firing, a cron expression for many.
pub(super) fn schedule(schema: &mut Schema) {
    schema.insert(
        "allOf".into(),
        json!([
            {
                "if": {"properties": {"type": {"const": "ONE_TIME"}}, "required": ["type"]},
                "then": {"properties": {"timing": {
                    "required": ["executeAt"],
                    "properties": {
                        "cronExpression": false,
                        "timezone": false,
                        "startDate": false,
                        "endDate": false,
                        "calendarId": false,
                    },
                }}},
            },
            {
                "if": {"properties": {"type": {"const": "RECURRING"}}, "required": ["type"]},
                "then": {"properties": {"timing": {
                    "required": ["cronExpression"],
                    "properties": {"executeAt": false},
                }}},
            },
        ]),
    );
}

/// A header of its own has a name.
pub(super) fn http_auth(schema: &mut Schema) {
    insert(
        schema,
        json!({
            "if": {"properties": {"scheme": {"const": "HEADER"}}, "required": ["scheme"]},
            "then": {"required": ["name"]},
        }),
    );
}

/// Writes the schema of a type that is a text.
macro_rules! text_schema {
    ($type:ident, $schema:expr) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

text_schema!(
    Since,
    json_schema!({"type": "string", "pattern": patterns::SINCE})
);
text_schema!(
    Retention,
    json_schema!({"type": "string", "pattern": patterns::RETENTION})
);
text_schema!(SchemaLink, json_schema!({"type": "string"}));
text_schema!(
    OutcomeFilter,
    json_schema!({
        "type": ["string", "array"],
        "minLength": 1,
        "maxLength": 255,
        "items": {"type": "string", "minLength": 1, "maxLength": 255},
        "minItems": 1,
        "uniqueItems": true,
    })
);

// Named, not inlined: the pattern is long and stands in many places.
impl JsonSchema for IsoDuration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time in the form of ISO 8601: weeks, or days, hours, minutes and seconds. No months, no years.",
            "type": "string",
            "pattern": patterns::DURATION,
        })
    }
}

/// Writes the schema of a tagged enum: one closed object for each variant.
macro_rules! tagged_schema {
    ($type:ident by $member:literal: $description:literal, $($variant:ident),+ $(,)?) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": $description,
                    "type": "object",
                    "x-discriminator": $member,
                    "oneOf": [$(generator.subschema_for::<$variant>()),+],
                })
            }
        }
    };
}

tagged_schema!(
    Step by "type": "One step of a workflow. Its `type` says what it does and which members it has.",
    StartStep,
    EndStep,
    PassStep,
    TaskStep,
    HumanTaskStep,
    DecisionStep,
    ParallelStep,
    ForEachStep,
    EventWaitStep,
    DelayStep,
    PollStep,
    SubWorkflowStep,
);

tagged_schema!(
    Implementation by "kind": "How the work of a task is done. Its `kind` says by what means, and which members it has.",
    NativeImplementation,
    WorkerImplementation,
    HttpImplementation,
    ScriptImplementation,
    AiAgentImplementation,
    AwsLambdaImplementation,
    HumanImplementation,
    IntegrationImplementation,
);

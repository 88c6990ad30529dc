//! Members whose value is fixed, and how free JSON values are read.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// Reads an optional member of free JSON, so that an explicit `null` stays a value of its own.
pub(super) fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// The member `$schema` of a document: a hint to editors, accepted as any text and dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchemaLink;

impl<'de> Deserialize<'de> for SchemaLink {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|_| Self)
    }
}

/// Writes a type that reads and writes exactly one word.
macro_rules! fixed_word {
    ($(#[$doc:meta])* $name:ident = $word:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;

        impl $name {
            /// The word.
            pub const WORD: &'static str = $word;
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($word)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                if word == $word { Ok(Self) } else { Err(de::Error::custom(concat!("expected `", $word, "`"))) }
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"const": $word})
            }
        }
    };
}

fixed_word!(
    /// The member `kind` of a workflow.
    WorkflowTag = "workflow"
);
fixed_word!(
    /// The member `kind` of a task.
    TaskTag = "task"
);
fixed_word!(
    /// The member `kind` of a trigger.
    TriggerTag = "trigger"
);
fixed_word!(
    /// The member `kind` of a schedule.
    ScheduleTag = "schedule"
);
fixed_word!(
    /// The member `kind` of an event.
    EventTag = "event"
);
fixed_word!(
    /// The member `kind` of a schema.
    SchemaTag = "schema"
);
fixed_word!(
    /// The member `type` of a compensation step.
    CompensationType = "TASK"
);

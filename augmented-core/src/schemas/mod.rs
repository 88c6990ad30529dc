//! The JSON Schemas of the definition kinds, generated from the Rust models.
//!
//! The same schemas stand as files in the top-level folder `schemas/`; a test holds the two equal.
//!
//! ```
//! use augmented_core::{model::DefinitionKind, schemas};
//! let schema = schemas::schema_for(DefinitionKind::Workflow).unwrap();
//! assert_eq!(schema["$id"], "aug://schema/core.workflow/1.0.0");
//! ```

mod normalize;
mod print;

use std::sync::LazyLock;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::model::{
    DefinitionKind, EventDefinition, ScheduleDefinition, SchemaDefinition, TaskDefinition,
    TriggerDefinition, WorkflowDefinition,
};

/// Version of the shipped schemas; the content of a version never changes once released.
pub const SCHEMA_VERSION: &str = "1.0.0";

/// The JSON Schema of one definition kind.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ShippedSchema {
    /// The kind it describes.
    pub kind: DefinitionKind,
    /// Its business id in the schema registry, for example `core.workflow`.
    pub schema_id: String,
    /// The schema.
    pub schema: Value,
}

impl ShippedSchema {
    /// Name of the file that holds the schema.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}.schema.json", self.kind)
    }

    /// The schema as pretty-printed JSON with a trailing newline, the text of its file.
    #[must_use]
    pub fn to_text(&self) -> String {
        print::pretty(&self.schema)
    }
}

/// The schema of a kind; none for kinds without a typed model.
#[must_use]
pub fn schema_for(kind: DefinitionKind) -> Option<&'static Value> {
    all()
        .iter()
        .find(|shipped| shipped.kind == kind)
        .map(|shipped| &shipped.schema)
}

/// The shipped schema of a registry id and version, for example `core.workflow` and `1.0.0`.
///
/// ```
/// use augmented_core::schemas;
/// assert!(schemas::shipped_version("core.task", "1.0.0").is_some());
/// assert!(schemas::shipped_version("core.task", "9.0.0").is_none());
/// ```
#[must_use]
pub fn shipped_version(schema_id: &str, version: &str) -> Option<&'static Value> {
    let shipped = all().iter().find(|shipped| shipped.schema_id == schema_id);
    shipped
        .filter(|_| version == SCHEMA_VERSION)
        .map(|shipped| &shipped.schema)
}

/// Every shipped schema.
#[must_use]
pub fn all() -> &'static [ShippedSchema] {
    static ALL: LazyLock<Vec<ShippedSchema>> = LazyLock::new(|| {
        vec![
            shipped::<WorkflowDefinition>(DefinitionKind::Workflow),
            shipped::<TaskDefinition>(DefinitionKind::Task),
            shipped::<EventDefinition>(DefinitionKind::Event),
            shipped::<TriggerDefinition>(DefinitionKind::Trigger),
            shipped::<ScheduleDefinition>(DefinitionKind::Schedule),
            shipped::<SchemaDefinition>(DefinitionKind::Schema),
        ]
    });
    &ALL
}

/// The files of the folder `schemas/`: name and text of each.
#[must_use]
pub fn generate() -> Vec<(String, String)> {
    all()
        .iter()
        .map(|shipped| (shipped.file_name(), shipped.to_text()))
        .collect()
}

/// The address of a kind's schema, for example `aug://schema/core.workflow/1.0.0`.
#[must_use]
pub fn address(kind: DefinitionKind) -> String {
    format!("aug://schema/core.{kind}/{SCHEMA_VERSION}")
}

fn shipped<T: JsonSchema>(kind: DefinitionKind) -> ShippedSchema {
    let mut schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>();
    normalize::normalize(&mut schema);
    schema.insert("$id".into(), address(kind).into());
    schema.insert("title".into(), title(kind).into());
    ShippedSchema {
        kind,
        schema_id: format!("core.{kind}"),
        schema: schema.to_value(),
    }
}

/// `workflow` as `Workflow definition`.
fn title(kind: DefinitionKind) -> String {
    let mut title = format!("{kind} definition");
    if let Some(initial) = title.get(..1).map(str::to_ascii_uppercase) {
        title.replace_range(..1, &initial);
    }
    title
}

#[cfg(test)]
mod tests;

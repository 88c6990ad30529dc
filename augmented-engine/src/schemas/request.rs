//! What a registration is asked with.

use augmented_core::json::normalise_numbers;
use augmented_core::model::Compatibility;
use serde_json::{Map, Value, json};

/// A schema to register.
///
/// ```
/// use augmented_engine::NewSchema;
/// use serde_json::json;
/// let schema = NewSchema::new("user-profile", "User profile", json!({"type": "object"}))
///     .with_namespace("crm")
///     .with_tag("customer");
/// assert_eq!(schema.schema_id, "user-profile");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NewSchema {
    /// The business id.
    pub schema_id: String,
    /// The JSON Schema.
    pub schema: Value,
    /// The version. Default: 1.0.0.
    pub version: Option<String>,
    /// Whether it is kept as a draft instead of being published.
    pub draft: bool,
    pub(super) members: Map<String, Value>,
}

impl NewSchema {
    /// A schema to publish as version 1.0.0.
    #[must_use]
    pub fn new(schema_id: impl Into<String>, name: impl Into<String>, schema: Value) -> Self {
        let mut members = Map::new();
        members.insert("name".to_owned(), name.into().into());
        Self {
            schema_id: schema_id.into(),
            schema: normalise_numbers(schema),
            version: None,
            draft: false,
            members,
        }
    }

    /// Sets the version.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets whether it is kept as a draft instead of being published.
    #[must_use]
    pub fn with_draft(mut self, draft: bool) -> Self {
        self.draft = draft;
        self
    }

    pub(super) fn document(&self, version: &str) -> Value {
        document(&self.schema_id, version, &self.schema, &self.members)
    }
}

/// New content for a schema.
///
/// What is not set is taken over from the latest version.
///
/// ```
/// use augmented_engine::SchemaUpdate;
/// use serde_json::json;
/// let update = SchemaUpdate::new("user-profile", json!({"type": "object"}))
///     .with_expected_version("1.1.0");
/// assert_eq!(update.expected_version.as_deref(), Some("1.1.0"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SchemaUpdate {
    /// The business id.
    pub schema_id: String,
    /// The JSON Schema.
    pub schema: Value,
    /// The version. Default: the latest one moved by the class of the changes.
    pub version: Option<String>,
    /// The latest version the caller knows of; refuses the update if there is another.
    pub expected_version: Option<String>,
    /// Whether it is kept as a draft instead of being published.
    pub draft: bool,
    /// What is let pass.
    pub overrides: Overrides,
    pub(super) members: Map<String, Value>,
}

impl SchemaUpdate {
    /// New content, to be published.
    #[must_use]
    pub fn new(schema_id: impl Into<String>, schema: Value) -> Self {
        Self {
            schema_id: schema_id.into(),
            schema: normalise_numbers(schema),
            version: None,
            expected_version: None,
            draft: false,
            overrides: Overrides::default(),
            members: Map::new(),
        }
    }

    /// Sets the version.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Refuses the update unless this is the latest version.
    #[must_use]
    pub fn with_expected_version(mut self, version: impl Into<String>) -> Self {
        self.expected_version = Some(version.into());
        self
    }

    /// Sets whether it is kept as a draft instead of being published. A draft above the latest version is replaced.
    #[must_use]
    pub fn with_draft(mut self, draft: bool) -> Self {
        self.draft = draft;
        self
    }

    /// Sets what is let pass.
    #[must_use]
    pub fn with_overrides(mut self, overrides: Overrides) -> Self {
        self.overrides = overrides;
        self
    }

    /// Changes the name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.members.insert("name".to_owned(), name.into().into());
        self
    }
}

macro_rules! document_members {
    ($($type:ty),*) => {$(
        impl $type {
            /// Says what the schema describes.
            #[must_use]
            pub fn with_description(mut self, text: impl Into<String>) -> Self {
                self.members.insert("description".to_owned(), text.into().into());
                self
            }

            /// Sets the heading under which it is listed. Default: `default`.
            #[must_use]
            pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
                self.members.insert("namespace".to_owned(), namespace.into().into());
                self
            }

            /// Sets what the version after this one may change. Default: BACKWARD.
            #[must_use]
            pub fn with_compatibility(mut self, mode: Compatibility) -> Self {
                self.members.insert("compatibility".to_owned(), json!(mode));
                self
            }

            /// Says who is responsible for it.
            #[must_use]
            pub fn with_owner(mut self, owner: impl Into<String>) -> Self {
                self.members.insert("owner".to_owned(), owner.into().into());
                self
            }

            /// Adds a word to find it by.
            #[must_use]
            pub fn with_tag(mut self, tag: impl Into<String>) -> Self {
                let tags = self.members.entry("tags").or_insert_with(|| json!([]));
                if let Some(tags) = tags.as_array_mut() {
                    tags.push(tag.into().into());
                }
                self
            }

            /// Sets free data of the host.
            #[must_use]
            pub fn with_metadata(mut self, metadata: Map<String, Value>) -> Self {
                self.members.insert("metadata".to_owned(), metadata.into());
                self
            }
        }
    )*};
}

document_members!(NewSchema, SchemaUpdate);

/// What is let pass that the compatibility mode would refuse.
///
/// The library knows no principals: whoever may override is the host's decision, before it calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overrides {
    /// Whether changes may break the mode. The version then is a major one, and the versions before it stay usable.
    pub allow_breaking: bool,
    /// Why changes are accepted that cannot be proven compatible. The reason is kept in the document's metadata, as
    /// `acceptedUnknown`.
    pub accept_unknown: Option<String>,
}

impl Overrides {
    /// Nothing is let pass.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Lets changes break the mode.
    #[must_use]
    pub fn breaking() -> Self {
        Self {
            allow_breaking: true,
            accept_unknown: None,
        }
    }

    /// Accepts changes that cannot be proven compatible, and says why.
    #[must_use]
    pub fn accepting_unknown(reason: impl Into<String>) -> Self {
        Self {
            allow_breaking: false,
            accept_unknown: Some(reason.into()),
        }
    }
}

/// A schema document.
pub(super) fn document(
    schema_id: &str,
    version: &str,
    schema: &Value,
    members: &Map<String, Value>,
) -> Value {
    let mut document = members.clone();
    document.insert("kind".to_owned(), "schema".into());
    document.insert("schemaId".to_owned(), schema_id.into());
    document.insert("version".to_owned(), version.into());
    document.insert("schema".to_owned(), schema.clone());
    Value::Object(document)
}

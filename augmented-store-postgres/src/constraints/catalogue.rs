//! From the name of a constraint to what it means.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::{checks, tables};

/// What a constraint of the database stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// The code of the finding it corresponds to.
    pub code: &'static str,
    /// The place in the document, as a JSON Pointer.
    pub pointer: String,
}

/// What the constraint of a name stands for; none for those that have nothing to do with definitions.
///
/// ```
/// use augmented_store_postgres::constraints::rule;
/// assert_eq!(rule("ck_workflow_definitions_step_ids").unwrap().code, "DUPLICATE_STEP");
/// ```
#[must_use]
pub fn rule(constraint: &str) -> Option<&'static Rule> {
    static RULES: LazyLock<FxHashMap<String, Rule>> = LazyLock::new(all);
    RULES.get(constraint)
}

fn all() -> FxHashMap<String, Rule> {
    let mut rules = FxHashMap::default();
    let mut add = |name: String, code, pointer: String| {
        rules.insert(name, Rule { code, pointer });
    };
    for table in tables() {
        for check in checks::of(&table) {
            add(check.name, check.code, check.pointer);
        }
        for (suffix, code) in [
            ("conforms", "SCHEMA_VIOLATION"),
            ("document", "SCHEMA_VIOLATION"),
            ("schema_version", "REFERENCE_UNKNOWN"),
        ] {
            add(format!("ck_{}_{suffix}", table.name), code, String::new());
        }
    }
    add(
        "ck_definition_refs_resolved".to_owned(),
        "REFERENCE_NOT_PUBLISHED",
        String::new(),
    );
    add(
        "ck_definition_refs_archived".to_owned(),
        "REFERENCED_BY",
        String::new(),
    );
    rules
}

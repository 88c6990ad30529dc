//! What a schedule refers to.

use serde_json::{Map, Value};

use super::super::Finding;
use super::super::dataflow::Source;
use super::super::links::{Links, Reference, definition};
use super::super::place::Place;
use super::{FIRED_INPUT, check_input, reference_of};
use crate::model::DefinitionKind;
use crate::schema::TypeSet;

pub(super) fn reference(document: &Map<String, Value>) -> Option<Reference<'_>> {
    let target = document.get("target")?.as_object()?;
    let (kind, code) = match target.get("type")?.as_str()? {
        "WORKFLOW" => (DefinitionKind::Workflow, "UNKNOWN_WORKFLOW"),
        "TASK" => (DefinitionKind::Task, "UNKNOWN_TASK"),
        _ => return None,
    };
    let root = Place::ROOT;
    reference_of(target, &root.key("target"), ("id", "version"), kind, code)
}

pub(super) fn check(document: &Map<String, Value>, links: &Links<'_>, findings: &mut Vec<Finding>) {
    let Some(reference) = reference(document) else {
        return;
    };
    let Some(target) = links.follow(&reference, findings) else {
        return;
    };
    let source = |path: &[&str]| match path {
        ["schedule", "scheduleId" | "fireTime"] | ["now"] => {
            Source::Types(TypeSet::of_types(&["string"]))
        }
        _ => Source::Unknown,
    };
    let root = Place::ROOT;
    check_input(
        document.get("input"),
        &root.key("input"),
        target.document.get("inputSchema"),
        FIRED_INPUT,
        definition(&reference, &target),
        &source,
        findings,
    );
}

//! What expressions read, against the schemas of what they read it from.

use super::super::Finding;
use super::super::dataflow::{TargetSchema, types_of};
use super::super::expressions::Kept;
use super::super::wording;
use crate::expr::{EXPR_TYPE, EXPR_UNKNOWN_MEMBER, PathSegment, Reference, type_problems};
use crate::json::nearest::nearest;

/// Finds the schema that describes the beginning of a path, and how many names of the path it covers.
pub(super) type Described<'s, 'd> = &'d dyn Fn(&[&str]) -> Option<(TargetSchema<'s>, usize)>;

/// Reports members that closed objects do not have, and operations that cannot succeed.
pub(super) fn check(kept: &Kept, described: Described<'_, '_>, findings: &mut Vec<Finding>) {
    for reference in kept.expr.references().iter() {
        if let Some(finding) = check_path(reference, described) {
            let offset = reference
                .offset
                .zip(kept.offset)
                .map(|(at, start)| at + start);
            push(finding, kept, offset, findings);
        }
    }
    let type_of = |root: &str, members: &[&str]| {
        let mut path = Vec::with_capacity(members.len() + 1);
        path.push(root);
        path.extend(members);
        let (mut at, taken) = described(&path)?;
        for name in path.get(taken..)? {
            at = at.property(name)?;
        }
        match types_of(at.schema, at.root).names().as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    };
    for problem in type_problems(&kept.expr, kept.class, &type_of) {
        let offset = problem
            .offset
            .zip(kept.offset)
            .map(|(at, start)| at + start);
        let mut finding =
            Finding::error(EXPR_TYPE, "", problem.message).with_arguments(problem.arguments);
        finding.hint = problem.hint;
        push(finding, kept, offset, findings);
    }
}

fn push(mut finding: Finding, kept: &Kept, offset: Option<usize>, findings: &mut Vec<Finding>) {
    finding.pointer.clone_from(&kept.pointer);
    finding.offset_in_string = offset;
    findings.push(finding);
}

/// The first segment of a path that no value has.
fn check_path(reference: &Reference, described: Described<'_, '_>) -> Option<Finding> {
    let mut names: Vec<&str> = vec![&reference.root];
    names.extend(reference.path.iter().map_while(|segment| match segment {
        PathSegment::Member(name) => Some(&**name),
        PathSegment::Index(_) | PathSegment::Each => None,
    }));
    let (mut at, taken) = described(&names)?;
    let mut walked = names.get(..taken)?.join(".");
    for (index, segment) in reference.path.iter().enumerate().skip(taken - 1) {
        if reference.guards(index) {
            return None;
        }
        let types = types_of(at.schema, at.root).names();
        match segment {
            PathSegment::Member(name) => {
                if !types.contains(&"object") && !types.is_empty() {
                    return Some(no_members(&walked, name, &types));
                }
                let Some(next) = at.property(name) else {
                    return at.is_closed().then(|| unknown(&walked, name, at));
                };
                at = next;
                walked.push('.');
                walked.push_str(name);
            }
            PathSegment::Index(_) | PathSegment::Each => {
                // The members of an object have an order, too.
                let holds = types.contains(&"array") || types.contains(&"object");
                if !holds && !types.is_empty() {
                    return Some(
                        Finding::error(
                            EXPR_TYPE,
                            "",
                            format!(
                                "`{walked}` is of type {}, which has no elements",
                                types.join(" or ")
                            ),
                        )
                        .with_problem(),
                    );
                }
                if types.as_slice() != ["array"] {
                    return None;
                }
                at = at.at(at
                    .members()?
                    .get("items")
                    .filter(|items| items.is_object())?);
                walked.push_str("[]");
            }
        }
    }
    None
}

fn no_members(of: &str, name: &str, types: &[&str]) -> Finding {
    let finding = Finding::error(
        EXPR_TYPE,
        "",
        format!(
            "`{of}` is of type {}, which has no member `{}`",
            types.join(" or "),
            wording::cut(name)
        ),
    )
    .with_problem();
    match name {
        "length" | "size" | "count" => finding.with_hint(format!("write `size({of})`")),
        _ => finding,
    }
}

fn unknown(of: &str, name: &str, at: TargetSchema<'_>) -> Finding {
    let finding = Finding::error(
        EXPR_UNKNOWN_MEMBER,
        "",
        format!("`{of}` has no member `{}`", wording::cut(name)),
    )
    .with_argument("member", wording::cut(name))
    .with_optional_argument("nearest", wording::near(name, at.properties()));
    let names: Vec<&str> = at.properties().collect();
    // `a-b` reads as a subtraction of `b`.
    let dashed = names.iter().find(|known| {
        known
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('-'))
    });
    if let Some(dashed) = dashed.filter(|_| nearest(name, names.iter().copied()).is_none()) {
        return finding.with_hint(format!("write `{of}[\"{dashed}\"]`"));
    }
    match wording::suggest(name, names.iter().copied(), "its members") {
        Some(hint) => finding.with_hint(hint),
        None => finding.with_hint("the schema closes the object: declare the member there"),
    }
}

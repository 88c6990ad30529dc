//! Paths of other products and older definitions.

use super::ImportContext;
use super::draft::Draft;
use crate::expr::nearest::nearest;
use crate::expr::token::TokenKind;

/// How a path began, what it begins with here, the root that must be legal, and the row of the table.
const PREFIXES: [(&[&str], &str, &str, u8); 14] = [
    (
        &["workflow", "instance", "state", "steps"],
        "steps",
        "steps",
        16,
    ),
    (&["workflow", "state", "steps"], "steps", "steps", 13),
    (&["workflow", "instance", "input"], "input", "input", 13),
    (&["workflow", "instance", "variables"], "vars", "vars", 12),
    (&["workflow", "input"], "input", "input", 13),
    (&["workflow", "variables"], "vars", "vars", 12),
    (&["workflow", "context"], "vars", "vars", 12),
    (&["workflow", "vars"], "vars", "vars", 12),
    (&["workflow", "steps"], "steps", "steps", 13),
    (
        &["execution", "startTime"],
        "workflow.startedAt",
        "workflow",
        22,
    ),
    (&["task", "output"], "output", "output", 3),
    (&["step", "input"], "error.stepInput", "error", 18),
    (&["variables"], "vars", "vars", 12),
    (&["uiState"], "ui", "ui", 12),
];

/// Rewrites paths by how they begin.
pub(super) fn prefixes(draft: &mut Draft, context: &ImportContext<'_>) {
    dollar(draft, context);
    for (from, to, root, form) in PREFIXES {
        let mut at = 0;
        while at < draft.pieces.len() {
            if matches_prefix(draft, at, from)
                && !draft.is_bound(at)
                && context.site.allows(root)
                && !(from.len() == 1 && context.site.allows(from.first().copied().unwrap_or("")))
            {
                draft.splice(at, at + from.len() * 2 - 1, to);
                draft.note(form, format!("`{}` is `{to}`", from.join(".")));
            }
            at += 1;
        }
    }
    roots(draft, context);
}

fn matches_prefix(draft: &Draft, at: usize, from: &[&str]) -> bool {
    draft.begins_path(at)
        && from.iter().enumerate().all(|(step, name)| {
            let place = at + step * 2;
            draft.word(place) == *name
                && draft.is_ident(place)
                && (step == 0 || draft.symbol(place - 1, "."))
        })
        && !draft.symbol(at + from.len() * 2 - 1, "(")
}

/// `$.amount` is a path into the data of the place.
fn dollar(draft: &mut Draft, context: &ImportContext<'_>) {
    let mut at = 0;
    while at < draft.pieces.len() {
        if draft.word(at) == "$" && draft.symbol(at + 1, ".") && draft.is_ident(at + 2) {
            let data = context.site.data_root();
            let root = draft.word(at + 2).to_owned();
            if ROOTS.contains(&root.as_str()) && context.site.allows(&root) {
                // `$.input.x` of other products names the root itself.
                draft.splice(at, at + 3, &root);
                draft.guess(1, format!("a path begins with its root: `{root}.`"));
                at += 1;
                continue;
            }
            // In a trigger `$` is the envelope if the path goes on with `payload`.
            let to = if data == "event.payload" && root == "payload" {
                "event"
            } else {
                data
            };
            draft.splice(at, at + 1, to);
            let note = format!("`$.` is `{to}.`");
            if is_one_meaning(context) {
                draft.note(1, note);
            } else {
                draft.guess(1, note);
            }
        }
        at += 1;
    }
}

/// Whether the data of the place can only be what the step or the event has just brought; where the workflow's input
/// is read, other steps may have been meant.
fn is_one_meaning(context: &ImportContext<'_>) -> bool {
    context.site.data_root() != "input" || context.has_one_source()
}

/// Members of what is known of a step: behind `step.` they are no data.
const STEP_MEMBERS: [&str; 7] = [
    "input", "output", "outcome", "result", "status", "error", "visit",
];

/// Rewrites what stood for the data of the place: `data.x`, `response.x`, `message.x`, `step.x`, `context.x`.
fn roots(draft: &mut Draft, context: &ImportContext<'_>) {
    let data = context.site.data_root();
    let targets: [(&str, &str, u8, bool); 5] = [
        ("data", data, 1, is_one_meaning(context)),
        ("response", "output", 25, true),
        ("message", "event.payload", 25, true),
        ("step", "output", 4, true),
        ("context", "vars", 20, true),
    ];
    for (from, to, form, certain) in targets {
        let root = to.split('.').next().unwrap_or(to);
        if context.site.allows(from) || !context.site.allows(root) {
            continue;
        }
        let mut at = 0;
        while at < draft.pieces.len() {
            if draft.begins_path(at)
                && draft.word(at) == from
                && (draft.symbol(at + 1, ".") || draft.symbol(at + 1, "["))
                && !draft.is_bound(at)
            {
                if from == "step" && STEP_MEMBERS.contains(&draft.word(at + 2)) {
                    step_member(draft, at);
                } else {
                    draft.splice(at, at + 1, to);
                    draft.note(form, format!("`{from}.` is `{to}.`"));
                    draft.certain &= certain;
                }
            }
            at += 1;
        }
    }
}

/// `step.output.x` may be what the step has just given, or a member of that name in it.
fn step_member(draft: &mut Draft, at: usize) {
    let member = draft.word(at + 2).to_owned();
    match member.as_str() {
        "output" | "result" => {
            draft.splice(at, at + 3, "output");
            draft.guess(4, "what the step gave is `output`");
        }
        "outcome" => {
            draft.splice(at, at + 3, "outcome");
            draft.guess(4, "the outcome of the step is `outcome`");
        }
        _ => draft.guess(
            4,
            format!("a step is read by its id: `steps.<id>.{member}`; what it has just given is `output`"),
        ),
    }
}

/// Names that are no roots: words of the language and what a loop or a call declares.
const WORDS: [&str; 15] = [
    "true",
    "false",
    "null",
    "in",
    "undefined",
    "int",
    "uint",
    "double",
    "bool",
    "string",
    "bytes",
    "list",
    "map",
    "type",
    "google",
];

/// Roots of some place: where one is not legal, its name still does not mean a member of the data.
const ROOTS: [&str; 13] = [
    "input", "vars", "steps", "workflow", "event", "signal", "output", "outcome", "error", "item",
    "index", "schedule", "task",
];

/// Names that mean something in other languages: no member of the data is meant by them.
const FOREIGN: [&str; 22] = [
    "Array",
    "Boolean",
    "Date",
    "JSON",
    "Math",
    "Number",
    "Object",
    "String",
    "console",
    "const",
    "env",
    "function",
    "instanceof",
    "let",
    "new",
    "process",
    "return",
    "secret",
    "secrets",
    "this",
    "typeof",
    "void",
];

/// Functions and words of other languages, each with what does the same here.
pub(super) fn foreign(draft: &mut Draft, _: &ImportContext<'_>) {
    const CALLS: [(&str, &str, &str); 9] = [
        ("Math", "max", "math.greatest"),
        ("Math", "min", "math.least"),
        ("Math", "round", "math.round"),
        ("Math", "floor", "math.floor"),
        ("Math", "ceil", "math.ceil"),
        ("Math", "abs", "math.abs"),
        ("JSON", "stringify", "json"),
        ("JSON", "parse", "parseJson"),
        ("Object", "keys", ""),
    ];
    let mut at = 0;
    while at < draft.pieces.len() {
        let called = CALLS.iter().find(|(object, member, _)| {
            draft.begins_path(at)
                && draft.is(at, TokenKind::Ident, object)
                && draft.symbol(at + 1, ".")
                && draft.word(at + 2) == *member
                && draft.symbol(at + 3, "(")
        });
        match (called, draft.word(at)) {
            (Some((_, _, "")), _) => {
                let note = "the members of an object are counted by `size(x)` and looped over by `x.all(key, …)`";
                draft.guess(29, note);
            }
            (Some((object, member, right)), _) => {
                let note = format!("`{object}.{member}` is `{right}`");
                draft.splice(at, at + 3, right);
                draft.guess(29, note);
            }
            (None, "typeof") if draft.is_ident(at + 1) => {
                draft.guess(29, "the type of a value is asked by `type(x) == string`");
            }
            (None, "Date") if draft.begins_path(at) => {
                draft.guess(29, "an instant is `now` or `timestamp(text)`");
            }
            _ => {}
        }
        at += 1;
    }
}

/// `list.map(i => i.x)` is `list.map(i, i.x)`.
pub(super) fn arrows(draft: &mut Draft, _: &ImportContext<'_>) {
    for at in 2..draft.pieces.len() {
        if draft.symbol(at, "=>") && draft.is_ident(at - 1) && draft.symbol(at - 2, "(") {
            draft.splice(at, at + 1, ",");
            if let Some(comma) = draft.pieces.get_mut(at) {
                comma.space.clear();
            }
            draft.guess(17, "a loop declares its variable: `list.map(i, i.x)`");
        }
    }
}

/// Bare names, read from the data of the place.
pub(super) fn bare_names(draft: &mut Draft, context: &ImportContext<'_>) {
    let mut at = 0;
    while at < draft.pieces.len() {
        let name = draft.word(at).to_owned();
        let bare = draft.begins_path(at)
            && !draft.symbol(at + 1, "(")
            && !WORDS.contains(&name.as_str())
            && !context.site.allows(&name)
            && !ROOTS.contains(&name.as_str())
            && !FOREIGN.contains(&name.as_str())
            && !draft.is_bound(at)
            && !key_of_map(draft, at)
            && !super::super::functions::NAMESPACES.contains(&name.as_str())
            && (name == "status" || nearest(&name, context.site.roots()).is_none());
        if bare {
            rewrite_bare(draft, context, at, &name);
        }
        at += 1;
    }
}

fn rewrite_bare(draft: &mut Draft, context: &ImportContext<'_>, at: usize, name: &str) {
    if name == "status" && context.site.allows("workflow") && !draft.symbol(at + 1, ".") {
        let upper = match draft.get(at + 2) {
            Some(literal) if literal.kind == TokenKind::Text => {
                Some(literal.text.to_ascii_uppercase().replace('\'', "\""))
            }
            _ => None,
        };
        if let Some(upper) = upper {
            draft.splice(at + 2, at + 3, &upper);
        }
        draft.splice(at, at + 1, "workflow.status");
        draft.guess(
            7,
            "`status` alone is nothing: write `workflow.status`, whose values are upper-case",
        );
        return;
    }
    let data = context.site.data_root();
    // Relative to the envelope as well as to its payload.
    let right = if data == "event.payload" && name == "payload" {
        data.to_owned()
    } else {
        format!("{data}.{name}")
    };
    let note = format!("`{name}` is read from nowhere: write `{right}`");
    draft.splice(at, at + 1, &right);
    if context.has_one_source() {
        draft.note(19, note);
    } else {
        draft.guess(4, note);
    }
}

/// `{name: …}` is a key of a map in other languages; in CEL too it is a name, so it is left alone.
fn key_of_map(draft: &Draft, at: usize) -> bool {
    draft.symbol(at + 1, ":") && at > 0 && (draft.symbol(at - 1, "{") || draft.symbol(at - 1, ","))
}

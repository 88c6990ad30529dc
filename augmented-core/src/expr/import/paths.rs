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
            // In a trigger `$` is the envelope if the path goes on with `payload`.
            let to = if data == "event.payload" && draft.word(at + 2) == "payload" {
                "event"
            } else {
                data
            };
            draft.splice(at, at + 1, to);
            draft.note(1, format!("`$.` is `{to}.`"));
        }
        at += 1;
    }
}

/// Rewrites what stood for the data of the place: `data.x`, `response.x`, `message.x`, `step.x`, `context.x`.
fn roots(draft: &mut Draft, context: &ImportContext<'_>) {
    let data = context.site.data_root();
    let targets: [(&str, &str, u8, bool); 5] = [
        ("data", data, 1, true),
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
            {
                draft.splice(at, at + 1, to);
                draft.note(form, format!("`{from}.` is `{to}.`"));
                draft.certain &= certain;
            }
            at += 1;
        }
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

/// Bare names, read from the data of the place.
pub(super) fn bare_names(draft: &mut Draft, context: &ImportContext<'_>) {
    let declared = declared_variables(draft);
    let mut at = 0;
    while at < draft.pieces.len() {
        let name = draft.word(at).to_owned();
        let bare = draft.begins_path(at)
            && !draft.symbol(at + 1, "(")
            && !WORDS.contains(&name.as_str())
            && !context.site.allows(&name)
            && !ROOTS.contains(&name.as_str())
            && !declared.contains(&name)
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

/// The loop variables of `list.map(x, …)` and the like.
fn declared_variables(draft: &Draft) -> Vec<String> {
    let mut declared = Vec::new();
    for at in 0..draft.pieces.len() {
        let looped = matches!(
            draft.word(at),
            "map"
                | "filter"
                | "all"
                | "exists"
                | "exists_one"
                | "existsOne"
                | "sortBy"
                | "optMap"
                | "optFlatMap"
        );
        if looped
            && draft.symbol(at + 1, "(")
            && draft.is_ident(at + 2)
            && draft.symbol(at + 3, ",")
        {
            declared.push(draft.word(at + 2).to_owned());
        }
    }
    declared
}

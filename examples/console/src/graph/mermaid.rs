//! A drawing as a Mermaid flowchart, for Markdown.

use std::collections::HashMap;
use std::fmt::Write;

use augmented_core::model::StepType;

use super::diagram::{Diagram, Line, Node, Scope, Shape};

/// Writes a diagram.
pub(super) fn write(diagram: &Diagram) -> String {
    let mut ids = HashMap::new();
    diagram.root.walk(&mut |node| {
        // Step ids may be words of the language, such as `end`, or hold `-`.
        let id = format!("n{}", ids.len());
        ids.insert(node.key.clone(), id);
    });
    let mut text = format!(
        "---\ntitle: \"{}\"\n---\nflowchart TD\n",
        title(&format!("{} ({})", diagram.title, diagram.subtitle))
    );
    scope(&diagram.root, &ids, 1, &mut text);
    edges(&diagram.root, &ids, &mut text);
    classes(&diagram.root, &ids, &mut text);
    text
}

fn scope(scope: &Scope, ids: &HashMap<String, String>, depth: usize, text: &mut String) {
    let indent = "    ".repeat(depth);
    for node in &scope.nodes {
        let Some(id) = ids.get(&node.key) else {
            continue;
        };
        if node.lanes.is_empty() {
            let _ = writeln!(text, "{indent}{id}{}", shape(node));
            continue;
        }
        let _ = writeln!(text, "{indent}subgraph {id}[\"{}\"]", label(node));
        for (index, lane) in node.lanes.iter().enumerate() {
            match &lane.title {
                Some(title) => {
                    let _ = writeln!(
                        text,
                        "{indent}    subgraph {id}b{index}[\"{}\"]",
                        escape(title)
                    );
                    self::scope(&lane.scope, ids, depth + 2, text);
                    let _ = writeln!(text, "{indent}    end");
                }
                None => self::scope(&lane.scope, ids, depth + 1, text),
            }
        }
        let _ = writeln!(text, "{indent}end");
    }
}

fn shape(node: &Node) -> String {
    let label = label(node);
    match node.shape {
        Shape::Step(StepType::Start | StepType::End) | Shape::FailedEnd | Shape::AnyError => {
            format!("([\"{label}\"])")
        }
        Shape::Step(StepType::Decision) => format!("{{\"{label}\"}}"),
        Shape::Step(StepType::EventWait | StepType::Delay) => format!("{{{{\"{label}\"}}}}"),
        Shape::Step(StepType::SubWorkflow) => format!("[[\"{label}\"]]"),
        Shape::Step(StepType::HumanTask) => format!("[/\"{label}\"/]"),
        Shape::Entry => format!("((\"{label}\"))"),
        Shape::Exit => format!("(((\"{label}\")))"),
        Shape::Step(
            StepType::Pass
            | StepType::Task
            | StepType::Parallel
            | StepType::ForEach
            | StepType::Poll,
        )
        | Shape::Compensation
        | Shape::Missing => format!("[\"{label}\"]"),
    }
}

fn label(node: &Node) -> String {
    if node.detail.is_empty() {
        escape(&node.title)
    } else {
        format!(
            "{}<br/><small>{}</small>",
            escape(&node.title),
            escape(&node.detail)
        )
    }
}

fn edges(root: &Scope, ids: &HashMap<String, String>, text: &mut String) {
    root.walk_edges(&mut |edge| {
        let (Some(from), Some(to)) = (ids.get(&edge.source), ids.get(&edge.target)) else {
            return;
        };
        // An arrow that leaves a frame begins at the step itself here, so its name is not needed.
        let label = edge
            .label
            .strip_prefix(&format!("{}: ", edge.source))
            .unwrap_or(&edge.label);
        let label = if edge.line == Line::Escape && label == edge.source {
            ""
        } else {
            label
        };
        let arrow = match edge.line {
            Line::Normal | Line::Escape => "-->",
            Line::Failure | Line::Timeout => "-.->",
            Line::Undo => "-.-",
        };
        let label = if label.is_empty() {
            String::new()
        } else {
            format!("|\"{}\"|", escape(label))
        };
        let _ = writeln!(text, "    {from} {arrow}{label} {to}");
    });
}

fn classes(root: &Scope, ids: &HashMap<String, String>, text: &mut String) {
    let mut members: Vec<(&str, &str, Vec<String>)> = CLASSES
        .iter()
        .map(|(name, style)| (*name, *style, Vec::new()))
        .collect();
    root.walk(&mut |node| {
        let class = class(node.shape);
        if let (Some((_, _, list)), Some(id)) = (
            members.iter_mut().find(|(name, ..)| Some(*name) == class),
            ids.get(&node.key),
        ) {
            list.push(id.clone());
        }
    });
    for (name, style, list) in members.into_iter().filter(|(.., list)| !list.is_empty()) {
        let _ = writeln!(text, "    classDef {name} {style}");
        let _ = writeln!(text, "    class {} {name}", list.join(","));
    }
}

const CLASSES: [(&str, &str); 8] = [
    ("task", "fill:#e8f1fc,stroke:#3578b8,color:#1f2933"),
    ("human", "fill:#fff4da,stroke:#b97a16,color:#1f2933"),
    ("decision", "fill:#f3ecfb,stroke:#7f52bd,color:#1f2933"),
    ("wait", "fill:#e2f5f2,stroke:#22857a,color:#1f2933"),
    ("child", "fill:#ebf6e6,stroke:#4e8a33,color:#1f2933"),
    ("terminal", "fill:#edf0f3,stroke:#3e4c59,color:#1f2933"),
    ("failed", "fill:#fdeaea,stroke:#c0392b,color:#1f2933"),
    (
        "undo",
        "fill:#faf3ec,stroke:#a0673a,color:#1f2933,stroke-dasharray:3 3",
    ),
];

const fn class(shape: Shape) -> Option<&'static str> {
    Some(match shape {
        Shape::Step(StepType::Task | StepType::Poll) => "task",
        Shape::Step(StepType::HumanTask) => "human",
        Shape::Step(StepType::Decision) => "decision",
        Shape::Step(StepType::EventWait | StepType::Delay) => "wait",
        Shape::Step(StepType::SubWorkflow) => "child",
        Shape::Step(StepType::Start | StepType::End) | Shape::Entry | Shape::Exit => "terminal",
        Shape::FailedEnd | Shape::AnyError | Shape::Missing => "failed",
        Shape::Compensation => "undo",
        Shape::Step(StepType::Pass | StepType::Parallel | StepType::ForEach) => return None,
    })
}

/// Text inside the quotes of a Mermaid label.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' => escaped.push_str("#quot;"),
            '#' => escaped.push_str("#35;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            '&' => escaped.push_str("#amp;"),
            '`' => escaped.push_str("#96;"),
            '\\' => escaped.push_str("#92;"),
            _ if letter.is_control() => escaped.push(' '),
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// Text inside the double quotes of the front matter, which is YAML.
fn title(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            _ if letter.is_control() => " ".to_owned(),
            _ => letter.to_string(),
        })
        .collect()
}

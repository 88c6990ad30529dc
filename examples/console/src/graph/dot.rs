//! A drawing in the language of Graphviz.

use std::collections::HashMap;
use std::fmt::Write;

use augmented_core::model::StepType;

use super::diagram::{Diagram, Edge, Line, Node, Scope, Shape};

/// Writes a diagram.
pub(super) fn write(diagram: &Diagram) -> String {
    let mut frames = HashMap::new();
    diagram.root.walk(&mut |node| {
        if let Some(inside) = first_box(node) {
            let cluster = format!("cluster_{}", frames.len());
            frames.insert(
                node.key.clone(),
                Cluster {
                    name: cluster,
                    inside: inside.to_owned(),
                },
            );
        }
    });
    let mut text = format!(
        "digraph {} {{\n  label={};\n  labelloc=t;\n  compound=true;\n  rankdir=TB;\n  fontname=\"Helvetica\";\n  \
         node [fontname=\"Helvetica\", fontsize=11, style=filled, fillcolor=\"#f5f7fa\", color=\"#52606d\"];\n  \
         edge [fontname=\"Helvetica\", fontsize=9, color=\"#52606d\"];\n",
        quoted(&diagram.subtitle),
        quoted(&format!("{} ({})", diagram.title, diagram.subtitle))
    );
    scope(&diagram.root, &frames, 1, &mut text);
    diagram
        .root
        .walk_edges(&mut |edge| write_edge(edge, &frames, &mut text));
    text.push_str("}\n");
    text
}

/// The frame of a step in the language, and a box inside for arrows to hold on to.
struct Cluster {
    name: String,
    inside: String,
}

fn first_box(node: &Node) -> Option<&str> {
    let first = node
        .lanes
        .iter()
        .find_map(|lane| lane.scope.nodes.first())?;
    first_box(first).or(Some(&first.key))
}

fn scope(scope: &Scope, frames: &HashMap<String, Cluster>, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    for node in &scope.nodes {
        let Some(cluster) = frames.get(&node.key) else {
            let _ = writeln!(
                text,
                "{indent}{} [{}];",
                quoted(&node.key),
                attributes(node)
            );
            continue;
        };
        let _ = writeln!(
            text,
            "{indent}subgraph {} {{\n{indent}  label={}; style=rounded; color=\"#9fb0c0\"; bgcolor=\"#f6f8fa\";",
            cluster.name,
            quoted(&label(node))
        );
        for (index, lane) in node.lanes.iter().enumerate() {
            match &lane.title {
                Some(title) => {
                    let _ = writeln!(
                        text,
                        "{indent}  subgraph {}_{index} {{\n{indent}    label={}; style=\"rounded,dashed\"; bgcolor=\"#ffffff\";",
                        cluster.name,
                        quoted(title)
                    );
                    self::scope(&lane.scope, frames, depth + 2, text);
                    let _ = writeln!(text, "{indent}  }}");
                }
                None => self::scope(&lane.scope, frames, depth + 1, text),
            }
        }
        let _ = writeln!(text, "{indent}}}");
    }
}

fn attributes(node: &Node) -> String {
    let (shape, style, fill) = match node.shape {
        Shape::Step(StepType::Start) => ("oval", "filled", "#e3f5e8"),
        Shape::Step(StepType::End) => ("oval", "filled,bold", "#edf0f3"),
        Shape::Step(StepType::Decision) => ("diamond", "filled", "#f3ecfb"),
        Shape::Step(StepType::EventWait) => ("hexagon", "filled", "#e2f5f2"),
        Shape::Step(StepType::Delay) => ("hexagon", "filled", "#eceff3"),
        Shape::Step(StepType::SubWorkflow) => ("box", "filled,rounded", "#ebf6e6"),
        Shape::Step(StepType::HumanTask) => ("box", "filled,rounded", "#fff4da"),
        Shape::Step(StepType::Pass | StepType::Parallel | StepType::ForEach) => {
            ("box", "filled,rounded", "#f5f7fa")
        }
        Shape::Step(StepType::Task | StepType::Poll) => ("box", "filled,rounded", "#e8f1fc"),
        Shape::FailedEnd => ("oval", "filled,bold", "#fdeaea"),
        Shape::AnyError => ("oval", "filled,dashed", "#fdeaea"),
        Shape::Missing => ("box", "filled,dashed", "#fdeaea"),
        Shape::Compensation => ("box", "filled,dotted", "#faf3ec"),
        Shape::Entry => {
            return "shape=circle, width=0.2, label=\"\", fillcolor=\"#2f8f53\"".to_owned();
        }
        Shape::Exit => {
            return "shape=doublecircle, width=0.15, label=\"\", fillcolor=\"#3e4c59\"".to_owned();
        }
    };
    let peripheries = if node.shape == Shape::Step(StepType::SubWorkflow) {
        ", peripheries=2"
    } else {
        ""
    };
    format!(
        "shape={shape}, style={}, fillcolor=\"{fill}\", label={}, tooltip={}{peripheries}",
        quoted(style),
        quoted(&label(node)),
        quoted(&node.tooltip)
    )
}

fn label(node: &Node) -> String {
    if node.detail.is_empty() {
        node.title.clone()
    } else {
        format!("{}\n{}", node.title, node.detail)
    }
}

fn write_edge(edge: &Edge, frames: &HashMap<String, Cluster>, text: &mut String) {
    let mut attributes = Vec::new();
    let label = edge
        .label
        .strip_prefix(&format!("{}: ", edge.source))
        .unwrap_or(&edge.label);
    let is_own_name = edge.line == Line::Escape && label == edge.source;
    if !label.is_empty() && !is_own_name {
        attributes.push(format!("label={}", quoted(&format!(" {label} "))));
    }
    match edge.line {
        Line::Normal | Line::Escape => {}
        Line::Failure => {
            attributes.push("style=dashed, color=\"#c0392b\", fontcolor=\"#c0392b\"".to_owned())
        }
        Line::Timeout => {
            attributes.push("style=dashed, color=\"#b96b00\", fontcolor=\"#b96b00\"".to_owned())
        }
        Line::Undo => {
            attributes.push("style=dotted, color=\"#a0673a\", fontcolor=\"#a0673a\"".to_owned())
        }
    }
    let mut end = |key: &str, attribute: &str| match frames.get(key) {
        Some(cluster) => {
            attributes.push(format!("{attribute}={}", cluster.name));
            cluster.inside.clone()
        }
        None => key.to_owned(),
    };
    let (from, to) = (end(&edge.source, "ltail"), end(&edge.target, "lhead"));
    let attributes = if attributes.is_empty() {
        String::new()
    } else {
        format!(" [{}]", attributes.join(", "))
    };
    let _ = writeln!(text, "  {} -> {}{attributes};", quoted(&from), quoted(&to));
}

/// A quoted string of the language; a line break centres what precedes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            _ if letter.is_control() => quoted.push(' '),
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

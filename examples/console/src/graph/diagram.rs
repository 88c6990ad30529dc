//! What a drawing shows: boxes, frames with branches, and arrows; independent of how it is drawn.

use augmented_core::model::StepType;

/// A workflow to draw.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Diagram {
    /// Name of the workflow.
    pub(super) title: String,
    /// Its id and version.
    pub(super) subtitle: String,
    /// The steps that are not nested.
    pub(super) root: Scope,
}

/// Boxes side by side in one frame, and the arrows between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Scope {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
}

/// A box, or a frame if it has branches.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// Unique in the diagram: the step id, or a word in angle brackets that no step id can be.
    pub(super) key: String,
    pub(super) shape: Shape,
    /// The name people read.
    pub(super) title: String,
    /// What it does in a few words; may be empty.
    pub(super) detail: String,
    /// Everything that may have been cut.
    pub(super) tooltip: String,
    /// The branches of a PARALLEL, the body of a FOR_EACH.
    pub(super) lanes: Vec<Lane>,
}

/// One branch of a frame.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lane {
    /// Name of the branch; a body has none.
    pub(super) title: Option<String>,
    pub(super) tooltip: String,
    pub(super) scope: Scope,
}

/// What a box stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A step of that type.
    Step(StepType),
    /// An END step that fails the workflow.
    FailedEnd,
    /// Where the workflow begins, if no START step says so.
    Entry,
    /// Where a path ends without an END step.
    Exit,
    /// Any error that no step handled.
    AnyError,
    /// A task that undoes another.
    Compensation,
    /// A step that is referred to and does not exist.
    Missing,
}

/// An arrow between two boxes of one scope.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Edge {
    /// Index of the box it leaves.
    pub(super) from: usize,
    /// Index of the box it reaches.
    pub(super) to: usize,
    /// Key of the step it truly leaves, which may stand inside the box `from`.
    pub(super) source: String,
    /// Key of the step it reaches.
    pub(super) target: String,
    pub(super) label: String,
    pub(super) line: Line,
}

/// Why an arrow is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The step is done.
    Normal,
    /// The step is done, and the path leaves its frame.
    Escape,
    /// The step failed.
    Failure,
    /// The wait took too long.
    Timeout,
    /// Not followed: the target undoes the source.
    Undo,
}

impl Scope {
    /// Every box, nested ones after their frame.
    pub(super) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        for node in &self.nodes {
            visit(node);
            for lane in &node.lanes {
                lane.scope.walk(visit);
            }
        }
    }

    /// Every arrow, those of nested scopes included.
    pub(super) fn walk_edges<'a>(&'a self, visit: &mut dyn FnMut(&'a Edge)) {
        for edge in &self.edges {
            visit(edge);
        }
        for lane in self.nodes.iter().flat_map(|node| &node.lanes) {
            lane.scope.walk_edges(visit);
        }
    }
}

//! The graph of a workflow, read from the JSON tree so that it can be drawn of a partly broken document.

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use super::place::Place;
use crate::model::StepType;

/// Position of a step in [`Graph::steps`].
pub(crate) type StepIdx = usize;
/// Position of a scope in [`Graph::scopes`]; 0 is the root.
pub(crate) type ScopeIdx = usize;

/// One step of the definition, nested ones included.
#[derive(Debug)]
pub(crate) struct StepNode<'a> {
    /// Where the step stands.
    pub(crate) pointer: String,
    /// Its id; empty when missing.
    pub(crate) id: &'a str,
    /// What it does; `None` if `type` is missing or no type, which the structural level reports.
    pub(crate) kind: Option<StepType>,
    pub(crate) value: &'a Map<String, Value>,
    pub(crate) scope: ScopeIdx,
    /// Scopes inside: branches of a PARALLEL, the body of a FOR_EACH.
    pub(crate) inner: Vec<ScopeIdx>,
    /// Whether a path may end here.
    pub(crate) may_end: bool,
    /// Whether a reference of this step leads nowhere known, so that it may lead anywhere.
    pub(crate) dangling: bool,
}

/// A list of steps that sees itself and what encloses it.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) parent: Option<ScopeIdx>,
    /// The step that holds it; `None` for the root.
    pub(crate) container: Option<StepIdx>,
    /// Index of the branch, for a scope of a PARALLEL.
    pub(crate) branch: Option<usize>,
    pub(crate) depth: usize,
    pub(crate) steps: Vec<StepIdx>,
    /// Where its `steps` array stands.
    pub(crate) pointer: String,
}

/// From where a step id is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// `next[i].nextStepId`
    Next(usize),
    /// `onFailure.handlers[i].nextStepId`
    Handler(usize),
    /// `onFailure.nextStepId`
    Continue,
    /// `eventTimeout.timeoutHandlerStepId`
    Timeout,
    /// `onError.handlerStepId` of the workflow
    OnError,
    /// `startStepId` of the workflow
    Start,
}

/// Where a named step is, seen from where it is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Step(StepIdx),
    /// It exists in a scope that cannot be entered from here.
    OutOfScope(StepIdx),
    Unknown,
}

/// A step id named somewhere.
#[derive(Debug)]
pub(crate) struct Mention<'a> {
    /// The step that names it; `None` for the workflow itself.
    pub(crate) from: Option<StepIdx>,
    pub(crate) site: Site,
    pub(crate) id: &'a str,
    pub(crate) target: Target,
}

/// An edge between two steps of one scope; a step that leaves its scope is represented by its container.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) to: StepIdx,
    /// The mention it comes from.
    pub(crate) mention: usize,
    /// It stands for "anything may fail", not for a way the author drew.
    pub(crate) implied: bool,
}

/// All steps, scopes and edges of a workflow definition.
#[derive(Debug)]
pub(crate) struct Graph<'a> {
    pub(crate) steps: Vec<StepNode<'a>>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) mentions: Vec<Mention<'a>>,
    /// Edges out of each step, within its own scope.
    pub(crate) edges: Vec<Vec<Edge>>,
    /// First use of each step id.
    pub(crate) by_id: FxHashMap<&'a str, StepIdx>,
    /// Later uses of an id: (the step, the first one).
    pub(crate) duplicates: Vec<(StepIdx, StepIdx)>,
    /// The entry point.
    pub(crate) start: Option<StepIdx>,
    /// Whether some step has no readable id, so that an unknown id may be its.
    pub(crate) has_nameless: bool,
}

/// Nesting beyond this is not read; the limit of a definition is 8.
const READ_DEPTH: usize = 16;

impl<'a> Graph<'a> {
    /// Reads the graph of a workflow document.
    pub(crate) fn read(document: &'a Map<String, Value>) -> Self {
        let mut graph = Self {
            steps: Vec::new(),
            scopes: Vec::new(),
            mentions: Vec::new(),
            edges: Vec::new(),
            by_id: FxHashMap::default(),
            duplicates: Vec::new(),
            start: None,
            has_nameless: !document.get("steps").is_some_and(Value::is_array),
        };
        let steps = Place::ROOT.key("steps");
        graph.read_scope(document.get("steps"), &steps, None, None, 1);
        graph.index_ids();
        graph.find_start(document);
        for from in 0..graph.steps.len() {
            graph.read_mentions(from);
        }
        if let Some(id) = document
            .get("onError")
            .and_then(|e| e.get("handlerStepId"))
            .and_then(Value::as_str)
        {
            graph.mention(None, Site::OnError, id);
        }
        graph.draw_edges();
        graph
    }

    fn read_scope(
        &mut self,
        steps: Option<&'a Value>,
        place: &Place<'_>,
        container: Option<StepIdx>,
        branch: Option<usize>,
        depth: usize,
    ) -> ScopeIdx {
        let scope = self.scopes.len();
        let parent = container.and_then(|c| self.steps.get(c)).map(|c| c.scope);
        self.scopes.push(Scope {
            parent,
            container,
            branch,
            depth,
            steps: Vec::new(),
            pointer: place.to_string(),
        });
        let elements = steps
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        for (i, element) in elements.iter().enumerate() {
            let Some(value) = element.as_object() else {
                self.has_nameless = true;
                continue;
            };
            self.read_step(value, &place.index(i), scope, depth);
        }
        scope
    }

    fn read_step(
        &mut self,
        value: &'a Map<String, Value>,
        place: &Place<'_>,
        scope: ScopeIdx,
        depth: usize,
    ) {
        let index = self.steps.len();
        let id = value
            .get("stepId")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let kind = value
            .get("type")
            .and_then(Value::as_str)
            .and_then(StepType::from_wire);
        self.has_nameless |= id.is_empty();
        self.steps.push(StepNode {
            pointer: place.to_string(),
            id,
            kind,
            value,
            scope,
            inner: Vec::new(),
            may_end: kind == Some(StepType::End) || ends_path(value),
            dangling: false,
        });
        if let Some(own) = self.scopes.get_mut(scope) {
            own.steps.push(index);
        }
        if depth >= READ_DEPTH {
            return;
        }
        let mut inner = Vec::new();
        if kind == Some(StepType::Parallel) {
            let branches = value
                .get("branches")
                .and_then(Value::as_array)
                .map(Vec::as_slice)
                .unwrap_or_default();
            for (b, branch) in branches.iter().enumerate() {
                let list = place.key("branches");
                let element = list.index(b);
                inner.push(self.read_scope(
                    branch.get("steps"),
                    &element.key("steps"),
                    Some(index),
                    Some(b),
                    depth + 1,
                ));
            }
        } else if kind == Some(StepType::ForEach) {
            inner.push(self.read_scope(
                value.get("steps"),
                &place.key("steps"),
                Some(index),
                None,
                depth + 1,
            ));
        }
        if let Some(step) = self.steps.get_mut(index) {
            step.inner = inner;
        }
    }

    fn index_ids(&mut self) {
        for (index, step) in self.steps.iter().enumerate() {
            if step.id.is_empty() {
                continue;
            }
            match self.by_id.get(step.id) {
                Some(first) => self.duplicates.push((index, *first)),
                None => {
                    self.by_id.insert(step.id, index);
                }
            }
        }
    }

    /// `startStepId`, else the START step, else the first one.
    fn find_start(&mut self, document: &'a Map<String, Value>) {
        let root = self
            .scopes
            .first()
            .map(|s| s.steps.as_slice())
            .unwrap_or_default();
        self.start = root
            .iter()
            .copied()
            .find(|i| {
                self.steps
                    .get(*i)
                    .is_some_and(|s| s.kind == Some(StepType::Start))
            })
            .or_else(|| root.first().copied());
        if let Some(id) = document.get("startStepId").and_then(Value::as_str) {
            self.mention(None, Site::Start, id);
            if let Some(Mention {
                target: Target::Step(named),
                ..
            }) = self.mentions.last()
            {
                self.start = Some(*named);
            }
        }
    }

    fn read_mentions(&mut self, from: StepIdx) {
        let Some(value) = self.steps.get(from).map(|s| s.value) else {
            return;
        };
        for (i, entry) in list_of(value, "next").enumerate() {
            if let Some(id) = entry.get("nextStepId").and_then(Value::as_str) {
                self.mention(Some(from), Site::Next(i), id);
            }
        }
        if let Some(failure) = value.get("onFailure").and_then(Value::as_object) {
            for (i, handler) in list_of(failure, "handlers").enumerate() {
                if let Some(id) = handler.get("nextStepId").and_then(Value::as_str) {
                    self.mention(Some(from), Site::Handler(i), id);
                }
            }
            if let Some(id) = failure.get("nextStepId").and_then(Value::as_str) {
                self.mention(Some(from), Site::Continue, id);
            }
        }
        let timeout = value
            .get("eventTimeout")
            .and_then(|t| t.get("timeoutHandlerStepId"));
        if let Some(id) = timeout.and_then(Value::as_str) {
            self.mention(Some(from), Site::Timeout, id);
        }
    }

    fn mention(&mut self, from: Option<StepIdx>, site: Site, id: &'a str) {
        let scope = from.and_then(|f| self.steps.get(f)).map_or(0, |s| s.scope);
        let target =
            match self.by_id.get(id) {
                None => Target::Unknown,
                Some(&to) if self.encloses(self.scope_of(to), scope) => Target::Step(to),
                // The id may be used twice, which is reported there; one of the two may be visible.
                Some(&to) => match self.duplicates.iter().find(|(again, first)| {
                    *first == to && self.encloses(self.scope_of(*again), scope)
                }) {
                    Some((again, _)) => Target::Step(*again),
                    None => Target::OutOfScope(to),
                },
            };
        if let (Some(from), Target::Unknown | Target::OutOfScope(_)) = (from, target)
            && let Some(step) = self.steps.get_mut(from)
        {
            step.dangling = true;
        }
        self.mentions.push(Mention {
            from,
            site,
            id,
            target,
        });
    }

    fn draw_edges(&mut self) {
        self.edges = (0..self.steps.len()).map(|_| Vec::new()).collect();
        for m in 0..self.mentions.len() {
            let Some(&Mention {
                from,
                site,
                target: Target::Step(to),
                ..
            }) = self.mentions.get(m)
            else {
                continue;
            };
            match (from, site) {
                (Some(from), _) => self.draw_edge(from, to, m),
                (None, Site::OnError) => self.draw_error_edges(to, m),
                (None, _) => {}
            }
        }
    }

    /// Draws the edge in the scope of its target; scopes left on the way may end.
    fn draw_edge(&mut self, from: StepIdx, to: StepIdx, mention: usize) {
        let scope = self.scope_of(to);
        let mut source = from;
        while self.scope_of(source) != scope {
            if let Some(step) = self.steps.get_mut(source) {
                step.may_end = true;
            }
            let Some(container) = self
                .scopes
                .get(self.scope_of(source))
                .and_then(|s| s.container)
            else {
                return;
            };
            source = container;
        }
        if let Some(edges) = self.edges.get_mut(source) {
            edges.push(Edge {
                to,
                mention,
                implied: false,
            });
        }
    }

    /// Every step of the root may fail, so the workflow-wide handler may follow each of them.
    fn draw_error_edges(&mut self, to: StepIdx, mention: usize) {
        let root = self
            .scopes
            .first()
            .map(|s| s.steps.clone())
            .unwrap_or_default();
        for from in root {
            if from != to
                && let Some(edges) = self.edges.get_mut(from)
            {
                edges.push(Edge {
                    to,
                    mention,
                    implied: true,
                });
            }
        }
    }

    /// The scope a step stands in.
    pub(crate) fn scope_of(&self, step: StepIdx) -> ScopeIdx {
        self.steps.get(step).map_or(0, |s| s.scope)
    }

    /// Whether `outer` is `inner` or encloses it.
    pub(crate) fn encloses(&self, outer: ScopeIdx, inner: ScopeIdx) -> bool {
        let mut at = Some(inner);
        while let Some(scope) = at {
            if scope == outer {
                return true;
            }
            at = self.scopes.get(scope).and_then(|s| s.parent);
        }
        false
    }

    /// Where execution enters a scope.
    pub(crate) fn entry(&self, scope: ScopeIdx) -> Option<StepIdx> {
        if scope == 0 {
            self.start
        } else {
            self.scopes
                .get(scope)
                .and_then(|s| s.steps.first().copied())
        }
    }

    /// The step or the container around it that stands in `scope`.
    pub(crate) fn lift(&self, step: StepIdx, scope: ScopeIdx) -> Option<StepIdx> {
        let mut at = step;
        loop {
            let own = self.scope_of(at);
            if own == scope {
                return Some(at);
            }
            at = self.scopes.get(own)?.container?;
        }
    }

    /// Whether the step, or one inside it, waits, works or decides.
    pub(crate) fn guards_a_cycle(&self, step: StepIdx) -> bool {
        let Some(node) = self.steps.get(step) else {
            return true;
        };
        match node.kind {
            Some(StepType::Start | StepType::Pass) => {
                list_of(node.value, "next").any(is_conditional)
            }
            Some(StepType::Parallel | StepType::ForEach) => node
                .inner
                .iter()
                .filter_map(|scope| self.scopes.get(*scope))
                .any(|scope| scope.steps.iter().any(|inner| self.guards_a_cycle(*inner))),
            _ => true,
        }
    }

    /// Whether two steps have this id, so that a reference to it says nothing certain.
    pub(crate) fn is_ambiguous(&self, step: StepIdx) -> bool {
        self.duplicates.iter().any(|(_, first)| *first == step)
    }

    /// Whether the step stands inside the container.
    pub(crate) fn encloses_step(&self, container: StepIdx, step: StepIdx) -> bool {
        let inner = self
            .steps
            .get(container)
            .map(|c| c.inner.as_slice())
            .unwrap_or_default();
        inner
            .iter()
            .any(|scope| self.encloses(*scope, self.scope_of(step)))
    }

    /// The pointer of a mention's step id.
    pub(crate) fn pointer_of(&self, mention: &Mention<'_>) -> String {
        let step = mention
            .from
            .and_then(|f| self.steps.get(f))
            .map_or("", |s| s.pointer.as_str());
        match mention.site {
            Site::Next(i) => format!("{step}/next/{i}/nextStepId"),
            Site::Handler(i) => format!("{step}/onFailure/handlers/{i}/nextStepId"),
            Site::Continue => format!("{step}/onFailure/nextStepId"),
            Site::Timeout => format!("{step}/eventTimeout/timeoutHandlerStepId"),
            Site::OnError => "/onError/handlerStepId".to_owned(),
            Site::Start => "/startStepId".to_owned(),
        }
    }
}

/// The elements of an array member that are objects; nothing if it is absent or of another type.
pub(crate) fn list_of<'a>(
    object: &'a Map<String, Value>,
    member: &str,
) -> impl Iterator<Item = &'a Value> + use<'a> {
    object
        .get(member)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
}

/// Whether a transition has a condition or an outcome to match.
pub(crate) fn is_conditional(transition: &Value) -> bool {
    transition.get("on").is_some_and(|v| !v.is_null())
        || transition.get("condition").is_some_and(|v| !v.is_null())
}

/// Whether a path ends after the step: no successor, or a failure that is passed over to nowhere.
fn ends_path(value: &Map<String, Value>) -> bool {
    let next = value.get("next");
    let empty = next.is_none_or(|n| n.as_array().is_some_and(Vec::is_empty) || n.is_null());
    if empty {
        return true;
    }
    let failure = value.get("onFailure");
    let goes_on = failure
        .and_then(|f| f.get("action"))
        .and_then(Value::as_str)
        == Some("CONTINUE");
    let has_default = list_of(value, "next").any(|t| !is_conditional(t));
    goes_on && !has_default && failure.is_none_or(|f| f.get("nextStepId").is_none())
}

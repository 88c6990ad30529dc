//! Questions about the ways through a workflow: what is reached, what comes before what, what turns in circles.

use super::graph::{Graph, ScopeIdx, StepIdx};
use crate::model::StepType;

/// How a step that is read relates to the step that reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precedence {
    /// On every way to the reader.
    Always,
    /// On some way to the reader.
    Sometimes,
    /// On no way to the reader.
    Never,
}

/// Why a step cannot be seen by a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// It stands in another branch of the same PARALLEL, which may still be running.
    SiblingBranch(StepIdx),
    /// It stands in the body of a FOR_EACH the reader is outside of.
    Iteration(StepIdx),
}

/// Reachability, order and cycles of one graph.
pub(crate) struct Flow<'g, 'a> {
    graph: &'g Graph<'a>,
    reached: Vec<bool>,
    /// For each step read so far: what is reached in its scope when it is taken out.
    without: std::cell::RefCell<rustc_hash::FxHashMap<StepIdx, Vec<bool>>>,
}

impl<'g, 'a> Flow<'g, 'a> {
    pub(crate) fn new(graph: &'g Graph<'a>) -> Self {
        let mut flow = Self {
            graph,
            reached: vec![false; graph.steps.len()],
            without: std::cell::RefCell::default(),
        };
        if let Some(start) = graph.start {
            flow.reach(start);
        }
        flow
    }

    /// Marks everything that can be reached from a step as reached.
    pub(crate) fn reach(&mut self, from: StepIdx) {
        let mut open = vec![from];
        while let Some(step) = open.pop() {
            match self.reached.get_mut(step) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            open.extend(
                self.graph
                    .edges
                    .get(step)
                    .into_iter()
                    .flatten()
                    .map(|e| e.to),
            );
            let inner = self
                .graph
                .steps
                .get(step)
                .map(|s| s.inner.as_slice())
                .unwrap_or_default();
            open.extend(inner.iter().filter_map(|scope| self.graph.entry(*scope)));
        }
    }

    /// Whether a step can be reached from the entry point.
    pub(crate) fn is_reached(&self, step: StepIdx) -> bool {
        self.reached.get(step).copied().unwrap_or(true)
    }

    /// Steps of the scope reached from `from`, never passing through `without`.
    fn reach_in_scope(&self, from: &[StepIdx], without: Option<StepIdx>) -> Vec<bool> {
        let mut seen = vec![false; self.graph.steps.len()];
        let mut open: Vec<StepIdx> = from
            .iter()
            .copied()
            .filter(|s| Some(*s) != without)
            .collect();
        while let Some(step) = open.pop() {
            match seen.get_mut(step) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            let next = self
                .graph
                .edges
                .get(step)
                .into_iter()
                .flatten()
                .map(|e| e.to);
            open.extend(next.filter(|to| Some(*to) != without));
        }
        seen
    }

    /// Whether `earlier` has run when `reader` is entered; both stand in the same scope.
    fn order_in_scope(&self, earlier: StepIdx, reader: StepIdx) -> Precedence {
        let scope = self.graph.scope_of(reader);
        let Some(entry) = self.graph.entry(scope) else {
            return Precedence::Sometimes;
        };
        let avoided = {
            let mut cache = self.without.borrow_mut();
            let seen = cache
                .entry(earlier)
                .or_insert_with(|| self.reach_in_scope(&[entry], Some(earlier)));
            seen.get(reader).copied().unwrap_or(false)
        };
        if earlier != reader && !avoided {
            // Also true of what is never reached; that has a finding of its own.
            return Precedence::Always;
        }
        let after: Vec<StepIdx> = self
            .graph
            .edges
            .get(earlier)
            .into_iter()
            .flatten()
            .map(|e| e.to)
            .collect();
        let follows = self.reach_in_scope(&after, None);
        if follows.get(reader).copied().unwrap_or(false) {
            Precedence::Sometimes
        } else {
            Precedence::Never
        }
    }

    /// Whether `earlier` is visible where `reader` stands, and why not.
    pub(crate) fn hidden_from(&self, earlier: StepIdx, reader: ScopeIdx) -> Option<Hidden> {
        let mut scope = self.graph.scope_of(earlier);
        while !self.graph.encloses(scope, reader) {
            let own = self.graph.scopes.get(scope)?;
            let container = own.container?;
            if own.branch.is_none() {
                return Some(Hidden::Iteration(container));
            }
            let inside = self.graph.steps.get(container).is_some_and(|c| {
                c.inner
                    .iter()
                    .any(|inner| self.graph.encloses(*inner, reader))
            });
            if inside {
                return Some(Hidden::SiblingBranch(container));
            }
            scope = own.parent?;
        }
        None
    }

    /// Whether `earlier`, which is visible, has run when `reader` is entered.
    pub(crate) fn order(&self, earlier: StepIdx, reader: StepIdx) -> Precedence {
        let Some(common) = self.common_scope(earlier, self.graph.scope_of(reader)) else {
            return Precedence::Sometimes;
        };
        let (Some(outer), Some(at)) = (
            self.graph.lift(earlier, common),
            self.graph.lift(reader, common),
        ) else {
            return Precedence::Sometimes;
        };
        if outer == at && earlier != reader {
            // The reader stands inside the step it reads: the container has been entered, but has no result yet.
            return if self.in_cycle(at) {
                Precedence::Sometimes
            } else {
                Precedence::Never
            };
        }
        match self.order_in_scope(outer, at) {
            Precedence::Always if outer != earlier && !self.always_runs_inside(earlier, outer) => {
                Precedence::Sometimes
            }
            order => order,
        }
    }

    /// Whether `earlier`, which stands inside the container, has run when the container has completed.
    pub(crate) fn order_inside(&self, earlier: StepIdx, container: StepIdx) -> Precedence {
        if self.always_runs_inside(earlier, container) {
            Precedence::Always
        } else {
            Precedence::Sometimes
        }
    }

    /// Whether `earlier` has run whenever the workflow ends by the end of a path.
    pub(crate) fn order_at_end(&self, earlier: StepIdx) -> Precedence {
        let Some(outer) = self.graph.lift(earlier, 0) else {
            return Precedence::Sometimes;
        };
        let root = self
            .graph
            .scopes
            .first()
            .map(|s| s.steps.as_slice())
            .unwrap_or_default();
        let Some(start) = self.graph.start else {
            return Precedence::Sometimes;
        };
        let seen = self.reach_in_scope(&[start], Some(outer));
        let avoidable = root
            .iter()
            .any(|s| seen.get(*s) == Some(&true) && self.may_end(*s));
        if avoidable || (outer != earlier && !self.always_runs_inside(earlier, outer)) {
            Precedence::Sometimes
        } else {
            Precedence::Always
        }
    }

    fn may_end(&self, step: StepIdx) -> bool {
        self.graph.steps.get(step).is_some_and(|s| s.may_end)
    }

    /// The innermost scope that holds both, each perhaps inside a container.
    fn common_scope(&self, step: StepIdx, reader: ScopeIdx) -> Option<ScopeIdx> {
        let mut scope = self.graph.scope_of(step);
        while !self.graph.encloses(scope, reader) {
            scope = self.graph.scopes.get(scope)?.parent?;
        }
        Some(scope)
    }

    /// Whether `inner` has run whenever the PARALLEL `outer` around it has completed.
    fn always_runs_inside(&self, inner: StepIdx, outer: StepIdx) -> bool {
        let mut at = inner;
        while at != outer {
            let scope = self.graph.scope_of(at);
            let Some(own) = self.graph.scopes.get(scope) else {
                return false;
            };
            let (Some(container), Some(branch), Some(entry)) =
                (own.container, own.branch, self.graph.entry(scope))
            else {
                return false;
            };
            let Some(parallel) = self.graph.steps.get(container) else {
                return false;
            };
            let joins_all = parallel
                .value
                .get("join")
                .and_then(|j| j.get("type"))
                .is_none_or(|t| t.as_str() == Some("ALL"));
            let required = parallel
                .value
                .get("branches")
                .and_then(|b| b.get(branch))
                .and_then(|b| b.get("required"))
                .is_none_or(|r| r.as_bool() == Some(true));
            let seen = self.reach_in_scope(&[entry], Some(at));
            let avoidable = own
                .steps
                .iter()
                .any(|s| seen.get(*s) == Some(&true) && self.may_end(*s));
            if !joins_all || !required || avoidable {
                return false;
            }
            at = container;
        }
        true
    }

    fn in_cycle(&self, step: StepIdx) -> bool {
        let after: Vec<StepIdx> = self
            .graph
            .edges
            .get(step)
            .into_iter()
            .flatten()
            .map(|e| e.to)
            .collect();
        self.reach_in_scope(&after, None).get(step) == Some(&true)
    }

    /// Cycles in which no step waits, works or decides: the steps, and the mention that closes the circle.
    pub(crate) fn unguarded_cycles(&self) -> Vec<(Vec<StepIdx>, usize)> {
        let unguarded: Vec<bool> = (0..self.graph.steps.len())
            .map(|s| !self.graph.guards_a_cycle(s))
            .collect();
        if !unguarded.contains(&true) {
            return Vec::new();
        }
        let mut cycles = Vec::new();
        let mut used = vec![false; self.graph.steps.len()];
        for first in 0..self.graph.steps.len() {
            if unguarded.get(first) != Some(&true) || used.get(first) == Some(&true) {
                continue;
            }
            if let Some((members, closing)) = self.shortest_cycle(first, &unguarded) {
                for member in &members {
                    if let Some(u) = used.get_mut(*member) {
                        *u = true;
                    }
                }
                cycles.push((members, closing));
            }
        }
        cycles
    }

    /// The shortest way from `first` back to it over unguarded steps.
    fn shortest_cycle(&self, first: StepIdx, unguarded: &[bool]) -> Option<(Vec<StepIdx>, usize)> {
        let mut came_from: Vec<Option<StepIdx>> = vec![None; self.graph.steps.len()];
        let mut open = std::collections::VecDeque::from([first]);
        while let Some(step) = open.pop_front() {
            for edge in self
                .graph
                .edges
                .get(step)
                .into_iter()
                .flatten()
                .filter(|e| !e.implied)
            {
                if edge.to == first {
                    let mut members = vec![step];
                    let mut at = step;
                    while at != first {
                        at = came_from.get(at).copied().flatten()?;
                        members.push(at);
                    }
                    members.reverse();
                    return Some((members, edge.mention));
                }
                if unguarded.get(edge.to) == Some(&true)
                    && let Some(origin) = came_from.get_mut(edge.to)
                    && origin.is_none()
                {
                    *origin = Some(step);
                    open.push_back(edge.to);
                }
            }
        }
        None
    }

    /// Reached steps of a scope from which no path leads to an end.
    pub(crate) fn stuck_in(&self, scope: ScopeIdx) -> Vec<StepIdx> {
        let Some(own) = self.graph.scopes.get(scope) else {
            return Vec::new();
        };
        let mut ends: Vec<bool> = vec![false; self.graph.steps.len()];
        let leaves = |step: StepIdx| {
            self.graph
                .steps
                .get(step)
                .is_none_or(|s| s.may_end || s.dangling || s.kind.is_none())
                || self.ends_inside(step)
        };
        let mut changed = true;
        while changed {
            changed = false;
            for &step in own.steps.iter().rev() {
                if ends.get(step) == Some(&true) {
                    continue;
                }
                let next = self.graph.edges.get(step).into_iter().flatten();
                if leaves(step)
                    || next
                        .filter(|e| !e.implied)
                        .any(|e| ends.get(e.to) == Some(&true))
                {
                    if let Some(end) = ends.get_mut(step) {
                        *end = true;
                    }
                    changed = true;
                }
            }
        }
        own.steps
            .iter()
            .copied()
            .filter(|s| self.is_reached(*s) && ends.get(*s) == Some(&false))
            .collect()
    }

    /// Whether an END inside the container ends the whole workflow, or something inside may lead anywhere.
    fn ends_inside(&self, step: StepIdx) -> bool {
        let inner = self
            .graph
            .steps
            .get(step)
            .map(|s| s.inner.as_slice())
            .unwrap_or_default();
        inner
            .iter()
            .filter_map(|scope| self.graph.scopes.get(*scope))
            .any(|scope| {
                scope.steps.iter().any(|s| {
                    self.graph
                        .steps
                        .get(*s)
                        .is_some_and(|n| n.kind == Some(StepType::End) || n.dangling)
                        || self.ends_inside(*s)
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn step(id: &str, kind: &str, next: &[&str]) -> Value {
        let next: Vec<Value> = next.iter().map(|n| json!({"nextStepId": n})).collect();
        json!({"stepId": id, "type": kind, "next": next})
    }

    fn with<R>(steps: Value, check: impl FnOnce(&Graph<'_>, &Flow<'_, '_>) -> R) -> R {
        let document = json!({ "steps": steps });
        let graph = Graph::read(document.as_object().unwrap());
        let flow = Flow::new(&graph);
        check(&graph, &flow)
    }

    fn order(steps: Value, earlier: &str, reader: &str) -> Precedence {
        with(steps, |graph, flow| {
            flow.order(graph.by_id[earlier], graph.by_id[reader])
        })
    }

    #[test]
    fn a_step_on_every_way_always_precedes() {
        let steps = json!([
            step("a", "TASK", &["b", "c"]),
            step("b", "TASK", &["d"]),
            step("c", "TASK", &["d"]),
            step("d", "TASK", &[])
        ]);
        assert_eq!(order(steps.clone(), "a", "d"), Precedence::Always);
        assert_eq!(order(steps.clone(), "b", "d"), Precedence::Sometimes);
        assert_eq!(order(steps.clone(), "b", "c"), Precedence::Never);
        assert_eq!(order(steps, "d", "a"), Precedence::Never);
    }

    #[test]
    fn a_loop_lets_a_later_step_precede() {
        let steps = json!([
            step("a", "TASK", &["b"]),
            step("b", "TASK", &["a", "c"]),
            step("c", "TASK", &[])
        ]);
        assert_eq!(order(steps.clone(), "b", "a"), Precedence::Sometimes);
        assert_eq!(order(steps.clone(), "a", "a"), Precedence::Sometimes);
        assert_eq!(order(steps, "c", "c"), Precedence::Never);
    }

    fn parallel(join: Value) -> Value {
        json!([
            {"stepId": "p", "type": "PARALLEL", "join": join, "next": [{"nextStepId": "z"}], "branches": [
                {"branchId": "x", "steps": [step("x1", "TASK", &["x2"]), step("x2", "TASK", &[])]},
                {"branchId": "y", "steps": [step("y1", "TASK", &[])]}
            ]},
            step("z", "TASK", &[])
        ])
    }

    #[test]
    fn a_joined_branch_precedes_and_a_running_sibling_is_hidden() {
        assert_eq!(
            order(parallel(json!({"type": "ALL"})), "x2", "z"),
            Precedence::Always
        );
        assert_eq!(
            order(parallel(json!({"type": "FIRST"})), "x2", "z"),
            Precedence::Sometimes
        );
        with(parallel(json!({})), |graph, flow| {
            let (x1, y1, z, p) = (
                graph.by_id["x1"],
                graph.by_id["y1"],
                graph.by_id["z"],
                graph.by_id["p"],
            );
            assert_eq!(
                flow.hidden_from(x1, graph.scope_of(y1)),
                Some(Hidden::SiblingBranch(p))
            );
            assert_eq!(flow.hidden_from(x1, graph.scope_of(z)), None);
            assert_eq!(flow.hidden_from(z, graph.scope_of(x1)), None);
        });
    }

    #[test]
    fn a_body_is_hidden_from_outside() {
        let steps = json!([
            {"stepId": "each", "type": "FOR_EACH", "steps": [step("in", "TASK", &[])], "next": [{"nextStepId": "z"}]},
            step("z", "TASK", &[])
        ]);
        with(steps, |graph, flow| {
            let hidden = flow.hidden_from(graph.by_id["in"], graph.scope_of(graph.by_id["z"]));
            assert_eq!(hidden, Some(Hidden::Iteration(graph.by_id["each"])));
        });
    }

    #[test]
    fn cycles_of_pass_steps_are_unguarded() {
        let steps = json!([step("a", "PASS", &["b"]), step("b", "PASS", &["a"])]);
        with(steps, |graph, flow| {
            let cycles = flow.unguarded_cycles();
            assert_eq!(cycles.len(), 1);
            assert_eq!(
                graph.pointer_of(&graph.mentions[cycles[0].1]),
                "/steps/1/next/0/nextStepId"
            );
        });
        let guarded = json!([step("a", "PASS", &["b"]), step("b", "DELAY", &["a"])]);
        with(guarded, |_, flow| {
            assert!(flow.unguarded_cycles().is_empty())
        });
        let itself = json!([step("a", "PASS", &["a"])]);
        with(itself, |_, flow| {
            assert_eq!(flow.unguarded_cycles().len(), 1)
        });
    }

    #[test]
    fn a_loop_without_exit_is_stuck() {
        let steps = json!([
            step("a", "TASK", &["b"]),
            step("b", "TASK", &["a"]),
            step("c", "TASK", &[])
        ]);
        with(steps, |graph, flow| {
            assert_eq!(flow.stuck_in(0), vec![graph.by_id["a"], graph.by_id["b"]]);
            assert!(!flow.is_reached(graph.by_id["c"]));
        });
    }

    #[test]
    fn leaving_for_an_enclosing_scope_ends_the_inner_one() {
        let steps = json!([
            {"stepId": "p", "type": "PARALLEL", "branches": [
                {"branchId": "x", "steps": [step("x1", "TASK", &["x2"]), step("x2", "TASK", &["x1", "z"])]}
            ], "next": [{"nextStepId": "y"}]},
            step("y", "TASK", &[]),
            step("z", "TASK", &[])
        ]);
        with(steps, |graph, flow| {
            assert!(flow.stuck_in(1).is_empty());
            assert!(flow.is_reached(graph.by_id["z"]));
            assert_eq!(
                flow.order(graph.by_id["x1"], graph.by_id["z"]),
                Precedence::Always
            );
        });
    }
}

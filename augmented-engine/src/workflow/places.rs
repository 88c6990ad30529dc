//! Where the steps of a workflow stand: their frame and the branches around them.

use std::sync::Arc;

use augmented_core::runtime::StepIdx;

use super::graph::{Body, CompiledStep, CompiledWorkflow, ScopeIdx};

/// A step and its position in its frame.
pub(crate) struct StepPlace<'a> {
    pub(crate) step: StepIdx,
    pub(crate) step_id: &'a Arc<str>,
    pub(crate) slot: u16,
}

impl CompiledWorkflow {
    /// The steps recorded in the frame of a FOR_EACH step, or in the root frame, in the order of the definition.
    pub(crate) fn frame_steps(
        &self,
        owner: Option<StepIdx>,
    ) -> impl Iterator<Item = StepPlace<'_>> {
        self.steps
            .iter()
            .enumerate()
            .filter_map(move |(index, step)| {
                let scope = self.scopes.get(usize::from(step.scope))?;
                let step_idx = StepIdx::try_from(index).ok()?;
                (scope.frame_owner == owner).then_some(StepPlace {
                    step: step_idx,
                    step_id: &step.id,
                    slot: step.slot,
                })
            })
    }

    /// The PARALLEL branches around a step within its frame, as `container/branch/…`; empty if there are none.
    pub(crate) fn branch_path(&self, step: StepIdx) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut scope = self.steps.get(usize::from(step)).map(|step| step.scope);
        let frame_owner = scope
            .and_then(|scope| self.scopes.get(usize::from(scope)))
            .and_then(|scope| scope.frame_owner);
        while let Some(idx) = scope
            && let Some(found) = self.scopes.get(usize::from(idx))
            && found.frame_owner == frame_owner
            && let Some((container, branch)) = self.branch_of(idx)
        {
            parts.push(format!("{}/{branch}", container.id));
            scope = Some(container.scope);
        }
        parts.reverse();
        parts.join("/")
    }

    /// Whether a step stands in the body of a FOR_EACH step, at any depth.
    pub(crate) fn is_inside(&self, step: StepIdx, owner: StepIdx) -> bool {
        let around = |step: StepIdx| {
            let scope = self.steps.get(usize::from(step))?.scope;
            self.scopes.get(usize::from(scope))?.frame_owner
        };
        std::iter::successors(around(step), |owner| around(*owner)).any(|found| found == owner)
    }

    /// The PARALLEL step and the branch whose scope this is.
    fn branch_of(&self, scope: ScopeIdx) -> Option<(&CompiledStep, &Arc<str>)> {
        self.steps.iter().find_map(|step| match &step.body {
            Body::Parallel(parallel) => parallel
                .branches
                .iter()
                .find(|branch| {
                    self.steps
                        .get(usize::from(branch.entry))
                        .is_some_and(|entry| entry.scope == scope)
                })
                .map(|branch| (step, &branch.id)),
            _ => None,
        })
    }
}

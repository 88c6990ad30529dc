//! Which row each box stands in, and which arrows run upwards.

use super::Arrow;

/// The rows of the boxes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ranks {
    /// The row of each box, from 0.
    pub(super) of: Vec<usize>,
    /// Whether each arrow closes a cycle and runs upwards.
    pub(super) back: Vec<bool>,
}

/// Puts every box below all boxes that lead to it, and arrows that would close a cycle aside.
pub(super) fn rank(count: usize, arrows: &[Arrow]) -> Ranks {
    let mut leaving = vec![Vec::new(); count];
    for (index, arrow) in arrows.iter().enumerate() {
        if let Some(list) = leaving.get_mut(arrow.from) {
            list.push(index);
        }
    }
    let back = back_arrows(count, arrows, &leaving);
    let mut of = longest_paths(count, arrows, &leaving, &back);
    pull_sources_down(count, arrows, &back, &mut of);
    Ranks { of, back }
}

fn back_arrows(count: usize, arrows: &[Arrow], leaving: &[Vec<usize>]) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Not,
        OnPath,
        Done,
    }
    let mut seen = vec![Seen::Not; count];
    let mut back = vec![false; arrows.len()];
    for root in 0..count {
        if seen[root] != Seen::Not {
            continue;
        }
        // Each entry: a box, and how many of its arrows were followed.
        let mut path = vec![(root, 0_usize)];
        seen[root] = Seen::OnPath;
        while let Some((node, followed)) = path.last_mut() {
            let node = *node;
            let Some(arrow) = leaving[node].get(*followed).copied() else {
                seen[node] = Seen::Done;
                path.pop();
                continue;
            };
            *followed += 1;
            let target = arrows[arrow].to;
            match seen[target] {
                Seen::Not => {
                    seen[target] = Seen::OnPath;
                    path.push((target, 0));
                }
                Seen::OnPath => back[arrow] = true,
                Seen::Done => {}
            }
        }
    }
    back
}

fn longest_paths(
    count: usize,
    arrows: &[Arrow],
    leaving: &[Vec<usize>],
    back: &[bool],
) -> Vec<usize> {
    let forward = || arrows.iter().enumerate().filter(|(index, _)| !back[*index]);
    let mut open = vec![0_usize; count];
    for (_, arrow) in forward() {
        open[arrow.to] += 1;
    }
    let mut of = vec![0; count];
    let mut ready: Vec<usize> = (0..count).filter(|node| open[*node] == 0).collect();
    while let Some(node) = ready.pop() {
        for arrow in leaving[node]
            .iter()
            .filter(|index| !back[**index])
            .map(|index| &arrows[*index])
        {
            of[arrow.to] = of[arrow.to].max(of[node] + 1);
            open[arrow.to] -= 1;
            if open[arrow.to] == 0 {
                ready.push(arrow.to);
            }
        }
    }
    of
}

/// Moves boxes that nothing leads to, but the first, right above what they lead to.
fn pull_sources_down(count: usize, arrows: &[Arrow], back: &[bool], of: &mut [usize]) {
    let forward = || {
        arrows
            .iter()
            .zip(back)
            .filter(|(_, back)| !**back)
            .map(|(arrow, _)| arrow)
    };
    for node in 1..count {
        if forward().any(|arrow| arrow.to == node) {
            continue;
        }
        if let Some(nearest) = forward()
            .filter(|arrow| arrow.from == node)
            .map(|arrow| of[arrow.to])
            .min()
        {
            of[node] = nearest.saturating_sub(1);
        }
    }
}

//! What this store knows without asking: the instances its nodes own, and their last facts.

use augmented_core::store::{Expect, InstanceCommit};
use augmented_core::{InstanceId, NodeId, Seq, TenantId};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

/// The instances that nodes of this process own, as of their last commits.
///
/// Whoever owns an instance is the only one who may write it, until its node is fenced; and that every commit asks the
/// database. So what an owner committed last need not be read back: a commit that agrees with the ledger is written at
/// once, any other is compared with the rows first. The ledger never decides that a commit is applied, only that it need
/// not be compared. Losing an entry costs one comparison.
#[derive(Default)]
pub(crate) struct Ledger {
    held: Mutex<FxHashMap<InstanceId, Held>>,
}

#[derive(Clone, Copy)]
struct Held {
    tenant: TenantId,
    node: NodeId,
    seq: Seq,
    signals: u32,
    /// Take-overs may be counted on the row, which the next fact sets to none.
    taken_over: bool,
    /// A commit is under way; another one of the same instance would race it.
    busy: bool,
}

/// How a commit stands to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It need not be compared; the row counts so many kept signals, and take-overs perhaps.
    Known { signals: u32, taken_over: bool },
    /// It must be compared with the rows.
    Unknown,
    /// Another commit of the same instance is under way.
    Busy,
}

/// The claims of one batch; what is not settled when it is dropped is forgotten.
pub(crate) struct Claims<'a> {
    ledger: &'a Ledger,
    node: NodeId,
    open: Vec<InstanceId>,
}

impl Ledger {
    pub(crate) fn claims(&self, node: NodeId) -> Claims<'_> {
        Claims {
            ledger: self,
            node,
            open: Vec::new(),
        }
    }

    /// Forgets what a node owned, because it is fenced.
    pub(crate) fn forget_node(&self, node: NodeId) {
        self.held.lock().retain(|_, held| held.node != node);
    }
}

impl Claims<'_> {
    /// Claims the instances of these commits, one claim for each.
    pub(crate) fn claim<'c>(
        &mut self,
        commits: impl Iterator<Item = &'c InstanceCommit>,
    ) -> Vec<Claim> {
        let node = self.node;
        let mut map = self.ledger.held.lock();
        let open = &mut self.open;
        commits
            .map(|commit| {
                let Expect::Owned(expected) = commit.expect else {
                    return Claim::Unknown;
                };
                match map.get_mut(&commit.instance) {
                    Some(held) if held.busy => Claim::Busy,
                    Some(held) => {
                        held.busy = true;
                        open.push(commit.instance);
                        if held.node == node && held.tenant == commit.tenant && held.seq == expected
                        {
                            Claim::Known {
                                signals: held.signals,
                                taken_over: held.taken_over,
                            }
                        } else {
                            Claim::Unknown
                        }
                    }
                    None => {
                        map.insert(
                            commit.instance,
                            Held {
                                tenant: commit.tenant,
                                node,
                                seq: expected,
                                signals: 0,
                                taken_over: true,
                                busy: true,
                            },
                        );
                        open.push(commit.instance);
                        Claim::Unknown
                    }
                }
            })
            .collect()
    }

    /// Notes what was applied.
    pub(crate) fn applied<'c>(&mut self, commits: impl Iterator<Item = &'c InstanceCommit>) {
        let mut map = self.ledger.held.lock();
        for commit in commits {
            match (owner_after(commit, self.node), last_after(commit)) {
                (Some(node), Some(seq)) => {
                    let before = map.get(&commit.instance);
                    let taken_over =
                        commit.facts.is_empty() && before.is_none_or(|held| held.taken_over);
                    map.insert(
                        commit.instance,
                        Held {
                            tenant: commit.tenant,
                            node,
                            seq,
                            signals: commit.signals_kept,
                            taken_over,
                            busy: false,
                        },
                    );
                }
                _ => {
                    map.remove(&commit.instance);
                }
            }
        }
        // Settled entries are not busy any more; those that were refused stay open and are forgotten.
        self.open
            .retain(|instance| map.get(instance).is_some_and(|held| held.busy));
    }
}

impl Drop for Claims<'_> {
    fn drop(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let mut map = self.ledger.held.lock();
        for instance in &self.open {
            map.remove(instance);
        }
    }
}

/// Who owns the instance once the commit is applied.
pub(crate) fn owner_after(commit: &InstanceCommit, node: NodeId) -> Option<NodeId> {
    match (&commit.snapshot, &commit.insert, commit.expect) {
        (Some(snapshot), ..) => snapshot.owner,
        (None, Some(new), _) => new.owner,
        (None, None, Expect::Owned(_)) => Some(node),
        (None, None, Expect::New | Expect::Parked(_)) => None,
    }
}

/// The last fact once the commit is applied.
fn last_after(commit: &InstanceCommit) -> Option<Seq> {
    let before = match commit.expect {
        Expect::New => None,
        Expect::Owned(seq) => Some(seq),
        Expect::Parked(seq) => seq,
    };
    commit.facts.last().map(|fact| fact.seq).or(before)
}

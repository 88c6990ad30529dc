//! What this store knows without asking: the instances its nodes own, and their last facts.

use augmented_core::runtime::{Fact, Message};
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
    /// Nothing of it was ever written outside of its own row and its finished tasks, as far as this store wrote it.
    is_plain: bool,
    /// A commit is under way; another one of the same instance would race it.
    busy: bool,
}

/// How a commit stands to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It need not be compared; the row counts so many kept signals, and take-overs perhaps.
    Known {
        signals: u32,
        taken_over: bool,
        /// Whether there can be no timers, attempts or messages of it, but for what others sent it.
        is_plain: bool,
    },
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

    /// Notes that something of these instances is written outside of their own rows.
    pub(crate) fn is_not_plain(&self, instances: impl IntoIterator<Item = InstanceId>) {
        let mut map = self.held.lock();
        for instance in instances {
            if let Some(held) = map.get_mut(&instance) {
                held.is_plain = false;
            }
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
                                is_plain: held.is_plain,
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
                                is_plain: false,
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

    /// Notes what was applied; answers which instances ended of which something was opened meanwhile.
    pub(crate) fn applied<'c>(
        &mut self,
        commits: impl Iterator<Item = &'c InstanceCommit>,
    ) -> Vec<InstanceId> {
        let mut opened = Vec::new();
        let mut map = self.ledger.held.lock();
        for commit in commits {
            match (owner_after(commit, self.node), last_after(commit)) {
                (Some(node), Some(seq)) => {
                    let before = map.get(&commit.instance);
                    let was_plain =
                        commit.insert.is_some() || before.is_some_and(|held| held.is_plain);
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
                            is_plain: was_plain && is_plain(commit),
                            busy: false,
                        },
                    );
                }
                _ => {
                    let held = map.remove(&commit.instance);
                    if commit.ends() && held.is_some_and(|held| !held.is_plain) {
                        opened.push(commit.instance);
                    }
                }
            }
        }
        // Settled entries are not busy any more; those that were refused stay open and are forgotten.
        self.open
            .retain(|instance| map.get(instance).is_some_and(|held| held.busy));
        opened
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

/// Whether a commit writes nothing that its end would have to close.
fn is_plain(commit: &InstanceCommit) -> bool {
    let failed_before = |fact: &Fact| matches!(&fact.message, Message::TaskDone(done) if !done.failed_attempts.is_empty());
    commit.timers_set.is_empty()
        && commit.consumed.is_empty()
        && commit.children.is_empty()
        && !commit.facts.iter().any(failed_before)
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

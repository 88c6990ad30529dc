//! The one commit door.

use augmented_core::store::{CommitOutcome, InstanceCommit, Refusal, StoreError};
use augmented_core::{InstanceId, NodeId};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use sqlx::types::Json;
use uuid::Uuid;

use super::batch::{ARGUMENTS, Batch};
use super::hot::Shape;
use super::ledger::{Claim, Claims};
use crate::error::store_error;
use crate::{PostgresStore, SchemaName};

/// How often a batch that lost a race between transactions is tried again.
const RACES: u32 = 5;

/// The call of the commit function.
pub(crate) fn statement(schema: &SchemaName) -> String {
    let arguments: Vec<String> = (1..=ARGUMENTS).map(|number| format!("${number}")).collect();
    schema.fill(&format!(
        "SELECT $schema.aug_commit({})",
        arguments.join(", ")
    ))
}

/// A commit of a batch, where it stands in it, and how it stands to the ledger.
#[derive(Clone, Copy)]
struct Item<'a> {
    at: usize,
    commit: &'a InstanceCommit,
    claim: Claim,
}

/// What the function answered to a batch.
enum Answer {
    Applied,
    /// Nothing was applied: the node is fenced.
    Fenced,
    /// Nothing was applied, because of these instances.
    Refused(Vec<(InstanceId, Refusal)>),
    /// Nothing was applied: something of the batch is there already.
    Collision,
}

impl PostgresStore {
    /// Applies a batch: as a rule in one call, which is one transaction. Items that are refused are taken out and the rest
    /// is tried again; where a race makes the database refuse the whole, it is halved until the culprits stand alone.
    pub(crate) async fn commit_batch(
        &self,
        node: NodeId,
        batch: &[InstanceCommit],
    ) -> Result<Vec<CommitOutcome>, StoreError> {
        for commit in batch {
            commit.check(node)?;
        }
        // Commits of one instance keep their order, so they go one after the other.
        if self.call_bytes == usize::MAX || batch.len() < 2 || waves(batch).len() > 1 {
            return self.commit_part(node, batch).await;
        }
        // What one part changed stands also if another one fails: the writer reads all of them again then.
        let parts: Vec<_> = self
            .parts(node, batch)?
            .into_iter()
            .map(|part| self.commit_part(node, part))
            .collect();
        stream::iter(parts)
            .buffered(self.calls_at_once)
            .try_concat()
            .await
    }

    /// A batch in parts of about the size that a call may have.
    fn parts<'a>(
        &self,
        node: NodeId,
        batch: &'a [InstanceCommit],
    ) -> Result<Vec<&'a [InstanceCommit]>, StoreError> {
        let mut whole = Batch::new(false);
        for commit in batch {
            whole.push(node, commit, Claim::Unknown)?;
        }
        let parts = whole.bytes().div_ceil(self.call_bytes).max(1);
        Ok(batch.chunks(batch.len().div_ceil(parts)).collect())
    }

    async fn commit_part(
        &self,
        node: NodeId,
        batch: &[InstanceCommit],
    ) -> Result<Vec<CommitOutcome>, StoreError> {
        let mut outcomes = vec![CommitOutcome::Applied; batch.len()];
        for wave in waves(batch) {
            self.commit_wave(node, batch, wave, &mut outcomes).await?;
        }
        Ok(outcomes)
    }

    /// Applies commits of different instances.
    async fn commit_wave(
        &self,
        node: NodeId,
        batch: &[InstanceCommit],
        wave: Vec<usize>,
        outcomes: &mut [CommitOutcome],
    ) -> Result<(), StoreError> {
        let mut claims = self.ledger.claims(node);
        let commits = || wave.iter().filter_map(|at| Some((*at, batch.get(*at)?)));
        let claimed = claims.claim(commits().map(|(_, commit)| commit));
        let mut items = Vec::with_capacity(wave.len());
        for ((at, commit), claim) in commits().zip(claimed) {
            match claim {
                Claim::Busy => refuse(outcomes, at, Refusal::Conflict),
                Claim::Known { .. } | Claim::Unknown => items.push(Item { at, commit, claim }),
            }
        }
        let mut parts = vec![items];
        while let Some(part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            match self.call(node, &part, &mut claims).await? {
                Answer::Applied => {}
                Answer::Fenced => {
                    self.ledger.forget_node(node);
                    for item in part {
                        refuse(outcomes, item.at, Refusal::Fenced);
                    }
                }
                Answer::Refused(refused) => {
                    let mut rest = part;
                    for (instance, refusal) in refused {
                        rest.retain(|item| {
                            let is_it = item.commit.instance == instance;
                            if is_it {
                                refuse(outcomes, item.at, refusal.clone());
                            }
                            !is_it
                        });
                    }
                    parts.push(rest);
                }
                Answer::Collision => match part.as_slice() {
                    [only] => refuse(outcomes, only.at, Refusal::Conflict),
                    several => {
                        let (first, second) = several.split_at(several.len() / 2);
                        parts.push(second.to_vec());
                        parts.push(first.to_vec());
                    }
                },
            }
        }
        Ok(())
    }

    /// Sends a batch, in short form if it has one.
    async fn put(
        &self,
        node: NodeId,
        batch: Batch,
        hot: Option<(Shape, &str)>,
    ) -> Result<Option<Json<Value>>, sqlx::Error> {
        let whole = || {
            sqlx::query_scalar::<_, Option<Json<Value>>>(AssertSqlSafe(self.commit.clone()))
                .persistent(self.persistent)
        };
        if !self.persistent {
            return batch.bind(node, whole()).fetch_one(&self.pool).await;
        }
        let mut lane = self.lanes.take().await?;
        let answer = match hot {
            Some((shape, sql)) => {
                let query = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
                let answer = batch
                    .bind_hot(node, shape, self.hot.types, query)
                    .fetch_one(&mut *lane);
                answer.await.map(|answer: i32| {
                    (answer < 0).then(|| Json(serde_json::json!({ "fenced": true })))
                })
            }
            None => batch.bind(node, whole()).fetch_one(&mut *lane).await,
        };
        lane.settle(&answer);
        answer
    }

    /// Calls the function with some items, again where transactions only got in each other's way.
    async fn call(
        &self,
        node: NodeId,
        items: &[Item<'_>],
        claims: &mut Claims<'_>,
    ) -> Result<Answer, StoreError> {
        let mut tries = 0;
        let mut keys_tried = false;
        let mut tasks_known = false;
        loop {
            let mut batch = Batch::new(tasks_known);
            for item in items {
                batch.push(node, item.commit, item.claim)?;
            }
            let makes_work = batch.makes_work();
            // Behind a pooler the settings that keep the plans of short statements are not there.
            let hot = batch.shape().filter(|_| self.persistent);
            let hot = hot.and_then(|shape| Some((shape, self.hot.of(shape)?)));
            let is_short = hot.is_some();
            let answer = self.put(node, batch, hot).await;
            let error = match answer {
                Ok(None) => {
                    let opened = claims.applied(items.iter().map(|item| item.commit));
                    // The function closes everything with the end; the short statement knew of nothing to close.
                    if is_short && !opened.is_empty() {
                        let ended = opened.into_iter().map(|instance| instance.0).collect();
                        if let Err(error) = self.close_ended(ended).await {
                            tracing::warn!(%error, "tasks of instances that ended stay open");
                        }
                    }
                    if makes_work {
                        self.bell.ring();
                    }
                    return Ok(Answer::Applied);
                }
                Ok(Some(answer)) => return read_answer(&answer.0),
                Err(error) => error,
            };
            match code(&error).as_deref() {
                // Somebody took the key meanwhile; asked again, the function tells who.
                Some("23505") if !keys_tried && is_key(&error) => keys_tried = true,
                // A task may have a row without its last commit knowing: of an attempt on a node that died, or because
                // its handler recorded the result itself.
                Some("23505") if !tasks_known && is_task(&error) => tasks_known = true,
                Some("23505" | "AU409" | "AU002") => return Ok(Answer::Collision),
                Some("40001" | "40P01") if tries < RACES => tries += 1,
                _ => return Err(store_error(error)),
            }
        }
    }
}

fn refuse(outcomes: &mut [CommitOutcome], at: usize, refusal: Refusal) {
    if let Some(outcome) = outcomes.get_mut(at) {
        *outcome = CommitOutcome::Refused(refusal);
    }
}

/// The items of a batch such that no wave holds two of one instance; as a rule there is one wave.
fn waves(batch: &[InstanceCommit]) -> Vec<Vec<usize>> {
    let mut seen: rustc_hash::FxHashMap<InstanceId, usize> = rustc_hash::FxHashMap::default();
    let mut waves: Vec<Vec<usize>> = Vec::new();
    for (at, commit) in batch.iter().enumerate() {
        let wave = seen.entry(commit.instance).or_insert(0);
        match waves.get_mut(*wave) {
            Some(items) => items.push(at),
            None => waves.push(vec![at]),
        }
        *wave += 1;
    }
    waves
}

fn code(error: &sqlx::Error) -> Option<String> {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .map(|code| code.into_owned())
}

fn is_key(error: &sqlx::Error) -> bool {
    table(error).is_some_and(|table| table == "workflow_idempotency_keys")
}

/// Whether it was in one of the slices of the tasks.
fn is_task(error: &sqlx::Error) -> bool {
    table(error).is_some_and(|table| table.starts_with("task_instances"))
}

fn table(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(|error| error.table())
}

fn read_answer(answer: &Value) -> Result<Answer, StoreError> {
    if answer.get("fenced").is_some() {
        return Ok(Answer::Fenced);
    }
    if let Some(conflicts) = answer.get("conflict").and_then(Value::as_array) {
        return conflicts
            .iter()
            .map(|instance| Ok((id(Some(instance))?, Refusal::Conflict)))
            .collect::<Result<_, _>>()
            .map(Answer::Refused);
    }
    refusals(answer.get("taken").ok_or_else(strange)?).map(Answer::Refused)
}

fn strange() -> StoreError {
    StoreError::corrupt("a function of the store answered something unknown")
}

fn id(value: Option<&Value>) -> Result<InstanceId, StoreError> {
    value
        .and_then(Value::as_str)
        .and_then(|text| Uuid::parse_str(text).ok())
        .map(InstanceId)
        .ok_or_else(strange)
}

/// Reads `[{instance, holder, same}]`: who was refused because somebody has the key.
pub(crate) fn refusals(taken: &Value) -> Result<Vec<(InstanceId, Refusal)>, StoreError> {
    let taken = taken.as_array().ok_or_else(strange)?;
    taken
        .iter()
        .map(|taken| {
            let refusal = Refusal::KeyTaken {
                instance: id(taken.get("holder"))?,
                same_input: taken.get("same") == Some(&Value::Bool(true)),
            };
            Ok((id(taken.get("instance"))?, refusal))
        })
        .collect()
}

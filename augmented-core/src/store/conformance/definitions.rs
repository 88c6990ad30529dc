//! Promises of definitions.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Subject;
use super::fixture::{TENANT, at};
use crate::ids::TenantId;
use crate::model::LifecycleStatus::{self, Archived, Deprecated, Draft, Published};
use crate::model::{DefinitionKind, Deprecation, StoredDefinition, content_hash};
use crate::store::{
    DefinitionFilter, DefinitionStore, DraftDeletion, NewDefinition, PutOutcome, StatusChange,
    StatusMove,
};

/// How often a race is run.
const ROUNDS: usize = 20;

impl<S: DefinitionStore> Subject<S> {
    /// A definition of a schema; `about` is its content.
    fn schema(
        &self,
        id: &str,
        version: &str,
        status: LifecycleStatus,
        about: &str,
    ) -> NewDefinition {
        let document = json!({ "kind": "schema", "schemaId": id, "version": version, "name": format!("Schema {about}"), "schema": { "title": about } });
        self.definition(DefinitionKind::Schema, id, version, status, document)
    }

    fn event(&self, id: &str, version: &str) -> NewDefinition {
        let document = json!({ "kind": "event", "eventId": id, "version": version, "name": "An event", "pattern": id, "payloadSchema": { "type": "object" } });
        self.definition(DefinitionKind::Event, id, version, Published, document)
    }

    fn definition(
        &self,
        kind: DefinitionKind,
        id: &str,
        version: &str,
        status: LifecycleStatus,
        document: Value,
    ) -> NewDefinition {
        let hash = content_hash(kind, &document);
        NewDefinition::new(
            self.new_id(at(0)),
            kind,
            id.into(),
            version.into(),
            status,
            Arc::new(document),
            hash,
        )
    }

    async fn put(&self, bundle: Vec<NewDefinition>, seconds: i64) -> Vec<PutOutcome> {
        let count = bundle.len();
        let outcomes = self
            .put_definitions(TENANT, bundle, at(seconds))
            .await
            .unwrap();
        assert_eq!(outcomes.len(), count, "one answer for one item");
        outcomes
    }

    /// Puts one definition that must be stored.
    async fn stored(&self, new: NewDefinition, seconds: i64) -> StoredDefinition {
        match self.put(vec![new], seconds).await.remove(0) {
            PutOutcome::Stored(stored) => stored,
            other => unreachable!("expected a definition to be stored, not {other:?}"),
        }
    }

    /// The versions of a schema with their statuses.
    async fn versions(&self, id: &str) -> Vec<(String, LifecycleStatus)> {
        let versions = self
            .definition_versions(TENANT, DefinitionKind::Schema, id)
            .await
            .unwrap();
        versions
            .iter()
            .map(|stored| (stored.version.to_string(), stored.status))
            .collect()
    }

    async fn move_to(
        &self,
        id: &str,
        version: &str,
        to: LifecycleStatus,
        seconds: i64,
    ) -> StatusChange {
        self.change_definition_status(
            TENANT,
            DefinitionKind::Schema,
            id,
            version,
            to.into(),
            at(seconds),
        )
        .await
        .unwrap()
    }
}

/// If one item of a bundle is refused, none is stored, and the others say why.
pub async fn put_is_all_or_nothing<S: DefinitionStore>(store: Subject<S>) {
    store
        .stored(store.schema("b", "1.0.0", Published, "first"), 0)
        .await;
    let frozen = vec![
        store.schema("a", "1.0.0", Published, "a"),
        store.schema("b", "1.0.0", Published, "other"),
        store.schema("c", "1.0.0", Draft, "c"),
    ];
    let ids: Vec<_> = frozen.iter().map(|new| new.id).collect();
    let outcomes = store.put(frozen, 1).await;
    assert!(
        matches!(
            &outcomes[..],
            [
                PutOutcome::RefusedWithBundle,
                PutOutcome::Frozen(_),
                PutOutcome::RefusedWithBundle
            ]
        ),
        "{outcomes:?}"
    );
    let too_low = vec![
        store.schema("a", "1.0.0", Published, "a"),
        store.schema("b", "0.9.0", Published, "low"),
    ];
    let outcomes = store.put(too_low, 1).await;
    assert_eq!(
        outcomes,
        [
            PutOutcome::RefusedWithBundle,
            PutOutcome::VersionTooLow {
                highest: "1.0.0".into()
            }
        ]
    );
    assert_eq!(store.versions("a").await, []);
    assert_eq!(store.versions("b").await, [("1.0.0".to_owned(), Published)]);
    assert_eq!(store.versions("c").await, []);
    assert_eq!(
        store.definitions_by_id(TENANT, &ids).await.unwrap(),
        [None, None, None]
    );
    // A bundle may hold several versions of one id, each above the one before.
    let bundle = vec![
        store.schema("a", "1.0.0", Published, "1"),
        store.schema("a", "1.1.0", Published, "2"),
        store.schema("d", "1.0.0", Published, "d"),
    ];
    let outcomes = store.put(bundle, 2).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, PutOutcome::Stored(_))),
        "{outcomes:?}"
    );
    let falling = vec![
        store.schema("e", "1.1.0", Published, "1"),
        store.schema("e", "1.0.0", Published, "2"),
    ];
    let outcomes = store.put(falling, 3).await;
    assert!(
        matches!(
            &outcomes[..],
            [
                PutOutcome::RefusedWithBundle,
                PutOutcome::VersionTooLow { .. }
            ]
        ),
        "{outcomes:?}"
    );
    assert_eq!(store.versions("e").await, []);
    assert_eq!(store.put(Vec::new(), 4).await, []);
}

/// A version past DRAFT never changes its content; putting the same content again changes nothing.
pub async fn published_content_is_frozen<S: DefinitionStore>(store: Subject<S>) {
    let first = store
        .stored(store.schema("a", "1.0.0", Published, "first"), 0)
        .await;
    assert_eq!(
        (first.status, first.tenant, first.kind),
        (Published, TENANT, DefinitionKind::Schema)
    );
    assert_eq!(
        (first.created_at, first.updated_at, first.published_at),
        (at(0), at(0), Some(at(0)))
    );
    for (status, moved) in [
        (Published, None),
        (Deprecated, Some(Deprecated)),
        (Archived, Some(Archived)),
    ] {
        if let Some(to) = moved {
            assert!(matches!(
                store.move_to("a", "1.0.0", to, 1).await,
                StatusChange::Changed(_)
            ));
        }
        for asked in [Published, Draft] {
            let outcome = store
                .put(vec![store.schema("a", "1.0.0", asked, "second")], 2)
                .await
                .remove(0);
            assert!(
                matches!(&outcome, PutOutcome::Frozen(stored) if stored.id == first.id && stored.status == status),
                "{outcome:?}"
            );
            let outcome = store
                .put(vec![store.schema("a", "1.0.0", asked, "first")], 2)
                .await
                .remove(0);
            assert!(
                matches!(&outcome, PutOutcome::Unchanged(stored) if stored.id == first.id && stored.status == status),
                "{outcome:?}"
            );
        }
        let stored = store
            .definitions_by_id(TENANT, &[first.id])
            .await
            .unwrap()
            .remove(0)
            .unwrap();
        assert_eq!(
            (stored.document, stored.content_hash, stored.status),
            (first.document.clone(), first.content_hash, status)
        );
    }
}

/// A draft may change its content any number of times under its row id, and is frozen once it is published.
pub async fn drafts_can_be_replaced_and_published<S: DefinitionStore>(store: Subject<S>) {
    let first = store
        .stored(store.schema("a", "1.0.0", Draft, "first"), 0)
        .await;
    assert_eq!((first.status, first.published_at), (Draft, None));
    let second = store
        .stored(store.schema("a", "1.0.0", Draft, "second"), 1)
        .await;
    assert_eq!(
        (second.id, second.status, second.document["name"].as_str()),
        (first.id, Draft, Some("Schema second"))
    );
    assert_eq!(
        (second.created_at, second.updated_at, second.published_at),
        (at(0), at(1), None)
    );
    let same = store
        .put(vec![store.schema("a", "1.0.0", Draft, "second")], 2)
        .await
        .remove(0);
    assert_eq!(same, PutOutcome::Unchanged(second));
    let third = store
        .stored(store.schema("a", "1.0.0", Published, "third"), 3)
        .await;
    assert_eq!(
        (third.id, third.status, third.published_at),
        (first.id, Published, Some(at(3)))
    );
    let read = store
        .definitions_by_id(TENANT, &[first.id])
        .await
        .unwrap()
        .remove(0);
    assert_eq!(read, Some(third));
    assert!(matches!(
        store
            .put(vec![store.schema("a", "1.0.0", Draft, "fourth")], 4)
            .await
            .remove(0),
        PutOutcome::Frozen(_)
    ));
    // The same content, published.
    store
        .stored(store.schema("a", "2.0.0", Draft, "same"), 5)
        .await;
    let published = store
        .stored(store.schema("a", "2.0.0", Published, "same"), 6)
        .await;
    assert_eq!(
        (published.status, published.published_at),
        (Published, Some(at(6)))
    );
}

/// Of one business id, a version is published only above every published one, by whichever way.
pub async fn versions_only_grow<S: DefinitionStore>(store: Subject<S>) {
    store
        .stored(store.schema("a", "1.9.0", Published, "1.9"), 0)
        .await;
    store
        .stored(store.schema("a", "1.10.0", Published, "1.10"), 0)
        .await;
    for version in ["1.9.5", "1.10.0-rc.1", "0.1.0", "1.10.0+build"] {
        let outcome = store
            .put(vec![store.schema("a", version, Published, version)], 1)
            .await
            .remove(0);
        assert_eq!(
            outcome,
            PutOutcome::VersionTooLow {
                highest: "1.10.0".into()
            },
            "{version}"
        );
    }
    // A draft may stand anywhere, but is published only above the others.
    store
        .stored(store.schema("a", "1.5.0", Draft, "late"), 2)
        .await;
    assert_eq!(
        store.move_to("a", "1.5.0", Published, 3).await,
        StatusChange::Forbidden(Draft)
    );
    let outcome = store
        .put(vec![store.schema("a", "1.5.0", Published, "late")], 3)
        .await
        .remove(0);
    assert_eq!(
        outcome,
        PutOutcome::VersionTooLow {
            highest: "1.10.0".into()
        }
    );
    // What was published once counts for ever.
    for to in [Deprecated, Archived] {
        assert!(matches!(
            store.move_to("a", "1.10.0", to, 4).await,
            StatusChange::Changed(_)
        ));
    }
    let outcome = store
        .put(
            vec![store.schema("a", "1.9.9", Published, "below the archived")],
            5,
        )
        .await
        .remove(0);
    assert_eq!(
        outcome,
        PutOutcome::VersionTooLow {
            highest: "1.10.0".into()
        }
    );
    // A deprecated version below returns to PUBLISHED: it was published in its time.
    assert!(matches!(
        store.move_to("a", "1.9.0", Deprecated, 6).await,
        StatusChange::Changed(_)
    ));
    assert!(matches!(
        store.move_to("a", "1.9.0", Published, 7).await,
        StatusChange::Changed(_)
    ));
    store
        .stored(store.schema("a", "2.0.0", Published, "2"), 8)
        .await;

    for round in 0..ROUNDS {
        let id = format!("race-{round}");
        let (store, id) = (&store, &id);
        store.race(4, |number| async move {
            store
                .put(
                    vec![store.schema(id, &format!("1.{number}.0"), Published, "racing")],
                    9,
                )
                .await;
        });
        // Whoever came through, each stood above those before it: the highest never fails.
        let versions = store.versions(id).await;
        assert_eq!(
            versions.last(),
            Some(&("1.3.0".to_owned(), Published)),
            "round {round}"
        );
        let same = store.race(4, |number| async move {
            store
                .put(
                    vec![store.schema(id, "2.0.0", Published, &format!("{number}"))],
                    9,
                )
                .await
                .remove(0)
        });
        let won = same
            .iter()
            .filter(|outcome| matches!(outcome, PutOutcome::Stored(_)))
            .count();
        let lost = same
            .iter()
            .filter(|outcome| matches!(outcome, PutOutcome::Frozen(_)))
            .count();
        assert_eq!((won, lost), (1, 3), "round {round}: {same:?}");
    }
}

/// Only the moves of the life cycle succeed, and each leaves its instants.
pub async fn status_moves_follow_the_life_cycle<S: DefinitionStore>(store: Subject<S>) {
    let ways: [&[LifecycleStatus]; 4] = [
        &[],
        &[Published],
        &[Published, Deprecated],
        &[Published, Deprecated, Archived],
    ];
    for (number, way) in ways.into_iter().enumerate() {
        let from = way.last().copied().unwrap_or(Draft);
        for to in LifecycleStatus::ALL {
            let id = format!("from-{number}-to-{to}").to_lowercase();
            let draft = store
                .stored(store.schema(&id, "1.0.0", Draft, "x"), 0)
                .await;
            for (seconds, step) in (1..).zip(way) {
                assert!(matches!(
                    store.move_to(&id, "1.0.0", *step, seconds).await,
                    StatusChange::Changed(_)
                ));
            }
            let change = store.move_to(&id, "1.0.0", to, 9).await;
            let now = store
                .definitions_by_id(TENANT, &[draft.id])
                .await
                .unwrap()
                .remove(0)
                .unwrap();
            if from.can_move_to(to) {
                assert_eq!((now.status, now.updated_at), (to, at(9)), "{from} to {to}");
                assert_eq!(
                    now.published_at,
                    Some(if way.is_empty() { at(9) } else { at(1) }),
                    "the first publication counts"
                );
                assert_eq!(change, StatusChange::Changed(now));
            } else {
                assert_eq!(change, StatusChange::Forbidden(from), "{from} to {to}");
                assert_eq!(now.status, from);
            }
        }
    }
    assert_eq!(
        store
            .move_to("from-0-to-draft", "9.0.0", Published, 9)
            .await,
        StatusChange::NotFound
    );
    assert_eq!(
        store.move_to("nothing", "1.0.0", Published, 9).await,
        StatusChange::NotFound
    );
}

/// What a move to DEPRECATED says is kept beside the document until the version is PUBLISHED again.
pub async fn a_deprecation_says_why<S: DefinitionStore>(store: Subject<S>) {
    let first = store
        .stored(store.schema("a", "1.0.0", Published, "a"), 0)
        .await;
    let said = Deprecation::new("use 2.0.0").with_replacement("2.0.0");
    let step = |step: StatusMove, seconds: i64| {
        store.change_definition_status(
            TENANT,
            DefinitionKind::Schema,
            "a",
            "1.0.0",
            step,
            at(seconds),
        )
    };
    let moves = [
        (StatusMove::deprecating(said.clone()), Some(said.clone())),
        (Published.into(), None),
        (Deprecated.into(), None),
        (Published.into(), None),
        (StatusMove::deprecating(said.clone()), Some(said.clone())),
        (Archived.into(), Some(said)),
    ];
    for (seconds, (to, expected)) in (1..).zip(moves) {
        let StatusChange::Changed(changed) = step(to.clone(), seconds).await.unwrap() else {
            unreachable!("{to:?} is a move of the life cycle")
        };
        assert_eq!(changed.deprecation, expected, "{to:?}");
        assert_eq!(
            (&changed.document, changed.content_hash),
            (&first.document, first.content_hash),
            "the document stays as it was published"
        );
        let read = store
            .definitions_by_id(TENANT, &[first.id])
            .await
            .unwrap()
            .remove(0);
        assert_eq!(read, Some(changed));
    }
}

/// Only drafts can be deleted, and a deleted one leaves nothing behind.
pub async fn only_drafts_can_be_deleted<S: DefinitionStore>(store: Subject<S>) {
    let delete = |tenant: TenantId, id: &'static str, version: &'static str| {
        store.delete_draft(tenant, DefinitionKind::Schema, id, version)
    };
    let draft = store
        .stored(store.schema("a", "1.0.0", Draft, "a"), 0)
        .await;
    let other = TenantId(store.new_id(at(0)));
    for (tenant, id, version) in [
        (other, "a", "1.0.0"),
        (TENANT, "a", "1.0.1"),
        (TENANT, "a", "no version"),
        (TENANT, "b", "1.0.0"),
    ] {
        let answer = delete(tenant, id, version).await.unwrap();
        assert_eq!(answer, DraftDeletion::NotFound, "{id} {version}");
    }
    assert_eq!(
        delete(TENANT, "a", "1.0.0").await.unwrap(),
        DraftDeletion::Deleted
    );
    assert_eq!(
        delete(TENANT, "a", "1.0.0").await.unwrap(),
        DraftDeletion::NotFound
    );
    assert_eq!(store.versions("a").await, []);
    assert_eq!(
        store.definitions_by_id(TENANT, &[draft.id]).await.unwrap(),
        [None]
    );
    // The version is free again, and what is past DRAFT stays.
    store
        .stored(store.schema("a", "1.0.0", Published, "new"), 1)
        .await;
    for status in [Published, Deprecated, Archived] {
        if status != Published {
            store.move_to("a", "1.0.0", status, 2).await;
        }
        assert_eq!(
            delete(TENANT, "a", "1.0.0").await.unwrap(),
            DraftDeletion::NotDraft(status)
        );
        assert_eq!(store.versions("a").await, [("1.0.0".to_owned(), status)]);
    }
}

/// The versions of an id come in the order of SemVer, not in that of their text or of their arrival.
pub async fn versions_come_in_semver_order<S: DefinitionStore>(store: Subject<S>) {
    for version in [
        "1.10.0",
        "1.9.0",
        "2.0.0",
        "2.0.0-rc.2",
        "2.0.0-rc.10",
        "1.9.1",
    ] {
        store
            .stored(store.schema("a", version, Draft, version), 0)
            .await;
    }
    let versions: Vec<String> = store
        .versions("a")
        .await
        .into_iter()
        .map(|(version, _)| version)
        .collect();
    assert_eq!(
        versions,
        [
            "1.9.0",
            "1.9.1",
            "1.10.0",
            "2.0.0-rc.2",
            "2.0.0-rc.10",
            "2.0.0"
        ]
    );
    assert!(
        store
            .definition_versions(TENANT, DefinitionKind::Event, "a")
            .await
            .unwrap()
            .is_empty()
    );
}

/// Following the last row of each page visits every match exactly once, by the name of the kind, business id and SemVer.
pub async fn definitions_are_listed_once_and_in_order<S: DefinitionStore>(store: Subject<S>) {
    let mut bundle = Vec::new();
    for id in ["b", "a", "c", "order-form"] {
        for version in ["1.2.0", "1.10.0"] {
            bundle.push(store.schema(id, version, Published, &format!("{id} {version}")));
        }
    }
    bundle.push(store.schema("draft", "1.0.0", Draft, "d"));
    bundle.push(store.event("z.event", "1.0.0"));
    store.put(bundle, 0).await;
    let pages = async |filter: DefinitionFilter| {
        let mut rows: Vec<String> = Vec::new();
        let mut after = None;
        loop {
            let page = store
                .list_definitions(
                    TENANT,
                    &DefinitionFilter {
                        after,
                        ..filter.clone()
                    },
                )
                .await
                .unwrap();
            assert!(page.len() <= filter.limit);
            let Some(last) = page.last() else { return rows };
            after = Some(last.id);
            rows.extend(page.iter().map(|stored| {
                format!("{} {} {}", stored.kind, stored.business_id, stored.version)
            }));
        }
    };
    let all = [
        "event z.event 1.0.0",
        "schema a 1.2.0",
        "schema a 1.10.0",
        "schema b 1.2.0",
        "schema b 1.10.0",
        "schema c 1.2.0",
        "schema c 1.10.0",
        "schema draft 1.0.0",
        "schema order-form 1.2.0",
        "schema order-form 1.10.0",
    ];
    for limit in [1, 3, 10, 1000] {
        let filter = DefinitionFilter {
            limit,
            ..DefinitionFilter::default()
        };
        assert_eq!(pages(filter.clone()).await, all, "pages of {limit}");
        assert_eq!(
            pages(DefinitionFilter {
                kind: Some(DefinitionKind::Event),
                ..filter.clone()
            })
            .await,
            all[..1]
        );
        assert_eq!(
            pages(DefinitionFilter {
                statuses: vec![Draft, Archived],
                ..filter.clone()
            })
            .await,
            all[7..8]
        );
        assert_eq!(
            pages(DefinitionFilter {
                search: Some("ORDER".into()),
                ..filter.clone()
            })
            .await,
            all[8..]
        );
        assert_eq!(
            pages(DefinitionFilter {
                search: Some("schema B 1.2".into()),
                ..filter
            })
            .await,
            all[3..4]
        );
    }
}

/// No call with another tenant finds a definition, and the same id and version there is another one.
pub async fn definitions_belong_to_their_tenant<S: DefinitionStore>(store: Subject<S>) {
    let stranger = TenantId(store.new_id(at(0)));
    let own = store
        .stored(store.schema("a", "2.0.0", Published, "own"), 0)
        .await;
    assert!(
        store
            .definition_versions(stranger, DefinitionKind::Schema, "a")
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store.definitions_by_id(stranger, &[own.id]).await.unwrap(),
        [None]
    );
    let everything = DefinitionFilter {
        limit: 100,
        ..DefinitionFilter::default()
    };
    assert!(
        store
            .list_definitions(stranger, &everything)
            .await
            .unwrap()
            .is_empty()
    );
    let moved = store
        .change_definition_status(
            stranger,
            DefinitionKind::Schema,
            "a",
            "2.0.0",
            Deprecated.into(),
            at(1),
        )
        .await
        .unwrap();
    assert_eq!(moved, StatusChange::NotFound);
    let outcomes = store
        .put_definitions(
            stranger,
            vec![store.schema("a", "1.0.0", Published, "theirs")],
            at(1),
        )
        .await
        .unwrap();
    assert!(
        matches!(&outcomes[..], [PutOutcome::Stored(stored)] if stored.tenant == stranger),
        "{outcomes:?}"
    );
    assert_eq!(store.versions("a").await, [("2.0.0".to_owned(), Published)]);
    assert_eq!(
        store
            .list_definitions(stranger, &everything)
            .await
            .unwrap()
            .len(),
        1
    );
}

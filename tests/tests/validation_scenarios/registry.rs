//! The schema registry of an engine: registration, compatibility, validation of data, upgrades.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use augmented_acceptance::{engine, new_store, places, with, workflow};
use augmented_core::TenantId;
use augmented_core::model::{Compatibility, LifecycleStatus};
use augmented_core::schema::{
    AsyncValidator, ChangeType, CheckInput, CompatResult, Complaint, CustomValidator, Registration,
    ValidationContext, ValidatorError, ValidatorRegistry,
};
use augmented_core::store::Store;
use augmented_engine::{
    BatchItem, BatchOptions, CompatibilityCheck, Engine, EngineError, ItemOutcome, NewSchema,
    Overrides, SchemaRegistry, SchemaUpdate, ValidationRequest,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// The schema of scenario 1.
fn profile() -> Value {
    json!({
        "type": "object",
        "required": ["id", "name", "email"],
        "properties": {
            "id": {"type": "string"},
            "name": {"type": "string", "minLength": 1},
            "email": {"type": "string", "format": "email"},
        },
    })
}

fn user_profile() -> NewSchema {
    NewSchema::new("user-profile", "User profile", profile())
}

/// The profile with a member `phone`.
fn with_phone() -> Value {
    let mut schema = profile();
    schema["properties"]["phone"] = json!({"type": "string"});
    schema
}

fn with_required(mut schema: Value, names: &[&str]) -> Value {
    schema["required"] = json!(names);
    schema
}

fn update(schema: Value) -> SchemaUpdate {
    SchemaUpdate::new("user-profile", schema)
}

fn codes(error: &EngineError) -> (&'static str, Option<&'static str>) {
    (error.code(), error.reason())
}

async fn versions(schemas: &SchemaRegistry, id: &str) -> Vec<(String, LifecycleStatus)> {
    let versions = schemas.versions(id).await.unwrap();
    versions
        .iter()
        .map(|known| (known.version().to_owned(), known.status()))
        .collect()
}

/// Runs futures as tasks of their own, so that they truly race.
async fn raced<F>(racing: impl Iterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    racing.collect::<JoinSet<F::Output>>().join_all().await
}

async fn is_valid(schemas: &SchemaRegistry, version: Option<&str>, value: Value) -> bool {
    let mut request = ValidationRequest::new();
    request.version = version.map(str::to_owned);
    let result = schemas.validate("user-profile", &value, request).await;
    result.unwrap().valid
}

#[tokio::test]
async fn v01_the_same_content_again_gives_the_same_version() {
    let engine = engine(|builder| builder).await;
    let schemas = engine.schemas();
    let first = schemas.register(user_profile()).await.unwrap();
    assert_eq!((first.version.version(), first.created), ("1.0.0", true));
    let again = schemas.register(user_profile()).await.unwrap();
    assert_eq!((&again.version, again.created), (&first.version, false));
    let reordered: Value = serde_json::from_str(&profile().to_string()).unwrap();
    let updated = schemas.update(update(reordered)).await.unwrap();
    assert_eq!((&updated.version, updated.created), (&first.version, false));
    assert_eq!(
        versions(&schemas, "user-profile").await,
        [("1.0.0".to_owned(), LifecycleStatus::Published)]
    );
    let other = schemas
        .register(NewSchema::new("user-profile", "User", with_phone()))
        .await
        .unwrap_err();
    assert_eq!(
        codes(&other),
        ("ALREADY_EXISTS", Some("SCHEMA_ALREADY_EXISTS"))
    );
}

#[tokio::test]
async fn v02_a_change_decides_the_version_and_a_breaking_one_is_refused() {
    let engine = engine(|builder| builder).await;
    let schemas = engine.schemas();
    schemas.register(user_profile()).await.unwrap();
    let minor = schemas.update(update(with_phone())).await.unwrap();
    assert_eq!((minor.version.version(), minor.created), ("1.1.0", true));
    let changes: Vec<_> = minor.changes.iter().map(|c| c.change_type).collect();
    assert_eq!(changes, [ChangeType::AddedField]);
    assert_eq!(minor.version.name(), "User profile");

    let breaking = with_required(with_phone(), &["id", "name", "email", "phone"]);
    let refused = schemas.update(update(breaking.clone())).await.unwrap_err();
    assert_eq!(
        codes(&refused),
        ("INVALID_ARGUMENT", Some("INCOMPATIBLE_SCHEMA"))
    );
    assert_eq!(
        places(refused.findings()),
        [("INCOMPATIBLE_SCHEMA".to_owned(), "/required".to_owned())]
    );
    assert!(refused.findings()[0].message.starts_with("ADDED_REQUIRED"));
    assert_eq!(schemas.versions("user-profile").await.unwrap().len(), 2);

    let too_low = update(breaking.clone())
        .with_version("1.2.0")
        .with_overrides(Overrides::breaking());
    let refused = schemas.update(too_low).await.unwrap_err();
    assert_eq!(
        codes(&refused),
        ("INVALID_ARGUMENT", Some("VERSION_TOO_LOW"))
    );
    let major = schemas
        .update(update(breaking).with_overrides(Overrides::breaking()))
        .await
        .unwrap();
    assert_eq!(major.version.version(), "2.0.0");
    let old = json!({"id": "1", "name": "Ann", "email": "ann@example.com"});
    assert!(is_valid(&schemas, Some("1.1.0"), old.clone()).await);
    assert!(!is_valid(&schemas, None, old).await);
    let details = schemas
        .details("user-profile", Some("2.0.0"))
        .await
        .unwrap();
    assert_eq!(details.changes, major.changes);
}

#[tokio::test]
async fn v03_forward_refuses_what_backward_accepts() {
    let engine = engine(|builder| builder).await;
    let schemas = engine.schemas();
    let relaxed = with_required(profile(), &["id", "name"]);
    for (mode, version) in [
        (Compatibility::Forward, None),
        (Compatibility::Backward, Some("1.1.0")),
    ] {
        let id = format!("profile-{mode:?}");
        let new = NewSchema::new(&id, "Profile", profile()).with_compatibility(mode);
        schemas.register(new).await.unwrap();
        let report = schemas
            .check_compatibility(&id, &relaxed, CompatibilityCheck::new())
            .await
            .unwrap();
        let updated = schemas
            .update(SchemaUpdate::new(&id, relaxed.clone()))
            .await;
        match version {
            Some(version) => {
                assert_eq!(report.result, CompatResult::Compatible);
                assert_eq!(updated.unwrap().version.version(), version);
            }
            None => {
                assert_eq!(report.result, CompatResult::Incompatible);
                assert_eq!(
                    codes(&updated.unwrap_err()),
                    ("INVALID_ARGUMENT", Some("INCOMPATIBLE_SCHEMA"))
                );
            }
        }
    }
}

#[tokio::test]
async fn transitive_modes_look_at_all_versions_and_a_mode_acts_from_the_next_one_on() {
    let engine = engine(|builder| builder).await;
    let schemas = engine.schemas();
    let of = |max: u32| json!({"type": "string", "maxLength": max});
    let new = NewSchema::new("text", "Text", of(9)).with_compatibility(Compatibility::None);
    schemas.register(new).await.unwrap();
    let change = |max: u32| SchemaUpdate::new("text", of(max));
    // The mode of 1.0.0 lets this pass; its own acts on what follows.
    let strict = change(5).with_compatibility(Compatibility::BackwardTransitive);
    assert_eq!(
        schemas.update(strict).await.unwrap().version.version(),
        "2.0.0"
    );
    let refused = schemas.update(change(7)).await.unwrap_err();
    assert_eq!(refused.reason(), Some("INCOMPATIBLE_SCHEMA"));
    assert!(refused.findings()[0].message.contains("version 1.0.0"));
    let passed = schemas.update(change(10)).await.unwrap();
    assert_eq!(passed.version.version(), "2.1.0");
    assert_eq!(
        passed.version.compatibility(),
        Compatibility::BackwardTransitive
    );
}

#[tokio::test]
async fn what_cannot_be_proven_is_accepted_with_a_reason_only() {
    let engine = engine(|builder| builder).await;
    let schemas = engine.schemas();
    let of = |pattern: &str| json!({"type": "string", "pattern": pattern});
    schemas
        .register(NewSchema::new("code", "Code", of("^a+$")))
        .await
        .unwrap();
    let change = || SchemaUpdate::new("code", of("^[a-b]+$"));
    let refused = schemas.update(change()).await.unwrap_err();
    assert_eq!(refused.reason(), Some("INCOMPATIBLE_SCHEMA"));
    let accepted = change().with_overrides(Overrides::accepting_unknown("it only widens"));
    let accepted = schemas.update(accepted).await.unwrap();
    assert_eq!(
        accepted.report.map(|report| report.result),
        Some(CompatResult::Unknown)
    );
    let document = &accepted.version.stored.document;
    assert_eq!(
        document["metadata"]["acceptedUnknown"],
        json!({"reason": "it only widens", "comparedWith": ["1.0.0"]})
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn v04_of_two_updates_that_expect_one_version_one_wins() {
    let store: Arc<dyn Store> = new_store().await;
    for round in 0..20 {
        let engines = join_all((0..2).map(|_| Engine::builder(Arc::clone(&store)).start())).await;
        let engines: Vec<Engine> = engines.into_iter().map(Result::unwrap).collect();
        let id = format!("profile-{round}");
        let schemas = engines[0].schemas();
        schemas
            .register(NewSchema::new(&id, "Profile", profile()))
            .await
            .unwrap();
        let racing = engines.iter().enumerate().map(|(number, engine)| {
            let (schemas, id) = (engine.schemas(), id.clone());
            let mut schema = profile();
            schema["properties"][format!("extra{number}")] = json!({"type": "string"});
            let update = SchemaUpdate::new(id, schema).with_expected_version("1.0.0");
            async move { schemas.update(update).await }
        });
        let mut won = 0;
        for answer in raced(racing).await {
            match answer {
                Ok(updated) => {
                    assert_eq!(
                        (updated.version.version(), updated.created),
                        ("1.1.0", true)
                    );
                    won += 1;
                }
                Err(error) => assert_eq!(error.code(), "VERSION_CONFLICT"),
            }
        }
        assert_eq!(won, 1, "round {round}");
        let known: Vec<_> = versions(&schemas, &id).await;
        assert_eq!(known.len(), 2, "round {round}: {known:?}");
        for engine in engines {
            engine.shutdown().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn v04_updates_that_expect_nothing_follow_one_another_without_a_gap() {
    let store: Arc<dyn Store> = new_store().await;
    let engines = join_all((0..2).map(|_| Engine::builder(Arc::clone(&store)).start())).await;
    let engines: Vec<Engine> = engines.into_iter().map(Result::unwrap).collect();
    let schemas = engines[0].schemas();
    // Without a mode, any two of them may follow one another.
    let new = NewSchema::new("n", "N", json!({"maxLength": 1000}))
        .with_compatibility(Compatibility::None);
    schemas.register(new).await.unwrap();
    let racing = (0..50).map(|number: usize| {
        let schemas = engines[number % 2].schemas();
        // Each content twice, half of the time at the same moment.
        let schema = json!({"maxLength": 1000, "title": format!("title {}", number / 2)});
        async move { schemas.update(SchemaUpdate::new("n", schema)).await }
    });
    for answer in raced(racing).await {
        answer.unwrap();
    }
    let known = schemas.versions("n").await.unwrap();
    for (patch, version) in known.iter().enumerate() {
        assert_eq!(version.version(), format!("1.0.{patch}"));
    }
    assert!((26..=51).contains(&known.len()), "{}", known.len());
    let doubled = known
        .windows(2)
        .filter(|pair| pair[0].content_hash() == pair[1].content_hash());
    assert_eq!(doubled.count(), 0);
    for engine in engines {
        engine.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_content_at_the_same_moment_becomes_one_version() {
    let store: Arc<dyn Store> = new_store().await;
    let engines = join_all((0..4).map(|_| Engine::builder(Arc::clone(&store)).start())).await;
    let engines: Vec<Engine> = engines.into_iter().map(Result::unwrap).collect();
    for round in 0..10 {
        let id = format!("s{round}");
        for schema in [profile(), with_phone()] {
            let racing = engines.iter().map(|engine| {
                let (schemas, id, schema) = (engine.schemas(), id.clone(), schema.clone());
                async move {
                    if schema == profile() {
                        schemas.register(NewSchema::new(id, "S", schema)).await
                    } else {
                        schemas.update(SchemaUpdate::new(id, schema)).await
                    }
                }
            });
            let answers = raced(racing).await;
            let created = answers
                .into_iter()
                .filter(|answer| answer.as_ref().unwrap().created);
            assert_eq!(created.count(), 1, "round {round}");
        }
        assert_eq!(versions(&engines[0].schemas(), &id).await.len(), 2);
    }
    for engine in engines {
        engine.shutdown().await;
    }
}

/// Answers that a name is taken; notes how many calls run at once.
#[derive(Clone, Default)]
struct Unique {
    calls: Arc<AtomicUsize>,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    takes: Duration,
}

#[async_trait]
impl AsyncValidator for Unique {
    async fn validate(
        &self,
        value: &Value,
        _: &Value,
        context: &ValidationContext,
    ) -> Result<Vec<Complaint>, ValidatorError> {
        assert!(context.now.is_some(), "the engine tells the time");
        self.calls.fetch_add(1, Ordering::SeqCst);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        tokio::time::sleep(self.takes).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        match value.as_str() {
            Some("panic") => panic!("not today"),
            Some("broken") => Err(ValidatorError::transient("the directory is down")),
            Some("taken") => Ok(vec![
                Complaint::new("the name is taken").with_code("NAME_TAKEN"),
            ]),
            _ => Ok(Vec::new()),
        }
    }
}

/// An engine on the clock of the machine, whose schema `person` needs the validator.
async fn with_unique(unique: &Unique) -> Engine {
    let mut validators = ValidatorRegistry::new();
    validators
        .register(
            Registration::new("unique-name", "names are given once"),
            CustomValidator::remote(unique.clone()),
        )
        .unwrap();
    let engine = Engine::builder(new_store().await)
        .with_validators(validators)
        .start()
        .await
        .unwrap();
    let schema = json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "age": {"type": "integer"},
            "name": {"type": "string", "minLength": 3, "x-custom-validator": {"validator": "unique-name"}},
        },
    });
    let registered = engine
        .schemas()
        .register(NewSchema::new("person", "Person", schema))
        .await
        .unwrap();
    assert_eq!(registered.required_validators, ["unique-name"]);
    engine
}

async fn person(
    engine: &Engine,
    value: Value,
) -> Result<(bool, Vec<(String, String)>), EngineError> {
    let schemas = engine.schemas();
    let result = schemas
        .validate("person", &value, ValidationRequest::new())
        .await?;
    Ok((result.valid, places(&result.findings)))
}

#[tokio::test(start_paused = true)]
async fn v19_an_asynchronous_check_runs_where_all_else_passed() {
    let unique = Unique::default();
    let engine = with_unique(&unique).await;
    let place = |code: &str, at: &str| (code.to_owned(), at.to_owned());
    assert_eq!(
        person(&engine, json!({"name": "x"})).await.unwrap(),
        (false, vec![place("minLength", "/name")])
    );
    assert_eq!(
        person(&engine, json!({})).await.unwrap().1,
        [place("required", "/name")]
    );
    assert_eq!(unique.calls.load(Ordering::SeqCst), 0);
    assert_eq!(
        person(&engine, json!({"name": "taken", "age": "old"}))
            .await
            .unwrap(),
        (
            false,
            vec![place("type", "/age"), place("NAME_TAKEN", "/name")]
        )
    );
    assert!(person(&engine, json!({"name": "free"})).await.unwrap().0);
    assert_eq!(unique.calls.load(Ordering::SeqCst), 2);
    for (name, part) in [
        ("panic", "it panicked"),
        ("broken", "the directory is down"),
    ] {
        let failed = person(&engine, json!({"name": name})).await.unwrap_err();
        assert_eq!(codes(&failed), ("INTERNAL", Some("VALIDATOR_FAILED")));
        assert!(failed.to_string().contains(part), "{failed}");
    }
    assert!(person(&engine, json!({"name": "free"})).await.unwrap().0);
    engine.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn v19_a_check_that_takes_too_long_gives_no_verdict() {
    let unique = Unique {
        takes: Duration::from_secs(3),
        ..Unique::default()
    };
    let engine = with_unique(&unique).await;
    let slow = person(&engine, json!({"name": "free"})).await.unwrap_err();
    assert_eq!(codes(&slow), ("INTERNAL", Some("VALIDATOR_FAILED")));
    assert!(slow.to_string().contains("500 ms"), "{slow}");
    let hurried = ValidationRequest::new().with_timeout(Duration::from_millis(100));
    let late = engine
        .schemas()
        .validate("person", &json!({"name": "free"}), hurried)
        .await
        .unwrap_err();
    assert_eq!(codes(&late), ("UNAVAILABLE", Some("VALIDATION_TIMEOUT")));
    engine.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn v19_a_batch_makes_eight_checks_at_a_time() {
    let unique = Unique {
        takes: Duration::from_millis(10),
        ..Unique::default()
    };
    let engine = with_unique(&unique).await;
    let name = |number: usize| if number % 100 == 7 { "taken" } else { "free" };
    let items: Vec<BatchItem> = (0..1000)
        .map(|number| BatchItem::new(format!("{number}"), "person", json!({"name": name(number)})))
        .collect();
    let batch = engine
        .schemas()
        .validate_batch(items.clone(), BatchOptions::new())
        .await
        .unwrap();
    assert_eq!((batch.summary.valid, batch.summary.invalid), (990, 10));
    assert_eq!(unique.most.load(Ordering::SeqCst), 8);
    assert_eq!(unique.calls.load(Ordering::SeqCst), 1000);
    // 1000 checks of 10 ms, eight at a time, need 1.25 s.
    let hurried = BatchOptions::new().with_timeout(Duration::from_secs(1));
    let batch = engine
        .schemas()
        .validate_batch(items, hurried)
        .await
        .unwrap();
    assert!(
        batch.summary.failed > 100 && batch.summary.valid > 500,
        "{:?}",
        batch.summary
    );
    let late = batch.items.iter().find_map(|item| match &item.outcome {
        ItemOutcome::Failed(error) => Some(codes(error)),
        _ => None,
    });
    assert_eq!(late, Some(("UNAVAILABLE", Some("VALIDATION_TIMEOUT"))));
    engine.shutdown().await;
}

#[tokio::test]
async fn v20_a_panic_in_a_validator_fails_the_call_and_the_next_one_works() {
    let moody = |input: &CheckInput<'_>| {
        assert!(input.value != "panic", "not today");
        Ok(Vec::new())
    };
    let mut validators = ValidatorRegistry::new();
    validators
        .register(
            Registration::new("moody", "panics on some values"),
            CustomValidator::function(moody),
        )
        .unwrap();
    let engine = engine(|builder| builder.with_validators(validators)).await;
    let schemas = engine.schemas();
    let schema = json!({"x-custom-validator": {"validator": "moody"}});
    schemas
        .register(NewSchema::new("mood", "Mood", schema))
        .await
        .unwrap();
    let ask = |value: Value| {
        let schemas = schemas.clone();
        async move {
            let request = ValidationRequest::new();
            schemas.validate("mood", &value, request).await
        }
    };
    let failed = ask(json!("panic")).await.unwrap_err();
    assert_eq!(codes(&failed), ("INTERNAL", Some("VALIDATOR_FAILED")));
    assert!(ask(json!("good")).await.unwrap().valid);
}

#[tokio::test]
async fn v21_a_batch_keeps_its_order_and_judges_what_it_can() {
    let engine = engine(|builder| builder).await;
    let schemas = engine.schemas();
    schemas.register(user_profile()).await.unwrap();
    let good = json!({"id": "1", "name": "Ann", "email": "ann@example.com"});
    let bad = with(good.clone(), json!({"email": "nope"}));
    let items = || {
        vec![
            BatchItem::new("a", "user-profile", good.clone()),
            BatchItem::new("b", "user-profile", bad.clone()),
            BatchItem::new("c", "nobody", good.clone()),
        ]
    };
    let outcomes = |batch: augmented_engine::BatchResult| -> Vec<(String, &'static str)> {
        let name = |outcome: &ItemOutcome| match outcome {
            ItemOutcome::Valid(_) => "VALID",
            ItemOutcome::Invalid(result) => {
                assert_eq!(
                    places(&result.findings),
                    [("format".into(), "/email".into())]
                );
                "INVALID"
            }
            ItemOutcome::Failed(error) => error.reason().unwrap(),
            ItemOutcome::Skipped => "SKIPPED",
        };
        let items = batch.items.iter();
        items
            .map(|item| (item.id.clone(), name(&item.outcome)))
            .collect()
    };
    let expect = |names: [&'static str; 3]| -> Vec<(String, &'static str)> {
        ["a", "b", "c"]
            .map(str::to_owned)
            .into_iter()
            .zip(names)
            .collect()
    };
    let all = schemas
        .validate_batch(items(), BatchOptions::new())
        .await
        .unwrap();
    let summary = all.summary;
    assert_eq!(
        (
            summary.total,
            summary.valid,
            summary.invalid,
            summary.failed,
            summary.skipped
        ),
        (3, 1, 1, 1, 0)
    );
    assert_eq!(
        outcomes(all),
        expect(["VALID", "INVALID", "SCHEMA_NOT_FOUND"])
    );
    let fast = BatchOptions::new().with_fail_fast(true);
    let some = schemas.validate_batch(items(), fast.clone()).await.unwrap();
    assert_eq!(some.summary.skipped, 1);
    assert_eq!(outcomes(some), expect(["VALID", "INVALID", "SKIPPED"]));
    let mut turned = items();
    turned.reverse();
    let turned = schemas.validate_batch(turned, fast).await.unwrap();
    assert_eq!((turned.summary.failed, turned.summary.skipped), (1, 2));

    let twice = vec![BatchItem::new("a", "user-profile", json!({})); 2];
    let refused = schemas
        .validate_batch(twice, BatchOptions::new())
        .await
        .unwrap_err();
    assert_eq!(
        codes(&refused),
        ("INVALID_ARGUMENT", Some("BATCH_ITEM_ID_DUPLICATE"))
    );
    assert_eq!(refused.findings()[0].pointer, "/items/1/id");
    let many = (0..1001).map(|n| BatchItem::new(n.to_string(), "user-profile", json!({})));
    let refused = schemas
        .validate_batch(many.collect(), BatchOptions::new())
        .await
        .unwrap_err();
    assert_eq!(refused.reason(), Some("BATCH_TOO_LARGE"));
}

#[tokio::test]
async fn large_documents_and_batches_are_judged_on_other_threads() {
    let engine = engine(|builder| builder).await;
    let schemas = engine.schemas();
    let texts = json!({"type": "array", "items": {"type": "string"}});
    schemas
        .register(NewSchema::new("texts", "Texts", texts))
        .await
        .unwrap();
    let large = |last: Value| {
        let mut items = vec![json!("x".repeat(1000)); 400];
        items.push(last);
        Value::Array(items)
    };
    let request = ValidationRequest::new();
    let result = schemas
        .validate("texts", &large(json!(7)), request)
        .await
        .unwrap();
    assert_eq!(places(&result.findings), [("type".into(), "/400".into())]);
    let item = |n: usize| {
        BatchItem::new(
            n.to_string(),
            "texts",
            large(if n == 3 { json!(n) } else { json!("") }),
        )
    };
    let batch = schemas
        .validate_batch((0..6).map(item).collect(), BatchOptions::new())
        .await
        .unwrap();
    assert!(matches!(batch.items[3].outcome, ItemOutcome::Invalid(_)));
    assert_eq!((batch.summary.valid, batch.summary.invalid), (5, 1));
}

#[tokio::test]
async fn v24_an_upcaster_with_a_wrong_output_upgrades_nothing() {
    let right = |user: Value| Ok(json!({"fullName": user["name"]}));
    let wrong = |user: Value| Ok(json!({"fulName": user["fullName"]}));
    let engine = engine(|builder| {
        builder
            .with_upcaster("user", 1, 2, right)
            .with_upcaster("user", 2, 3, wrong)
    })
    .await;
    let schemas = engine.schemas();
    let of = |name: &str| json!({"type": "object", "required": [name], "properties": {name: {"type": "string"}}});
    schemas
        .register(
            NewSchema::new("user", "User", of("name")).with_compatibility(Compatibility::None),
        )
        .await
        .unwrap();
    for (version, name) in [("2.0.0", "fullName"), ("3.0.0", "display")] {
        let next = SchemaUpdate::new("user", of(name)).with_version(version);
        schemas.update(next).await.unwrap();
    }
    let ann = || json!({"name": "Ann"});
    assert_eq!(
        schemas.upgrade("user", ann(), 1, 2).await.unwrap(),
        json!({"fullName": "Ann"})
    );
    let failed = schemas.upgrade("user", ann(), 1, 3).await.unwrap_err();
    assert_eq!(codes(&failed), ("INVALID_ARGUMENT", Some("UPCAST_FAILED")));
    assert!(
        failed.to_string().contains("from major version 2 to 3"),
        "{failed}"
    );
    assert_eq!(
        places(failed.findings()),
        [("required".to_owned(), "/display".to_owned())]
    );
    assert_eq!(versions(&schemas, "user").await.len(), 3);
    let nowhere = schemas.upgrade("user", ann(), 1, 9).await.unwrap_err();
    assert_eq!(nowhere.reason(), Some("SCHEMA_VERSION_NOT_FOUND"));
    let back = schemas.upgrade("user", ann(), 2, 1).await.unwrap_err();
    assert_eq!(back.reason(), Some("UPCAST_FAILED"));
}

#[tokio::test]
async fn what_is_not_there_or_not_legal_is_refused_with_its_own_code() {
    let engine = engine(|builder| builder).await;
    let schemas = engine.schemas();
    let request = ValidationRequest::new();
    let unknown = schemas
        .validate("nobody", &json!(1), request.clone())
        .await
        .unwrap_err();
    assert_eq!(codes(&unknown), ("NOT_FOUND", Some("SCHEMA_NOT_FOUND")));
    let unknown = schemas
        .update(SchemaUpdate::new("nobody", json!(true)))
        .await
        .unwrap_err();
    assert_eq!(codes(&unknown), ("NOT_FOUND", Some("SCHEMA_NOT_FOUND")));
    schemas.register(user_profile()).await.unwrap();
    let exact = request.clone().with_version("7.0.0");
    let unknown = schemas
        .validate("user-profile", &json!(1), exact)
        .await
        .unwrap_err();
    assert_eq!(
        codes(&unknown),
        ("NOT_FOUND", Some("SCHEMA_VERSION_NOT_FOUND"))
    );

    let builtin = NewSchema::new("core.workflow", "Mine", json!(true));
    for refused in [
        schemas.register(builtin.clone()).await.unwrap_err(),
        schemas.register_bundle(vec![builtin]).await.unwrap_err(),
        schemas.archive("core.workflow", "1.0.0").await.unwrap_err(),
        schemas
            .delete_draft("core.task", "1.0.0")
            .await
            .unwrap_err(),
    ] {
        assert_eq!(
            codes(&refused),
            ("ILLEGAL_STATE", Some("BUILTIN_READ_ONLY"))
        );
    }
    let shipped = schemas.get("core.workflow", None).await.unwrap();
    assert_eq!(
        (shipped.version(), shipped.stored.tenant),
        ("1.0.0", TenantId::SYSTEM)
    );
    let result = schemas
        .validate("core.workflow", &workflow("w", json!([])), request)
        .await
        .unwrap();
    assert_eq!(
        places(&result.findings),
        [("minItems".into(), "/steps".into())]
    );

    for (schema, code, at) in [
        (json!({"minLenght": 3}), "UNKNOWN_KEYWORD", "/minLenght"),
        (json!({"type": "any"}), "INVALID_SCHEMA", "/type"),
        (
            json!({"$ref": "aug://schema/nobody/1.0.0"}),
            "REFERENCE_UNRESOLVED",
            "/$ref",
        ),
    ] {
        let new = NewSchema::new("bad", "Bad", schema.clone());
        let refused = schemas.register(new).await.unwrap_err();
        assert_eq!(codes(&refused), ("INVALID_ARGUMENT", Some(code)));
        assert_eq!(
            places(refused.findings()),
            [(code.to_owned(), format!("/schema{at}"))]
        );
        let checked = schemas.check_schema(&schema).await.unwrap();
        assert_eq!(places(&checked), [(code.to_owned(), at.to_owned())]);
    }
    let bad_id = NewSchema::new("no spaces", "Bad", json!(true));
    assert_eq!(
        schemas.register(bad_id).await.unwrap_err().code(),
        "INVALID_ARGUMENT"
    );
    let bad_version = NewSchema::new("v", "V", json!(true)).with_version("1.0");
    assert_eq!(
        schemas.register(bad_version).await.unwrap_err().code(),
        "INVALID_ARGUMENT"
    );
}

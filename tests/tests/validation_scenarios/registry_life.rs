//! The life of schema versions: drafts, deprecation, archiving, bundles, lists, and where definitions refer to schemas.

use std::sync::Arc;

use augmented_acceptance::{
    EPOCH, at, ended, engine, engine_on, new_store, places, run, with, workflow,
};
use augmented_core::TenantId;
use augmented_core::model::{DefinitionKind, Deprecation, LifecycleStatus};
use augmented_core::runtime::InstanceStatus;
use augmented_core::schema::{CustomValidator, Registration, ValidateOptions, ValidatorRegistry};
use augmented_core::store::Store;
use augmented_core::time::{Clock, Timestamp};
use augmented_engine::{
    BatchItem, BatchOptions, Engine, EngineConfig, EngineError, NewSchema, Overrides, SchemaFilter,
    SchemaRegistry, SchemaSort, SchemaUpdate, StartRequest, ValidationRequest,
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use uuid::Uuid;

fn codes(error: &EngineError) -> (&'static str, Option<&'static str>) {
    (error.code(), error.reason())
}

fn text(max: u32) -> Value {
    json!({"type": "string", "maxLength": max})
}

fn new(id: &str, schema: Value) -> NewSchema {
    NewSchema::new(id, format!("The {id}"), schema)
}

/// Codes of the findings about a value by an exact version.
async fn findings(schemas: &SchemaRegistry, id: &str, version: &str, value: Value) -> Vec<String> {
    let request = ValidationRequest::new().with_version(version);
    let result = schemas.validate(id, &value, request).await.unwrap();
    assert_eq!(result.meta.version.as_deref(), Some(version));
    result.findings.iter().map(|f| f.code.to_string()).collect()
}

#[tokio::test]
async fn a_deprecated_version_validates_with_a_warning_and_can_return() {
    let engine = engine(|builder| builder).await;
    let schemas = engine.schemas();
    schemas.register(new("s", text(5))).await.unwrap();
    schemas
        .update(SchemaUpdate::new("s", text(9)))
        .await
        .unwrap();
    let said = Deprecation::new("too short").with_replacement("1.1.0");
    let deprecated = schemas.deprecate("s", "1.0.0", said.clone()).await.unwrap();
    assert_eq!(
        (deprecated.status(), deprecated.deprecation()),
        (LifecycleStatus::Deprecated, Some(said))
    );
    let request = ValidationRequest::new()
        .with_version("1.0.0")
        .with_options(ValidateOptions::new().with_strict_mode(true));
    let result = schemas.validate("s", &json!("abc"), request).await.unwrap();
    assert!(result.valid, "the warning is not about the document");
    assert_eq!(result.findings[0].code, "SCHEMA_DEPRECATED");
    assert_eq!(
        result.findings[0].hint.as_deref(),
        Some("use version 1.1.0")
    );
    assert_eq!(
        findings(&schemas, "s", "1.1.0", json!("abc")).await,
        [""; 0]
    );
    let back = schemas.undeprecate("s", "1.0.0").await.unwrap();
    assert_eq!(
        (back.status(), back.deprecation()),
        (LifecycleStatus::Published, None)
    );
    assert_eq!(
        findings(&schemas, "s", "1.0.0", json!("abc")).await,
        [""; 0]
    );
    let twice = schemas.undeprecate("s", "1.0.0").await.unwrap_err();
    assert_eq!(codes(&twice), ("ILLEGAL_STATE", Some("STATUS_FORBIDS")));
    let missing = schemas
        .deprecate("s", "9.0.0", Deprecation::new("x"))
        .await
        .unwrap_err();
    assert_eq!(
        codes(&missing),
        ("NOT_FOUND", Some("SCHEMA_VERSION_NOT_FOUND"))
    );
}

#[tokio::test]
async fn a_version_is_archived_once_nothing_refers_to_it() {
    let engine = engine(|builder| builder).await;
    let schemas = engine.schemas();
    schemas
        .register(new("amount", json!({"type": "integer"})))
        .await
        .unwrap();
    let input =
        json!({"type": "object", "properties": {"amount": {"$ref": "aug://schema/amount/1.0.0"}}});
    let refers = |id: &str| {
        with(
            workflow(
                id,
                json!([{"stepId": "end", "type": "END", "output": {"amount": "${input.amount}"}}]),
            ),
            json!({"inputSchema": input}),
        )
    };
    // A definition may refer to a stored schema, and its data is judged by it.
    let (_, result) = run(&engine, refers("pay"), json!({"amount": 3})).await;
    assert_eq!(
        ended(&result),
        (InstanceStatus::Completed, json!({"amount": 3}))
    );
    let wrong = StartRequest::new("pay").with_input(json!({"amount": "x"}));
    let refused = engine.start(wrong).await.unwrap_err();
    assert_eq!(
        places(refused.findings()),
        [("type".to_owned(), "/amount".to_owned())]
    );

    schemas
        .deprecate("amount", "1.0.0", Deprecation::new("old"))
        .await
        .unwrap();
    let warned = engine.publish(refers("warned")).await.unwrap();
    assert_eq!(
        places(&warned.findings),
        [(
            "REFERENCE_DEPRECATED".to_owned(),
            "/inputSchema/properties/amount/$ref".to_owned()
        )]
    );
    let refused = schemas.archive("amount", "1.0.0").await.unwrap_err();
    assert_eq!(codes(&refused), ("ILLEGAL_STATE", Some("REFERENCED_BY")));
    assert_eq!(refused.findings().len(), 2);
    assert_eq!(refused.findings()[0].related[0].id.as_deref(), Some("pay"));
    let uses = schemas.usage("amount", "1.0.0").await.unwrap();
    assert_eq!(
        (uses[0].kind, uses[0].pointer.as_str()),
        (
            DefinitionKind::Workflow,
            "/inputSchema/properties/amount/$ref"
        )
    );
    for id in ["pay", "warned"] {
        for to in [LifecycleStatus::Deprecated, LifecycleStatus::Archived] {
            let kind = DefinitionKind::Workflow;
            engine
                .change_definition_status(kind, id, "1.0.0", to)
                .await
                .unwrap();
        }
    }
    let archived = schemas.archive("amount", "1.0.0").await.unwrap();
    assert_eq!(archived.status(), LifecycleStatus::Archived);
    // It is closed to what is new, and works on for what names it.
    let refused = engine.publish(refers("late")).await.unwrap_err();
    assert_eq!(
        places(refused.findings()),
        [(
            "REFERENCE_NOT_PUBLISHED".to_owned(),
            "/inputSchema/properties/amount/$ref".to_owned()
        )]
    );
    let refused = schemas
        .register(new("late", input.clone()))
        .await
        .unwrap_err();
    assert_eq!(refused.reason(), Some("REFERENCE_NOT_PUBLISHED"));
    assert_eq!(
        findings(&schemas, "amount", "1.0.0", json!("x")).await,
        ["type"]
    );
    let latest = schemas
        .validate("amount", &json!(1), ValidationRequest::new())
        .await
        .unwrap_err();
    assert_eq!(latest.reason(), Some("SCHEMA_VERSION_NOT_FOUND"));
}

#[tokio::test]
async fn drafts_are_edited_published_and_deleted() {
    let engine = engine(|builder| builder).await;
    let schemas = engine.schemas();
    let draft = schemas
        .register(new("s", text(5)).with_draft(true))
        .await
        .unwrap();
    assert_eq!(
        (draft.version.status(), draft.created),
        (LifecycleStatus::Draft, true)
    );
    let refused = schemas
        .validate("s", &json!("a"), ValidationRequest::new())
        .await
        .unwrap_err();
    assert_eq!(refused.reason(), Some("SCHEMA_VERSION_NOT_FOUND"));
    let edit = |max: u32| SchemaUpdate::new("s", text(max)).with_draft(true);
    let edited = schemas.update(edit(6)).await.unwrap();
    assert_eq!(
        (edited.version.version(), edited.version.stored.id),
        ("1.0.0", draft.version.stored.id)
    );
    let published = schemas
        .publish("s", "1.0.0", Overrides::none())
        .await
        .unwrap();
    assert_eq!(
        (published.version.status(), published.version.schema()),
        (LifecycleStatus::Published, &text(6))
    );
    let again = schemas
        .publish("s", "1.0.0", Overrides::none())
        .await
        .unwrap_err();
    assert_eq!(codes(&again), ("ILLEGAL_STATE", Some("NOT_DRAFT")));

    // A draft that was saved with errors is not published before they are repaired.
    let document = |max: Value| json!({"kind": "schema", "schemaId": "s", "version": "1.1.0", "name": "S", "schema": {"type": "string", "maxLength": max}});
    let saved = engine.save_draft(document(json!("x"))).await.unwrap();
    assert_eq!(saved.findings[0].code, "INVALID_SCHEMA");
    let refused = schemas
        .publish("s", "1.1.0", Overrides::none())
        .await
        .unwrap_err();
    assert_eq!(refused.reason(), Some("INVALID_SCHEMA"));
    engine.save_draft(document(json!(3))).await.unwrap();
    let refused = schemas
        .publish("s", "1.1.0", Overrides::none())
        .await
        .unwrap_err();
    assert_eq!(refused.reason(), Some("INCOMPATIBLE_SCHEMA"));
    let refused = schemas
        .publish("s", "1.1.0", Overrides::breaking())
        .await
        .unwrap_err();
    assert_eq!(refused.reason(), Some("VERSION_TOO_LOW"));
    // New content does not take the place of somebody's draft.
    let beside = schemas
        .update(SchemaUpdate::new("s", text(7)))
        .await
        .unwrap();
    assert_eq!(beside.version.version(), "1.2.0");
    schemas.delete_draft("s", "1.1.0").await.unwrap();
    let published = schemas.delete_draft("s", "1.2.0").await.unwrap_err();
    assert_eq!(codes(&published), ("ILLEGAL_STATE", Some("NOT_DRAFT")));
    let gone = schemas.delete_draft("s", "1.1.0").await.unwrap_err();
    assert_eq!(
        codes(&gone),
        ("NOT_FOUND", Some("SCHEMA_VERSION_NOT_FOUND"))
    );
}

#[tokio::test]
async fn a_bundle_is_registered_as_a_whole_or_not_at_all() {
    let engine = engine(|builder| builder).await;
    let schemas = engine.schemas();
    let leads_to = |other: &str| json!({"type": "object", "properties": {"next": {"$ref": format!("aug://schema/{other}/1.0.0")}}});
    let bundle = || vec![new("a", leads_to("b")), new("b", leads_to("a"))];
    let alone = schemas.register(bundle().remove(0)).await.unwrap_err();
    assert_eq!(alone.reason(), Some("REFERENCE_UNRESOLVED"));
    let registered = schemas.register_bundle(bundle()).await.unwrap();
    let of = |registered: &[augmented_engine::RegisteredSchema]| -> Vec<(String, bool)> {
        registered
            .iter()
            .map(|one| (one.version.schema_id().to_owned(), one.created))
            .collect()
    };
    assert_eq!(
        of(&registered),
        [("a".to_owned(), true), ("b".to_owned(), true)]
    );
    // Each leads to the other, and through it back to itself.
    assert!(
        registered[0]
            .references
            .iter()
            .any(|reference| reference.schema_id == "b")
    );
    let deep = json!({"next": {"next": {"next": 7}}});
    let result = schemas
        .validate("a", &deep, ValidationRequest::new())
        .await
        .unwrap();
    assert_eq!(
        places(&result.findings),
        [("type".to_owned(), "/next/next/next".to_owned())]
    );
    let mut again = bundle();
    again.push(new("c", text(1)));
    let again = schemas.register_bundle(again).await.unwrap();
    assert_eq!(
        again.iter().map(|one| one.created).collect::<Vec<_>>(),
        [false, false, true]
    );

    let broken = vec![new("d", text(1)), new("e", json!({"type": "any"}))];
    let refused = schemas.register_bundle(broken).await.unwrap_err();
    assert_eq!(refused.reason(), Some("INVALID_SCHEMA"));
    let taken = vec![new("d", text(1)), new("c", text(2))];
    let refused = schemas.register_bundle(taken).await.unwrap_err();
    assert_eq!(
        codes(&refused),
        ("ALREADY_EXISTS", Some("SCHEMA_ALREADY_EXISTS"))
    );
    let twice = vec![new("d", text(1)), new("d", text(2))];
    let refused = schemas.register_bundle(twice).await.unwrap_err();
    assert_eq!(refused.reason(), Some("DUPLICATE_DEFINITION"));
    let half = vec![
        new("d", leads_to("e")),
        new("e", leads_to("d")).with_draft(true),
    ];
    let refused = schemas.register_bundle(half).await.unwrap_err();
    assert_eq!(
        places(refused.findings()),
        [(
            "REFERENCE_NOT_PUBLISHED".to_owned(),
            "/schema/properties/next/$ref".to_owned()
        )]
    );
    let many = (0..501).map(|n| new(&format!("n{n}"), text(1))).collect();
    let refused = schemas.register_bundle(many).await.unwrap_err();
    assert_eq!(
        codes(&refused),
        ("INVALID_ARGUMENT", Some("BATCH_TOO_LARGE"))
    );
    let missing = schemas.get("d", None).await.unwrap_err();
    assert_eq!(codes(&missing), ("NOT_FOUND", Some("SCHEMA_NOT_FOUND")));
}

#[tokio::test]
async fn a_refused_bundle_leaves_nothing_behind_by_which_others_are_judged() {
    let engine = engine(|builder| builder).await;
    let schemas = engine.schemas();
    let outer = || new("outer", json!({"$ref": "aug://schema/inner/1.0.0"}));
    let inner = |kind: &str| new("inner", json!({"type": kind}));
    let half = vec![outer(), inner("string").with_draft(true)];
    schemas.register_bundle(half).await.unwrap_err();
    schemas.register(inner("integer")).await.unwrap();
    schemas.register(outer()).await.unwrap();
    let request = ValidationRequest::new();
    let result = schemas.validate("outer", &json!(7), request).await.unwrap();
    assert!(result.valid, "{:?}", result.findings);
}

#[tokio::test]
async fn documents_are_published_under_the_same_promise() {
    let engine = engine(|builder| builder).await;
    let document = |version: &str, max: u32| {
        let mode = "BACKWARD_TRANSITIVE";
        json!({"kind": "schema", "schemaId": "s", "version": version, "name": "S", "compatibility": mode, "schema": text(max)})
    };
    let mut first = document("1.0.0", 9);
    first["compatibility"] = json!("NONE");
    engine.publish(first).await.unwrap();
    engine.publish(document("2.0.0", 5)).await.unwrap();
    let refused = engine.publish(document("2.1.0", 7)).await.unwrap_err();
    assert_eq!(
        places(refused.findings()),
        [(
            "INCOMPATIBLE_SCHEMA".to_owned(),
            "/schema/maxLength".to_owned()
        )]
    );
    engine.publish(document("2.1.0", 9)).await.unwrap();
}

#[tokio::test]
async fn lists_show_each_schema_once_page_by_page() {
    let engine = engine(|builder| builder).await;
    let schemas = engine.schemas();
    for (id, name, namespace, tag) in [
        ("z", "Anna", "crm", "people"),
        ("y", "Berta", "crm", "things"),
        ("x", "Cleo", "erp", "people"),
    ] {
        let new = NewSchema::new(id, name, text(1))
            .with_namespace(namespace)
            .with_tag(tag)
            .with_owner("me")
            .with_description(format!("about {id}"));
        schemas.register(new).await.unwrap();
    }
    schemas
        .update(SchemaUpdate::new("z", text(2)).with_name("Anna 2"))
        .await
        .unwrap();
    schemas
        .register(NewSchema::new("old", "Dora", text(1)))
        .await
        .unwrap();
    schemas
        .deprecate("old", "1.0.0", Deprecation::new("old"))
        .await
        .unwrap();
    schemas
        .register(NewSchema::new("draft", "Emil", text(1)).with_draft(true))
        .await
        .unwrap();
    let ids = |filter: SchemaFilter| {
        let schemas = schemas.clone();
        async move {
            let page = schemas.list(&filter).await.unwrap();
            page.schemas
                .iter()
                .map(|head| head.schema_id().to_owned())
                .collect::<Vec<_>>()
        }
    };
    let filter = SchemaFilter::new;
    assert_eq!(ids(filter()).await, ["z", "y", "x"]);
    assert_eq!(
        ids(filter().with_sort(SchemaSort::SchemaId)).await,
        ["x", "y", "z"]
    );
    assert_eq!(
        ids(filter().with_deprecated(true)).await,
        ["z", "y", "x", "old"]
    );
    assert_eq!(ids(filter().with_namespace("crm")).await, ["z", "y"]);
    assert_eq!(ids(filter().with_tag("people")).await, ["z", "x"]);
    assert_eq!(ids(filter().with_owner("you")).await, [""; 0]);
    assert_eq!(ids(filter().with_search("ABOUT Y")).await, ["y"]);
    let first = schemas.list(&filter().with_limit(2)).await.unwrap();
    assert_eq!(
        (first.schemas[0].version(), first.schemas[0].name()),
        ("1.1.0", "Anna 2")
    );
    let next = filter().with_limit(2).with_cursor(first.next.unwrap());
    let second = schemas.list(&next).await.unwrap();
    assert_eq!(
        (
            second.schemas[0].schema_id(),
            second.schemas.len(),
            second.next
        ),
        ("x", 1, None)
    );
    let refused = schemas.list(&filter().with_cursor("?")).await.unwrap_err();
    assert_eq!(
        codes(&refused),
        ("INVALID_ARGUMENT", Some("CURSOR_INVALID"))
    );
    let other = engine.for_tenant(TenantId(Uuid::from_u128(7))).schemas();
    assert!(other.list(&filter()).await.unwrap().schemas.is_empty());
    assert_eq!(
        other.get("z", None).await.unwrap_err().reason(),
        Some("SCHEMA_NOT_FOUND")
    );
}

#[tokio::test]
async fn tenants_do_not_share_what_a_schema_leads_to() {
    let engine = engine(|builder| builder).await;
    let leads = || new("outer", json!({"$ref": "aug://schema/inner/1.0.0"}));
    for (tenant, kind) in [(8, "string"), (9, "integer")] {
        let schemas = engine
            .for_tenant(TenantId(Uuid::from_u128(tenant)))
            .schemas();
        schemas
            .register(new("inner", json!({"type": kind})))
            .await
            .unwrap();
        schemas.register(leads()).await.unwrap();
        let result = schemas
            .validate("outer", &json!("text"), ValidationRequest::new())
            .await
            .unwrap();
        assert_eq!(result.valid, kind == "string");
    }
}

#[tokio::test]
async fn a_shadow_version_is_heard_but_does_not_decide() {
    let engine = engine(|builder| builder).await;
    let schemas = engine.schemas();
    schemas.register(new("s", text(5))).await.unwrap();
    let candidate = json!({"kind": "schema", "schemaId": "s", "version": "2.0.0", "name": "S", "schema": text(2)});
    engine.save_draft(candidate).await.unwrap();
    let ask = |value: Value, version: &'static str| {
        let (schemas, request) = (
            schemas.clone(),
            ValidationRequest::new().with_shadow_version(version),
        );
        async move {
            let result = schemas.validate("s", &value, request).await.unwrap();
            let shadow = result.meta.shadow.unwrap();
            (result.valid, shadow.valid, shadow.diverges, shadow.failure)
        }
    };
    assert_eq!(
        ask(json!("a"), "2.0.0").await,
        (true, Some(true), false, None)
    );
    assert_eq!(
        ask(json!("abc"), "2.0.0").await,
        (true, Some(false), true, None)
    );
    assert_eq!(
        ask(json!("abcdef"), "2.0.0").await,
        (false, Some(false), false, None)
    );
    assert_eq!(
        ask(json!("a"), "9.0.0").await,
        (true, None, false, Some("SCHEMA_VERSION_NOT_FOUND"))
    );
    assert_eq!(schemas.shadow_divergences(), 1);
}

#[tokio::test]
async fn texts_and_schemas_without_a_name_are_judged_too() {
    let engine = engine(|builder| builder).await;
    let schemas = engine.schemas();
    let schema =
        json!({"type": "object", "properties": {"age": {"type": "integer", "default": 7}}});
    schemas.register(new("s", schema.clone())).await.unwrap();
    let request = ValidationRequest::new();
    let result = schemas
        .validate_text("s", "{\n  \"age\": \"x\"\n}", request.clone())
        .await
        .unwrap();
    assert_eq!(
        (result.findings[0].line, result.findings[0].column),
        (Some(2), Some(10))
    );
    let result = schemas
        .validate_text("s", "{\"age\": 1, \"age\": 2}", request.clone())
        .await
        .unwrap();
    assert_eq!(
        (result.valid, places(&result.findings)),
        (false, vec![("DUPLICATE_KEY".to_owned(), "/age".to_owned())])
    );
    assert_eq!(
        (result.meta.version.as_deref(), result.meta.finding_count),
        (Some("1.0.0"), 1)
    );
    let filled = request
        .clone()
        .with_options(ValidateOptions::new().with_defaults(true));
    let result = schemas
        .validate_inline(&schema, &json!({}), filled)
        .await
        .unwrap();
    assert_eq!(
        (result.data, result.meta.schema_id),
        (Some(json!({"age": 7})), None)
    );
    let refused = schemas
        .validate_inline(&json!({"type": "any"}), &json!({}), request)
        .await
        .unwrap_err();
    assert_eq!(
        codes(&refused),
        ("INVALID_ARGUMENT", Some("INVALID_SCHEMA"))
    );
    assert_eq!(refused.findings()[0].pointer, "/type");
}

#[tokio::test]
async fn an_engine_without_a_needed_validator_does_not_start() {
    let store: Arc<dyn Store> = new_store().await;
    let even = || {
        let mut validators = ValidatorRegistry::new();
        let check = CustomValidator::format(|text: &str| text.len().is_multiple_of(2));
        validators
            .register(
                Registration::new("even-length", "text of even length"),
                check,
            )
            .unwrap();
        validators
    };
    let complete = engine_on(Arc::clone(&store), EPOCH, |builder| {
        builder.with_validators(even())
    })
    .await;
    let schemas = complete.schemas();
    let registered = schemas
        .register(new("even", json!({"format": "even-length"})))
        .await
        .unwrap();
    assert_eq!(registered.required_validators, ["even-length"]);
    // Where definitions compile their schemas, the host's validators hold, too.
    let document = with(
        workflow("w", json!([{"stepId": "end", "type": "END"}])),
        json!({"inputSchema": {"type": "object", "properties": {"a": {"$ref": "aug://schema/even/1.0.0"}}}}),
    );
    complete.publish(document).await.unwrap();
    let odd = complete
        .start(StartRequest::new("w").with_input(json!({"a": "abc"})))
        .await
        .unwrap_err();
    assert_eq!(
        places(odd.findings()),
        [("format".to_owned(), "/a".to_owned())]
    );

    let refused = Engine::builder(Arc::clone(&store))
        .start()
        .await
        .unwrap_err();
    assert_eq!(codes(&refused), ("INTERNAL", Some("VALIDATOR_MISSING")));
    assert!(refused.to_string().contains("`even` 1.0.0"), "{refused}");
    let config = EngineConfig::default().with_strict_startup(false);
    let lenient = engine_on(store, at(60), |builder| builder.with_config(config)).await;
    let unusable = lenient
        .schemas()
        .validate("even", &json!("ab"), ValidationRequest::new())
        .await
        .unwrap_err();
    assert_eq!(codes(&unusable), ("INTERNAL", Some("VALIDATOR_MISSING")));
}

/// A clock that stands where it is put.
struct HandClock(Mutex<Timestamp>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

#[tokio::test]
async fn a_version_of_another_process_is_seen_after_five_seconds_at_most() {
    let store: Arc<dyn Store> = new_store().await;
    let clock = Arc::new(HandClock(Mutex::new(EPOCH)));
    let start = || {
        Engine::builder(Arc::clone(&store))
            .with_clock(Arc::clone(&clock) as _)
            .start()
    };
    let (one, other) = (start().await.unwrap(), start().await.unwrap());
    let latest = |engine: &Engine| {
        let schemas = engine.schemas();
        async move {
            let items = vec![BatchItem::new("a", "s", json!("a"))];
            let batch = schemas
                .validate_batch(items, BatchOptions::new())
                .await
                .unwrap();
            assert_eq!(batch.summary.valid, 1);
            let result = schemas
                .validate("s", &json!("a"), ValidationRequest::new())
                .await;
            result.unwrap().meta.version.unwrap()
        }
    };
    one.schemas().register(new("s", text(5))).await.unwrap();
    assert_eq!(latest(&other).await, "1.0.0");
    one.schemas()
        .update(SchemaUpdate::new("s", text(6)))
        .await
        .unwrap();
    assert_eq!(latest(&one).await, "1.1.0", "own writes are seen at once");
    *clock.0.lock() = EPOCH.plus_millis(4_999);
    assert_eq!(latest(&other).await, "1.0.0");
    *clock.0.lock() = EPOCH.plus_millis(5_000);
    assert_eq!(latest(&other).await, "1.1.0");
    for engine in [one, other] {
        engine.shutdown().await;
    }
    let refused = start().await.unwrap();
    refused.shutdown().await;
    let stopped = refused
        .schemas()
        .validate("s", &json!(1), ValidationRequest::new())
        .await
        .unwrap_err();
    assert_eq!(codes(&stopped), ("UNAVAILABLE", Some("ENGINE_STOPPED")));
}

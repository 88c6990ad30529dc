//! Rust and PostgreSQL give one verdict on every definition.
//!
//! `AUGMENTED_AGREEMENT=10000` sets how many mutations of each kind are compared; `AUGMENTED_SEED` repeats a run.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are test code")]

mod support;

use augmented_core::model::DefinitionKind;
use augmented_core::schemas;
use augmented_core::validate::{DefinitionValidator, Document};
use serde_json::{Map, Value, json};
use support::Fresh;

/// Runs each document in a block of its own that is always taken back, and answers what it was refused with.
const TRY: &str = "CREATE FUNCTION pg_temp.try(kind text, documents jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$
    DECLARE document jsonb; message text;
    BEGIN
        FOR document IN SELECT value FROM jsonb_array_elements(documents) LOOP
            BEGIN
                EXECUTE format('SELECT aug_put_%s(gen_random_uuid(), $1)', kind) USING document;
                RAISE EXCEPTION USING ERRCODE = 'AU999';
            EXCEPTION WHEN SQLSTATE 'AU999' THEN RETURN NEXT NULL;
                WHEN OTHERS THEN message := SQLSTATE || ' ' || SQLERRM; RETURN NEXT message;
            END;
        END LOOP;
    END $$";

/// A small deterministic source of numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % bound.max(1) as u64).unwrap()
    }
}

#[test]
fn every_mutation_has_one_verdict() {
    let count: usize = std::env::var("AUGMENTED_AGREEMENT").map_or(300, |n| n.parse().unwrap());
    let seed: u64 = std::env::var("AUGMENTED_SEED").map_or(7, |n| n.parse().unwrap());
    support::run(async {
        let fresh = Fresh::new().await;
        let pool = fresh.pool().await;
        let mut connection = pool.acquire().await.unwrap();
        sqlx::raw_sql(TRY).execute(&mut *connection).await.unwrap();
        for kind in DefinitionKind::MODELLED {
            let seeds = seeds(kind);
            let mut dice = Dice(seed ^ kind.as_str().len() as u64);
            let documents: Vec<Value> = (0..count).map(|_| mutation(&seeds, &mut dice)).collect();
            let validator = jsonschema::validator_for(schemas::schema_for(kind).unwrap()).unwrap();
            let mut accepted = 0;
            let mut differences = Vec::new();
            for batch in documents.chunks(250) {
                let sql: Vec<Option<String>> =
                    sqlx::query_scalar("SELECT * FROM pg_temp.try($1, $2)")
                        .bind(kind.as_str())
                        .bind(Value::from(batch.to_vec()))
                        .fetch_all(&mut *connection)
                        .await
                        .unwrap();
                assert_eq!(sql.len(), batch.len());
                for (document, refusal) in batch.iter().zip(sql) {
                    let rust = validator.is_valid(document) && !has_duplicate_step(document);
                    accepted += usize::from(rust);
                    if rust != refusal.is_none() {
                        differences.push(format!("rust {rust}, database {refusal:?}: {document}"));
                    }
                }
            }
            eprintln!(
                "{kind}: {count} mutations, {accepted} accepted, {} differences",
                differences.len()
            );
            differences.truncate(3);
            assert!(
                differences.is_empty(),
                "seed {seed}, {kind}: {differences:#?}"
            );
            assert!(
                accepted * 5 >= count && accepted < count,
                "{kind}: {accepted} of {count} are accepted"
            );
        }
    });
}

/// Inserts each row as it is, in a block of its own that is always taken back; answers the document it stands for, and
/// what it was refused with.
const TRY_ROWS: &str = "CREATE FUNCTION pg_temp.try_rows(kind text, place regclass, rows jsonb)
    RETURNS TABLE (document jsonb, message text) LANGUAGE plpgsql AS $$
    DECLARE
        columns text := (SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
            WHERE attrelid = place AND attnum > 0 AND NOT attisdropped AND attgenerated = '');
        item jsonb;
    BEGIN
        FOR item IN SELECT value FROM jsonb_array_elements(rows) LOOP
            document := NULL;
            message := NULL;
            BEGIN
                EXECUTE format('SELECT aug_%s_document(jsonb_populate_record(NULL::%s, $1))', kind, place)
                    INTO document USING item;
                EXECUTE format('INSERT INTO %s (%s) SELECT %2$s FROM jsonb_populate_record(NULL::%1$s, $1)', place, columns)
                    USING item;
                RAISE EXCEPTION USING ERRCODE = 'AU999';
            EXCEPTION WHEN SQLSTATE 'AU999' THEN NULL;
                WHEN OTHERS THEN message := SQLSTATE || ' ' || SQLERRM;
            END;
            RETURN NEXT;
        END LOOP;
    END $$";

/// Columns that are no members of the document.
const OF_THE_ROW: [&str; 13] = [
    "id",
    "tenant_id",
    "status",
    "draft",
    "created_at",
    "updated_at",
    "published_at",
    "content_hash",
    "schema_version",
    "deprecation_note",
    "deprecation_replacement",
    "created_by",
    "updated_by",
];

/// The same for rows that somebody writes column by column.
#[test]
fn every_mutated_row_has_one_verdict() {
    let count: usize = std::env::var("AUGMENTED_AGREEMENT").map_or(200, |n| n.parse().unwrap());
    let seed: u64 = std::env::var("AUGMENTED_SEED").map_or(11, |n| n.parse().unwrap());
    support::run(async {
        let fresh = Fresh::new().await;
        let pool = fresh.pool().await;
        let mut connection = pool.acquire().await.unwrap();
        sqlx::raw_sql(TRY_ROWS)
            .execute(&mut *connection)
            .await
            .unwrap();
        for kind in DefinitionKind::MODELLED {
            let table = table(kind);
            let mut rows: Vec<Value> = Vec::new();
            for document in seeds(kind) {
                let sql = format!(
                    "WITH new AS (SELECT aug_put_{kind}(gen_random_uuid(), $1) AS id) SELECT id FROM new"
                );
                let id: sqlx::types::Uuid = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
                    .bind(&document)
                    .fetch_one(&mut *connection)
                    .await
                    .unwrap();
                let sql = format!("SELECT to_jsonb(d) FROM {table} AS d WHERE id = $1");
                let row = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(id);
                rows.push(row.fetch_one(&mut *connection).await.unwrap());
            }
            let mut dice = Dice(seed ^ kind.as_str().len() as u64);
            let mutated: Vec<Value> = (0..count).map(|_| mutated_row(&rows, &mut dice)).collect();
            let validator = jsonschema::validator_for(schemas::schema_for(kind).unwrap()).unwrap();
            let (mut accepted, mut compared, mut differences) = (0, 0, Vec::new());
            for batch in mutated.chunks(250) {
                let verdicts: Vec<(Option<Value>, Option<String>)> =
                    sqlx::query_as("SELECT * FROM pg_temp.try_rows($1, $2::text::regclass, $3)")
                        .bind(kind.as_str())
                        .bind(table)
                        .bind(Value::from(batch.to_vec()))
                        .fetch_all(&mut *connection)
                        .await
                        .unwrap();
                for (document, refusal) in verdicts {
                    // What does not even fit into its column has no document.
                    let Some(document) = document else {
                        assert!(refusal.is_some());
                        continue;
                    };
                    compared += 1;
                    let rust = validator.is_valid(&document) && !has_duplicate_step(&document);
                    accepted += usize::from(rust);
                    if rust != refusal.is_none() {
                        differences.push(format!("rust {rust}, database {refusal:?}: {document}"));
                    }
                }
            }
            eprintln!(
                "{kind}: {count} rows, {compared} compared, {accepted} accepted, {} differences",
                differences.len()
            );
            differences.truncate(3);
            assert!(
                differences.is_empty(),
                "seed {seed}, {kind}: {differences:#?}"
            );
            assert!(accepted * 10 >= count && accepted * 10 <= compared * 9);
            assert!(compared * 10 >= count * 9);
        }
    });
}

#[expect(clippy::panic, reason = "a helper of tests")]
fn table(kind: DefinitionKind) -> &'static str {
    match kind {
        DefinitionKind::Workflow => "workflow_definitions",
        DefinitionKind::Task => "task_definitions",
        DefinitionKind::Event => "event_definitions",
        DefinitionKind::Trigger => "workflow_event_triggers",
        DefinitionKind::Schedule => "schedules",
        DefinitionKind::Schema => "schema_versions",
        other => panic!("{other} has no table"),
    }
}

/// A row of somebody else's with one column changed, or with none that matters.
fn mutated_row(rows: &[Value], dice: &mut Dice) -> Value {
    let mut row = rows[dice.below(rows.len())].clone();
    row["id"] =
        Value::from(sqlx::types::Uuid::from_u128(1 + dice.below(1 << 30) as u128).to_string());
    row["tenant_id"] = row["id"].clone();
    if dice.below(4) == 0 {
        row["description"] = Value::from(format!("made {}", dice.below(1000)));
        return row;
    }
    let members = row.as_object().unwrap();
    let columns: Vec<String> = members
        .iter()
        .filter(|(name, value)| !OF_THE_ROW.contains(&name.as_str()) && !value.is_null())
        .map(|(name, _)| name.clone())
        .collect();
    let column = &columns[dice.below(columns.len())];
    let value = &mut row[column];
    if dice.below(6) == 0 {
        *value = Value::Null;
        return row;
    }
    let before = value.clone();
    let places = places(value);
    let place = places[dice.below(places.len())].clone();
    mutate(value.pointer_mut(&place).unwrap(), dice);
    // Text, numbers and truth values are read from anything; the document would not be the one that was written.
    let is_plain = !before.is_object() && !before.is_array();
    if is_plain && std::mem::discriminant(&before) != std::mem::discriminant(value) {
        *value = before;
    }
    row
}

/// One case for each keyword that the evaluator knows: both refuse it, so neither may forget the keyword.
const BY_KEYWORD: [(&str, &str, &str); 28] = [
    ("type", r#"{"type": "integer"}"#, "1.5"),
    (
        "ref",
        r##"{"$ref": "#/$defs/a", "$defs": {"a": {"const": 1}}}"##,
        "2",
    ),
    ("enum", r#"{"enum": [1, "a"]}"#, r#""b""#),
    ("const", r#"{"const": {"a": 1}}"#, r#"{"a": 2}"#),
    ("pattern", r#"{"pattern": "^[a-z]+$"}"#, r#""A""#),
    ("minLength", r#"{"minLength": 2}"#, r#""ä""#),
    ("maxLength", r#"{"maxLength": 2}"#, r#""abc""#),
    ("minimum", r#"{"minimum": 2}"#, "1"),
    ("maximum", r#"{"maximum": 2}"#, "2.5"),
    ("exclusiveMinimum", r#"{"exclusiveMinimum": 2}"#, "2"),
    ("exclusiveMaximum", r#"{"exclusiveMaximum": 2}"#, "2"),
    ("multipleOf", r#"{"multipleOf": 2}"#, "3"),
    ("minItems", r#"{"minItems": 1}"#, "[]"),
    ("maxItems", r#"{"maxItems": 1}"#, "[1, 2]"),
    ("uniqueItems", r#"{"uniqueItems": true}"#, "[1, 2, 1]"),
    ("minProperties", r#"{"minProperties": 1}"#, "{}"),
    (
        "maxProperties",
        r#"{"maxProperties": 1}"#,
        r#"{"a": 1, "b": 2}"#,
    ),
    ("required", r#"{"required": ["a"]}"#, r#"{"b": 1}"#),
    (
        "dependentRequired",
        r#"{"dependentRequired": {"a": ["b"]}}"#,
        r#"{"a": 1}"#,
    ),
    (
        "properties",
        r#"{"properties": {"a": {"type": "string"}}}"#,
        r#"{"a": 1}"#,
    ),
    (
        "patternProperties",
        r#"{"patternProperties": {"^x": {"type": "string"}}}"#,
        r#"{"xa": 1}"#,
    ),
    (
        "additionalProperties",
        r#"{"additionalProperties": false}"#,
        r#"{"a": 1}"#,
    ),
    (
        "prefixItems",
        r#"{"prefixItems": [{"type": "string"}]}"#,
        "[1]",
    ),
    ("items", r#"{"items": {"type": "string"}}"#, r#"["a", 1]"#),
    ("allOf", r#"{"allOf": [true, {"type": "string"}]}"#, "1"),
    (
        "anyOf",
        r#"{"anyOf": [{"type": "string"}, {"type": "null"}]}"#,
        "1",
    ),
    (
        "oneOf",
        r#"{"oneOf": [{"type": "number"}, {"minimum": 0}]}"#,
        "1",
    ),
    ("not", r#"{"not": {"type": "string"}}"#, r#""a""#),
];

/// Of scenario 13 of the validation sheet: the evaluator in the database can do without none of its keywords.
#[test]
fn every_keyword_of_the_evaluator_is_needed() {
    let source = include_str!("../src/constraints/sql/evaluator.sql");
    let body = source.split_once("CASE keyword\n").unwrap().1;
    let body = body.split("END CASE").next().unwrap();
    let arms = body.lines().filter_map(|line| {
        let arm = line.strip_prefix("        WHEN ")?.strip_suffix(" THEN")?;
        (!arm.contains("<>")).then_some(arm)
    });
    let known: Vec<String> = arms
        .flat_map(|arm| {
            arm.replace("'$' || ", "")
                .replace('\'', "")
                .split(", ")
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    let cases: Vec<&str> = BY_KEYWORD.iter().map(|(keyword, ..)| *keyword).collect();
    for keyword in &known {
        assert!(
            keyword == "if" || cases.contains(&keyword.as_str()),
            "`{keyword}` has no case"
        );
    }
    assert!(known.len() > 25, "{known:?}");
    support::run(async {
        let fresh = Fresh::new().await;
        let pool = fresh.pool().await;
        let conditional = [
            (
                "if",
                r#"{"if": {"type": "string"}, "then": {"minLength": 2}}"#,
                "\"a\"",
            ),
            (
                "if",
                r#"{"if": {"type": "string"}, "else": {"minimum": 2}}"#,
                "1",
            ),
        ];
        for (keyword, schema, instance) in BY_KEYWORD.into_iter().chain(conditional) {
            let schema: Value = serde_json::from_str(schema).unwrap();
            let instance: Value = serde_json::from_str(instance).unwrap();
            let validator = jsonschema::validator_for(&schema).unwrap();
            assert!(!validator.is_valid(&instance), "{keyword}");
            let fault: Option<String> = sqlx::query_scalar("SELECT aug_schema_fault($1, $1, $2)")
                .bind(&schema)
                .bind(&instance)
                .fetch_one(&pool)
                .await
                .unwrap();
            assert!(fault.is_some(), "the evaluator passes over `{keyword}`");
        }
    });
}

fn has_duplicate_step(document: &Value) -> bool {
    let report = DefinitionValidator::standard().validate(&Document::new(document));
    report
        .findings
        .iter()
        .any(|finding| finding.code == "DUPLICATE_STEP")
}

fn seeds(kind: DefinitionKind) -> Vec<Value> {
    let path = format!(
        "{}/../augmented-core/tests/data/definitions/{kind}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    match serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap() {
        Value::Array(documents) => documents,
        document => vec![document],
    }
}

fn mutation(seeds: &[Value], dice: &mut Dice) -> Value {
    let mut document = seeds[dice.below(seeds.len())].clone();
    if dice.below(4) == 0 {
        // Harmless: free data, and texts for people.
        document["metadata"] = json!({ "n": dice.below(1000), "steps": [1, { "a": null }] });
        document["description"] = Value::from(format!("made {}", dice.below(1000)));
        return document;
    }
    for _ in 0..=dice.below(2) {
        let places = places(&document);
        let place = places[dice.below(places.len())].clone();
        if let Some(target) = document.pointer_mut(&place) {
            mutate(target, dice);
        }
    }
    document
}

/// Pointers of all values.
fn places(value: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        found.push(at.to_owned());
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let token = name.replace('~', "~0").replace('/', "~1");
                    walk(member, &format!("{at}/{token}"), found);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    walk(item, &format!("{at}/{index}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}

fn mutate(target: &mut Value, dice: &mut Dice) {
    match target {
        Value::Object(members) => mutate_object(members, dice),
        Value::Array(items) => match dice.below(5) {
            0 => items.clear(),
            1 => items.extend(items.first().cloned()),
            2 => drop(items.pop()),
            3 => items.push(other(dice)),
            _ => items.reverse(),
        },
        Value::String(text) => match dice.below(7) {
            0 => text.clear(),
            1 => text.push_str(" !"),
            2 => *text = "x".repeat(300),
            3 => *text = text.to_lowercase(),
            4 => text.push('\n'),
            5 => text.push('ä'),
            _ => *target = other(dice),
        },
        Value::Number(number) => {
            let bounds = [
                json!(-1),
                json!(0),
                json!(1.5),
                json!(10_001),
                json!(2_147_483_648_u64),
                json!(2.0),
                json!(u64::MAX),
            ];
            *target = match number.as_i64() {
                Some(n) if dice.below(3) == 0 => json!(n.saturating_add(1)),
                _ => bounds[dice.below(bounds.len())].clone(),
            };
        }
        Value::Bool(_) | Value::Null => *target = other(dice),
    }
}

fn mutate_object(members: &mut Map<String, Value>, dice: &mut Dice) {
    let names: Vec<String> = members.keys().cloned().collect();
    let chosen = names
        .get(dice.below(names.len()))
        .cloned()
        .unwrap_or_default();
    match dice.below(6) {
        0 => drop(members.remove(&chosen)),
        1 => {
            if let Some(value) = members.remove(&chosen) {
                members.insert(format!("{chosen}X"), value);
            }
        }
        2 => drop(members.insert("surprise".into(), other(dice))),
        3 => drop(members.insert(chosen, other(dice))),
        4 => {
            let value = members.get(&chosen).cloned().unwrap_or_default();
            members.insert(chosen, json!({ "deeper": [value] }));
        }
        _ => members.clear(),
    }
}

fn other(dice: &mut Dice) -> Value {
    let values = [
        json!(null),
        json!(true),
        json!(5),
        json!(1.5),
        json!("text"),
        json!(""),
        json!([]),
        json!({}),
        json!(["a", "a"]),
        json!({ "type": "TASK" }),
    ];
    values[dice.below(values.len())].clone()
}

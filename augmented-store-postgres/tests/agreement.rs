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

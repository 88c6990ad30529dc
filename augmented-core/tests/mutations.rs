//! One mistake at a time, put into valid definitions: each must be reported at its exact place with the right repair.
//!
//! `data/validate/mutations.json` lists them: the document, the patch that makes the mistake, the codes that fit, the
//! place, and a text that the hint or the fix must hold.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its data has failed"
)]
#![expect(clippy::panic, reason = "it reports a fix that does not apply")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arguments::assert_arguments;
use augmented_core::json::patch;
use augmented_core::json::pointer::is_at_or_below;
use augmented_core::model::load::split_documents;
use augmented_core::validate::{
    DefinitionValidator, Document, Finding, NoReferences, PatchOp, fix,
};
use serde::Deserialize;
use serde_json::Value;

mod arguments;

const DOCUMENTS: [&str; 3] = ["order", "loan", "others"];

#[derive(Deserialize)]
struct Mutation {
    on: String,
    patch: Vec<PatchOp>,
    code: Vec<String>,
    at: String,
    repair: Vec<String>,
}

fn read(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/validate")
        .join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn mutations() -> Vec<Mutation> {
    serde_json::from_value(read("mutations")).unwrap()
}

fn valid() -> BTreeMap<&'static str, Value> {
    DOCUMENTS
        .into_iter()
        .map(|name| (name, read(name)))
        .collect()
}

/// Findings of all files together, with pointers into their file.
fn validate(files: &BTreeMap<&'static str, Value>) -> BTreeMap<&'static str, Vec<Finding>> {
    let documents: Vec<(&str, String, &Value)> = files
        .iter()
        .flat_map(|(name, file)| split_documents(file).map(|d| (*name, d.base(), d.value)))
        .collect();
    let bundle: Vec<Document<'_>> = documents
        .iter()
        .map(|(name, _, value)| Document::new(value).with_file(name))
        .collect();
    let reports = DefinitionValidator::standard().validate_bundle(&bundle, &NoReferences, None);
    let mut found: BTreeMap<&str, Vec<Finding>> = BTreeMap::new();
    for ((name, base, _), report) in documents.iter().zip(reports) {
        found
            .entry(name)
            .or_default()
            .extend(report.findings.into_iter().map(|f| under(f, base)));
    }
    found
}

fn under(mut finding: Finding, base: &str) -> Finding {
    augmented_core::schema::rebase(&mut finding, base);
    finding
}

fn mutate(
    files: &BTreeMap<&'static str, Value>,
    mutation: &Mutation,
) -> BTreeMap<&'static str, Value> {
    let mut files = files.clone();
    let file = files.get_mut(mutation.on.as_str()).unwrap();
    *file = patch::apply(file, &mutation.patch).unwrap();
    files
}

/// Whether a finding is the expected one, with the expected repair.
fn is_expected(finding: &Finding, mutation: &Mutation) -> bool {
    let code = mutation
        .code
        .iter()
        .any(|code| match code.strip_suffix('_') {
            Some(_) => finding.code.starts_with(code),
            None => finding.code == *code,
        });
    let repair = format!(
        "{} {}",
        finding.hint.as_deref().unwrap_or_default(),
        serde_json::to_string(&finding.fix).unwrap()
    );
    code && finding.pointer == mutation.at
        && mutation
            .repair
            .iter()
            .any(|text| repair.contains(text) || repair.contains(&escaped(text)))
}

/// The text as it stands inside JSON.
fn escaped(text: &str) -> String {
    serde_json::to_string(text)
        .unwrap()
        .trim_matches('"')
        .to_owned()
}

#[test]
fn the_definitions_that_are_mutated_are_valid() {
    for (name, findings) in validate(&valid()) {
        assert!(findings.is_empty(), "{name}: {findings:#?}");
    }
}

#[test]
fn single_mistakes_are_reported_at_their_place_with_the_right_repair() {
    let files = valid();
    let mutations = mutations();
    assert!(mutations.len() >= 200, "only {} mutations", mutations.len());
    let mut missed = Vec::new();
    let mut cascades = 0;
    for (i, mutation) in mutations.iter().enumerate() {
        let found = validate(&mutate(&files, mutation));
        let own = found
            .get(mutation.on.as_str())
            .map(Vec::as_slice)
            .unwrap_or_default();
        if own.iter().filter(|f| f.is_error()).count() > 1 {
            cascades += 1;
            if std::env::var("CASCADES").is_ok() {
                println!(
                    "cascade #{i} {}\n{}",
                    serde_json::to_string(&mutation.patch).unwrap(),
                    augmented_core::validate::render::text(own)
                );
            }
        }
        if !own.iter().any(|f| is_expected(f, mutation)) {
            let shown: Vec<String> = own
                .iter()
                .map(|f| format!("\n      {f} fix {}", serde_json::to_string(&f.fix).unwrap()))
                .collect();
            missed.push(format!(
                "  #{i} {} {}\n    expected {:?} at {} with {:?}{}",
                mutation.on,
                serde_json::to_string(&mutation.patch).unwrap(),
                mutation.code,
                mutation.at,
                mutation.repair,
                shown.concat()
            ));
        }
    }
    let right = mutations.len() - missed.len();
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let score = right as f64 * 100.0 / mutations.len() as f64;
    println!(
        "mutation score: {right} of {} ({score:.1} %), {cascades} with more than one error\n{}",
        mutations.len(),
        missed.join("\n")
    );
    assert!(
        score >= 95.0,
        "mutation score {score:.1} %\n{}",
        missed.join("\n")
    );
}

#[test]
fn findings_have_the_arguments_that_their_code_declares() {
    let files = valid();
    let mut seen = BTreeSet::new();
    for mutation in mutations() {
        let found = validate(&mutate(&files, &mutation));
        assert_arguments(found.values().flatten());
        for finding in found.values().flatten() {
            seen.insert(finding.code.clone());
        }
    }
    assert!(seen.len() >= 40, "only {} codes: {seen:?}", seen.len());
}

/// Where a place of the repaired document stood before the fix.
fn before(pointer: &str, ops: &[PatchOp]) -> String {
    let removed = ops.iter().find_map(|op| match op {
        PatchOp::Remove { path } => Some(path.as_str()),
        _ => None,
    });
    let mut at = pointer.to_owned();
    for op in ops.iter().rev() {
        match op {
            PatchOp::Move { from, path } if is_at_or_below(&at, path) => {
                at = format!("{from}{}", &at[path.len()..])
            }
            PatchOp::Add { path, .. } if is_at_or_below(&at, path) => {
                if let Some(removed) = removed {
                    at = removed.to_owned();
                }
            }
            _ => {}
        }
    }
    at
}

/// An array element that moves changes the index of others.
fn moves_elements(ops: &[PatchOp]) -> bool {
    ops.iter().any(|op| matches!(op, PatchOp::Move { from, .. } if from.rsplit('/').next().unwrap().parse::<usize>().is_ok()))
}

/// After any single fix its finding is gone and no new ERROR exists.
fn check_law(files: &BTreeMap<&'static str, Value>) -> usize {
    let found = validate(files);
    let mut fixes = 0;
    for (name, findings) in &found {
        for finding in findings.iter().filter(|f| f.fix.is_some()) {
            fixes += 1;
            let ops = finding.fix.as_deref().unwrap();
            let mut repaired = files.clone();
            let (value, done) = fix::apply(&files[name], std::slice::from_ref(finding))
                .unwrap_or_else(|e| panic!("{finding}: {e} {ops:?}"));
            assert_eq!(done.len(), 1);
            repaired.insert(name, value);
            let after = validate(&repaired);
            for (file, left) in &after {
                let old = &found[file];
                for error in left.iter().filter(|f| f.is_error()) {
                    let at = if file == name {
                        before(&error.pointer, ops)
                    } else {
                        error.pointer.clone()
                    };
                    let known = old
                        .iter()
                        .any(|o| o.code == error.code && (o.pointer == at || moves_elements(ops)));
                    let whole = old.iter().any(|o| o.pointer == at);
                    assert!(
                        known || whole,
                        "the fix of\n  {finding}\n  {ops:?}\nbrings\n  {error} (before at {at})\nbeside\n{}",
                        augmented_core::validate::render::text(old)
                    );
                }
            }
            let gone = !after[name].iter().any(|f| {
                f.code == finding.code
                    && f.pointer == finding.pointer
                    && f.message == finding.message
            });
            assert!(gone, "the fix leaves its finding: {finding} {ops:?}");
        }
    }
    fixes
}

#[test]
fn a_fix_removes_its_finding_and_brings_no_error() {
    let files = valid();
    let fixes: usize = mutations()
        .iter()
        .map(|mutation| check_law(&mutate(&files, mutation)))
        .sum();
    println!("{fixes} fixes checked");
    assert!(fixes > 100, "only {fixes} mutations had a fix");
}

#[test]
fn the_law_of_fixes_holds_for_several_mistakes_at_once() {
    use proptest::test_runner::{Config, TestRunner};
    let files = valid();
    let mutations = mutations();
    let mut runner = TestRunner::new(Config {
        cases: 48,
        ..Config::default()
    });
    let picks = proptest::collection::vec(0..mutations.len(), 2..5);
    runner
        .run(&picks, |picks| {
            let mut several = files.clone();
            for pick in picks {
                let mutation = &mutations[pick];
                let file = several.get_mut(mutation.on.as_str()).unwrap();
                // Two mistakes may exclude each other.
                if let Ok(mutated) = patch::apply(file, &mutation.patch) {
                    *file = mutated;
                }
            }
            check_law(&several);
            Ok(())
        })
        .unwrap();
}

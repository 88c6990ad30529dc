//! The pure parts: reading, compiling and evaluating definitions, and deciding what happens next.
//!
//! `cargo bench --manifest-path benchmarks/Cargo.toml --bench core`

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark whose subject fails has nothing to measure"
)]

use augmented_benchmarks::documents;
use augmented_benchmarks::play::Play;
use augmented_core::expr::{
    Bindings, Bound, CelEngine, CompiledExpr, ExprSite, ExpressionEngine, Record, Template,
};
use augmented_core::json::{Limits, parse};
use augmented_core::model::{DefinitionKind, WorkflowDefinition};
use augmented_core::schema::{CompiledSchema, SchemaOptions};
use augmented_core::schemas::schema_for;
use augmented_core::time::Timestamp;
use augmented_core::validate::{DefinitionValidator, Document, Report};
use augmented_engine::workflow::CompiledWorkflow;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use serde_json::{Value, json};
use uuid::Uuid;

fn main() {
    divan::main();
}

/// Bytes of an order process of 50 steps to a value with positions.
#[divan::bench]
fn intake_50_steps(bencher: Bencher<'_, '_>) {
    let text = order_process_text();
    bencher
        .counter(BytesCount::new(text.len()))
        .bench(|| parse(black_box(&text), &Limits::document()).unwrap());
}

/// The JSON Schema of the kind alone (L1), over a document without faults.
#[divan::bench]
fn schema_50_steps(bencher: Bencher<'_, '_>) {
    let document = documents::order_process(50);
    let schema = schema_for(DefinitionKind::Workflow).unwrap();
    let compiled = CompiledSchema::compile(schema, &SchemaOptions::new()).unwrap();
    assert!(compiled.is_valid(&document));
    bencher.bench(|| compiled.is_valid(black_box(&document)));
}

/// Bytes of an order process of 50 steps, about 25 kB, to its findings: intake and levels L1–L3.
#[divan::bench]
fn validate_50_steps(bencher: Bencher<'_, '_>) {
    let text = order_process_text();
    assert!(validate(&text).is_ok());
    bencher.bench(|| validate(black_box(&text)));
}

/// The same for a document with a misspelt step, path and function in every tenth step.
#[divan::bench]
fn validate_50_steps_with_findings(bencher: Bencher<'_, '_>) {
    let text = String::from_utf8(order_process_text()).unwrap();
    let text = text.replace("0.output.approved", "0.ouput.approved");
    let text = text.replace("0 && vars.total", "0 && var.total");
    let report = validate(text.as_bytes());
    assert!(report.findings.len() >= 4, "{:?}", report.findings);
    bencher.bench(|| validate(black_box(text.as_bytes())));
}

fn validate(text: &[u8]) -> Report {
    let parsed = parse(text, &Limits::document()).unwrap();
    let document = Document::new(&parsed.value).with_source(&parsed.source);
    DefinitionValidator::standard().validate(&document)
}

/// The order process as a file.
fn order_process_text() -> Vec<u8> {
    serde_json::to_vec(&documents::order_process(50)).unwrap()
}

/// A typed definition to a workflow that can run.
#[divan::bench]
fn compile_50_steps(bencher: Bencher<'_, '_>) {
    let definition: WorkflowDefinition =
        serde_json::from_value(documents::order_process(50)).unwrap();
    bencher.bench(|| {
        CompiledWorkflow::compile(black_box(&definition), Uuid::nil(), CelEngine::shared()).unwrap()
    });
}

/// A condition over the input and the result of the step before.
#[divan::bench]
fn condition(bencher: Bencher<'_, '_>) {
    let source = "input.amount > 1000 && output.status == \"approved\"";
    evaluate_bool(bencher, source);
}

/// A condition with a loop over three items.
#[divan::bench]
fn condition_with_loop(bencher: Bencher<'_, '_>) {
    evaluate_bool(bencher, "input.items.exists(i, i.price * i.qty > 1000)");
}

fn evaluate_bool(bencher: Bencher<'_, '_>, source: &str) {
    let roots = Roots::new();
    let site = ExprSite::transition_condition();
    let program: CompiledExpr = CelEngine::shared().compile(source, &site).unwrap();
    assert!(program.eval_bool(&roots).unwrap());
    bencher.bench(|| program.eval_bool(black_box(&roots)).unwrap());
}

/// One value taken over as it is.
#[divan::bench]
fn plain_path_mapping(bencher: Bencher<'_, '_>) {
    evaluate_mapping(bencher, &json!("${input.customer.name}"));
}

/// The result of an earlier step, taken over as it is.
#[divan::bench]
fn step_path_mapping(bencher: Bencher<'_, '_>) {
    evaluate_mapping(bencher, &json!("${steps.check.output.approved}"));
}

/// What people write as the input of a step.
#[divan::bench]
fn typical_mapping(bencher: Bencher<'_, '_>) {
    evaluate_mapping(
        bencher,
        &json!({
            "orderId": "${input.orderId}",
            "customer": "${input.customer.name}",
            "approved": "${steps.check.output.approved}",
            "note": "Order ${input.orderId} of ${input.customer.name}",
            "ref?": "${vars.?ref}",
            "priority": 5,
        }),
    );
}

/// A sum over three items.
#[divan::bench]
fn mapping_with_loop(bencher: Bencher<'_, '_>) {
    evaluate_mapping(
        bencher,
        &json!("${sum(input.items.map(i, i.price * i.qty))}"),
    );
}

fn evaluate_mapping(bencher: Bencher<'_, '_>, mapping: &Value) {
    let roots = Roots::new();
    let site = ExprSite::step_input();
    let template: Template = CelEngine::shared()
        .compile_template(mapping, &site)
        .unwrap();
    assert!(template.eval(&roots).is_ok());
    bencher.bench(|| template.eval(black_box(&roots)).unwrap());
}

/// A run of the pure core from the start to the end, by number of steps; the items are messages.
#[divan::bench(args = [3, 30, 300])]
fn decide_sequence(bencher: Bencher<'_, '_>, steps: u64) {
    let play = Play::record(
        &documents::sequence(steps),
        json!({"n": 0}),
        |input| json!({"n": input["n"].as_u64().map(|n| n + 1)}),
    )
    .unwrap();
    decide(bencher, &play);
}

/// The same for a process with the expressions people write.
#[divan::bench(args = [5, 50])]
fn decide_order_process(bencher: Bencher<'_, '_>, steps: usize) {
    let document = documents::order_process(steps);
    let play = Play::record(
        &document,
        documents::order(),
        |_| json!({"approved": true, "status": "approved", "by": "u-7"}),
    )
    .unwrap();
    decide(bencher, &play);
}

fn decide(bencher: Bencher<'_, '_>, play: &Play) {
    bencher
        .counter(ItemsCount::new(play.len()))
        .with_inputs(|| play.instance())
        .bench_values(|instance| play.play(instance));
}

/// What a step's expressions read, borrowed as the engine borrows it.
struct Roots {
    input: Value,
    vars: Value,
    output: Value,
    steps: Steps,
}

impl Roots {
    fn new() -> Self {
        Self {
            input: documents::order(),
            vars: json!({"total": 1200, "notes": []}),
            output: json!({"status": "approved", "by": "u-7"}),
            steps: Steps {
                check: Check {
                    output: json!({"approved": true}),
                },
            },
        }
    }
}

impl Bindings for Roots {
    fn root(&self, name: &str) -> Option<Bound<'_>> {
        match name {
            "input" => Some(Bound::Json(&self.input)),
            "vars" => Some(Bound::Json(&self.vars)),
            "steps" => Some(Bound::Record(&self.steps)),
            "output" => Some(Bound::Json(&self.output)),
            "outcome" => Some(Bound::Str("SUCCESS")),
            "now" => Some(Bound::Timestamp(Timestamp::from_micros(0))),
            _ => None,
        }
    }
}

/// The root `steps`, with one step.
struct Steps {
    check: Check,
}

impl Record for Steps {
    fn member(&self, name: &str) -> Option<Bound<'_>> {
        (name == "check").then_some(Bound::Record(&self.check))
    }

    fn names(&self) -> Vec<&str> {
        vec!["check"]
    }
}

/// That step.
struct Check {
    output: Value,
}

impl Record for Check {
    fn member(&self, name: &str) -> Option<Bound<'_>> {
        (name == "output").then_some(Bound::Json(&self.output))
    }

    fn names(&self) -> Vec<&str> {
        vec!["output"]
    }
}

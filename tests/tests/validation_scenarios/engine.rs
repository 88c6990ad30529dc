//! Validation where the engine publishes.

use augmented_acceptance::{Calls, ended, engine, noting, places, run, task, with, workflow};
use augmented_core::model::{DefinitionKind, LifecycleStatus};
use augmented_core::runtime::InstanceStatus;
use augmented_engine::{EngineError, MockScript, StartRequest};
use serde_json::json;

use crate::findings::{broken, repaired};

#[tokio::test]
async fn v10_a_broken_workflow_is_kept_as_draft_and_published_once_repaired() {
    let engine = engine(|builder| builder.with_task("charge", noting(&Calls::default()))).await;
    let document = broken();
    let saved = engine.save_draft(document.clone()).await.unwrap();
    assert_eq!(
        saved
            .definitions
            .iter()
            .map(|stored| (stored.status, *stored.document == document))
            .collect::<Vec<_>>(),
        [(LifecycleStatus::Draft, true)]
    );

    let refused = engine.publish(document).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.reason()),
        ("INVALID_ARGUMENT", Some("DEFINITION_INVALID"))
    );
    assert_eq!(places(&saved.findings), places(refused.findings()));
    let mut codes: Vec<String> = places(refused.findings())
        .into_iter()
        .map(|(code, _)| code)
        .collect();
    codes.sort();
    assert_eq!(
        codes,
        [
            "DUPLICATE_STEP",
            "UNGUARDED_CYCLE",
            "UNKNOWN_STEP",
            "UNKNOWN_TASK",
            "UNREACHABLE_STEP"
        ]
    );
    let by_status = engine
        .change_definition_status(
            DefinitionKind::Workflow,
            "broken",
            "1.0.0",
            LifecycleStatus::Published,
        )
        .await
        .unwrap_err();
    assert_eq!(
        by_status.findings(),
        refused.findings(),
        "there is no way around validation"
    );
    let status = engine
        .definition_versions(DefinitionKind::Workflow, "broken")
        .await
        .unwrap()[0]
        .status;
    assert_eq!(status, LifecycleStatus::Draft);
    assert_eq!(
        engine
            .start(StartRequest::new("broken"))
            .await
            .unwrap_err()
            .code(),
        "NOT_FOUND"
    );

    engine.save_draft(repaired()).await.unwrap();
    engine
        .change_definition_status(
            DefinitionKind::Workflow,
            "broken",
            "1.0.0",
            LifecycleStatus::Published,
        )
        .await
        .unwrap();
    let (_, result) = run(&engine, repaired(), json!({"x": 3})).await;
    assert_eq!(result.status, InstanceStatus::Completed);
    let versions = engine
        .definition_versions(DefinitionKind::Workflow, "broken")
        .await
        .unwrap();
    assert_eq!(
        versions
            .iter()
            .map(|stored| (stored.status, *stored.document == repaired()))
            .collect::<Vec<_>>(),
        [(LifecycleStatus::Published, true)]
    );
}

#[tokio::test]
async fn a_draft_needs_an_identity_that_is_right_and_free() {
    let engine = engine(|builder| builder).await;
    let good = workflow("w", json!([{"stepId": "end", "type": "END"}]));
    engine.publish(good.clone()).await.unwrap();
    let mut misspelt = good.clone();
    let id = misspelt
        .as_object_mut()
        .unwrap()
        .remove("workflowId")
        .unwrap();
    misspelt["workflowid"] = id;
    let cases = [
        (
            with(good.clone(), json!({"kind": "workflw"})),
            "KIND_UNKNOWN",
            "/kind",
        ),
        (
            with(good.clone(), json!({"version": "1.0"})),
            "VERSION_INVALID",
            "/version",
        ),
        (
            with(good.clone(), json!({"workflowId": "no spaces"})),
            "ID_INVALID",
            "/workflowId",
        ),
        (misspelt, "additionalProperties", "/workflowid"),
        (
            with(good.clone(), json!({"name": "Other"})),
            "VERSION_FROZEN",
            "/version",
        ),
    ];
    for (document, code, at) in cases {
        let bundle = vec![document, with(good.clone(), json!({"version": "2.0.0"}))];
        let refused = engine.save_draft(bundle).await.unwrap_err();
        assert_eq!(refused.reason(), Some("DEFINITION_INVALID"));
        assert_eq!(
            places(refused.findings()),
            [(code.to_owned(), at.to_owned())]
        );
    }
    let twice = vec![with(good.clone(), json!({"version": "2.0.0"})); 2];
    let refused = engine.save_draft(twice).await.unwrap_err();
    assert_eq!(
        places(refused.findings()),
        [("DUPLICATE_DEFINITION".to_owned(), "/version".to_owned())]
    );
    assert_eq!(
        engine.save_draft("{").await.unwrap_err().findings()[0].code,
        "INVALID_JSON"
    );
    let kind = DefinitionKind::Workflow;
    assert_eq!(
        engine.definition_versions(kind, "w").await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn only_a_draft_is_deleted() {
    let engine = engine(|builder| builder).await;
    let kind = DefinitionKind::Workflow;
    let document = |version: &str| {
        with(
            workflow("w", json!([{"stepId": "end", "type": "END"}])),
            json!({"version": version}),
        )
    };
    engine.publish(document("1.0.0")).await.unwrap();
    engine.save_draft(document("2.0.0")).await.unwrap();
    let code = |result: Result<(), EngineError>| result.map_err(|error| error.reason().unwrap());
    let deleted = engine.delete_draft(kind, "w", "2.0.0").await;
    assert_eq!(code(deleted), Ok(()));
    let gone = engine.delete_draft(kind, "w", "2.0.0").await;
    assert_eq!(code(gone), Err("DEFINITION_NOT_FOUND"));
    let published = engine.delete_draft(kind, "w", "1.0.0").await;
    assert_eq!(code(published), Err("NOT_DRAFT"));
    assert_eq!(
        engine.definition_versions(kind, "w").await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn v33_a_task_without_handler_is_not_published_but_runs_mocked() {
    let charge = json!({"kind": "task", "taskId": "charge", "version": "1.0.0", "name": "Charge", "type": "AUTOMATED", "implementation": {"kind": "NATIVE", "endpoint": "charge-card"},
        "inputSchema": {"type": "object"}, "outputSchema": {"type": "object"}});
    let bundle = vec![charge, workflow("pay", json!([task("charge", None)]))];
    let bare = engine(|builder| builder).await;
    let refused = bare.publish(bundle.clone()).await.unwrap_err();
    assert_eq!(
        places(refused.findings()),
        [(
            "EXECUTOR_NOT_REGISTERED".to_owned(),
            "/implementation/endpoint".to_owned()
        )]
    );
    assert_eq!(
        bare.definition_versions(DefinitionKind::Task, "charge")
            .await
            .unwrap(),
        []
    );
    let mocked =
        engine(|builder| builder.with_mock("charge", MockScript::output(json!({"paid": true}))))
            .await;
    mocked.publish(bundle).await.unwrap();
    let result = mocked
        .start(StartRequest::new("pay"))
        .await
        .unwrap()
        .result()
        .await
        .unwrap();
    assert_eq!(
        ended(&result),
        (InstanceStatus::Completed, json!({"paid": true}))
    );
}

#[tokio::test]
async fn a_published_version_never_changes() {
    let engine = engine(|builder| builder).await;
    let first = workflow("frozen", json!([{"stepId": "end", "type": "END"}]));
    engine.publish(first.clone()).await.unwrap();
    let refused = engine
        .publish(with(first.clone(), json!({"name": "Other"})))
        .await
        .unwrap_err();
    assert_eq!(
        places(refused.findings()),
        [("VERSION_FROZEN".to_owned(), "/version".to_owned())]
    );
    let stored = engine
        .definition_versions(DefinitionKind::Workflow, "frozen")
        .await
        .unwrap();
    assert_eq!(
        stored
            .iter()
            .map(|stored| (*stored.document).clone())
            .collect::<Vec<_>>(),
        [first]
    );
}

#[tokio::test]
async fn v15_definitions_that_need_each_other_are_published_together_only() {
    let engine = engine(|builder| builder).await;
    let calling = |id: &str, other: &str| {
        let steps = json!([
            {"stepId": "which", "type": "DECISION", "next": [{"nextStepId": "call", "condition": "input.deep == true"}, {"nextStepId": "end"}]},
            {"stepId": "call", "type": "SUB_WORKFLOW", "workflowId": other, "input": {"deep": false}, "next": [{"nextStepId": "end"}]},
            {"stepId": "end", "type": "END", "output": {"id": id}},
        ]);
        workflow(id, steps)
    };
    let [one, other] = [calling("one", "other"), calling("other", "one")];
    for (alone, missing) in [(&one, "other"), (&other, "one")] {
        let refused = engine.publish(alone.clone()).await.unwrap_err();
        let errors: Vec<_> = refused
            .findings()
            .iter()
            .filter(|finding| finding.is_error())
            .cloned()
            .collect();
        assert_eq!(
            places(&errors),
            [(
                "UNKNOWN_WORKFLOW".to_owned(),
                "/steps/1/workflowId".to_owned()
            )],
            "{missing}"
        );
    }
    let report = engine.publish(vec![one, other]).await.unwrap();
    assert_eq!(report.definitions.len(), 2);
    let result = engine
        .start(StartRequest::new("one").with_input(json!({"deep": true})))
        .await
        .unwrap()
        .result()
        .await
        .unwrap();
    assert_eq!(
        ended(&result),
        (InstanceStatus::Completed, json!({"id": "one"}))
    );
}

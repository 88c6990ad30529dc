//! Canned results given on the command line.

use std::collections::BTreeMap;

use augmented_core::json::nearest::nearest;
use augmented_core::model::builtin;
use augmented_engine::MockScript;
use serde_json::Value;

use crate::arguments::json_argument;
use crate::exit::Failure;
use crate::files::SourceFile;

/// The mocks, by the task they stand for.
pub(crate) fn read(arguments: &[String]) -> Result<BTreeMap<String, MockScript>, Failure> {
    let mut mocks = BTreeMap::new();
    for argument in arguments {
        let Some((task, text)) = argument.split_once('=') else {
            return Err(Failure::usage(format!(
                "--mock `{argument}` lacks its output: write TASK=JSON or TASK=@FILE"
            )));
        };
        let value = json_argument(&format!("the output of --mock {task}"), text)?;
        let script = MockScript::from_json(&value)
            .map_err(|error| Failure::usage(format!("--mock {task}: {error}")))?;
        if mocks.insert(task.to_owned(), script).is_some() {
            return Err(Failure::usage(format!(
                "--mock {task} is given twice: give an array to answer several calls"
            )));
        }
    }
    Ok(mocks)
}

/// Fails if a mock stands for a task that nobody defines, which is a slip of the pen.
pub(crate) fn require_tasks(
    mocks: &BTreeMap<String, MockScript>,
    files: &[SourceFile],
) -> Result<(), Failure> {
    let documents = files
        .iter()
        .flat_map(SourceFile::documents)
        .map(|document| document.value);
    let built_in = builtin::documents().iter().map(AsRef::as_ref);
    let mut defined: Vec<&str> = documents
        .chain(built_in)
        .filter_map(|document: &Value| document.get("taskId")?.as_str())
        .collect();
    defined.sort_unstable();
    defined.dedup();
    for task in mocks.keys() {
        if !defined.contains(&task.as_str()) {
            let hint = nearest(task, defined.iter().copied()).map_or_else(
                || format!("defined are {}", defined.join(", ")),
                |near| format!("did you mean `{}`?", near.name),
            );
            return Err(Failure::usage(format!(
                "--mock names the task `{task}`, which no definition defines: {hint}"
            )));
        }
    }
    Ok(())
}

//! Which workflow the argument WORKFLOW means.

use std::path::{Path, PathBuf};

use augmented_core::model::load::detect_kind;
use augmented_core::model::{DefinitionKind, LifecycleStatus, VersionRequirement, select_version};
use serde_json::Value;

use crate::exit::Failure;
use crate::files::{self, Document, SourceFile};

/// The files that were given, and the workflow meant.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) files: Vec<SourceFile>,
    pub(crate) workflow_id: String,
    /// The version that was asked for.
    pub(crate) requirement: Option<String>,
}

impl Selection {
    /// Reads the definitions; a WORKFLOW that is a file counts as one of them.
    pub(crate) fn load(workflow: &str, definitions: &[PathBuf]) -> Result<Self, Failure> {
        let by_file = Path::new(workflow)
            .extension()
            .is_some_and(|extension| extension == "json");
        let mut paths = definitions.to_vec();
        if by_file {
            paths.push(PathBuf::from(workflow));
        }
        if paths.is_empty() {
            return Err(Failure::usage(format!(
                "where is the workflow `{workflow}` defined? name its file or directory with --definitions PATH, or give a .json file"
            )));
        }
        let files = files::read_all(&paths)?;
        for path in &paths {
            files::require_documents(path, &files)?;
        }
        let (workflow_id, requirement) = if by_file {
            only_workflow_of(workflow)?
        } else {
            split_reference(workflow)
        };
        if let Some(text) = &requirement {
            VersionRequirement::of(Some(text))
                .map_err(|error| Failure::usage(error.to_string()))?;
        }
        Ok(Self {
            files,
            workflow_id,
            requirement,
        })
    }

    /// The document of the workflow: the version asked for, else the highest.
    pub(crate) fn document(&self) -> Result<Document<'_>, Failure> {
        let mut candidates: Vec<Candidate<'_>> = self
            .files
            .iter()
            .flat_map(SourceFile::documents)
            .filter(|document| workflow_id(document.value) == Some(&self.workflow_id))
            .map(Candidate)
            .collect();
        let chosen = match select_version(self.requirement.as_deref(), &candidates) {
            Ok(Some(chosen)) => chosen.version().to_owned(),
            Ok(None) => match candidates.pop() {
                // A draft may lack a proper version; if it is the only one it is meant.
                Some(only) if candidates.is_empty() && self.requirement.is_none() => {
                    return Ok(only.0);
                }
                _ => return Err(self.not_found()),
            },
            Err(error) => return Err(Failure::usage(error.to_string())),
        };
        candidates
            .into_iter()
            .find(|candidate| candidate.version() == chosen)
            .map(|found| found.0)
            .ok_or_else(|| self.not_found())
    }

    fn not_found(&self) -> Failure {
        let mut known: Vec<String> = self
            .files
            .iter()
            .flat_map(SourceFile::documents)
            .filter_map(|document| {
                Some(format!(
                    "{}@{}",
                    workflow_id(document.value)?,
                    document.value.get("version")?.as_str()?
                ))
            })
            .collect();
        known.sort();
        known.truncate(20);
        let asked = match &self.requirement {
            Some(requirement) => format!("`{}` in version {requirement}", self.workflow_id),
            None => format!("`{}`", self.workflow_id),
        };
        let there = if known.is_empty() {
            "they define no workflow".to_owned()
        } else {
            format!("they define {}", known.join(", "))
        };
        Failure::usage(format!("the definitions hold no workflow {asked}: {there}"))
    }
}

use augmented_core::model::VersionCandidate;

/// Documents in files count as published.
struct Candidate<'a>(Document<'a>);

impl VersionCandidate for Candidate<'_> {
    fn version(&self) -> &str {
        self.0
            .value
            .get("version")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn status(&self) -> LifecycleStatus {
        LifecycleStatus::Published
    }
}

fn workflow_id(document: &Value) -> Option<&str> {
    let is_workflow = document.get("kind").and_then(Value::as_str) == Some("workflow");
    document
        .get("workflowId")
        .and_then(Value::as_str)
        .filter(|_| is_workflow)
}

pub(crate) fn split_reference(workflow: &str) -> (String, Option<String>) {
    match workflow.split_once('@') {
        Some((id, version)) => (id.to_owned(), Some(version.to_owned())),
        None => (workflow.to_owned(), None),
    }
}

/// Whether a file holds something of which nobody can tell what it defines.
fn is_unreadable(file: &SourceFile) -> bool {
    file.parsed.is_err()
        || file
            .documents()
            .any(|document| detect_kind(document.value).is_err())
        || file.documents().any(|document| {
            detect_kind(document.value) == Ok(DefinitionKind::Workflow)
                && workflow_id(document.value).is_none()
        })
}

/// The one workflow of a file, as id and exact version.
fn only_workflow_of(path: &str) -> Result<(String, Option<String>), Failure> {
    let file = files::read(PathBuf::from(path))?;
    let workflows: Vec<(String, Option<String>)> = file
        .documents()
        .filter_map(|document| {
            let version = document
                .value
                .get("version")
                .and_then(Value::as_str)
                .map(str::to_owned);
            Some((workflow_id(document.value)?.to_owned(), version))
        })
        .collect();
    match <[_; 1]>::try_from(workflows) {
        Ok([only]) => Ok(only),
        // The findings say more than that there is no workflow.
        Err(workflows) if workflows.is_empty() && is_unreadable(&file) => Ok((String::new(), None)),
        Err(workflows) => Err(Failure::usage(format!(
            "{path} holds {} workflows: give a file with one, or name it with ID and --definitions {path}",
            workflows.len()
        ))),
    }
}

//! Checking the documents of files, and findings as the command shows them.

use augmented_core::json;
use augmented_core::model::Definition;
use augmented_core::validate::{
    DefinitionCatalogue, DefinitionValidator, Document, Finding, HostRegistry, PatchOp, Purpose,
    ReferenceResolver, Related, Report, Severity,
};
use augmented_engine::unsupported_findings;
use serde::Serialize;

use crate::files::{self, SourceFile};
use crate::host::CommandHost;
use crate::terminal::{Style, Terminal, one_line};

/// A finding with the kind and id of its document.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShownFinding {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    kind: Option<String>,
    id: Option<String>,
    pointer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    severity: Severity,
    code: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Vec<PatchOp>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<Related>,
}

impl ShownFinding {
    pub(crate) fn new(finding: Finding, kind: Option<String>, id: Option<String>) -> Self {
        Self {
            file: finding.file,
            kind,
            id,
            pointer: finding.pointer,
            line: finding.line,
            column: finding.column,
            severity: finding.severity,
            code: finding.code.into_owned(),
            message: finding.message,
            hint: finding.hint,
            fix: finding.fix,
            related: finding.related,
        }
    }

    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    pub(crate) fn is_fixable(&self) -> bool {
        self.fix.is_some()
    }

    /// Whether both say the same of the same place.
    pub(crate) fn is_same_but_for_document(&self, other: &Self) -> bool {
        let key = |one: &Self| {
            (
                one.file.clone(),
                one.pointer.clone(),
                one.line,
                one.column,
                one.code.clone(),
                one.message.clone(),
            )
        };
        key(self) == key(other)
    }

    /// Two lines for people: the place, and what is wrong there.
    pub(crate) fn render(&self, terminal: Terminal) -> String {
        let mut place = self.file.clone().unwrap_or_default();
        if let (Some(line), Some(column)) = (self.line, self.column) {
            place.push_str(&format!(":{line}:{column}"));
        }
        let (style, word) = if self.is_error() {
            (Style::Bad, "ERROR")
        } else {
            (Style::Warning, "WARNING")
        };
        let pointer = if self.pointer.is_empty() {
            "the root".to_owned()
        } else {
            one_line(&self.pointer, 120)
        };
        let mut text = format!(
            "{} {} {} {}\n    {}\n",
            terminal.paint(Style::Bold, &one_line(&place, 200)),
            terminal.paint(style, word),
            terminal.paint(Style::Accent, &self.code),
            terminal.paint(Style::Dim, &format!("at {pointer}")),
            one_line(&self.message, 500)
        );
        if let Some(hint) = &self.hint {
            let fixable = if self.fix.is_some() {
                " (--fix does it)"
            } else {
                ""
            };
            text.push_str(&format!(
                "    {}{fixable}\n",
                terminal.paint(Style::Good, &one_line(hint, 500))
            ));
        }
        for related in &self.related {
            let mut place = match (&related.file, related.line) {
                (Some(file), Some(line)) => format!("{file}:{line}"),
                (None, Some(line)) => format!("line {line}"),
                _ => related.pointer.clone(),
            };
            if let (Some(kind), Some(id)) = (&related.kind, &related.id) {
                let version = related.version.as_deref().unwrap_or_default();
                let definition = format!("{kind} {id} {version}");
                place = format!("{} {place}", definition.trim_end());
            }
            let place = place.trim_end();
            text.push_str(&terminal.paint(
                Style::Dim,
                &format!(
                    "    see {}: {}\n",
                    one_line(place, 200),
                    one_line(&related.message, 300)
                ),
            ));
        }
        text
    }
}

/// What checking found.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// How many documents there are; a file that is no JSON counts as one.
    pub(crate) documents: usize,
    /// All findings, by file and position.
    pub(crate) findings: Vec<ShownFinding>,
}

impl Checked {
    pub(crate) fn has_errors(&self) -> bool {
        self.findings.iter().any(ShownFinding::is_error)
    }

    fn add(&mut self, report: Report) {
        let (kind, id) = (report.kind, report.id);
        self.findings.extend(
            report
                .findings
                .into_iter()
                .map(|finding| ShownFinding::new(finding, kind.clone(), id.clone())),
        );
    }

    /// Stable, so that findings of one place stay in the order of the validator.
    fn sort(&mut self) {
        self.findings
            .sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    }
}

/// Checks every document by itself, without what it refers to.
pub(crate) fn check_alone(files: &[SourceFile]) -> Checked {
    let mut checked = unreadable(files);
    let validator = DefinitionValidator::standard();
    for document in files.iter().flat_map(SourceFile::documents) {
        let report = validator.validate(
            &Document::new(document.value)
                .with_source(&document.source)
                .with_file(document.file),
        );
        checked.documents += 1;
        checked.add(report);
    }
    checked.sort();
    checked
}

/// What keeps files from being read.
fn unreadable(files: &[SourceFile]) -> Checked {
    let mut checked = Checked::default();
    for file in files {
        if let Err(findings) = &file.parsed {
            checked.documents += 1;
            checked.findings.extend(findings.iter().map(|finding| {
                let mut finding = finding.clone();
                finding.file = Some(file.name.clone());
                ShownFinding::new(finding, None, None)
            }));
        }
    }
    checked
}

/// Checks all documents of all files as one bundle.
pub(crate) fn check(
    files: &[SourceFile],
    known: &dyn ReferenceResolver,
    host: Option<&CommandHost>,
    purpose: Purpose,
) -> Checked {
    let mut checked = unreadable(files);
    let documents: Vec<files::Document<'_>> =
        files.iter().flat_map(SourceFile::documents).collect();
    checked.documents += documents.len();
    for report in reports(&documents, known, host, purpose) {
        checked.add(report);
    }
    checked.sort();
    checked
}

/// One report for each document, in order.
pub(crate) fn reports(
    documents: &[files::Document<'_>],
    known: &dyn ReferenceResolver,
    host: Option<&CommandHost>,
    purpose: Purpose,
) -> Vec<Report> {
    let bundle: Vec<Document<'_>> = documents
        .iter()
        .map(|document| {
            Document::new(document.value)
                .with_source(&document.source)
                .with_file(document.file)
        })
        .collect();
    let registry = host.map(|host| host as &dyn HostRegistry);
    let mut reports = DefinitionValidator::standard()
        .with_purpose(purpose)
        .validate_bundle(&bundle, known, registry);
    if let Some(host) = host {
        for (document, report) in documents.iter().zip(&mut reports) {
            add_unsupported(document, report, host, purpose);
        }
    }
    reports
}

/// Adds what this version's engine would refuse to publish: no fault of the document, so that it only warns unless
/// the document is to run here.
fn add_unsupported(
    document: &files::Document<'_>,
    report: &mut Report,
    host: &CommandHost,
    purpose: Purpose,
) {
    let Ok(definition) = Definition::from_value(document.value.clone()) else {
        return;
    };
    let mut found = unsupported_findings(&definition, |task| host.is_mocked(task));
    found.retain(|finding| {
        !report
            .findings
            .iter()
            .any(|known| known.code == finding.code && known.pointer == finding.pointer)
    });
    if found.is_empty() {
        return;
    }
    if purpose == Purpose::Check {
        for finding in &mut found {
            finding.severity = Severity::Warning;
        }
    }
    json::place(&mut found, &document.source, Some(document.file));
    report.findings.append(&mut found);
    json::sort_findings(&mut report.findings);
}

/// The documents of files as what references may lead to.
pub(crate) fn catalogue(files: &[SourceFile]) -> DefinitionCatalogue {
    let mut catalogue = DefinitionCatalogue::default();
    for document in files.iter().flat_map(SourceFile::documents) {
        catalogue.add(
            document.value.clone(),
            augmented_core::model::LifecycleStatus::Published,
        );
    }
    catalogue
}

//! `augmented validate`: finds every mistake, and repairs what is certain.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use augmented_core::json::SourceMap;
use augmented_core::validate::{DefinitionCatalogue, Finding, Purpose, fix};
use serde::Serialize;

use super::Format;
use crate::cli::ValidateArgs;
use crate::exit::{Exit, Failure};
use crate::files::{self, SourceFile};
use crate::findings::{self, Checked, ShownFinding};
use crate::host::CommandHost;
use crate::stores::StoreChoice;
use crate::terminal::{Style, Terminal};

#[derive(Debug, Serialize)]
struct Answer<'a> {
    ok: bool,
    documents: usize,
    findings: &'a [ShownFinding],
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<&'a [ShownFinding]>,
}

pub(super) fn validate(
    terminal: Terminal,
    format: Format,
    arguments: &ValidateArgs,
    store: StoreChoice,
) -> Result<Exit, Failure> {
    let mut files = files::read_all(&arguments.paths)?;
    for path in &arguments.paths {
        files::require_documents(path, &files)?;
    }
    let mut known = findings::catalogue(&files::read_all(&arguments.definitions)?);
    if !store.is_memory() {
        for stored in super::runtime()?.block_on(store.definitions())? {
            known.add(stored.document.as_ref().clone(), stored.status);
        }
    }
    let host = CommandHost::default();
    let mut checked = findings::check(&files, &known, Some(&host), Purpose::Check);
    let mut fixed = None;
    if arguments.fix {
        fixed = Some(repair(&mut files, &known, &host)?);
        checked = findings::check(&files, &known, Some(&host), Purpose::Check);
    }
    let ok = !checked.has_errors();
    match format {
        Format::Json => terminal.print_json(&Answer {
            ok,
            documents: checked.documents,
            findings: &checked.findings,
            fixed: fixed.as_deref(),
        })?,
        Format::Text => terminal.print(&text(terminal, &checked, fixed.as_deref(), files.len()))?,
    }
    Ok(if ok { Exit::Done } else { Exit::Findings })
}

/// Repairs one file after the other, each in the light of the others, and gives what was repaired.
fn repair(
    files: &mut [SourceFile],
    known: &DefinitionCatalogue,
    host: &CommandHost,
) -> Result<Vec<ShownFinding>, Failure> {
    let mut all = Vec::new();
    for index in 0..files.len() {
        let Some(file) = files.get(index) else {
            continue;
        };
        let Ok(text) = String::from_utf8(file.text.clone()) else {
            continue;
        };
        let path = file.path.clone();
        let mut seen: Vec<ShownFinding> = Vec::new();
        let repaired = fix::repair_text(&text, |text| {
            let changed = SourceFile::new(path.clone(), text.as_bytes().to_vec());
            if let Some(place) = files.get_mut(index) {
                *place = changed;
            }
            findings_of(files, index, known, host, &mut seen)
        });
        if repaired.text != text {
            write_in_place(&path, &repaired.text)?;
        }
        if let Some(place) = files.get_mut(index) {
            *place = SourceFile::new(path, repaired.text.into_bytes());
        }
        all.extend(
            repaired
                .fixed
                .into_iter()
                .map(|finding| identified(finding, &seen)),
        );
    }
    Ok(all)
}

/// Findings with the place of their document in its file.
type FindingsByPlace = Vec<(String, Vec<Finding>)>;

/// The findings of one file among the others, by the place of their document in it.
fn findings_of(
    files: &[SourceFile],
    index: usize,
    known: &DefinitionCatalogue,
    host: &CommandHost,
    seen: &mut Vec<ShownFinding>,
) -> Option<(SourceMap, FindingsByPlace)> {
    let file = files.get(index)?;
    let source = file.parsed.as_ref().ok()?.source.clone();
    let documents: Vec<files::Document<'_>> =
        files.iter().flat_map(SourceFile::documents).collect();
    let reports = findings::reports(&documents, known, Some(host), Purpose::Check);
    let own = documents
        .iter()
        .zip(reports)
        .filter(|(document, _)| document.file == file.name);
    let by_place = own.map(|(document, report)| {
        let shown = report
            .findings
            .iter()
            .cloned()
            .map(|finding| ShownFinding::new(finding, report.kind.clone(), report.id.clone()));
        seen.extend(shown);
        (document.base.clone(), report.findings)
    });
    Some((source, by_place.collect()))
}

/// The finding with the kind and id it was seen with.
fn identified(finding: Finding, seen: &[ShownFinding]) -> ShownFinding {
    let plain = ShownFinding::new(finding, None, None);
    seen.iter()
        .find(|known| known.is_same_but_for_document(&plain))
        .cloned()
        .unwrap_or(plain)
}

/// Writes into the file itself, so that its owner, its rights and every link to it stay.
fn write_in_place(path: &Path, text: &str) -> Result<(), Failure> {
    let fail =
        |error: std::io::Error| Failure::fault(format!("cannot write {}", path.display()), error);
    // Who may do everything could write it all the same.
    if fs::metadata(path).map_err(fail)?.permissions().readonly() {
        return Err(Failure::usage(format!(
            "{} is read-only, nothing in it was repaired",
            path.display()
        )));
    }
    let mut file = File::options().write(true).open(path).map_err(fail)?;
    file.write_all(text.as_bytes()).map_err(fail)?;
    file.set_len(u64::try_from(text.len()).unwrap_or(u64::MAX))
        .map_err(fail)?;
    file.sync_all().map_err(fail)
}

fn text(
    terminal: Terminal,
    checked: &Checked,
    fixed: Option<&[ShownFinding]>,
    files: usize,
) -> String {
    let mut text = String::new();
    for finding in fixed.unwrap_or_default() {
        text.push_str(&terminal.paint(Style::Good, "fixed "));
        text.push_str(&finding.render(terminal));
    }
    for finding in &checked.findings {
        text.push_str(&finding.render(terminal));
    }
    let errors = checked
        .findings
        .iter()
        .filter(|finding| finding.is_error())
        .count();
    let warnings = checked.findings.len() - errors;
    let fixable = checked
        .findings
        .iter()
        .filter(|finding| finding.is_fixable())
        .count();
    let mut summary = format!(
        "{} in {}: {}, {}",
        count(checked.documents, "document"),
        count(files, "file"),
        count(errors, "error"),
        count(warnings, "warning")
    );
    if let Some(fixed) = fixed {
        summary.push_str(&format!(", {} fixed", fixed.len()));
    } else if fixable > 0 {
        summary.push_str(&format!("; --fix repairs {fixable}"));
    }
    let style = if errors == 0 { Style::Good } else { Style::Bad };
    text.push_str(&terminal.paint(style, &summary));
    text.push('\n');
    text
}

fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

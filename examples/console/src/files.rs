//! From paths to documents with the place of everything in them.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use augmented_core::json::{Limits, Parsed, SourceMap, parse};
use augmented_core::model::load::split_documents;
use augmented_core::validate::Finding;
use serde_json::Value;

use crate::exit::Failure;

/// A file that was read.
#[derive(Debug)]
pub(crate) struct SourceFile {
    pub(crate) path: PathBuf,
    /// The path as findings show it.
    pub(crate) name: String,
    pub(crate) text: Vec<u8>,
    /// Its content, or why it is no JSON.
    pub(crate) parsed: Result<Parsed, Vec<Finding>>,
}

/// One document of a file.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(crate) file: &'a str,
    /// JSON Pointer of the document in its file: `""`, or `/` and its index.
    pub(crate) base: String,
    pub(crate) value: &'a Value,
    pub(crate) source: SourceMap,
}

/// Reads the files that paths stand for: a file itself, of a directory every `*.json` in it and below.
///
/// Files and directories whose name begins with a dot are passed over; a file that several paths stand for is read
/// once.
pub(crate) fn read_all(paths: &[PathBuf]) -> Result<Vec<SourceFile>, Failure> {
    let mut files = Vec::new();
    let mut known = HashSet::new();
    for path in paths {
        for found in expand(path)? {
            let identity = fs::canonicalize(&found).unwrap_or_else(|_| found.clone());
            if known.insert(identity) {
                files.push(read(found)?);
            }
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Reads one file.
pub(crate) fn read(path: PathBuf) -> Result<SourceFile, Failure> {
    let text = read_bytes(&path)?;
    Ok(SourceFile::new(path, text))
}

/// The bytes of a file, at most one more than intake accepts.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let fail = |error: std::io::Error| {
        Failure::usage(format!(
            "cannot read {}: {}",
            path.display(),
            reason(&error)
        ))
    };
    let limit = u64::try_from(limits().max_bytes).unwrap_or(u64::MAX);
    let mut text = Vec::new();
    File::open(path)
        .map_err(fail)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut text)
        .map_err(fail)?;
    Ok(text)
}

/// What is accepted of a file, which may hold many documents.
pub(crate) fn limits() -> Limits {
    Limits::document()
}

impl SourceFile {
    pub(crate) fn new(path: PathBuf, text: Vec<u8>) -> Self {
        let name = path.to_string_lossy().into_owned();
        let parsed = parse(&text, &limits());
        Self {
            path,
            name,
            text,
            parsed,
        }
    }

    /// Its documents; none if it is no JSON.
    pub(crate) fn documents(&self) -> impl Iterator<Item = Document<'_>> {
        self.parsed.iter().flat_map(|parsed| {
            split_documents(&parsed.value).filter_map(|document| {
                let base = document.base();
                let source = parsed.source.under(&base)?;
                Some(Document {
                    file: &self.name,
                    base,
                    value: document.value,
                    source,
                })
            })
        })
    }

    /// Whether there is nothing in it to check: an empty array.
    pub(crate) fn is_without_documents(&self) -> bool {
        matches!(&self.parsed, Ok(parsed) if split_documents(&parsed.value).next().is_none())
    }
}

/// Fails if a path stands for no document at all.
pub(crate) fn require_documents(path: &Path, files: &[SourceFile]) -> Result<(), Failure> {
    let expanded = expand(path)?;
    let holds = |found: &PathBuf| {
        let identity = fs::canonicalize(found).ok();
        files.iter().any(|file| {
            (file.path == *found
                || (identity.is_some() && fs::canonicalize(&file.path).ok() == identity))
                && !file.is_without_documents()
        })
    };
    if expanded.iter().any(holds) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{} holds no definition: name a file with a JSON document, or a directory with *.json files",
        path.display()
    )))
}

fn expand(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let metadata = fs::metadata(path).map_err(|error| {
        Failure::usage(format!(
            "cannot read {}: {}",
            path.display(),
            reason(&error)
        ))
    })?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    walk(path, &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let fail = |error: std::io::Error| {
        Failure::usage(format!(
            "cannot read {}: {}",
            directory.display(),
            reason(&error)
        ))
    };
    for entry in fs::read_dir(directory).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        // A link to a directory may lead back up, so only links to files are followed.
        let kind = entry.file_type().map_err(fail)?;
        let is_json = path
            .extension()
            .is_some_and(|extension| extension == "json");
        if kind.is_dir() {
            walk(&path, found)?;
        } else if is_json && (kind.is_file() || path.is_file()) {
            found.push(path);
        }
    }
    Ok(())
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

//! The catalogue of every code of the product: findings and errors alike.
//!
//! A code is part of the API: programs match it, people look it up. It is declared here once, with
//! a sentence, an example and the arguments its message is made of.
//!
//! ```
//! use augmented_core::codes;
//! let code = codes::find("UNKNOWN_STEP").unwrap();
//! assert_eq!(code.sentence, "no step has that id");
//! ```

use serde::Serialize;

use crate::error::ErrorCategory;

mod errors;
mod findings;

/// What a code is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum CodeUse {
    /// A finding that refuses publishing.
    FindingError,
    /// A finding worth a look.
    FindingWarning,
    /// A finding that is an error when it is certain, or at publish, and a warning otherwise.
    FindingEither,
    /// The code of an [`ErrorInfo`](crate::ErrorInfo).
    Error {
        /// The category it comes with.
        category: ErrorCategory,
        /// Whether it is retried unless a policy says otherwise.
        retryable: bool,
    },
    /// A code of the API, common to all areas.
    Api {
        /// The HTTP status it is answered with.
        http: u16,
    },
    /// The `reason` of an API error: what exactly was wrong.
    Reason {
        /// The API code it comes with.
        of: &'static str,
    },
}

/// One code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Code {
    /// The code itself.
    pub code: &'static str,
    /// What it is used for.
    #[serde(rename = "use")]
    pub used_as: CodeUse,
    /// What it says, in a sentence.
    pub sentence: &'static str,
    /// A case in which it is given.
    pub example: &'static str,
    /// What its English message names; a [`MessageCatalog`](crate::validate::MessageCatalog) is given these one by one.
    /// A name that ends with `?` is that of an argument which is not always known, and has no `?` there.
    ///
    /// A value of a document is cut as in the message, and missing where it must not be shown. A finding that stands for
    /// what only another engine has refused, or that a host made, may have none.
    pub arguments: &'static [&'static str],
}

/// Every code: findings first, then errors, each in the order of their areas.
pub fn all() -> impl Iterator<Item = &'static Code> {
    findings::FINDINGS.iter().chain(errors::ERRORS)
}

/// Looks a code up; one that is both a finding and an error is returned as the finding.
#[must_use]
pub fn find(code: &str) -> Option<&'static Code> {
    all().find(|known| known.code == code)
}

const fn finding(
    used_as: CodeUse,
    code: &'static str,
    sentence: &'static str,
    example: &'static str,
    arguments: &'static [&'static str],
) -> Code {
    Code {
        code,
        used_as,
        sentence,
        example,
        arguments,
    }
}

const fn error(
    code: &'static str,
    category: ErrorCategory,
    retryable: bool,
    sentence: &'static str,
    example: &'static str,
) -> Code {
    Code {
        code,
        used_as: CodeUse::Error {
            category,
            retryable,
        },
        sentence,
        example,
        arguments: &[],
    }
}

const fn api(code: &'static str, http: u16, sentence: &'static str, example: &'static str) -> Code {
    Code {
        code,
        used_as: CodeUse::Api { http },
        sentence,
        example,
        arguments: &[],
    }
}

const fn reason(
    of: &'static str,
    code: &'static str,
    sentence: &'static str,
    example: &'static str,
) -> Code {
    Code {
        code,
        used_as: CodeUse::Reason { of },
        sentence,
        example,
        arguments: &[],
    }
}

/// Expects the arguments of findings to be those that their codes declare, for the tests of the checks.
#[cfg(test)]
pub(crate) fn assert_arguments(findings: &[crate::validate::Finding]) {
    for finding in findings {
        let Some(code) = find(&finding.code) else {
            continue;
        };
        let given: Vec<&str> = finding.arguments().iter().map(|(name, _)| name).collect();
        for declared in code.arguments {
            let name = declared.trim_end_matches('?');
            assert!(
                given.contains(&name) || name != *declared,
                "{finding}: {name} is missing"
            );
        }
        for name in given {
            let declared = code
                .arguments
                .iter()
                .any(|d| d.trim_end_matches('?') == name);
            assert!(declared, "{finding}: {name} is not declared");
        }
    }
}

/// As [`assert_arguments`], for problems of expressions, which become findings with the same arguments.
#[cfg(test)]
pub(crate) fn assert_problem_arguments(problems: &[crate::expr::ExprProblem]) {
    for problem in problems {
        let finding = crate::validate::Finding::error(problem.code, "", problem.message.as_str());
        assert_arguments(&[finding.with_arguments(problem.arguments().clone())]);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn every_code_is_declared_once_for_each_use() {
        let mut seen: BTreeMap<(&str, bool), usize> = BTreeMap::new();
        for code in all() {
            let as_finding = matches!(
                code.used_as,
                CodeUse::FindingError | CodeUse::FindingWarning | CodeUse::FindingEither
            );
            *seen.entry((code.code, as_finding)).or_default() += 1;
        }
        let twice: Vec<_> = seen.iter().filter(|(_, n)| **n > 1).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }

    #[test]
    fn texts_are_sentences_without_full_stop() {
        for code in all() {
            assert!(
                !code.sentence.ends_with('.') && !code.sentence.is_empty(),
                "{}",
                code.code
            );
            assert!(!code.example.is_empty(), "{}", code.code);
        }
    }

    #[test]
    fn no_argument_has_the_name_of_what_every_finding_has() {
        for code in all() {
            for name in code.arguments {
                let name = name.trim_end_matches('?');
                let common = ["pointer", "name", "message", "hint"];
                assert!(!common.contains(&name), "{}: {name}", code.code);
            }
        }
    }

    fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, files);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }

    #[test]
    fn every_code_used_in_the_crate_is_declared() {
        let made = regex::Regex::new(
            r#"(?:Finding::(?:error|warning)\(|Finding::new\(\s*[A-Za-z_:.()]+,|ErrorInfo::new\(|ExprProblem::new\(|ExprError::new\(|code:|fn code)\s*"([A-Za-z][A-Za-z-]*(?:_[A-Z0-9]+)*)""#,
        )
        .unwrap();
        let named = regex::Regex::new(r#""(EXPR_[A-Z_]+)""#).unwrap();
        let mut files = Vec::new();
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut files,
        );
        let mut missing = BTreeMap::new();
        let mut used = 0;
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            // The conformance kit plays a business that has error codes of its own.
            if file.components().any(|c| c.as_os_str() == "conformance") {
                continue;
            }
            let product = text.split("mod tests {").next().unwrap_or_default();
            // Examples in documentation make up codes.
            let product: String = product
                .lines()
                .filter(|l| !l.trim_start().starts_with("//"))
                .collect::<Vec<_>>()
                .join("\n");
            for capture in made
                .captures_iter(&product)
                .chain(named.captures_iter(&product))
            {
                used += 1;
                if find(&capture[1]).is_none() {
                    missing.insert(capture[1].to_owned(), file.clone());
                }
            }
        }
        assert!(missing.is_empty(), "not in the catalogue: {missing:?}");
        assert!(used > 100, "the search for codes found only {used}");
    }
}

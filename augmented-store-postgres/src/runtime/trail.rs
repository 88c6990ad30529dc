//! How trails are written: most entries as a few characters.
//!
//! A trail stands in every fact, and written out in words it would be longer than everything else of most of them.
//! What has nothing but numbers is a letter and these numbers; everything else, and everything in a scope of its own, is
//! the entry in words. Both are read wherever they stand.

use std::io::Write as _;

use augmented_core::runtime::TrailEntry;
use augmented_core::store::StoreError;
use serde_json::Value;
use sqlx::types::Json;

use super::text::json;

/// Writes a trail as the text of a JSON array.
pub(crate) fn write(trail: &[TrailEntry], text: &mut Vec<u8>) -> Result<(), StoreError> {
    text.push(b'[');
    for (at, entry) in trail.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        if write_short(text, entry).is_none() {
            text.extend_from_slice(json(entry)?.as_bytes());
        }
    }
    text.push(b']');
    Ok(())
}

fn write_short(text: &mut Vec<u8>, entry: &TrailEntry) -> Option<()> {
    let written = match entry {
        TrailEntry::Entered {
            step,
            path: None,
            visit,
        } => write!(text, "\"e{step}.{visit}\""),
        TrailEntry::Waiting {
            step,
            path: None,
            visit,
        } => write!(text, "\"w{step}.{visit}\""),
        TrailEntry::Cancelled {
            step,
            path: None,
            visit,
        } => write!(text, "\"x{step}.{visit}\""),
        TrailEntry::Completed {
            step,
            path: None,
            visit,
            attempt,
            outcome: None,
        } => write!(text, "\"c{step}.{visit}.{attempt}\""),
        TrailEntry::Transition {
            from,
            to,
            path: None,
            rule,
            values: None,
        } => match rule {
            Some(rule) => write!(text, "\"t{from}.{to}.{rule}\""),
            None => write!(text, "\"t{from}.{to}\""),
        },
        _ => return None,
    };
    written.ok()
}

/// The trail of a column; a column without a value is an empty one.
pub(crate) fn read(column: Option<Json<Vec<Value>>>) -> Result<Vec<TrailEntry>, StoreError> {
    let entries = column.map(|Json(entries)| entries).unwrap_or_default();
    entries.into_iter().map(entry).collect()
}

fn entry(value: Value) -> Result<TrailEntry, StoreError> {
    if let Some(entry) = value.as_str().and_then(read_short) {
        return Ok(entry);
    }
    // In words; an entry without any fields is its name.
    serde_json::from_value(value)
        .map_err(|error| StoreError::corrupt(format!("a trail cannot be read: {error}")))
}

fn read_short(short: &str) -> Option<TrailEntry> {
    let kind = short.chars().next()?;
    let numbers = short.get(kind.len_utf8()..)?;
    let mut numbers = numbers.split('.').map(str::parse::<u32>);
    let mut next = || numbers.next()?.ok();
    let entry = match kind {
        'e' => TrailEntry::Entered {
            step: next()?.try_into().ok()?,
            path: None,
            visit: next()?,
        },
        'w' => TrailEntry::Waiting {
            step: next()?.try_into().ok()?,
            path: None,
            visit: next()?,
        },
        'x' => TrailEntry::Cancelled {
            step: next()?.try_into().ok()?,
            path: None,
            visit: next()?,
        },
        'c' => TrailEntry::Completed {
            step: next()?.try_into().ok()?,
            path: None,
            visit: next()?,
            attempt: next()?,
            outcome: None,
        },
        't' => TrailEntry::Transition {
            from: next()?.try_into().ok()?,
            to: next()?.try_into().ok()?,
            path: None,
            rule: match numbers.next() {
                None => None,
                Some(rule) => Some(rule.ok()?.try_into().ok()?),
            },
            values: None,
        },
        _ => return None,
    };
    numbers.next().is_none().then_some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::Arc;

    fn written(trail: &[TrailEntry]) -> String {
        let mut text = Vec::new();
        write(trail, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    fn again(trail: &[TrailEntry]) -> Vec<TrailEntry> {
        let text = written(trail);
        read(Some(Json(serde_json::from_str(&text).unwrap()))).unwrap()
    }

    #[test]
    fn what_has_only_numbers_is_short() {
        let trail = [
            TrailEntry::Completed {
                step: 0,
                path: None,
                visit: 1,
                attempt: 2,
                outcome: None,
            },
            TrailEntry::Transition {
                from: 0,
                to: 12,
                path: None,
                rule: Some(3),
                values: None,
            },
            TrailEntry::Transition {
                from: 12,
                to: 4,
                path: None,
                rule: None,
                values: None,
            },
            TrailEntry::Entered {
                step: 4,
                path: None,
                visit: u32::MAX,
            },
            TrailEntry::Waiting {
                step: 4,
                path: None,
                visit: 1,
            },
            TrailEntry::Cancelled {
                step: 4,
                path: None,
                visit: 1,
            },
        ];
        assert_eq!(
            written(&trail),
            r#"["c0.1.2","t0.12.3","t12.4","e4.4294967295","w4.1","x4.1"]"#
        );
        assert_eq!(again(&trail), trail);
        assert_eq!(written(&[]), "[]");
        assert!(read(None).unwrap().is_empty());
    }

    #[test]
    fn what_has_more_is_written_out() {
        let trail = [
            TrailEntry::Entered {
                step: 1,
                path: Some("each[3]".into()),
                visit: 1,
            },
            TrailEntry::Completed {
                step: 1,
                path: None,
                visit: 1,
                attempt: 1,
                outcome: Some("approved".into()),
            },
            TrailEntry::Transition {
                from: 1,
                to: 2,
                path: None,
                rule: Some(0),
                values: Some(Box::new(json!({ "amount": 3 }))),
            },
            TrailEntry::BranchEnded {
                step: 1,
                path: None,
                status: Arc::from("COMPLETED"),
            },
            TrailEntry::InstanceCompleted,
        ];
        assert_eq!(again(&trail), trail);
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for bad in [
            json!("e1"),
            json!("e1.2.3"),
            json!("z1.2"),
            json!(""),
            json!("e1.x"),
            json!("e-1.2"),
            json!("t1.70000"),
            json!("é1.2"),
            json!(7),
            json!({ "unheard": {} }),
        ] {
            let answer = read(Some(Json(vec![bad.clone()])));
            assert!(answer.is_err(), "{bad}");
        }
    }
}

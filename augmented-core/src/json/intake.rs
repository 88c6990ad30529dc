//! Intake (level L0): from bytes to a value and the place of everything in it, in one pass.
//!
//! Refused are malformed JSON, repeated member names, what a database cannot store (U+0000, lone
//! surrogates), numbers outside the one form of numbers, and anything above the limits.

use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::number;
use super::source::{NO_KEY, Node, Shape, SourceMap};
use crate::validate::{Arguments, Finding, Related};

/// What intake accepts at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the text.
    pub max_bytes: usize,
    /// Nested containers, at most [`Limits::DEEPEST`].
    pub max_depth: usize,
    /// Bytes of one string or member name.
    pub max_string: usize,
    /// Elements of one array.
    pub max_items: usize,
    /// Members of one object.
    pub max_members: usize,
    /// Digits of one number.
    pub max_digits: usize,
}

impl Limits {
    /// The deepest nesting that can be configured.
    pub const DEEPEST: usize = 128;
    /// The largest text that can be configured.
    pub const LARGEST: usize = 100 * 1024 * 1024;

    /// The limits of runtime payloads: 10 MiB, 64 levels.
    #[must_use]
    pub const fn document() -> Self {
        Self {
            max_bytes: 10 * 1024 * 1024,
            max_depth: 64,
            max_string: 1024 * 1024,
            max_items: 100_000,
            max_members: 10_000,
            max_digits: 1000,
        }
    }

    /// The limits of a definition document: 1 MiB, otherwise those of a payload.
    #[must_use]
    pub const fn definition() -> Self {
        Self {
            max_bytes: 1024 * 1024,
            ..Self::document()
        }
    }

    /// Sets the size of the text, at most 100 MiB.
    #[must_use]
    pub const fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = if bytes > Self::LARGEST {
            Self::LARGEST
        } else {
            bytes
        };
        self
    }

    /// Sets the nesting, at most 128.
    #[must_use]
    pub const fn with_max_depth(mut self, depth: usize) -> Self {
        self.max_depth = if depth > Self::DEEPEST {
            Self::DEEPEST
        } else {
            depth
        };
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::document()
    }
}

/// A document that passed intake.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Parsed {
    /// The value, its numbers in their one form.
    pub value: Value,
    /// Where each part of it stands.
    pub source: SourceMap,
}

/// Reads a document.
///
/// # Errors
///
/// Every finding has line and column: `INVALID_JSON` and `DOCUMENT_TOO_DEEP` end the reading;
/// `DUPLICATE_KEY`, `INVALID_CHARACTER`, `NUMBER_OUT_OF_RANGE` and `DOCUMENT_TOO_LARGE` of a part
/// are collected.
///
/// ```
/// use augmented_core::json::{parse, Limits};
/// let findings = parse(br#"{"a": 1, "a": 18446744073709551616}"#, &Limits::document()).unwrap_err();
/// let codes: Vec<_> = findings.iter().map(|f| (f.code.as_ref(), f.pointer.as_str(), f.column)).collect();
/// assert_eq!(codes, [("DUPLICATE_KEY", "/a", Some(10)), ("NUMBER_OUT_OF_RANGE", "/a", Some(15))]);
/// ```
pub fn parse(text: &[u8], limits: &Limits) -> Result<Parsed, Vec<Finding>> {
    if text.len() > limits.max_bytes.min(Limits::LARGEST) {
        let message = format!(
            "the document has {} bytes, at most {} are accepted",
            text.len(),
            limits.max_bytes
        );
        let length = text.len();
        return Err(vec![
            Finding::error("DOCUMENT_TOO_LARGE", "", message)
                .with_argument("limit", limits.max_bytes)
                .with_argument("actual", length),
        ]);
    }
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => return Err(vec![not_utf8(text, error.valid_up_to())]),
    };
    let mut parser = Parser::new(text, limits);
    let value = parser.document();
    let Parser {
        nodes,
        mut problems,
        ..
    } = parser;
    problems.sort_by_key(|problem| problem.byte);
    let source = SourceMap::new(Arc::from(text), nodes);
    match value {
        Ok(value) if problems.is_empty() => Ok(Parsed { value, source }),
        _ => Err(problems
            .into_iter()
            .map(|problem| problem.into_finding(&source))
            .collect()),
    }
}

fn not_utf8(text: &[u8], at: usize) -> Finding {
    let valid = text
        .get(..at)
        .and_then(|valid| std::str::from_utf8(valid).ok())
        .unwrap_or_default();
    let position = SourceMap::new(Arc::from(valid), Vec::new()).position(at);
    let byte = text.get(at).copied().unwrap_or_default();
    let mut finding = Finding::error(
        "INVALID_JSON",
        "",
        format!("the byte 0x{byte:02x} is not UTF-8"),
    )
    .with_argument("line", position.line)
    .with_argument("column", position.column)
    .with_hint("save the file as UTF-8");
    finding.line = Some(position.line);
    finding.column = Some(position.column);
    finding
}

fn argument(name: &'static str, value: impl Into<Value>) -> Arguments {
    let mut arguments = Arguments::default();
    arguments.set(name, value);
    arguments
}

/// More problems than this end the reading.
const MAX_PROBLEMS: usize = 1000;

/// A finding whose pointer and position are not worked out yet.
struct Problem {
    code: &'static str,
    byte: usize,
    message: String,
    hint: Option<&'static str>,
    arguments: Arguments,
}

impl Problem {
    fn into_finding(self, source: &SourceMap) -> Finding {
        let pointer = source.pointer_at(self.byte);
        let position = source.position(self.byte);
        let mut finding =
            Finding::error(self.code, pointer, self.message).with_arguments(self.arguments);
        finding.line = Some(position.line);
        finding.column = Some(position.column);
        finding.hint = self.hint.map(str::to_owned);
        if self.code == "INVALID_JSON" {
            finding.arguments.set("line", position.line);
            finding.arguments.set("column", position.column);
        }
        if self.code == "DUPLICATE_KEY" {
            let mut first = Related::new(finding.pointer.clone(), "first use of the name");
            let position = source.locate_key(&finding.pointer);
            first.line = position.map(|p| p.line);
            first.column = position.map(|p| p.column);
            finding.related.push(first);
        }
        finding
    }
}

/// Reading cannot go on; the reason is among the problems.
struct Stop;

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    limits: &'a Limits,
    nodes: Vec<Node>,
    problems: Vec<Problem>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, limits: &'a Limits) -> Self {
        // A byte order mark may be ignored (RFC 8259, section 8.1).
        let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let nodes = Vec::with_capacity((text.len() / 16).min(65_536));
        Self {
            text,
            bytes: text.as_bytes(),
            at,
            limits,
            nodes,
            problems: Vec::new(),
        }
    }

    fn document(&mut self) -> Result<Value, Stop> {
        self.skip_space();
        let value = self.value((NO_KEY, NO_KEY), self.limits.max_depth.min(Limits::DEEPEST))?;
        self.skip_space();
        if self.at < self.bytes.len() {
            return Err(self.syntax("the end of the document"));
        }
        Ok(value)
    }

    /// Reads one value; `room` containers may still be nested in each other.
    fn value(&mut self, key: (u32, u32), room: usize) -> Result<Value, Stop> {
        let node = self.nodes.len();
        let start = self.at;
        let shape = match self.peek() {
            Some(b'{') => Shape::Object,
            Some(b'[') => Shape::Array,
            Some(b'"') => Shape::String,
            _ => Shape::Scalar,
        };
        self.nodes.push(Node {
            start: to_u32(start),
            end: u32::MAX,
            key: key.0,
            key_end: key.1,
            next: u32::MAX,
            shape,
        });
        let value = match self.peek() {
            Some(b'{') => self.object(room)?,
            Some(b'[') => self.array(room)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => return Err(self.syntax("a value")),
        };
        let next = to_u32(self.nodes.len());
        let end = to_u32(self.at);
        if let Some(node) = self.nodes.get_mut(node) {
            node.end = end;
            node.next = next;
        }
        Ok(value)
    }

    fn object(&mut self, room: usize) -> Result<Value, Stop> {
        let room = self.enter(room)?;
        let mut members = Map::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            let key_start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a member name in double quotes"));
            }
            if members.len() >= self.limits.max_members {
                return Err(self.too_many(self.limits.max_members, "members in one object"));
            }
            let name = self.string()?;
            let key = (to_u32(key_start), to_u32(self.at));
            self.skip_space();
            if !self.take(b':') {
                return Err(self.syntax("`:` after the member name"));
            }
            self.skip_space();
            let value = self.value(key, room)?;
            if members.contains_key(&name) {
                self.problem(
                    "DUPLICATE_KEY",
                    key_start,
                    format!("the member `{}` occurs twice in this object", cut(&name)),
                    argument("member", cut(&name)),
                )?;
            } else {
                members.insert(name, value);
            }
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(self.syntax("`,` or `}` after a member"));
            }
            self.skip_space();
        }
    }

    fn array(&mut self, room: usize) -> Result<Value, Stop> {
        let room = self.enter(room)?;
        let mut items = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            if items.len() >= self.limits.max_items {
                return Err(self.too_many(self.limits.max_items, "elements in one array"));
            }
            items.push(self.value((NO_KEY, NO_KEY), room)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take(b',') {
                return Err(self.syntax("`,` or `]` after an element"));
            }
            self.skip_space();
        }
    }

    /// Steps into a container.
    fn enter(&mut self, room: usize) -> Result<usize, Stop> {
        let Some(room) = room.checked_sub(1) else {
            let message = format!(
                "the document is nested deeper than {} levels",
                self.limits.max_depth
            );
            return self
                .problem(
                    "DOCUMENT_TOO_DEEP",
                    self.at,
                    message,
                    argument("limit", self.limits.max_depth),
                )
                .and(Err(Stop));
        };
        self.at += 1;
        Ok(room)
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Stop> {
        if self
            .bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word.as_bytes()))
        {
            self.at += word.len();
            return Ok(value);
        }
        Err(self.syntax("a value"))
    }

    /// Reads a string; the reader stands at its opening quote.
    fn string(&mut self) -> Result<String, Stop> {
        let start = self.at;
        self.at += 1;
        let run = self.at;
        self.skip_plain();
        // Most strings have no escapes and are copied in one piece.
        if self.peek() == Some(b'"') {
            let text = self.text.get(run..self.at).unwrap_or_default().to_owned();
            self.at += 1;
            return self.bounded(text, start);
        }
        let mut text = String::new();
        let mut run = run;
        loop {
            text.push_str(self.text.get(run..self.at).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return self.bounded(text, start);
                }
                Some(b'\\') => self.escape(&mut text)?,
                Some(0) => {
                    self.problem(
                        "INVALID_CHARACTER",
                        self.at,
                        "a string contains U+0000, which cannot be stored".to_owned(),
                        argument("character", "U+0000"),
                    )?;
                    self.at += 1;
                }
                Some(_) => {
                    return Err(
                        self.syntax("no control character inside a string: write it as an escape")
                    );
                }
                None => {
                    self.at = start;
                    return Err(
                        self.broken("the string that begins here has no closing quote".into())
                    );
                }
            }
            run = self.at;
            self.skip_plain();
        }
    }

    fn bounded(&mut self, text: String, start: usize) -> Result<String, Stop> {
        if text.len() > self.limits.max_string {
            let message = format!(
                "a string has {} bytes, at most {} are accepted",
                text.len(),
                self.limits.max_string
            );
            let mut arguments = argument("limit", self.limits.max_string);
            arguments.set("actual", text.len());
            self.problem("DOCUMENT_TOO_LARGE", start, message, arguments)?;
        }
        Ok(text)
    }

    /// Goes to the next byte that ends a plain run of a string.
    fn skip_plain(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let plain = rest
            .iter()
            .position(|b| matches!(b, b'"' | b'\\') || *b < 0x20);
        self.at += plain.unwrap_or(rest.len());
    }

    fn escape(&mut self, text: &mut String) -> Result<(), Stop> {
        let start = self.at;
        self.at += 1;
        let simple = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(start, text),
            _ => {
                self.at = start;
                let rest = self.text.get(start..).unwrap_or_default();
                let escape: String = rest.chars().take(2).collect();
                return Err(self.broken(format!(
                    "`{escape}` is no escape: there are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX"
                )));
            }
        };
        self.at += 1;
        text.push(simple);
        Ok(())
    }

    /// Reads `\uXXXX`, or a pair of them; the reader stands at the first `u`.
    fn unicode_escape(&mut self, start: usize, text: &mut String) -> Result<(), Stop> {
        let first = self.code_unit(start)?;
        let unit = match first {
            0xD800..=0xDBFF if self.bytes.get(self.at..self.at + 2) == Some(b"\\u") => {
                let second_start = self.at;
                self.at += 1;
                let second = self.code_unit(second_start)?;
                if (0xDC00..=0xDFFF).contains(&second) {
                    0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
                } else {
                    // The second escape stands for itself and is read again.
                    self.at = second_start;
                    first
                }
            }
            other => other,
        };
        match char::from_u32(unit).filter(|c| *c != '\0') {
            Some(c) => text.push(c),
            None => {
                let what = if unit == 0 {
                    "U+0000"
                } else {
                    "half of a surrogate pair"
                };
                self.problem(
                    "INVALID_CHARACTER",
                    start,
                    format!("a string contains {what}, which cannot be stored"),
                    argument("character", what),
                )?;
            }
        }
        Ok(())
    }

    /// Reads the `uXXXX` of an escape.
    fn code_unit(&mut self, start: usize) -> Result<u32, Stop> {
        let digits = self
            .bytes
            .get(self.at + 1..self.at + 5)
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let unit = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match unit {
            Some(unit) => {
                self.at += 5;
                Ok(unit)
            }
            None => {
                self.at = start;
                Err(self.syntax("four hexadecimal digits after \\u"))
            }
        }
    }

    fn number(&mut self) -> Result<Value, Stop> {
        let start = self.at;
        let negative = self.take(b'-');
        let whole = self.digits();
        let leading_zero = whole > 1 && self.bytes.get(self.at - whole) == Some(&b'0');
        if whole == 0 || leading_zero {
            self.at = start;
            return Err(self.syntax("a number without leading zeros"));
        }
        let mut digits = whole;
        let mut integer = true;
        if self.take(b'.') {
            integer = false;
            let fraction = self.digits();
            if fraction == 0 {
                return Err(self.syntax("a digit after the decimal point"));
            }
            digits += fraction;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            integer = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            let exponent = self.digits();
            if exponent == 0 {
                return Err(self.syntax("a digit in the exponent"));
            }
            digits += exponent;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let number = if digits > self.limits.max_digits {
            None
        } else if integer {
            parse_integer(text, negative)
        } else {
            text.parse::<f64>().ok().and_then(number::from_double)
        };
        match number {
            Some(number) => Ok(Value::Number(number)),
            None => {
                let message = if digits > self.limits.max_digits {
                    format!(
                        "a number has {digits} digits, at most {} are accepted",
                        self.limits.max_digits
                    )
                } else if integer {
                    format!("the integer {} lies outside −2^63 … 2^64−1", cut(text))
                } else {
                    format!("the number {} is too large for a double", cut(text))
                };
                let actual = argument("actual", cut(text));
                self.problem("NUMBER_OUT_OF_RANGE", start, message, actual)?;
                Ok(Value::Null)
            }
        }
    }

    /// Skips digits and counts them.
    fn digits(&mut self) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Records a problem; too many of them end the reading.
    fn problem(
        &mut self,
        code: &'static str,
        byte: usize,
        message: String,
        arguments: Arguments,
    ) -> Result<(), Stop> {
        self.problems.push(Problem {
            code,
            byte,
            message,
            hint: None,
            arguments,
        });
        if self.problems.len() < MAX_PROBLEMS {
            Ok(())
        } else {
            Err(Stop)
        }
    }

    fn too_many(&mut self, limit: usize, what: &str) -> Stop {
        let message = format!("more than {limit} {what}");
        let _ = self.problem(
            "DOCUMENT_TOO_LARGE",
            self.at,
            message,
            argument("limit", limit),
        );
        Stop
    }

    /// Records a syntax error at the reader's place.
    /// Ends the reading with a message about what stands here.
    fn broken(&mut self, message: String) -> Stop {
        self.problems.push(Problem {
            code: "INVALID_JSON",
            byte: self.at,
            message,
            hint: None,
            arguments: Arguments::default(),
        });
        Stop
    }

    fn syntax(&mut self, expected: &str) -> Stop {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let found = match rest.chars().next() {
            None => "the end of the document".to_owned(),
            Some(c) if c.is_control() => format!("U+{:04X}", u32::from(c)),
            Some(c) if c.is_alphanumeric() => {
                let word: String = rest
                    .chars()
                    .take_while(|c| c.is_alphanumeric())
                    .take(20)
                    .collect();
                format!("`{word}`")
            }
            Some(c) => format!("`{c}`"),
        };
        self.problems.push(Problem {
            code: "INVALID_JSON",
            byte: self.at,
            message: format!("expected {expected}, found {found}"),
            hint: syntax_hint(rest, self.bytes.get(..self.at).unwrap_or_default()),
            arguments: Arguments::default(),
        });
        Stop
    }
}

/// What people and programs who write JSON by hand usually meant.
fn syntax_hint(rest: &str, before: &[u8]) -> Option<&'static str> {
    let last = before.iter().rev().find(|b| !b.is_ascii_whitespace());
    if rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#') {
        Some("JSON has no comments")
    } else if rest.starts_with('\'') || rest.starts_with(['\u{201c}', '\u{201d}']) {
        Some("strings are written in double quotes")
    } else if last == Some(&b',') && rest.starts_with(['}', ']']) {
        Some("remove the comma before it")
    } else if rest.starts_with("True") || rest.starts_with("False") || rest.starts_with("None") {
        Some("write true, false or null")
    } else if rest.starts_with("NaN")
        || rest.starts_with("Infinity")
        || rest.starts_with("-Infinity")
    {
        Some("JSON has no such number")
    } else {
        None
    }
}

fn parse_integer(text: &str, negative: bool) -> Option<Number> {
    if negative {
        text.parse::<i64>().ok().map(Number::from)
    } else {
        text.parse::<u64>().ok().map(Number::from)
    }
}

/// Enough of a text to recognise it.
fn cut(text: &str) -> String {
    const MAX: usize = 200;
    if text.chars().nth(MAX).is_none() {
        return text.to_owned();
    }
    text.chars().take(MAX).chain(std::iter::once('…')).collect()
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn accept(text: &str) -> Value {
        parse(text.as_bytes(), &Limits::document()).unwrap().value
    }

    /// Codes with pointer, line and column.
    fn refuse(text: &str) -> Vec<String> {
        describe(parse(text.as_bytes(), &Limits::document()).unwrap_err())
    }

    fn describe(findings: Vec<Finding>) -> Vec<String> {
        crate::codes::assert_arguments(&findings);
        findings
            .iter()
            .map(|f| {
                format!(
                    "{} {} {}:{}",
                    f.code,
                    f.pointer,
                    f.line.unwrap_or(0),
                    f.column.unwrap_or(0)
                )
            })
            .collect()
    }

    #[test]
    fn documents_are_read_as_serde_json_reads_them() {
        for text in [
            "null",
            " [1, -2, 0, 1.5, true, false, \"\", {}] ",
            r#"{"a":{"b":[{"c":"\u00e9\ud83d\ude00\n\"\\\/\b\f\r\t"}]},"":0}"#,
            "18446744073709551615",
            "-9223372036854775808",
            "1.7976931348623157e308",
            "4.9e-324",
        ] {
            assert_eq!(
                accept(text),
                serde_json::from_str::<Value>(text).unwrap(),
                "{text}"
            );
        }
        assert_eq!(accept("\u{feff}{}"), json!({}));
    }

    #[test]
    fn numbers_take_their_one_form() {
        for (text, expected) in [
            ("1.0", json!(1)),
            ("1e16", json!(10_000_000_000_000_000_i64)),
            ("-0", json!(0)),
            ("-0.0", json!(0)),
            ("9007199254740993", json!(9_007_199_254_740_993_i64)),
            ("1e19", json!(1e19)),
            ("19.99", json!(19.99)),
            ("1e-400", json!(0)),
        ] {
            let value = accept(text);
            assert_eq!(
                (value.is_f64(), &value),
                (expected.is_f64(), &expected),
                "{text}"
            );
        }
        let thousand_one = "1".repeat(1001);
        for text in [
            "18446744073709551616",
            "-9223372036854775809",
            "1e309",
            thousand_one.as_str(),
        ] {
            assert_eq!(refuse(text), ["NUMBER_OUT_OF_RANGE  1:1"], "{text}");
        }
        assert_eq!(
            accept(&format!("0.{}", "1".repeat(999))),
            json!(0.111_111_111_111_111_1)
        );
    }

    #[test]
    fn malformed_texts_are_refused_where_they_break() {
        for (text, expected) in [
            ("", "INVALID_JSON  1:1"),
            ("{\n  \"a\": tru }", "INVALID_JSON /a 2:8"),
            ("[1,]", "INVALID_JSON /1 1:4"),
            ("[1 2]", "INVALID_JSON  1:4"),
            ("{\"é\": 1,, }", "INVALID_JSON  1:9"),
            ("{'a': 1}", "INVALID_JSON  1:2"),
            ("{\"a\" 1}", "INVALID_JSON  1:6"),
            ("[\"abc]", "INVALID_JSON /0 1:2"),
            ("[\"a\\x\"]", "INVALID_JSON /0 1:4"),
            ("[\"a\\u12\"]", "INVALID_JSON /0 1:4"),
            ("[\"a\nb\"]", "INVALID_JSON /0 1:4"),
            ("01", "INVALID_JSON  1:1"),
            ("1.", "INVALID_JSON  1:3"),
            ("1e", "INVALID_JSON  1:3"),
            ("-", "INVALID_JSON  1:1"),
            ("{} {}", "INVALID_JSON  1:4"),
            ("[[{\"a\":[", "INVALID_JSON /0/0/a/0 1:9"),
        ] {
            assert_eq!(refuse(text), [expected], "{text}");
        }
    }

    #[test]
    fn syntax_findings_say_what_was_meant() {
        for (text, hint) in [
            ("[1,]", "remove the comma before it"),
            ("{} // x", "JSON has no comments"),
            ("['a']", "strings are written in double quotes"),
            ("[True]", "write true, false or null"),
            ("[NaN]", "JSON has no such number"),
        ] {
            let findings = parse(text.as_bytes(), &Limits::document()).unwrap_err();
            assert_eq!(findings[0].hint.as_deref(), Some(hint), "{text}");
        }
    }

    #[test]
    fn broken_strings_say_what_is_wrong_with_them() {
        for (text, message) in [
            (
                r#"{"a": "b"#,
                "the string that begins here has no closing quote",
            ),
            (
                r#"["W\x"]"#,
                r#"`\x` is no escape: there are \" \\ \/ \b \f \n \r \t \uXXXX"#,
            ),
        ] {
            let findings = parse(text.as_bytes(), &Limits::document()).unwrap_err();
            assert_eq!(findings[0].message, message, "{text}");
        }
    }

    #[test]
    fn several_problems_are_found_in_one_pass() {
        let findings = refuse(
            "{\"a\": 1,\n \"b\": {\"x\": 1, \"x\": 2}, \"c\": \"\\u0000\", \"d\": [\"\\ud800\"], \"a\": 1e999}",
        );
        assert_eq!(
            findings,
            [
                "DUPLICATE_KEY /b/x 2:16",
                "INVALID_CHARACTER /c 2:31",
                "INVALID_CHARACTER /d/0 2:47",
                "DUPLICATE_KEY /a 2:57",
                "NUMBER_OUT_OF_RANGE /a 2:62",
            ]
        );
    }

    #[test]
    fn a_duplicate_names_its_first_use() {
        let findings = parse(b"{\"k\": 1,\n\"k\": 2}", &Limits::document()).unwrap_err();
        assert_eq!(
            (findings[0].related[0].line, findings[0].related[0].column),
            (Some(1), Some(2))
        );
    }

    #[test]
    fn what_cannot_be_stored_is_refused() {
        for text in [
            "\"\\u0000\"",
            "\"\0\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "{\"\\ud83d\": 1}",
        ] {
            let codes: Vec<_> = refuse(text)
                .iter()
                .map(|f| f.split(' ').next().unwrap().to_owned())
                .collect();
            assert_eq!(codes, ["INVALID_CHARACTER"], "{text}");
        }
        let findings = parse(b"[\"\xff\"]", &Limits::document()).unwrap_err();
        assert_eq!(describe(findings), ["INVALID_JSON  1:3"]);
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(64).as_bytes(), &Limits::document()).is_ok());
        assert!(refuse(&nested(65))[0].starts_with("DOCUMENT_TOO_DEEP"));
        assert!(refuse(&"{\"a\":".repeat(100_000))[0].starts_with("DOCUMENT_TOO_DEEP"));
        let deepest = Limits::document().with_max_depth(1000);
        assert_eq!(deepest.max_depth, Limits::DEEPEST);
        assert!(
            parse(nested(128).as_bytes(), &deepest).is_ok()
                && parse(nested(129).as_bytes(), &deepest).is_err()
        );
    }

    #[test]
    fn sizes_are_bounded() {
        let large = vec![b' '; 11 * 1024 * 1024];
        assert_eq!(
            describe(parse(&large, &Limits::document()).unwrap_err()),
            ["DOCUMENT_TOO_LARGE  0:0"]
        );
        let definition = vec![b' '; 1024 * 1024 + 1];
        assert_eq!(
            parse(&definition, &Limits::definition()).unwrap_err()[0].code,
            "DOCUMENT_TOO_LARGE"
        );
        let limits = Limits {
            max_string: 4,
            max_items: 3,
            max_members: 2,
            ..Limits::document()
        };
        for (text, expected) in [
            ("[\"abcd\"]", None),
            ("[\"abcde\"]", Some("DOCUMENT_TOO_LARGE /0 1:2")),
            ("[1,2,3]", None),
            ("[1,2,3,4]", Some("DOCUMENT_TOO_LARGE  1:8")),
            ("{\"a\":1,\"b\":2}", None),
            (
                "{\"a\":1,\"b\":2,\"c\":3}",
                Some("DOCUMENT_TOO_LARGE  1:14"),
            ),
        ] {
            let found = parse(text.as_bytes(), &limits).err().map(describe);
            assert_eq!(found, expected.map(|e| vec![e.to_owned()]), "{text}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>()
                // The canonical form of doubles in between looks like an integer that is out of range.
                .prop_filter("finite", |d| d.abs() < 9e18
                    || (d.abs() > 1e21 && d.is_finite()))
                .prop_map(|d| number::normalise_numbers(json!(d))),
            "[^\0]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[^\0]{0,5}", inner, 0..6)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes, &Limits::document());
        }

        #[test]
        fn texts_near_json_never_panic(text in "[\\[\\]{}\",:\\\\u0-9a-fDd.eE+\\- \n]{0,60}") {
            let ours = parse(text.as_bytes(), &Limits::document());
            let theirs = serde_json::from_str::<Value>(&text);
            // Whatever we accept is JSON; what only we refuse has one of our own reasons.
            match ours {
                Ok(parsed) => prop_assert_eq!(parsed.value, number::normalise_numbers(theirs.unwrap())),
                Err(findings) => prop_assert!(theirs.is_err() || findings.iter().all(|f| f.code != "INVALID_JSON")),
            }
        }

        #[test]
        fn written_values_are_read_back(value in any_json()) {
            for text in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap(), crate::json::canonical::to_string(&value)] {
                let parsed = parse(text.as_bytes(), &Limits::document()).unwrap();
                prop_assert_eq!(&parsed.value, &value);
                prop_assert_eq!(parsed.source.span("").unwrap(), 0..text.len());
            }
        }

        #[test]
        fn spans_enclose_their_values(value in any_json()) {
            let text = serde_json::to_string_pretty(&value).unwrap();
            let source = parse(text.as_bytes(), &Limits::document()).unwrap().source;
            let mut open = vec![(String::new(), &value)];
            while let Some((pointer, at)) = open.pop() {
                let part: Value = serde_json::from_str(&text[source.span(&pointer).unwrap()]).unwrap();
                prop_assert_eq!(&number::normalise_numbers(part), at);
                match at {
                    Value::Array(items) => open.extend(items.iter().enumerate().map(|(i, v)| (crate::json::pointer::join_index(&pointer, i), v))),
                    Value::Object(members) => open.extend(members.iter().map(|(k, v)| (crate::json::pointer::join(&pointer, k), v))),
                    _ => {}
                }
            }
        }
    }
}

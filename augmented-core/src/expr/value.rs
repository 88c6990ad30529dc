//! The values an evaluation works with: borrowed from JSON and records where they come from there.

use std::cmp::Ordering;
use std::ops::Deref;
use std::rc::Rc;

use serde_json::{Map, Number, Value};

use super::bindings::{Bound, Record};
use super::fault::Fault;
use super::instant;

/// A text that lives in the data, or one made during the evaluation.
#[derive(Clone)]
pub(crate) enum Text<'a> {
    Borrowed(&'a str),
    Shared(Rc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Shared(text) => text,
        }
    }
}

/// A key of a map; texts after numbers after truth values.
#[derive(Clone)]
pub(crate) enum Key<'a> {
    Bool(bool),
    Int(i64),
    Text(Text<'a>),
}

impl<'a> Key<'a> {
    pub(crate) fn to_val(&self) -> Val<'a> {
        match self {
            Self::Bool(value) => Val::Bool(*value),
            Self::Int(value) => Val::Int(*value),
            Self::Text(text) => Val::Text(text.clone()),
        }
    }

    /// The key as a JSON member name.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Text(text) => text.to_string(),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Int(_) => 1,
            Self::Text(_) => 2,
        }
    }
}

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => (**a).cmp(&**b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key<'_> {}

/// The entries of a map made during an evaluation, sorted by key.
pub(crate) type Entries<'a> = Vec<(Key<'a>, Val<'a>)>;

/// A value during an evaluation; cheap to clone.
#[derive(Clone)]
pub(crate) enum Val<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// A whole number beyond i64 that came from the data; kept exact, a double in arithmetic.
    Uint(u64),
    /// Always finite.
    Double(f64),
    Text(Text<'a>),
    Bytes(Rc<[u8]>),
    JsonList(&'a [Value]),
    JsonMap(&'a Map<String, Value>),
    List(Rc<Vec<Val<'a>>>),
    Map(Rc<Entries<'a>>),
    Record(&'a dyn Record),
    /// Microseconds since 1970.
    Instant(i64),
    /// Microseconds.
    Span(i64),
    Optional(Option<Rc<Val<'a>>>),
    Type(&'static str),
}

/// A list, wherever it lives.
pub(crate) enum Seq<'v, 'a> {
    Json(&'a [Value]),
    Vals(&'v [Val<'a>]),
}

impl<'a> Seq<'_, 'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Json(items) => items.len(),
            Self::Vals(items) => items.len(),
        }
    }

    pub(crate) fn get(&self, at: usize) -> Option<Val<'a>> {
        match self {
            Self::Json(items) => items.get(at).map(Val::from_json),
            Self::Vals(items) => items.get(at).cloned(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Val<'a>> {
        (0..self.len()).filter_map(|at| self.get(at))
    }
}

impl<'a> Val<'a> {
    pub(crate) fn text(text: &'a str) -> Self {
        Self::Text(Text::Borrowed(text))
    }

    pub(crate) fn made(text: impl Into<Rc<str>>) -> Self {
        Self::Text(Text::Shared(text.into()))
    }

    pub(crate) fn list(items: Vec<Val<'a>>) -> Self {
        Self::List(Rc::new(items))
    }

    /// A map of entries in any order; `None` if a key stands twice.
    pub(crate) fn map(mut entries: Entries<'a>) -> Option<Self> {
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        let unique = entries
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.0 != b.0));
        unique.then(|| Self::Map(Rc::new(entries)))
    }

    pub(crate) fn some(value: Val<'a>) -> Self {
        Self::Optional(Some(Rc::new(value)))
    }

    pub(crate) fn optional(value: Option<Val<'a>>) -> Self {
        Self::Optional(value.map(Rc::new))
    }

    pub(crate) fn from_json(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::from_number(number),
            Value::String(text) => Self::text(text),
            Value::Array(items) => Self::JsonList(items),
            Value::Object(members) => Self::JsonMap(members),
        }
    }

    fn from_number(number: &Number) -> Self {
        if let Some(value) = number.as_i64() {
            Self::Int(value)
        } else if let Some(value) = number.as_u64() {
            Self::Uint(value)
        } else {
            let value = number.as_f64().unwrap_or_default();
            whole(value).map_or(Self::Double(value), Self::Int)
        }
    }

    /// Takes over JSON made for this evaluation.
    pub(crate) fn from_owned(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::from_number(&number),
            Value::String(text) => Self::made(text),
            Value::Array(items) => Self::list(items.into_iter().map(Self::from_owned).collect()),
            Value::Object(members) => {
                let mut entries: Entries<'a> = members
                    .into_iter()
                    .map(|(name, value)| {
                        (
                            Key::Text(Text::Shared(name.into())),
                            Self::from_owned(value),
                        )
                    })
                    .collect();
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                Self::Map(Rc::new(entries))
            }
        }
    }

    pub(crate) fn from_bound(bound: Bound<'a>) -> Self {
        match bound {
            Bound::Json(value) => Self::from_json(value),
            Bound::Record(record) => Self::Record(record),
            Bound::Owned(value) => Self::from_owned(value),
            Bound::Str(text) => Self::text(text),
            Bound::Int(value) => Self::Int(value),
            Bound::Bool(value) => Self::Bool(value),
            Bound::Timestamp(at) => Self::Instant(at.as_micros()),
            Bound::Null => Self::Null,
        }
    }

    /// The type's name in messages and for `type()`.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Uint(_) => "int",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::JsonList(_) | Self::List(_) => "list",
            Self::JsonMap(_) | Self::Map(_) | Self::Record(_) => "map",
            Self::Instant(_) => "google.protobuf.Timestamp",
            Self::Span(_) => "google.protobuf.Duration",
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(crate) fn seq(&self) -> Option<Seq<'_, 'a>> {
        match self {
            Self::JsonList(items) => Some(Seq::Json(items)),
            Self::List(items) => Some(Seq::Vals(items)),
            _ => None,
        }
    }

    /// The number of entries of a map.
    pub(crate) fn map_len(&self) -> Option<usize> {
        match self {
            Self::JsonMap(members) => Some(members.len()),
            Self::Map(entries) => Some(entries.len()),
            Self::Record(record) => Some(record.names().len()),
            _ => None,
        }
    }

    /// The keys of a map in code point order.
    pub(crate) fn keys(&self) -> Option<Vec<Key<'a>>> {
        match self {
            Self::JsonMap(members) => {
                let mut keys: Vec<Key<'a>> = members
                    .keys()
                    .map(|name| Key::Text(Text::Borrowed(name)))
                    .collect();
                // A no-op unless some crate of the build switched serde_json to insertion order.
                keys.sort();
                Some(keys)
            }
            Self::Map(entries) => Some(entries.iter().map(|(key, _)| key.clone()).collect()),
            Self::Record(record) => {
                let mut keys: Vec<Key<'a>> = record
                    .names()
                    .into_iter()
                    .map(|name| Key::Text(Text::Borrowed(name)))
                    .collect();
                keys.sort();
                Some(keys)
            }
            _ => None,
        }
    }

    /// The member of a map under a text key; `None` if it is missing or this is no map.
    pub(crate) fn member(&self, name: &str) -> Option<Val<'a>> {
        match self {
            Self::JsonMap(members) => members.get(name).map(Val::from_json),
            Self::Map(entries) => entries
                .binary_search_by(|(key, _)| match key {
                    Key::Text(text) => (**text).cmp(name),
                    _ => Ordering::Less,
                })
                .ok()
                .and_then(|at| entries.get(at))
                .map(|(_, value)| value.clone()),
            Self::Record(record) => record.member(name).map(Val::from_bound),
            _ => None,
        }
    }

    /// The member of a map under any key.
    pub(crate) fn at_key(&self, key: &Key<'a>) -> Option<Val<'a>> {
        match (self, key) {
            (_, Key::Text(text)) => self.member(text),
            (Self::Map(entries), key) => entries
                .binary_search_by(|(other, _)| other.cmp(key))
                .ok()
                .and_then(|at| entries.get(at))
                .map(|(_, value)| value.clone()),
            _ => None,
        }
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self, Self::JsonMap(_) | Self::Map(_) | Self::Record(_))
    }

    /// This value as a map key, if its type allows it.
    pub(crate) fn as_key(&self) -> Option<Key<'a>> {
        match self {
            Self::Bool(value) => Some(Key::Bool(*value)),
            Self::Int(value) => Some(Key::Int(*value)),
            Self::Double(value) => whole(*value).map(Key::Int),
            Self::Text(text) => Some(Key::Text(text.clone())),
            _ => None,
        }
    }

    /// This value as a whole number, an integral double included.
    pub(crate) fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            Self::Double(value) => whole(*value),
            _ => None,
        }
    }

    /// This value as a double, if it is a number.
    pub(crate) fn as_double(&self) -> Option<f64> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "mixed arithmetic promotes to double by definition"
        )]
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Uint(value) => Some(*value as f64),
            Self::Double(value) => Some(*value),
            _ => None,
        }
    }

    /// Turns the value into JSON, counting its bytes before anything is copied.
    pub(crate) fn into_json(self, room: &mut Room) -> Result<Value, Fault> {
        self.json_at(room, 0)
    }

    fn json_at(&self, room: &mut Room, depth: usize) -> Result<Value, Fault> {
        Ok(match self {
            Self::Null | Self::Optional(None) => {
                room.take(4)?;
                Value::Null
            }
            Self::Bool(value) => {
                room.take(5)?;
                Value::Bool(*value)
            }
            Self::Int(value) => number(room, (*value).into())?,
            Self::Uint(value) => number(room, (*value).into())?,
            Self::Double(value) => number(
                room,
                whole(*value).map_or_else(
                    || Number::from_f64(*value).unwrap_or_else(|| 0.into()),
                    Number::from,
                ),
            )?,
            Self::Text(text) => string(room, text)?,
            Self::Bytes(bytes) => {
                room.take(bytes.len().saturating_mul(4) / 3 + 6)?;
                Value::String(super::convert::base64(bytes))
            }
            Self::JsonList(items) => copy_list(items, room, depth)?,
            Self::JsonMap(members) => copy_map(members, room, depth)?,
            Self::List(items) => {
                let depth = deeper(depth)?;
                room.take(items.len().saturating_add(2))?;
                Value::Array(
                    items
                        .iter()
                        .map(|item| item.json_at(room, depth))
                        .collect::<Result<_, _>>()?,
                )
            }
            Self::Map(entries) => {
                let depth = deeper(depth)?;
                room.take(2)?;
                let mut members = Map::new();
                for (key, value) in entries.iter() {
                    let name = key.name();
                    room.take(name.len() + 4)?;
                    let value = value.json_at(room, depth)?;
                    if members.insert(name, value).is_some() {
                        return Err(Fault::eval("two keys of a map have the same name in JSON"));
                    }
                }
                Value::Object(members)
            }
            Self::Record(record) => {
                let depth = deeper(depth)?;
                room.take(2)?;
                let mut members = Map::new();
                for name in record.names() {
                    room.take(name.len() + 4)?;
                    if let Some(bound) = record.member(name) {
                        members.insert(
                            name.to_owned(),
                            Val::from_bound(bound).json_at(room, depth)?,
                        );
                    }
                }
                Value::Object(members)
            }
            Self::Instant(micros) => string(room, &instant::instant_text(*micros))?,
            Self::Span(micros) => string(room, &instant::span_text(*micros))?,
            Self::Optional(Some(value)) => value.json_at(room, deeper(depth)?)?,
            Self::Type(name) => string(room, name)?,
        })
    }
}

/// The bytes a result may still take.
pub(crate) struct Room {
    left: usize,
}

impl Room {
    pub(crate) const fn new(bytes: usize) -> Self {
        Self { left: bytes }
    }

    pub(crate) fn left(&self) -> usize {
        self.left
    }

    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Fault> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Fault::Limit("the result is larger than 256 KiB")),
        }
    }
}

/// Data nested deeper than any document may be is not followed, so that no stack overflows.
const MAX_DATA_DEPTH: usize = 256;

fn deeper(depth: usize) -> Result<usize, Fault> {
    if depth >= MAX_DATA_DEPTH {
        Err(Fault::Limit("the data is nested too deeply"))
    } else {
        Ok(depth + 1)
    }
}

fn number(room: &mut Room, number: Number) -> Result<Value, Fault> {
    room.take(8)?;
    Ok(Value::Number(number))
}

fn string(room: &mut Room, text: &str) -> Result<Value, Fault> {
    room.take(text.len().saturating_add(2))?;
    Ok(Value::String(text.to_owned()))
}

/// Copies JSON, counting its bytes.
pub(crate) fn copy_json(value: &Value, room: &mut Room) -> Result<Value, Fault> {
    copy_at(value, room, 0)
}

fn copy_at(value: &Value, room: &mut Room, depth: usize) -> Result<Value, Fault> {
    match value {
        Value::Null => {
            room.take(4)?;
            Ok(Value::Null)
        }
        Value::Bool(value) => {
            room.take(5)?;
            Ok(Value::Bool(*value))
        }
        Value::Number(value) => number(room, normal(value)),
        Value::String(text) => string(room, text),
        Value::Array(items) => copy_list(items, room, depth),
        Value::Object(members) => copy_map(members, room, depth),
    }
}

fn copy_list(items: &[Value], room: &mut Room, depth: usize) -> Result<Value, Fault> {
    let depth = deeper(depth)?;
    room.take(items.len().saturating_add(2))?;
    let mut copied = Vec::with_capacity(items.len());
    for item in items {
        copied.push(copy_at(item, room, depth)?);
    }
    Ok(Value::Array(copied))
}

fn copy_map(members: &Map<String, Value>, room: &mut Room, depth: usize) -> Result<Value, Fault> {
    let depth = deeper(depth)?;
    room.take(2)?;
    let mut copied = Map::new();
    for (name, value) in members {
        room.take(name.len().saturating_add(4))?;
        copied.insert(name.clone(), copy_at(value, room, depth)?);
    }
    Ok(Value::Object(copied))
}

/// An integral double in i64 range becomes an int on the way out.
fn normal(number: &Number) -> Number {
    if number.is_f64() {
        return number
            .as_f64()
            .and_then(whole)
            .map_or_else(|| number.clone(), Number::from);
    }
    number.clone()
}

/// The whole number a double stands for, if it is one in i64 range.
pub(crate) fn whole(value: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (value.fract() == 0.0 && (-LIMIT..LIMIT).contains(&value)).then_some(value as i64)
}

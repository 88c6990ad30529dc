//! The compact tree an expression is compiled to: names resolved, literals converted, patterns compiled.

use serde_json::Value;

use super::functions::{Builtin, HostFunction};
use super::instant::Zone;
use super::ops::{Arith, Order};
use super::value::Val;

/// One node.
#[derive(Debug)]
pub(crate) enum Node {
    Const(Const),
    /// A constant list or object.
    Json(Value),
    /// A root and a static path below it.
    Path(Path),
    /// A variable of an enclosing loop, by its place on the stack.
    Local(usize),
    Select(Box<Node>, Box<str>),
    Has(Box<Node>, Box<str>),
    Index(Box<[Node; 2]>),
    OptSelect(Box<Node>, Box<str>),
    OptIndex(Box<[Node; 2]>),
    Not(Box<Node>),
    Negate(Box<Node>),
    And(Box<[Node; 2]>),
    Or(Box<[Node; 2]>),
    Cond(Box<[Node; 3]>),
    Arith(Arith, Box<[Node; 2]>),
    Order(Order, Box<[Node; 2]>),
    Equal(Box<[Node; 2]>),
    NotEqual(Box<[Node; 2]>),
    In(Box<[Node; 2]>),
    List(Box<[ListItem]>),
    Map(Box<[MapItem]>),
    Call(&'static Builtin, Box<[Node]>),
    Host(HostFunction, Box<[Node]>),
    Loop(Box<Loop>),
    /// `optMap` and `optFlatMap`.
    OptMap {
        flat: bool,
        operand: Box<[Node; 2]>,
    },
    Coalesce(Box<[Node]>),
    Matches(Box<Node>, Box<regex::Regex>),
    FormatTime(Box<FormatTime>),
}

/// A scalar literal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Const {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
    Type(&'static str),
}

impl Const {
    pub(crate) fn to_val(&self) -> Val<'_> {
        match self {
            Self::Null => Val::Null,
            Self::Bool(value) => Val::Bool(*value),
            Self::Int(value) => Val::Int(*value),
            Self::Uint(value) => Val::Uint(*value),
            Self::Double(value) => Val::Double(*value),
            Self::Text(text) => Val::text(text),
            Self::Bytes(bytes) => Val::Bytes(bytes.as_ref().into()),
            Self::Type(name) => Val::Type(name),
        }
    }
}

/// A root and the segments read below it.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) root: Box<str>,
    pub(crate) segments: Vec<Segment>,
}

#[derive(Debug)]
pub(crate) enum Segment {
    Member(Box<str>),
    Index(i64),
}

impl Path {
    /// The path up to and including `count` segments, as it is written.
    pub(crate) fn describe(&self, count: usize) -> String {
        let mut text = self.root.to_string();
        for segment in self.segments.iter().take(count) {
            match segment {
                Segment::Member(name) => {
                    text.push('.');
                    text.push_str(name);
                }
                Segment::Index(at) => text.push_str(&format!("[{at}]")),
            }
        }
        text
    }
}

#[derive(Debug)]
pub(crate) struct ListItem {
    pub(crate) value: Node,
    pub(crate) optional: bool,
}

#[derive(Debug)]
pub(crate) struct MapItem {
    pub(crate) key: Node,
    pub(crate) value: Node,
    pub(crate) optional: bool,
}

/// A loop over a list or the keys of a map.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) kind: LoopKind,
    pub(crate) range: Node,
    /// `map` with three arguments.
    pub(crate) filter: Option<Node>,
    pub(crate) body: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoopKind {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
    SortBy,
}

#[derive(Debug)]
pub(crate) struct FormatTime {
    pub(crate) at: Node,
    pub(crate) pattern: Box<str>,
    pub(crate) zone: ZoneSource,
}

#[derive(Debug)]
pub(crate) enum ZoneSource {
    Fixed(Zone),
    Computed(Node),
}

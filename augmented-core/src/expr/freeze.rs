//! Partial evaluation: what is known now becomes constants, so that the rest is evaluated later without it.

use super::bindings::{Bindings, Bound};
use super::engine::CompiledExpr;
use super::eval::{Eval, walk};
use super::fault::Fault;
use super::instant::Zone;
use super::parse::MAX_SOURCE_CHARS;
use super::problem::{EXPR_LIMIT, ExprError};
use super::program::{Const, ListItem, Loop, LoopKind, MapItem, Node, Path, Segment, ZoneSource};
use super::site::Profile;
use super::value::Val;

impl CompiledExpr {
    /// The source of the same expression with every read outside the `live` roots replaced by its present value.
    ///
    /// A wait is registered this way: matching an event later needs the event only, never the instance.
    ///
    /// # Errors
    /// `EXPR_LIMIT` if the result is longer than an expression may be, for example because a large list is compared with.
    ///
    /// ```
    /// use augmented_core::expr::{CelEngine, ExprSite, ExpressionEngine, JsonBindings};
    /// use serde_json::json;
    ///
    /// let site = ExprSite::event_condition();
    /// let condition = CelEngine::shared().compile("event.payload.total > input.limit * 2 && has(event.payload.id)", &site).unwrap();
    /// let instance = JsonBindings::new().with("input", json!({"limit": 50}));
    /// let frozen = condition.freeze(&instance, &["event", "now"]).unwrap();
    /// assert_eq!(frozen, "((event.payload.total > 100) && has(event.payload.id))");
    /// ```
    pub fn freeze(&self, bindings: &dyn Bindings, live: &[&str]) -> Result<String, ExprError> {
        let mut printer = Printer {
            bindings,
            profile: self.profile(),
            live,
            out: String::new(),
            depth: 0,
            failing: false,
        };
        printer.node(self.node())?;
        Ok(printer.out)
    }
}

/// The most bytes a source can have.
const MAX_BYTES: usize = MAX_SOURCE_CHARS * 4;

struct Printer<'p> {
    bindings: &'p dyn Bindings,
    profile: Profile,
    live: &'p [&'p str],
    out: String,
    /// How many loop variables are in scope.
    depth: usize,
    /// Inside a part that always fails, whose constants are hidden from the static checks of types.
    failing: bool,
}

type Printed = Result<(), ExprError>;

impl Printer<'_> {
    fn push(&mut self, text: &str) -> Printed {
        self.out.push_str(text);
        if self.out.len() > MAX_BYTES
            || (self.out.len() > MAX_SOURCE_CHARS && self.out.chars().count() > MAX_SOURCE_CHARS)
        {
            return Err(ExprError::new(
                EXPR_LIMIT,
                format!("the frozen expression is longer than {MAX_SOURCE_CHARS} characters"),
            ));
        }
        Ok(())
    }

    fn node(&mut self, node: &Node) -> Printed {
        if self.is_known(node) {
            let mut eval = Eval::new(self.bindings, self.profile);
            match eval.node(node) {
                Ok(value) => return self.value(&value),
                Err(Fault::Limit(message)) => return Err(ExprError::new(EXPR_LIMIT, message)),
                // The error must come back where the rest is evaluated, because another part may outweigh it.
                Err(_) => {
                    let before = std::mem::replace(&mut self.failing, true);
                    let printed = self.parts(node);
                    self.failing = before;
                    return printed;
                }
            }
        }
        self.parts(node)
    }

    /// Whether the node reads neither live roots nor loop variables.
    fn is_known(&self, node: &Node) -> bool {
        let mut known = true;
        node.visit(&mut |part| match part {
            Node::Path(path) => known &= !self.live.contains(&&*path.root),
            Node::Local(_) => known = false,
            _ => {}
        });
        known
    }

    fn parts(&mut self, node: &Node) -> Printed {
        match node {
            Node::Const(value) => self.value(&value.to_val()),
            Node::Json(value) => self.value(&Val::from_json(value)),
            Node::Path(path) => self.path(path),
            Node::Local(slot) => self.push(&format!("_v{slot}")),
            Node::Select(operand, name) => {
                self.node(operand)?;
                self.member(name)
            }
            Node::Has(operand, name) => {
                self.push("has(")?;
                self.node(operand)?;
                self.push(&format!(".{name})"))
            }
            Node::Index(pair) => self.indexed(pair, "["),
            Node::OptIndex(pair) => self.indexed(pair, "[?"),
            Node::OptSelect(operand, name) => {
                self.node(operand)?;
                self.push(&format!(".?{name}"))
            }
            Node::Not(operand) => self.wrapped("!(", operand, ")"),
            Node::Negate(operand) => self.wrapped("-(", operand, ")"),
            Node::And(pair) => self.binary(pair, "&&"),
            Node::Or(pair) => self.binary(pair, "||"),
            Node::Arith(op, pair) => self.binary(pair, op.symbol()),
            Node::Order(op, pair) => self.binary(pair, op.symbol()),
            Node::Equal(pair) => self.binary(pair, "=="),
            Node::NotEqual(pair) => self.binary(pair, "!="),
            Node::In(pair) => self.binary(pair, "in"),
            Node::Cond(parts) => {
                let [condition, yes, no] = &**parts;
                self.wrapped("(", condition, " ? ")?;
                self.node(yes)?;
                self.wrapped(" : ", no, ")")
            }
            Node::List(items) => self.list(items),
            Node::Map(items) => self.map(items),
            Node::Call(function, arguments) => self.call(
                function.name,
                function.form == super::functions::Form::Receiver,
                arguments,
            ),
            Node::Host(function, arguments) => self.call(function.name(), false, arguments),
            Node::Loop(looped) => self.looped(looped),
            Node::OptMap { flat, operand } => {
                let [operand, body] = &**operand;
                self.node(operand)?;
                self.in_loop(if *flat { "optFlatMap" } else { "optMap" }, None, body)
            }
            Node::Coalesce(arguments) => self.call("coalesce", false, arguments),
            Node::Matches(operand, pattern) => {
                self.wrapped("matches(", operand, ", ")?;
                self.literal(&Val::text(pattern.as_str()), 0)?;
                self.push(")")
            }
            Node::FormatTime(call) => {
                self.wrapped("formatTime(", &call.at, ", ")?;
                self.literal(&Val::text(&call.pattern), 0)?;
                self.push(", ")?;
                match &call.zone {
                    ZoneSource::Fixed(Zone::Named(zone)) => {
                        self.literal(&Val::text(zone.name()), 0)?
                    }
                    ZoneSource::Fixed(Zone::Offset(offset)) => {
                        self.literal(&Val::made(offset.to_string()), 0)?
                    }
                    ZoneSource::Computed(zone) => self.node(zone)?,
                }
                self.push(")")
            }
        }
    }

    fn wrapped(&mut self, before: &str, node: &Node, after: &str) -> Printed {
        self.push(before)?;
        self.node(node)?;
        self.push(after)
    }

    fn binary(&mut self, pair: &[Node; 2], symbol: &str) -> Printed {
        let [left, right] = pair;
        self.wrapped("(", left, " ")?;
        self.push(symbol)?;
        self.wrapped(" ", right, ")")
    }

    fn indexed(&mut self, pair: &[Node; 2], open: &str) -> Printed {
        let [operand, index] = pair;
        self.node(operand)?;
        self.wrapped(open, index, "]")
    }

    /// A member, in index syntax where the name is none of the language.
    fn member(&mut self, name: &str) -> Printed {
        self.push("[")?;
        self.literal(&Val::text(name), 0)?;
        self.push("]")
    }

    fn path(&mut self, path: &Path) -> Printed {
        if self.live.contains(&&*path.root) {
            self.push(&path.root)?;
            return self.segments(&path.segments);
        }
        // Its value is an error: the shortest text with the same error is what was found last and the rest of the path.
        for count in (0..path.segments.len()).rev() {
            let prefix = path.prefix(count);
            let Ok(found) = walk(&prefix, self.bindings, false) else {
                continue;
            };
            match &found {
                Bound::Json(serde_json::Value::Object(_)) | Bound::Record(_) => self.push("{}")?,
                Bound::Json(serde_json::Value::Array(_)) => self.push("[]")?,
                _ => {
                    let value = Val::from_bound(found);
                    self.value(&value)?;
                }
            }
            return self.segments(path.segments.get(count..).unwrap_or(&[]));
        }
        self.push("{}")?;
        self.member(&path.root)
    }

    fn segments(&mut self, segments: &[Segment]) -> Printed {
        for segment in segments {
            match segment {
                Segment::Member(name) if is_plain(name) => self.push(&format!(".{name}"))?,
                Segment::Member(name) => self.member(name)?,
                Segment::Index(at) => self.push(&format!("[{at}]"))?,
            }
        }
        Ok(())
    }

    fn list(&mut self, items: &[ListItem]) -> Printed {
        self.push("[")?;
        for (at, item) in items.iter().enumerate() {
            self.push(if at > 0 { ", " } else { "" })?;
            self.wrapped(if item.optional { "?" } else { "" }, &item.value, "")?;
        }
        self.push("]")
    }

    fn map(&mut self, items: &[MapItem]) -> Printed {
        self.push("{")?;
        for (at, item) in items.iter().enumerate() {
            self.push(if at > 0 { ", " } else { "" })?;
            self.wrapped(if item.optional { "?" } else { "" }, &item.key, ": ")?;
            self.node(&item.value)?;
        }
        self.push("}")
    }

    fn call(&mut self, name: &str, receiver: bool, arguments: &[Node]) -> Printed {
        let mut rest = arguments;
        match arguments.split_first() {
            Some((first, others)) if receiver => {
                self.wrapped("(", first, ").")?;
                rest = others;
            }
            _ => {}
        }
        self.push(&format!("{name}("))?;
        for (at, argument) in rest.iter().enumerate() {
            self.push(if at > 0 { ", " } else { "" })?;
            self.node(argument)?;
        }
        self.push(")")
    }

    fn looped(&mut self, looped: &Loop) -> Printed {
        let name = match looped.kind {
            LoopKind::All => "all",
            LoopKind::Exists => "exists",
            LoopKind::ExistsOne => "exists_one",
            LoopKind::Map => "map",
            LoopKind::Filter => "filter",
            LoopKind::SortBy => "sortBy",
        };
        self.wrapped("(", &looped.range, ")")?;
        self.in_loop(name, looped.filter.as_ref(), &looped.body)
    }

    fn in_loop(&mut self, name: &str, filter: Option<&Node>, body: &Node) -> Printed {
        self.push(&format!(".{name}(_v{}, ", self.depth))?;
        self.depth += 1;
        if let Some(filter) = filter {
            self.wrapped("", filter, ", ")?;
        }
        self.node(body)?;
        self.depth -= 1;
        self.push(")")
    }

    /// Writes a value.
    fn value(&mut self, value: &Val<'_>) -> Printed {
        if !self.failing {
            return self.literal(value, 0);
        }
        self.push("dyn(")?;
        self.literal(value, 0)?;
        self.push(")")
    }

    /// Writes a value as a literal.
    fn literal(&mut self, value: &Val<'_>, depth: usize) -> Printed {
        if depth > 64 {
            return Err(ExprError::new(EXPR_LIMIT, "the data is nested too deeply"));
        }
        if let Some(items) = value.seq() {
            self.push("[")?;
            for (at, item) in items.iter().enumerate() {
                self.push(if at > 0 { ", " } else { "" })?;
                self.literal(&item, depth + 1)?;
            }
            return self.push("]");
        }
        if let Some(keys) = value.keys() {
            self.push("{")?;
            for (at, key) in keys.iter().enumerate() {
                self.push(if at > 0 { ", " } else { "" })?;
                self.literal(&key.to_val(), depth + 1)?;
                self.push(": ")?;
                self.literal(&value.at_key(key).unwrap_or(Val::Null), depth + 1)?;
            }
            return self.push("}");
        }
        let text = match value {
            Val::Bool(value) => value.to_string(),
            Val::Int(value) => value.to_string(),
            Val::Uint(value) => format!("{value}u"),
            Val::Double(value) => format!("{value:?}"),
            Val::Text(text) => serde_json::Value::String(text.to_string()).to_string(),
            Val::Bytes(bytes) => {
                let escaped: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
                format!("b\"{escaped}\"")
            }
            Val::Instant(micros) => {
                format!("timestamp(\"{}\")", super::instant::instant_text(*micros))
            }
            Val::Span(micros) => format!("duration(\"{micros}us\")"),
            Val::Optional(None) => "optional.none()".to_owned(),
            Val::Optional(Some(inner)) => {
                self.push("optional.of(")?;
                self.literal(inner, depth + 1)?;
                ")".to_owned()
            }
            Val::Type(name) => (*name).to_owned(),
            _ => "null".to_owned(),
        };
        self.push(&text)
    }
}

/// Whether a member can be written behind a dot.
fn is_plain(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first == b'_' || first.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        && !matches!(name, "in" | "true" | "false" | "null")
}

impl Path {
    fn prefix(&self, count: usize) -> Self {
        let segments = self
            .segments
            .iter()
            .take(count)
            .map(|segment| match segment {
                Segment::Member(name) => Segment::Member(name.clone()),
                Segment::Index(at) => Segment::Index(*at),
            });
        Self {
            root: self.root.clone(),
            segments: segments.collect(),
        }
    }
}

impl Node {
    /// Calls `look` for this node and everything below it.
    fn visit(&self, look: &mut impl FnMut(&Self)) {
        look(self);
        let mut children = |nodes: &[Self]| nodes.iter().for_each(|node| node.visit(look));
        match self {
            Self::Const(
                Const::Null
                | Const::Bool(_)
                | Const::Int(_)
                | Const::Uint(_)
                | Const::Double(_)
                | Const::Text(_)
                | Const::Bytes(_)
                | Const::Type(_),
            )
            | Self::Json(_)
            | Self::Path(_)
            | Self::Local(_) => {}
            Self::Select(operand, _)
            | Self::Has(operand, _)
            | Self::OptSelect(operand, _)
            | Self::Not(operand)
            | Self::Negate(operand)
            | Self::Matches(operand, _) => {
                operand.visit(look);
            }
            Self::Index(pair)
            | Self::OptIndex(pair)
            | Self::And(pair)
            | Self::Or(pair)
            | Self::Arith(_, pair)
            | Self::Order(_, pair)
            | Self::Equal(pair)
            | Self::NotEqual(pair)
            | Self::In(pair) => children(&pair[..]),
            Self::OptMap { operand, .. } => children(&operand[..]),
            Self::Cond(parts) => children(&parts[..]),
            Self::List(items) => items.iter().for_each(|item| item.value.visit(look)),
            Self::Map(items) => items.iter().for_each(|item| {
                item.key.visit(look);
                item.value.visit(look);
            }),
            Self::Call(_, arguments) | Self::Host(_, arguments) | Self::Coalesce(arguments) => {
                children(arguments)
            }
            Self::Loop(looped) => {
                looped.range.visit(look);
                if let Some(filter) = &looped.filter {
                    filter.visit(look);
                }
                looped.body.visit(look);
            }
            Self::FormatTime(call) => {
                call.at.visit(look);
                if let ZoneSource::Computed(zone) = &call.zone {
                    zone.visit(look);
                }
            }
        }
    }
}

//! The evaluator: walks the compiled tree over borrowed values, pays for every step before taking it.

use super::bindings::{Bindings, Bound};
use super::fault::Fault;
use super::functions::{Builtin, HostFunction};
use super::instant::{self, Zone};
use super::loops;
use super::meter::Meter;
use super::ops;
use super::program::{FormatTime, ListItem, MapItem, Node, Path, Segment, ZoneSource};
use super::site::Profile;
use super::value::{Entries, Key, Room, Val};

/// The most bytes a result may have.
pub const MAX_RESULT_BYTES: usize = 256 * 1024;

/// The result of evaluating a node.
pub(crate) type Evaluated<'a> = Result<Val<'a>, Fault>;

/// One evaluation.
pub(crate) struct Eval<'a> {
    bindings: &'a dyn Bindings,
    lenient: bool,
    pub(crate) meter: Meter,
    pub(crate) locals: Vec<Val<'a>>,
}

impl<'a> Eval<'a> {
    pub(crate) fn new(bindings: &'a dyn Bindings, profile: Profile) -> Self {
        Self {
            bindings,
            lenient: profile == Profile::Lenient,
            meter: Meter::new(),
            locals: Vec::new(),
        }
    }

    /// Evaluates a node.
    pub(crate) fn node(&mut self, node: &'a Node) -> Evaluated<'a> {
        self.meter.steps(1)?;
        match node {
            Node::Const(value) => Ok(value.to_val()),
            Node::Json(value) => Ok(Val::from_json(value)),
            Node::Path(path) => self.path(path),
            Node::Local(slot) => Ok(self.locals.get(*slot).cloned().unwrap_or(Val::Null)),
            Node::Select(operand, name) => {
                let operand = self.node(operand)?;
                self.select(operand, name)
            }
            Node::Has(operand, name) => self.has(operand, name),
            Node::Index(pair) => self.index(pair),
            Node::OptSelect(operand, name) => self.optional_select(operand, name),
            Node::OptIndex(pair) => self.optional_index(pair),
            Node::Not(operand) => match self.node(operand)? {
                Val::Bool(value) => Ok(Val::Bool(!value)),
                other => Err(Fault::eval(format!(
                    "`!` needs a bool, not {}",
                    other.type_name()
                ))),
            },
            Node::Negate(operand) => ops::negate(&self.node(operand)?),
            Node::And(pair) => self.logic(pair, false),
            Node::Or(pair) => self.logic(pair, true),
            Node::Cond(parts) => self.conditional(parts),
            Node::Arith(op, pair) => {
                let (left, right) = self.both(pair)?;
                ops::arith(*op, &left, &right, &mut self.meter)
            }
            Node::Order(op, pair) => {
                let (left, right) = self.both(pair)?;
                if self.lenient && (left.is_null() || right.is_null()) {
                    return Ok(Val::Bool(false));
                }
                Ok(Val::Bool(op.holds(ops::compare(
                    op.symbol(),
                    &left,
                    &right,
                    &mut self.meter,
                )?)))
            }
            Node::Equal(pair) => {
                let (left, right) = self.both(pair)?;
                Ok(Val::Bool(ops::equal(&left, &right, &mut self.meter)?))
            }
            Node::NotEqual(pair) => {
                let (left, right) = self.both(pair)?;
                Ok(Val::Bool(!ops::equal(&left, &right, &mut self.meter)?))
            }
            Node::In(pair) => self.contained(pair),
            Node::List(items) => self.list(items),
            Node::Map(items) => self.map(items),
            Node::Call(function, arguments) => self.call(function, arguments),
            Node::Host(function, arguments) => self.host(function, arguments),
            Node::Loop(looped) => loops::run(self, looped),
            Node::OptMap { flat, operand } => self.optional_map(*flat, operand),
            Node::Coalesce(arguments) => self.coalesce(arguments),
            Node::Matches(operand, pattern) => self.matches(operand, pattern),
            Node::FormatTime(call) => self.format_time(call),
        }
    }

    fn both(&mut self, pair: &'a [Node; 2]) -> Result<(Val<'a>, Val<'a>), Fault> {
        let [left, right] = pair;
        Ok((self.node(left)?, self.node(right)?))
    }

    fn path(&mut self, path: &'a Path) -> Evaluated<'a> {
        self.meter.elements(path.segments.len())?;
        walk(path, self.bindings, self.lenient).map(Val::from_bound)
    }

    /// Reads a member of a value.
    fn select(&mut self, operand: Val<'a>, name: &'a str) -> Evaluated<'a> {
        if let Val::Optional(inner) = &operand {
            return Ok(Val::optional(
                inner.as_ref().and_then(|inner| inner.member(name)),
            ));
        }
        if let Some(value) = operand.member(name) {
            return Ok(value);
        }
        if operand.is_map() {
            return self.missing(|| format!("there is no member `{name}`"));
        }
        if operand.is_null() {
            return self.missing(|| format!("`{name}` is read from null"));
        }
        Err(Fault::eval(format!(
            "`{name}` is read from {}, which has no members",
            operand.type_name()
        )))
    }

    /// What a missing member yields: null, or an error.
    fn missing(&self, message: impl FnOnce() -> String) -> Evaluated<'a> {
        if self.lenient {
            Ok(Val::Null)
        } else {
            Err(Fault::Missing(message().into()))
        }
    }

    fn has(&mut self, operand: &'a Node, name: &str) -> Evaluated<'a> {
        let operand = self.node(operand)?;
        match &operand {
            Val::Optional(inner) => Ok(Val::Bool(
                inner
                    .as_ref()
                    .is_some_and(|inner| inner.member(name).is_some()),
            )),
            Val::Null => Ok(Val::Bool(false)),
            value if value.is_map() => Ok(Val::Bool(value.member(name).is_some())),
            other => Err(Fault::eval(format!(
                "has() looks for `{name}` in {}, which has no members",
                other.type_name()
            ))),
        }
    }

    fn index(&mut self, pair: &'a [Node; 2]) -> Evaluated<'a> {
        let (operand, index) = self.both(pair)?;
        if let Val::Optional(inner) = &operand {
            let found = match inner {
                Some(inner) => element(inner, &index)?,
                None => None,
            };
            return Ok(Val::optional(found));
        }
        if operand.is_null() {
            return self.missing(|| "an element is read from null".to_owned());
        }
        match element(&operand, &index)? {
            Some(value) => Ok(value),
            None => self.missing(|| match index.as_key() {
                Some(Key::Text(name)) => format!("there is no member `{}`", &*name),
                Some(key) => format!("there is no element {}", key.name()),
                None => "there is no such element".to_owned(),
            }),
        }
    }

    fn optional_select(&mut self, operand: &'a Node, name: &str) -> Evaluated<'a> {
        let operand = self.node(operand)?;
        match &operand {
            Val::Optional(inner) => Ok(Val::optional(
                inner.as_ref().and_then(|inner| inner.member(name)),
            )),
            Val::Null => Ok(Val::Optional(None)),
            value if value.is_map() => Ok(Val::optional(value.member(name))),
            other => Err(Fault::eval(format!(
                "`.?{name}` is read from {}, which has no members",
                other.type_name()
            ))),
        }
    }

    fn optional_index(&mut self, pair: &'a [Node; 2]) -> Evaluated<'a> {
        let (operand, index) = self.both(pair)?;
        let operand = match &operand {
            Val::Optional(Some(inner)) => Val::clone(inner),
            Val::Optional(None) | Val::Null => return Ok(Val::Optional(None)),
            _ => operand,
        };
        Ok(Val::optional(element(&operand, &index)?))
    }

    /// `&&` and `||`: the side that decides alone wins, even over an error of the other side.
    fn logic(&mut self, pair: &'a [Node; 2], decisive: bool) -> Evaluated<'a> {
        let [left, right] = pair;
        let first = match self.truth(left, decisive) {
            Ok(value) if value == decisive => return Ok(Val::Bool(decisive)),
            Err(fault) if fault.is_limit() => return Err(fault),
            first => first,
        };
        match self.truth(right, decisive) {
            Ok(value) if value == decisive => Ok(Val::Bool(decisive)),
            Err(fault) if fault.is_limit() => Err(fault),
            second => {
                first?;
                second.map(Val::Bool)
            }
        }
    }

    fn truth(&mut self, node: &'a Node, decisive: bool) -> Result<bool, Fault> {
        match self.node(node)? {
            Val::Bool(value) => Ok(value),
            other => {
                let symbol = if decisive { "||" } else { "&&" };
                Err(Fault::eval(format!(
                    "`{symbol}` needs bools, not {}",
                    other.type_name()
                )))
            }
        }
    }

    fn conditional(&mut self, parts: &'a [Node; 3]) -> Evaluated<'a> {
        let [condition, yes, no] = parts;
        match self.node(condition)? {
            Val::Bool(true) => self.node(yes),
            Val::Bool(false) => self.node(no),
            other => Err(Fault::eval(format!(
                "the condition before `?` must be a bool, not {}",
                other.type_name()
            ))),
        }
    }

    fn contained(&mut self, pair: &'a [Node; 2]) -> Evaluated<'a> {
        let (item, container) = self.both(pair)?;
        if let Some(items) = container.seq() {
            for other in items.iter() {
                self.meter.elements(1)?;
                if ops::equal(&item, &other, &mut self.meter)? {
                    return Ok(Val::Bool(true));
                }
            }
            return Ok(Val::Bool(false));
        }
        if container.is_map() {
            return Ok(Val::Bool(
                item.as_key()
                    .is_some_and(|key| container.at_key(&key).is_some()),
            ));
        }
        if self.lenient && container.is_null() {
            return Ok(Val::Bool(false));
        }
        Err(Fault::eval(format!(
            "`in` needs a list or a map on its right, not {}",
            container.type_name()
        )))
    }

    fn list(&mut self, items: &'a [ListItem]) -> Evaluated<'a> {
        self.meter.elements(items.len())?;
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let value = self.node(&item.value)?;
            match (item.optional, value) {
                (true, Val::Optional(inner)) => {
                    values.extend(inner.map(|inner| Val::clone(&inner)))
                }
                (true, other) => return Err(not_optional(&other)),
                (false, value) => values.push(value),
            }
        }
        Ok(Val::list(values))
    }

    fn map(&mut self, items: &'a [MapItem]) -> Evaluated<'a> {
        self.meter.elements(items.len())?;
        let mut entries: Entries<'a> = Vec::with_capacity(items.len());
        for item in items {
            let key = self.node(&item.key)?;
            let Some(key) = key.as_key() else {
                return Err(Fault::eval(format!(
                    "{} cannot be a key of a map",
                    key.type_name()
                )));
            };
            let value = self.node(&item.value)?;
            match (item.optional, value) {
                (true, Val::Optional(inner)) => {
                    entries.extend(inner.map(|inner| (key, Val::clone(&inner))))
                }
                (true, other) => return Err(not_optional(&other)),
                (false, value) => entries.push((key, value)),
            }
        }
        Val::map(entries).ok_or_else(|| Fault::eval("a map has the same key twice"))
    }

    fn call(&mut self, function: &'static Builtin, arguments: &'a [Node]) -> Evaluated<'a> {
        match arguments {
            [] => (function.run)(self, &[]),
            [one] => {
                let one = [self.node(one)?];
                (function.run)(self, &one)
            }
            [one, two] => {
                let two = [self.node(one)?, self.node(two)?];
                (function.run)(self, &two)
            }
            more => {
                let values: Vec<Val<'a>> = more
                    .iter()
                    .map(|argument| self.node(argument))
                    .collect::<Result<_, _>>()?;
                (function.run)(self, &values)
            }
        }
    }

    fn host(&mut self, function: &'a HostFunction, arguments: &'a [Node]) -> Evaluated<'a> {
        self.meter.steps(function.cost())?;
        let mut room = Room::new(MAX_RESULT_BYTES);
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let value = self.node(argument)?;
            let before = room.left();
            values.push(value.into_json(&mut room)?);
            self.meter.bytes(before.saturating_sub(room.left()))?;
        }
        function
            .run(&values)
            .map(Val::from_owned)
            .map_err(|message| Fault::eval(format!("{}(): {message}", function.name())))
    }

    fn optional_map(&mut self, flat: bool, operand: &'a [Node; 2]) -> Evaluated<'a> {
        let [operand, body] = operand;
        let inner = match self.node(operand)? {
            Val::Optional(Some(inner)) => Val::clone(&inner),
            Val::Optional(None) => return Ok(Val::Optional(None)),
            other => return Err(not_optional(&other)),
        };
        self.locals.push(inner);
        let result = self.node(body);
        self.locals.pop();
        match result? {
            value if !flat => Ok(Val::some(value)),
            Val::Optional(inner) => Ok(Val::Optional(inner)),
            other => Err(not_optional(&other)),
        }
    }

    /// The first argument that is there and not null; null if there is none.
    fn coalesce(&mut self, arguments: &'a [Node]) -> Evaluated<'a> {
        for argument in arguments {
            match self.node(argument) {
                Ok(Val::Null | Val::Optional(None)) | Err(Fault::Missing(_)) => {}
                Ok(Val::Optional(Some(inner))) if inner.is_null() => {}
                Ok(Val::Optional(Some(inner))) => return Ok(Val::clone(&inner)),
                other => return other,
            }
        }
        Ok(Val::Null)
    }

    fn matches(&mut self, operand: &'a Node, pattern: &regex::Regex) -> Evaluated<'a> {
        match self.node(operand)? {
            Val::Text(text) => {
                self.meter.read(text.len())?;
                Ok(Val::Bool(pattern.is_match(&text)))
            }
            other => Err(Fault::eval(format!(
                "matches() needs a text, not {}",
                other.type_name()
            ))),
        }
    }

    fn format_time(&mut self, call: &'a FormatTime) -> Evaluated<'a> {
        let at = match self.node(&call.at)? {
            Val::Instant(micros) => micros,
            other => {
                return Err(Fault::eval(format!(
                    "formatTime() needs a timestamp, not {}: read texts with timestamp()",
                    other.type_name()
                )));
            }
        };
        let zone = match &call.zone {
            ZoneSource::Fixed(zone) => *zone,
            ZoneSource::Computed(node) => zone_of(&self.node(node)?)?,
        };
        self.meter.bytes(call.pattern.len().saturating_mul(16))?;
        Ok(Val::made(instant::format(at, &call.pattern, zone)?))
    }
}

/// Reads a time zone from a value.
pub(crate) fn zone_of(value: &Val<'_>) -> Result<Zone, Fault> {
    match value {
        Val::Text(text) => Zone::parse(text).ok_or_else(|| {
            Fault::eval(format!(
                "`{}` is no time zone such as Europe/Paris or +02:00",
                text.chars().take(64).collect::<String>()
            ))
        }),
        other => Err(Fault::eval(format!(
            "a time zone is a text, not {}",
            other.type_name()
        ))),
    }
}

fn not_optional(value: &Val<'_>) -> Fault {
    Fault::eval(format!(
        "an optional value is needed here, not {}: write `a.?b`",
        value.type_name()
    ))
}

/// The element of a list or the member of a map; `None` if it is not there.
fn element<'a>(operand: &Val<'a>, index: &Val<'a>) -> Result<Option<Val<'a>>, Fault> {
    if let Some(items) = operand.seq() {
        let Some(at) = index.as_int() else {
            return Err(Fault::eval(format!(
                "a list is indexed by whole numbers, not {}",
                index.type_name()
            )));
        };
        return Ok(usize::try_from(at).ok().and_then(|at| items.get(at)));
    }
    if operand.is_map() {
        return match index.as_key() {
            Some(key) => Ok(operand.at_key(&key)),
            None => Err(Fault::eval(format!(
                "{} cannot be a key of a map",
                index.type_name()
            ))),
        };
    }
    Err(Fault::eval(format!(
        "{} has no elements",
        operand.type_name()
    )))
}

/// Follows a static path; nothing is copied on the way.
pub(crate) fn walk<'a>(
    path: &'a Path,
    bindings: &'a dyn Bindings,
    lenient: bool,
) -> Result<Bound<'a>, Fault> {
    let Some(mut current) = bindings.root(&path.root) else {
        return if lenient {
            Ok(Bound::Null)
        } else {
            Err(Fault::Missing(
                format!("`{}` has no value here", path.root).into(),
            ))
        };
    };
    for (at, segment) in path.segments.iter().enumerate() {
        current = match step(current, segment) {
            Step::Found(next) => next,
            Step::Missing if lenient => return Ok(Bound::Null),
            Step::Missing => return Err(Fault::Missing(missing_text(path, at).into())),
            Step::NoMembers(kind) => {
                return Err(Fault::eval(format!(
                    "`{}` is {kind}, which has no members",
                    path.describe(at)
                )));
            }
        };
    }
    Ok(current)
}

enum Step<'a> {
    Found(Bound<'a>),
    Missing,
    NoMembers(&'static str),
}

#[inline]
fn step<'a>(current: Bound<'a>, segment: &Segment) -> Step<'a> {
    let found = match (&current, segment) {
        (Bound::Json(serde_json::Value::Object(members)), Segment::Member(name)) => {
            members.get(&**name).map(Bound::Json)
        }
        (Bound::Json(serde_json::Value::Array(items)), Segment::Index(at)) => usize::try_from(*at)
            .ok()
            .and_then(|at| items.get(at))
            .map(Bound::Json),
        (Bound::Record(record), Segment::Member(name)) => record.member(name),
        (Bound::Owned(_), _) => return owned_step(current, segment),
        (Bound::Null | Bound::Json(serde_json::Value::Null), _) => None,
        (Bound::Json(serde_json::Value::Object(_)) | Bound::Record(_), Segment::Index(_)) => None,
        _ => return Step::NoMembers(Val::from_bound(current).type_name()),
    };
    found.map_or(Step::Missing, Step::Found)
}

/// Moves one member out of JSON made for this evaluation.
fn owned_step<'a>(current: Bound<'a>, segment: &Segment) -> Step<'a> {
    let Bound::Owned(value) = current else {
        return Step::Missing;
    };
    let found = match (value, segment) {
        (serde_json::Value::Object(mut members), Segment::Member(name)) => members.remove(&**name),
        (serde_json::Value::Array(mut items), Segment::Index(at)) => usize::try_from(*at)
            .ok()
            .filter(|at| *at < items.len())
            .map(|at| items.swap_remove(at)),
        (serde_json::Value::Null, _) => None,
        (other, _) => return Step::NoMembers(Val::from_owned(other).type_name()),
    };
    found.map_or(Step::Missing, |value| Step::Found(Bound::Owned(value)))
}

fn missing_text(path: &Path, at: usize) -> String {
    match path.segments.get(at) {
        Some(Segment::Member(name)) => format!(
            "`{}` has no member `{name}`: provide for it with has(), `.?` or coalesce()",
            path.describe(at)
        ),
        Some(Segment::Index(index)) => format!("`{}` has no element {index}", path.describe(at)),
        None => format!("`{}` is missing", path.describe(at)),
    }
}

//! Loops: `all`, `exists`, `exists_one`, `map`, `filter`, `sortBy`.

use super::eval::{Eval, Evaluated};
use super::fault::Fault;
use super::ops;
use super::program::{Loop, LoopKind, Node};
use super::value::{Key, Val};

/// Runs a loop.
pub(crate) fn run<'a>(eval: &mut Eval<'a>, looped: &'a Loop) -> Evaluated<'a> {
    let range = eval.node(&looped.range)?;
    let range = Range::of(&range)?;
    match looped.kind {
        LoopKind::All => quantify(eval, &range, &looped.body, false),
        LoopKind::Exists => quantify(eval, &range, &looped.body, true),
        LoopKind::ExistsOne => exactly_one(eval, &range, &looped.body),
        LoopKind::Map => map(eval, &range, looped),
        LoopKind::Filter => filter(eval, &range, &looped.body),
        LoopKind::SortBy => sort_by(eval, &range, &looped.body),
    }
}

/// What a loop runs over: the elements of a list, or the keys of a map in code point order.
enum Range<'v, 'a> {
    Items(super::value::Seq<'v, 'a>),
    Keys(Vec<Key<'a>>),
}

impl<'v, 'a> Range<'v, 'a> {
    fn of(value: &'v Val<'a>) -> Result<Self, Fault> {
        if let Some(items) = value.seq() {
            return Ok(Self::Items(items));
        }
        value.keys().map(Self::Keys).ok_or_else(|| {
            Fault::eval(format!(
                "a loop needs a list or a map, not {}",
                value.type_name()
            ))
        })
    }

    fn len(&self) -> usize {
        match self {
            Self::Items(items) => items.len(),
            Self::Keys(keys) => keys.len(),
        }
    }

    fn get(&self, at: usize) -> Option<Val<'a>> {
        match self {
            Self::Items(items) => items.get(at),
            Self::Keys(keys) => keys.get(at).map(Key::to_val),
        }
    }

    fn iter(&self) -> impl Iterator<Item = Val<'a>> {
        (0..self.len()).filter_map(|at| self.get(at))
    }
}

/// Evaluates the body with the loop variable set.
fn body<'a>(eval: &mut Eval<'a>, item: Val<'a>, body: &'a Node) -> Evaluated<'a> {
    eval.meter.elements(1)?;
    eval.locals.push(item);
    let result = eval.node(body);
    eval.locals.pop();
    result
}

fn predicate<'a>(eval: &mut Eval<'a>, item: Val<'a>, node: &'a Node) -> Result<bool, Fault> {
    match body(eval, item, node)? {
        Val::Bool(value) => Ok(value),
        other => Err(Fault::eval(format!(
            "the condition of a loop must be a bool, not {}",
            other.type_name()
        ))),
    }
}

/// `exists` (decisive: true) and `all` (decisive: false): one decisive element wins over errors of others.
fn quantify<'a>(
    eval: &mut Eval<'a>,
    range: &Range<'_, 'a>,
    node: &'a Node,
    decisive: bool,
) -> Evaluated<'a> {
    let mut first = None;
    for item in range.iter() {
        match predicate(eval, item, node) {
            Ok(value) if value == decisive => return Ok(Val::Bool(decisive)),
            Ok(_) => {}
            Err(fault) if fault.is_limit() => return Err(fault),
            Err(fault) => {
                first.get_or_insert(fault);
            }
        }
    }
    first.map_or(Ok(Val::Bool(!decisive)), Err)
}

fn exactly_one<'a>(eval: &mut Eval<'a>, range: &Range<'_, 'a>, node: &'a Node) -> Evaluated<'a> {
    let mut count = 0usize;
    for item in range.iter() {
        count += usize::from(predicate(eval, item, node)?);
    }
    Ok(Val::Bool(count == 1))
}

fn map<'a>(eval: &mut Eval<'a>, range: &Range<'_, 'a>, looped: &'a Loop) -> Evaluated<'a> {
    let mut values = Vec::new();
    for item in range.iter() {
        if let Some(filter) = &looped.filter
            && !predicate(eval, item.clone(), filter)?
        {
            continue;
        }
        values.push(body(eval, item, &looped.body)?);
    }
    Ok(Val::list(values))
}

fn filter<'a>(eval: &mut Eval<'a>, range: &Range<'_, 'a>, node: &'a Node) -> Evaluated<'a> {
    let mut values = Vec::new();
    for item in range.iter() {
        if predicate(eval, item.clone(), node)? {
            values.push(item);
        }
    }
    Ok(Val::list(values))
}

fn sort_by<'a>(eval: &mut Eval<'a>, range: &Range<'_, 'a>, node: &'a Node) -> Evaluated<'a> {
    let mut keyed = Vec::new();
    for item in range.iter() {
        keyed.push((body(eval, item.clone(), node)?, item));
    }
    sort(eval, &mut keyed, |pair| &pair.0)?;
    Ok(Val::list(keyed.into_iter().map(|(_, item)| item).collect()))
}

/// Sorts stably, after checking that all keys are of one kind and paying for the comparisons.
pub(crate) fn sort<'a, T>(
    eval: &mut Eval<'a>,
    items: &mut [T],
    key: impl Fn(&T) -> &Val<'a>,
) -> Result<(), Fault> {
    let levels = u64::from(usize::BITS - items.len().leading_zeros());
    let mut bytes = 0usize;
    for pair in items.windows(2) {
        if let [a, b] = pair {
            ops::compare("<", key(a), key(b), &mut eval.meter)?;
        }
    }
    for item in items.iter() {
        match key(item) {
            Val::Text(text) => bytes = bytes.saturating_add(text.len()),
            Val::Bytes(more) => bytes = bytes.saturating_add(more.len()),
            _ => {}
        }
    }
    eval.meter.steps(
        (items.len() as u64)
            .saturating_add(bytes as u64 / 16)
            .saturating_mul(levels),
    )?;
    // Keys of one kind are totally ordered, so the fallback is never taken.
    items.sort_by(|a, b| ops::order(key(a), key(b)).unwrap_or(std::cmp::Ordering::Equal));
    Ok(())
}

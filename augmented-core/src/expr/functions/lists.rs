//! Functions of lists.

use super::super::eval::{Eval, Evaluated};
use super::super::fault::Fault;
use super::super::loops;
use super::super::ops;
use super::super::value::{Seq, Val};
use super::{arg, index, int, wrong};

fn list<'v, 'a>(function: &str, arguments: &'v [Val<'a>]) -> Result<Seq<'v, 'a>, Fault> {
    let value = arg(arguments, 0);
    value.seq().ok_or_else(|| wrong(function, "a list", value))
}

pub(super) fn distinct<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let items = list("distinct", arguments)?;
    let mut kept: Vec<Val<'a>> = Vec::new();
    for item in items.iter() {
        let mut seen = false;
        for other in &kept {
            eval.meter.elements(1)?;
            if ops::equal(&item, other, &mut eval.meter)? {
                seen = true;
                break;
            }
        }
        if !seen {
            eval.meter.elements(1)?;
            kept.push(item);
        }
    }
    Ok(Val::list(kept))
}

pub(super) fn flatten<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let items = list("flatten", arguments)?;
    let depth = if arguments.len() > 1 {
        int("flatten", arguments, 1)?
    } else {
        1
    };
    if !(0..=64).contains(&depth) {
        return Err(Fault::eval(
            "flatten(): the depth must lie between 0 and 64",
        ));
    }
    let mut flat = Vec::new();
    flatten_into(eval, &items, depth, &mut flat)?;
    Ok(Val::list(flat))
}

fn flatten_into<'a>(
    eval: &mut Eval<'a>,
    items: &Seq<'_, 'a>,
    depth: i64,
    flat: &mut Vec<Val<'a>>,
) -> Result<(), Fault> {
    for item in items.iter() {
        eval.meter.elements(1)?;
        match item.seq() {
            Some(inner) if depth > 0 => flatten_into(eval, &inner, depth - 1, flat)?,
            _ => flat.push(item),
        }
    }
    Ok(())
}

pub(super) fn slice<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let items = list("slice", arguments)?;
    let (start, end) = (index("slice", arguments, 1)?, index("slice", arguments, 2)?);
    if start > end || end > items.len() {
        return Err(Fault::eval(format!(
            "slice(): {start} to {end} does not lie within the {} elements of the list",
            items.len()
        )));
    }
    eval.meter.elements(end - start)?;
    Ok(Val::list(
        (start..end).filter_map(|at| items.get(at)).collect(),
    ))
}

pub(super) fn sort<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let items = list("sort", arguments)?;
    eval.meter.elements(items.len())?;
    let mut sorted: Vec<Val<'a>> = items.iter().collect();
    loops::sort(eval, &mut sorted, |item| item)?;
    Ok(Val::list(sorted))
}

pub(super) fn reverse<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    if let Val::Text(text) = arg(arguments, 0) {
        eval.meter.bytes(text.len())?;
        return Ok(Val::made(text.chars().rev().collect::<String>()));
    }
    let items = list("reverse", arguments)?;
    eval.meter.elements(items.len())?;
    Ok(Val::list(
        (0..items.len())
            .rev()
            .filter_map(|at| items.get(at))
            .collect(),
    ))
}

pub(super) fn range<'a>(eval: &mut Eval<'a>, arguments: &[Val<'a>]) -> Evaluated<'a> {
    let count = index("lists.range", arguments, 0)?;
    eval.meter.elements(count)?;
    Ok(Val::list(
        (0..count)
            .map(|at| Val::Int(i64::try_from(at).unwrap_or(i64::MAX)))
            .collect(),
    ))
}

//! Literals; lists and maps that hold nothing else are built once.

use cel::common::ast::{EntryExpr, ListExpr, LiteralValue, MapExpr};
use serde_json::Value;

use super::super::functions::Kind;
use super::super::problem::{EXPR_PARSE, ExprProblem};
use super::super::program::{Const, ListItem, MapItem, Node};
use super::super::token::TokenKind;
use super::{Compiler, Typed};

impl<'s> Compiler<'s> {
    pub(super) fn literal(&mut self, literal: &LiteralValue) -> Typed<'s> {
        let (value, kind) = match literal {
            LiteralValue::Null => {
                self.name_at("null");
                (Const::Null, Kind::Null)
            }
            LiteralValue::Boolean(value) => {
                self.name_at(if *value.inner() { "true" } else { "false" });
                (Const::Bool(*value.inner()), Kind::Bool)
            }
            LiteralValue::Int(value) => {
                self.skip_literal(TokenKind::Number);
                (Const::Int(*value.inner()), Kind::Number)
            }
            LiteralValue::UInt(value) => {
                self.skip_literal(TokenKind::Number);
                (
                    i64::try_from(*value.inner()).map_or(Const::Uint(*value.inner()), Const::Int),
                    Kind::Number,
                )
            }
            LiteralValue::Double(value) => {
                self.skip_literal(TokenKind::Number);
                (Const::Double(*value.inner()), Kind::Number)
            }
            LiteralValue::String(text) if text.inner().contains('\0') => {
                let at = self.here();
                self.skip_literal(TokenKind::Text);
                let message = "a text may not hold the character U+0000, which no database keeps";
                return self.problem(ExprProblem::new(EXPR_PARSE, message).at(at));
            }
            LiteralValue::String(text) => {
                self.skip_literal(TokenKind::Text);
                (Const::Text(text.inner().into()), Kind::Text)
            }
            LiteralValue::Bytes(bytes) => {
                self.skip_literal(TokenKind::Text);
                (Const::Bytes(bytes.inner().into()), Kind::Bytes)
            }
        };
        Typed::of(Node::Const(value), kind)
    }

    pub(super) fn list(&mut self, list: &ListExpr) -> Typed<'s> {
        let mut items = Vec::with_capacity(list.elements.len());
        for (at, element) in list.elements.iter().enumerate() {
            items.push(ListItem {
                value: self.expr(element).node,
                optional: list.optional_indices.contains(&at),
            });
        }
        let constant: Option<Vec<Value>> = items
            .iter()
            .map(|item| {
                if item.optional {
                    None
                } else {
                    constant(&item.value)
                }
            })
            .collect();
        let node = constant.map_or_else(
            || Node::List(items.into()),
            |values| Node::Json(Value::Array(values)),
        );
        Typed::of(node, Kind::List)
    }

    pub(super) fn map(&mut self, map: &MapExpr) -> Typed<'s> {
        let mut items = Vec::with_capacity(map.entries.len());
        let mut keys: Vec<Const> = Vec::new();
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                return self.refuse("a map entry has a key and a value");
            };
            let at = self.here();
            let key = self.expr(&entry.key).node;
            if let Node::Const(known) = &key {
                if keys.contains(known) {
                    self.problems
                        .push(ExprProblem::new(EXPR_PARSE, "the map has this key twice").at(at));
                }
                keys.push(known.clone());
            }
            items.push(MapItem {
                key,
                value: self.expr(&entry.value).node,
                optional: entry.optional,
            });
        }
        let node = constant_map(&items).map_or_else(|| Node::Map(items.into()), Node::Json);
        Typed::of(node, Kind::Map)
    }
}

/// A node as constant JSON; doubles stay nodes, because JSON would read an integral one as an int.
fn constant(node: &Node) -> Option<Value> {
    match node {
        Node::Const(Const::Null) => Some(Value::Null),
        Node::Const(Const::Bool(value)) => Some(Value::Bool(*value)),
        Node::Const(Const::Int(value)) => Some(Value::from(*value)),
        Node::Const(Const::Text(text)) => Some(Value::String(text.to_string())),
        Node::Json(value) => Some(value.clone()),
        _ => None,
    }
}

fn constant_map(items: &[MapItem]) -> Option<Value> {
    let mut members = serde_json::Map::new();
    for item in items {
        let Node::Const(Const::Text(name)) = &item.key else {
            return None;
        };
        if item.optional
            || members
                .insert(name.to_string(), constant(&item.value)?)
                .is_some()
        {
            return None;
        }
    }
    Some(Value::Object(members))
}

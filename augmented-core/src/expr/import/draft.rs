//! A text being rewritten, token by token.

use crate::expr::token::{self, TokenKind};

/// Calls that declare a variable for what stands inside them.
const LOOPS: [&str; 13] = [
    "all",
    "bind",
    "exists",
    "existsOne",
    "exists_one",
    "every",
    "filter",
    "map",
    "optFlatMap",
    "optMap",
    "some",
    "sortBy",
    "transformList",
];

/// A token and the white space before it.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) kind: TokenKind,
    pub(super) space: String,
    pub(super) text: String,
}

/// A text being rewritten.
pub(super) struct Draft {
    pub(super) pieces: Vec<Piece>,
    tail: String,
    /// The first form found.
    pub(super) form: Option<u8>,
    /// What was found, in words.
    pub(super) notes: Vec<String>,
    /// Whether every rewrite so far has one meaning only.
    pub(super) certain: bool,
}

impl Draft {
    pub(super) fn new(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut end = 0;
        for token in token::tokens(text) {
            pieces.push(Piece {
                kind: token.kind,
                space: text.get(end..token.start).unwrap_or("").to_owned(),
                text: token.text(text).to_owned(),
            });
            end = token.end;
        }
        Self {
            pieces,
            tail: text.get(end..).unwrap_or("").to_owned(),
            form: None,
            notes: Vec::new(),
            certain: true,
        }
    }

    pub(super) fn text(&self) -> String {
        let mut out: String = self
            .pieces
            .iter()
            .flat_map(|piece| [piece.space.as_str(), piece.text.as_str()])
            .collect();
        out.push_str(&self.tail);
        out.trim().to_owned()
    }

    /// Notes a form.
    pub(super) fn note(&mut self, form: u8, note: impl Into<String>) {
        self.form.get_or_insert(form);
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Notes a form whose meaning is a guess.
    pub(super) fn guess(&mut self, form: u8, note: impl Into<String>) {
        self.note(form, note);
        self.certain = false;
    }

    pub(super) fn get(&self, at: usize) -> Option<&Piece> {
        self.pieces.get(at)
    }

    pub(super) fn word(&self, at: usize) -> &str {
        self.pieces.get(at).map_or("", |piece| piece.text.as_str())
    }

    pub(super) fn is(&self, at: usize, kind: TokenKind, text: &str) -> bool {
        self.pieces
            .get(at)
            .is_some_and(|piece| piece.kind == kind && piece.text == text)
    }

    pub(super) fn symbol(&self, at: usize, text: &str) -> bool {
        self.is(at, TokenKind::Symbol, text)
    }

    pub(super) fn is_ident(&self, at: usize) -> bool {
        self.pieces
            .get(at)
            .is_some_and(|piece| piece.kind == TokenKind::Ident)
    }

    /// Whether the name at a place begins a path: it is no member of something.
    pub(super) fn begins_path(&self, at: usize) -> bool {
        let dotted = at > 0
            && (self.symbol(at - 1, ".")
                || self.symbol(at - 1, "?.")
                || (self.symbol(at - 1, "?") && at > 1 && self.symbol(at - 2, ".")));
        self.is_ident(at) && !dotted
    }

    /// Whether the name at a place is one that a loop or a function around it declares.
    pub(super) fn is_bound(&self, at: usize) -> bool {
        let name = self.word(at);
        (0..at).any(|call| self.binds(call, name, at)) || self.is_parameter(name)
    }

    /// Whether the call at a place, `map(x, …)` or the like, declares a name for what stands at `at`.
    fn binds(&self, call: usize, name: &str, at: usize) -> bool {
        let declares = |place: usize| self.word(place) == name && self.symbol(place + 1, ",");
        LOOPS.contains(&self.word(call))
            && self.symbol(call + 1, "(")
            && self.is_ident(call + 2)
            && (declares(call + 2) || (self.symbol(call + 3, ",") && declares(call + 4)))
            && self.closing(call + 1).is_none_or(|close| at < close)
    }

    /// Whether some `x => …` or `(x, y) => …` of other languages declares a name.
    fn is_parameter(&self, name: &str) -> bool {
        let arrows = (1..self.pieces.len()).filter(|at| self.symbol(*at, "=>"));
        arrows.into_iter().any(|arrow| {
            let before = arrow - 1;
            if !self.symbol(before, ")") {
                return self.word(before) == name;
            }
            let open = self.opening(before).unwrap_or(before);
            (open..before).any(|place| self.is_ident(place) && self.word(place) == name)
        })
    }

    /// Puts the tokens of `text` in the place of a range, keeping the white space before it.
    pub(super) fn splice(&mut self, start: usize, end: usize, text: &str) {
        let space = self
            .pieces
            .get(start)
            .map(|piece| piece.space.clone())
            .unwrap_or_default();
        let mut fresh = Self::new(text).pieces;
        if let Some(first) = fresh.first_mut() {
            first.space = space;
        }
        let end = end.min(self.pieces.len());
        if start <= end {
            self.pieces.splice(start..end, fresh);
        }
    }

    /// The text of a range, without the white space before it.
    pub(super) fn slice(&self, start: usize, end: usize) -> String {
        let mut out = String::new();
        for (at, piece) in self.pieces.iter().enumerate().take(end).skip(start) {
            if at > start {
                out.push_str(&piece.space);
            }
            out.push_str(&piece.text);
        }
        out
    }

    /// The place of the bracket that closes the one at `open`.
    pub(super) fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0usize;
        for (at, piece) in self.pieces.iter().enumerate().skip(open) {
            if piece.kind != TokenKind::Symbol {
                continue;
            }
            match piece.text.as_str() {
                "(" | "[" | "{" | "${" => depth += 1,
                "{{" => depth += 2,
                ")" | "]" | "}" => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(at);
                    }
                }
                "}}" => {
                    depth = depth.checked_sub(2)?;
                    if depth == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The first token of the chain of names, members, indexes and calls that ends before `end`.
    pub(super) fn chain_start(&self, end: usize) -> Option<usize> {
        let mut at = end.checked_sub(1)?;
        loop {
            let piece = self.get(at)?;
            if piece.kind == TokenKind::Symbol && matches!(piece.text.as_str(), ")" | "]") {
                at = self.opening(at)?;
                // `(a)` stands alone, `f(a)` and `x[a]` belong to what is before.
                let joined = at > 0
                    && self.get(at - 1).is_some_and(|before| {
                        before.kind == TokenKind::Ident || matches!(before.text.as_str(), "]" | ")")
                    });
                if !joined {
                    return Some(at);
                }
                at -= 1;
                continue;
            }
            if !matches!(piece.kind, TokenKind::Ident | TokenKind::Text) {
                return None;
            }
            if at > 1 && self.symbol(at - 1, ".") {
                at -= 2;
                continue;
            }
            return Some(at);
        }
    }

    fn opening(&self, close: usize) -> Option<usize> {
        let mut depth = 0usize;
        for at in (0..=close).rev() {
            let piece = self.get(at)?;
            if piece.kind != TokenKind::Symbol {
                continue;
            }
            match piece.text.as_str() {
                ")" | "]" | "}" => depth += 1,
                "(" | "[" | "{" => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The first token behind the path that begins at `start`: names, members and indexes.
    pub(super) fn path_end(&self, start: usize) -> usize {
        let mut at = start + 1;
        loop {
            if self.symbol(at, ".") && self.is_ident(at + 1) {
                at += 2;
            } else if self.symbol(at, "[") {
                match self.closing(at) {
                    Some(close) => at = close + 1,
                    None => return at,
                }
            } else {
                return at;
            }
        }
    }

    /// The ranges of the arguments of the call whose bracket is at `open`.
    pub(super) fn arguments(&self, open: usize) -> Option<(Vec<(usize, usize)>, usize)> {
        let close = self.closing(open)?;
        let mut arguments = Vec::new();
        let mut start = open + 1;
        let mut at = start;
        while at < close {
            if self.get(at).is_some_and(|piece| {
                piece.kind == TokenKind::Symbol && matches!(piece.text.as_str(), "(" | "[" | "{")
            }) {
                at = self.closing(at)?;
            } else if self.symbol(at, ",") {
                arguments.push((start, at));
                start = at + 1;
            }
            at += 1;
        }
        if start < close {
            arguments.push((start, close));
        }
        Some((arguments, close))
    }
}

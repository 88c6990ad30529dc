//! A forgiving scanner for expression text: it finds token borders and never fails, so that limits,
//! templates, positions and import forms can be judged before or without a parse.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A name or a keyword.
    Ident,
    /// An int, uint or double literal.
    Number,
    /// A string or bytes literal with its quotes.
    Text,
    /// An operator or a delimiter.
    Symbol,
    /// Anything else, an unterminated literal included.
    Unknown,
}

/// A token and its byte range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Token {
    pub(crate) fn text(self, source: &str) -> &str {
        source.get(self.start..self.end).unwrap_or("")
    }

    pub(crate) fn is(self, source: &str, symbol: &str) -> bool {
        self.kind == TokenKind::Symbol && self.text(source) == symbol
    }
}

/// Splits `source` into tokens, leaving out white space and comments.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut scanner = Scanner {
        source,
        bytes: source.as_bytes(),
        at: 0,
    };
    let mut found = Vec::with_capacity(source.len() / 3 + 4);
    while let Some(token) = scanner.next_token(Symbols::Foreign) {
        found.push(token);
    }
    found
}

/// Like [`tokens`], with the operators of CEL only, so that `{{` is two braces.
pub(crate) fn cel_tokens(source: &str) -> Vec<Token> {
    let mut scanner = Scanner {
        source,
        bytes: source.as_bytes(),
        at: 0,
    };
    let mut found = Vec::with_capacity(source.len() / 3 + 4);
    while let Some(token) = scanner.next_token(Symbols::Cel) {
        found.push(token);
    }
    found
}

/// The byte offset of the `}` that closes the expression starting at `start`, braces inside and quotes respected.
pub(crate) fn closing_brace(source: &str, start: usize) -> Option<usize> {
    let mut scanner = Scanner {
        source,
        bytes: source.as_bytes(),
        at: start,
    };
    let mut open = 0usize;
    while let Some(token) = scanner.next_token(Symbols::Cel) {
        match token.text(source) {
            "{" if token.kind == TokenKind::Symbol => open += 1,
            "}" if token.kind == TokenKind::Symbol => {
                if open == 0 {
                    return Some(token.start);
                }
                open -= 1;
            }
            _ => {}
        }
    }
    None
}

/// Turns a byte offset into a count of Unicode scalar values.
pub(crate) fn scalar_offset(source: &str, byte: usize) -> usize {
    source
        .char_indices()
        .take_while(|(at, _)| *at < byte)
        .count()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Symbols {
    Cel,
    Foreign,
}

struct Scanner<'s> {
    source: &'s str,
    bytes: &'s [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip_space(&mut self) {
        loop {
            match self.peek(0) {
                b' ' | b'\t' | b'\r' | b'\n' | 0x0B | 0x0C => self.at += 1,
                b'/' if self.peek(1) == b'/' => {
                    while self.at < self.bytes.len() && self.peek(0) != b'\n' {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn next_token(&mut self, symbols: Symbols) -> Option<Token> {
        self.skip_space();
        let start = self.at;
        let first = *self.bytes.get(start)?;
        let kind = match first {
            b'"' | b'\'' => self.literal(0, false),
            b'r' | b'R' | b'b' | b'B' => self.prefixed_literal().unwrap_or_else(|| self.ident()),
            b'.' if self.peek(1).is_ascii_digit() => self.number(),
            b'0'..=b'9' => self.number(),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => self.ident(),
            _ => self.symbol(symbols),
        };
        Some(Token {
            kind,
            start,
            end: self.at,
        })
    }

    fn ident(&mut self) -> TokenKind {
        while matches!(self.peek(0), b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9') {
            self.at += 1;
        }
        TokenKind::Ident
    }

    fn digits(&mut self) {
        while self.peek(0).is_ascii_digit() {
            self.at += 1;
        }
    }

    fn number(&mut self) -> TokenKind {
        if self.peek(0) == b'0' && matches!(self.peek(1), b'x' | b'X') {
            self.at += 2;
            while self.peek(0).is_ascii_hexdigit() {
                self.at += 1;
            }
        } else {
            self.digits();
            if self.peek(0) == b'.' && self.peek(1).is_ascii_digit() {
                self.at += 1;
                self.digits();
            }
            if matches!(self.peek(0), b'e' | b'E') {
                self.at += 1;
                if matches!(self.peek(0), b'+' | b'-') {
                    self.at += 1;
                }
                self.digits();
            }
        }
        if matches!(self.peek(0), b'u' | b'U') {
            self.at += 1;
        }
        TokenKind::Number
    }

    fn prefixed_literal(&mut self) -> Option<TokenKind> {
        let first = self.peek(0).to_ascii_lowercase();
        let second = self.peek(1).to_ascii_lowercase();
        let prefix = if (first, second) == (b'r', b'b') || (first, second) == (b'b', b'r') {
            2
        } else {
            1
        };
        if !matches!(self.peek(prefix), b'"' | b'\'') {
            return None;
        }
        Some(self.literal(prefix, first == b'r' || prefix == 2))
    }

    /// Scans a quoted literal; an unterminated one reaches to the end of the text.
    fn literal(&mut self, prefix: usize, raw: bool) -> TokenKind {
        let quote = self.peek(prefix);
        let triple = self.peek(prefix + 1) == quote && self.peek(prefix + 2) == quote;
        let width = if triple { 3 } else { 1 };
        self.at += prefix + width;
        while self.at < self.bytes.len() {
            if !raw && self.peek(0) == b'\\' {
                self.at += 2;
                continue;
            }
            if (0..width).all(|ahead| self.peek(ahead) == quote) {
                self.at += width;
                return TokenKind::Text;
            }
            self.at += 1;
        }
        self.at = self.bytes.len();
        TokenKind::Unknown
    }

    fn symbol(&mut self, symbols: Symbols) -> TokenKind {
        let foreign = symbols == Symbols::Foreign;
        let long = match (self.peek(0), self.peek(1), self.peek(2)) {
            (b'=' | b'!', b'=', b'=') if foreign => 3,
            (b'=' | b'!' | b'<' | b'>', b'=', _) | (b'&', b'&', _) | (b'|', b'|', _) => 2,
            (b'=', b'>', _)
            | (b'?', b'?' | b'.', _)
            | (b'$', b'{', _)
            | (b'{', b'{', _)
            | (b'}', b'}', _)
                if foreign =>
            {
                2
            }
            _ => 0,
        };
        if long > 0 {
            self.at += long;
            return TokenKind::Symbol;
        }
        let rest = self.source.get(self.at..).unwrap_or("");
        let width = rest.chars().next().map_or(1, char::len_utf8);
        let known = matches!(
            self.peek(0),
            b'.' | b','
                | b'!'
                | b'?'
                | b'('
                | b')'
                | b'['
                | b']'
                | b'{'
                | b'}'
                | b'='
                | b'<'
                | b'>'
                | b':'
                | b'%'
                | b'+'
                | b'-'
                | b'*'
                | b'/'
        );
        self.at += width;
        if known {
            TokenKind::Symbol
        } else {
            TokenKind::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &[&str]) {
        let found: Vec<&str> = tokens(source)
            .iter()
            .map(|token| token.text(source))
            .collect();
        assert_eq!(found, expected, "{source}");
    }

    #[test]
    fn text_splits_into_tokens() {
        check(
            "a.b>=1.5e3 // no\n&& !x",
            &["a", ".", "b", ">=", "1.5e3", "&&", "!", "x"],
        );
        check(
            "x === 'it\\'s' || r'\\' + b\"q\"",
            &["x", "===", "'it\\'s'", "||", "r'\\'", "+", "b\"q\""],
        );
        check("'''a'b''' [0x1Fu]", &["'''a'b'''", "[", "0x1Fu", "]"]);
        check("ä 'open", &["ä", "'open"]);
        check("1.size() .5", &["1", ".", "size", "(", ")", ".5"]);
    }

    #[test]
    fn braces_and_quotes_inside_an_expression_do_not_end_it() {
        let text = "{'}': {'a': 1}}['}'] } tail";
        assert_eq!(
            closing_brace(text, 0),
            text.find(" } tail").map(|at| at + 1)
        );
        assert_eq!(closing_brace("'open }", 0), None);
    }

    #[test]
    fn offsets_count_scalar_values() {
        assert_eq!(scalar_offset("äöx", 4), 2);
        assert_eq!(scalar_offset("abc", 99), 3);
    }
}

//! How wide a text is drawn, and how it is broken into lines that fit.

/// The fonts a drawing asks for; their letters are about as wide as the table below says.
pub(super) const FONT_STACK: &str =
    "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif";

/// Thousandths of the font size that the characters from space to `~` are wide in Helvetica.
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// Room for a substitute font whose letters are wider.
const ALLOWANCE: f64 = 1.06;

/// How a text is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Font {
    pub(super) size: f64,
    pub(super) bold: bool,
}

impl Font {
    pub(super) const fn regular(size: f64) -> Self {
        Self { size, bold: false }
    }

    pub(super) const fn bold(size: f64) -> Self {
        Self { size, bold: true }
    }

    /// The width of one line, rounded up generously.
    pub(super) fn width(self, text: &str) -> f64 {
        let thousandths: u32 = text.chars().map(char_width).sum();
        let weight = if self.bold { 1.07 } else { 1.0 };
        f64::from(thousandths) / 1000.0 * self.size * weight * ALLOWANCE
    }

    /// Breaks a text into at most `max_lines` lines of at most `max_width`; what does not fit ends in `…`.
    pub(super) fn wrap(self, text: &str, max_width: f64, max_lines: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        let mut pieces = pieces(text).into_iter().peekable();
        while let Some(piece) = pieces.next() {
            let joined = format!("{line}{piece}");
            if self.width(joined.trim_end()) <= max_width {
                line = joined;
            } else if line.trim().is_empty() {
                let (head, tail) = self.split(&piece, max_width);
                line = head;
                if !tail.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    line = tail;
                }
            } else {
                lines.push(std::mem::take(&mut line));
                let (head, tail) = self.split(piece.trim_start(), max_width);
                line = head;
                if !tail.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    line = tail;
                }
            }
            if lines.len() >= max_lines {
                let left = !line.trim().is_empty() || pieces.peek().is_some();
                return self.cut(lines, max_lines, left, max_width);
            }
        }
        if !line.trim().is_empty() {
            lines.push(line);
        }
        self.cut(lines, max_lines, false, max_width)
    }

    /// One line that fits, cut with `…` if need be.
    pub(super) fn fit(self, text: &str, max_width: f64) -> String {
        if self.width(text) <= max_width {
            return text.to_owned();
        }
        let mut kept = String::new();
        for letter in text.chars() {
            kept.push(letter);
            if self.width(&kept) + self.width("…") > max_width {
                kept.pop();
                break;
            }
        }
        format!("{}…", kept.trim_end())
    }

    fn split(self, piece: &str, max_width: f64) -> (String, String) {
        let mut head = String::new();
        let mut letters = piece.chars();
        for letter in letters.by_ref() {
            head.push(letter);
            if self.width(head.trim_end()) > max_width && head.chars().count() > 1 {
                head.pop();
                let tail: String = std::iter::once(letter).chain(letters).collect();
                return (head, tail);
            }
        }
        (head, String::new())
    }

    fn cut(
        self,
        mut lines: Vec<String>,
        max_lines: usize,
        left: bool,
        max_width: f64,
    ) -> Vec<String> {
        let too_many = lines.len() > max_lines;
        lines.truncate(max_lines);
        for line in &mut lines {
            *line = line.trim().to_owned();
        }
        if let Some(last) = lines.last_mut() {
            if left || too_many {
                *last = self.fit(&format!("{last} …"), max_width);
                if !last.ends_with('…') {
                    last.push('…');
                }
            } else {
                *last = self.fit(last, max_width);
            }
        }
        lines
    }
}

fn char_width(letter: char) -> u32 {
    let index = u32::from(letter)
        .checked_sub(32)
        .and_then(|index| usize::try_from(index).ok());
    match index.and_then(|index| WIDTHS.get(index)) {
        Some(width) => u32::from(*width),
        None if letter.is_control() => 0,
        None => match unicode_width::UnicodeWidthChar::width(letter) {
            Some(0) | None => 0,
            Some(1) => 600,
            Some(_) => 1000,
        },
    }
}

/// The parts a text may be broken between: after spaces, and after `-`, `_`, `.`, `/` inside long names.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for letter in text
        .chars()
        .map(|letter| if letter.is_whitespace() { ' ' } else { letter })
    {
        piece.push(letter);
        if matches!(letter, ' ' | '-' | '_' | '.' | '/') {
            pieces.push(std::mem::take(&mut piece));
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_never_exceed_their_width() {
        let font = Font::regular(12.0);
        for text in [
            "Check the stock of every line of the order",
            "a-very-long-business-id.with_parts/of-all.sorts-and-no-space-at-all",
            "Wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww",
            "注文の在庫を確認してから出荷する",
            "",
            " ",
        ] {
            for max_lines in 1..4 {
                let lines = font.wrap(text, 90.0, max_lines);
                assert!(lines.len() <= max_lines, "{text}: {lines:?}");
                for line in &lines {
                    assert!(
                        font.width(line) <= 90.0,
                        "{line} is {} wide",
                        font.width(line)
                    );
                }
            }
        }
    }

    #[test]
    fn text_that_fits_is_kept_and_other_text_is_cut_with_an_ellipsis() {
        let font = Font::regular(12.0);
        assert_eq!(font.wrap("Ship order", 200.0, 2), ["Ship order"]);
        assert_eq!(
            font.wrap("Check stock of order", 75.0, 2),
            ["Check stock", "of order"]
        );
        let cut = font.wrap("Check the stock of every line of the order", 75.0, 2);
        assert_eq!(cut.len(), 2);
        assert!(cut[1].ends_with('…'), "{cut:?}");
    }

    #[test]
    fn bold_text_is_wider_and_wide_characters_count_as_such() {
        assert!(Font::bold(12.0).width("Order") > Font::regular(12.0).width("Order"));
        assert!(Font::regular(10.0).width("注文") >= 20.0);
    }
}

//! What is printed, for people and for programs.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::exit::Failure;

/// Standard output and standard error, and what they can show.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    colours: bool,
    error_colours: bool,
    interactive: bool,
}

/// How a piece of text is shown on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    Warning,
    Accent,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Bad => "1;31",
            Self::Warning => "33",
            Self::Accent => "36",
        }
    }
}

impl Terminal {
    /// The streams of the process. Colours are used on a terminal unless `NO_COLOR` is set.
    #[must_use]
    pub fn of_process() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|value| value != "dumb");
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Self {
            colours: wanted && out,
            error_colours: wanted && err,
            interactive: out,
        }
    }

    /// Whether a person reads the output.
    #[must_use]
    pub const fn is_interactive(self) -> bool {
        self.interactive
    }

    /// Whether progress may be drawn on standard error.
    pub(crate) fn shows_progress(self) -> bool {
        io::stderr().is_terminal()
    }

    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        paint(self.colours, style, text)
    }

    /// Prints text as it is.
    pub(crate) fn print(self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        ignore_closed_pipe(written)
    }

    /// Prints a value as indented JSON.
    pub(crate) fn print_json(self, value: &impl Serialize) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::fault("the result cannot be written as JSON", error))?;
        text.push('\n');
        self.print(&text)
    }

    /// Says on standard error why the command fails.
    pub fn complain(self, failure: &Failure) {
        let lead = paint(self.error_colours, Style::Bad, "error:");
        // Nobody is left to tell if standard error is closed.
        let _ = writeln!(io::stderr(), "{lead} {failure}");
    }

    /// Says on standard error how far a command that goes on for long has come.
    pub(crate) fn say(self, message: &str) {
        let _ = writeln!(io::stderr(), "{message}");
    }

    /// Says something on standard error that does not stop the command.
    pub(crate) fn warn(self, message: &str) {
        let lead = paint(self.error_colours, Style::Warning, "warning:");
        let _ = writeln!(io::stderr(), "{lead} {message}");
    }
}

fn paint(colours: bool, style: Style, text: &str) -> String {
    if colours && style != Style::Plain && !text.is_empty() {
        format!("\u{1b}[{}m{text}\u{1b}[0m", style.code())
    } else {
        text.to_owned()
    }
}

/// A reader that has seen enough, such as `head`, is no failure.
fn ignore_closed_pipe(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::fault("the output cannot be written", error))
        }
        _ => Ok(()),
    }
}

/// Rows of cells in columns as wide as their widest cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<(Style, String)>>,
}

impl Table {
    pub(crate) fn with_header(names: &[&str]) -> Self {
        Self {
            rows: vec![
                names
                    .iter()
                    .map(|name| (Style::Dim, (*name).to_owned()))
                    .collect(),
            ],
        }
    }

    pub(crate) fn row(&mut self, cells: Vec<(Style, String)>) {
        self.rows.push(cells);
    }

    /// The lines of the table, each indented.
    pub(crate) fn render(&self, terminal: Terminal, indent: &str) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut widths = vec![0; columns];
        for row in &self.rows {
            for (width, (_, cell)) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::from(indent);
            let mut owed = 0;
            for (width, (style, cell)) in widths.iter().zip(row) {
                // Spaces are written only when something follows, so that no line ends in any.
                if !cell.is_empty() {
                    line.extend(std::iter::repeat_n(' ', owed));
                    line.push_str(&terminal.paint(*style, cell));
                    owed = 0;
                }
                owed += width - if cell.is_empty() { 0 } else { cell.width() } + 2;
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Text on one line: control characters and line breaks are shown, not obeyed, and long text is cut.
pub(crate) fn one_line(text: &str, longest: usize) -> String {
    let mut line = String::new();
    for letter in text.chars() {
        if letter.is_control() {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
    if line.width() <= longest {
        return line;
    }
    let mut cut = String::new();
    for letter in line.chars() {
        if cut.width() + 2 > longest {
            break;
        }
        cut.push(letter);
    }
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Terminal = Terminal {
        colours: false,
        error_colours: false,
        interactive: false,
    };

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_end_without_spaces() {
        let mut table = Table::with_header(&["STEP", "STATUS", "NOTE"]);
        table.row(vec![
            (Style::Plain, "ship".to_owned()),
            (Style::Good, "COMPLETED".to_owned()),
            (Style::Plain, String::new()),
        ]);
        table.row(vec![
            (Style::Plain, "注文".to_owned()),
            (Style::Plain, String::new()),
            (Style::Plain, "x".to_owned()),
        ]);
        assert_eq!(
            table.render(PLAIN, "  "),
            "  STEP  STATUS     NOTE\n  ship  COMPLETED\n  注文             x\n"
        );
    }

    #[test]
    fn colours_are_used_only_where_wanted() {
        assert_eq!(PLAIN.paint(Style::Bad, "no"), "no");
        let coloured = Terminal {
            colours: true,
            ..PLAIN
        };
        assert_eq!(coloured.paint(Style::Good, "yes"), "\u{1b}[32myes\u{1b}[0m");
        assert_eq!(coloured.paint(Style::Plain, "yes"), "yes");
    }

    #[test]
    fn foreign_text_cannot_move_the_cursor() {
        assert_eq!(one_line("a\u{1b}[2Jb\nc", 40), "a\\u{1b}[2Jb\\nc");
        assert_eq!(one_line("abcdefgh", 5), "abcd…");
        assert_eq!(one_line("abcde", 5), "abcde");
    }
}

//! Plain tables, readable in a terminal and in Markdown.

use std::fmt;

/// A table whose columns are as wide as their widest cell; the first column is flush left, the others flush right.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column heads.
    pub fn new<const N: usize>(heads: [&str; N]) -> Self {
        Self {
            rows: vec![heads.map(str::to_owned).to_vec()],
        }
    }

    /// Appends a row.
    pub fn push<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (index, row) in self.rows.iter().enumerate() {
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                match column {
                    0 => write!(f, "| {cell:<width$} ")?,
                    _ => write!(f, "| {cell:>width$} ")?,
                }
            }
            writeln!(f, "|")?;
            if index == 0 {
                for (column, width) in widths.iter().enumerate() {
                    match column {
                        0 => write!(f, "|{:-<1$}", "", width + 2)?,
                        _ => write!(f, "|{:-<1$}:", "", width + 1)?,
                    }
                }
                writeln!(f, "|")?;
            }
        }
        Ok(())
    }
}

/// A number with as many digits as are worth reading, thousands apart.
pub fn number(value: f64) -> String {
    let decimals = match value.abs() {
        small if small < 10.0 => 2,
        middle if middle < 1000.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text.as_str(), None),
    };
    let mut apart = String::new();
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len() - index;
        if index > 0 && left.is_multiple_of(3) && !apart.ends_with('-') {
            apart.push(' ');
        }
        apart.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{apart}.{fraction}"),
        None => apart,
    }
}

/// A number that may be unknown.
pub fn number_or_dash(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_apart() {
        let texts = [0.0, 4.56789, 42.42, 999.94, 1234.5, 1_234_567.8, -1234.0].map(number);
        assert_eq!(
            texts,
            [
                "0.00",
                "4.57",
                "42.4",
                "999.9",
                "1 234",
                "1 234 568",
                "-1 234"
            ]
        );
    }

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["name", "value"]);
        table.push(["first".to_owned(), "1".to_owned()]);
        let expected = "| name  | value |\n|-------|------:|\n| first |     1 |\n";
        assert_eq!(table.to_string(), expected);
    }
}

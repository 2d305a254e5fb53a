//! Lays out tables block by block, so that a list of any length can be printed while it comes.

use std::ops::RangeInclusive;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, Table, Width};
use console::Term;

const GAP_CHARS: u16 = 2;
/// Columns without spaces stay whole up to the length of a UUID, so that ids can be copied.
const WORD_CHARS_MAX: u16 = 36;
/// Text is not wrapped into less than its longest word, within these bounds.
const TEXT_CHARS: RangeInclusive<usize> = 16..=24;

/// The widths of a table's columns, which its first block decides.
#[derive(Default)]
pub(crate) struct Layout {
    columns: Vec<Column>,
    /// What a table should fit in. Without it nothing is wrapped.
    chars: Option<u16>,
}

struct Column {
    width: u16,
    wraps: bool,
    width_min: u16,
    is_number: bool,
}

impl Layout {
    /// A layout for standard output: as wide as the terminal, and in a file or pipe as wide as it is.
    pub(crate) fn of_terminal() -> Self {
        let size = Term::stdout().size_checked();
        Self {
            chars: size.map(|(_, columns)| columns),
            ..Self::default()
        }
    }

    /// Lays out the next rows; the first time below the headers.
    pub(crate) fn block(&mut self, headers: &[&str], rows: Vec<Vec<String>>) -> String {
        let mut table = Table::new();
        table.load_style(NOTHING);
        if self.columns.is_empty() {
            table.set_header(headers.to_vec());
            self.columns = (0..headers.len())
                .map(|place| Column::of(&rows, place))
                .collect();
        }
        table.add_rows(rows);
        for (column, width) in self
            .columns
            .iter_mut()
            .zip(table.column_max_content_widths())
        {
            if column.width == 0 {
                column.wraps |= width > WORD_CHARS_MAX;
                column.wraps &= self.chars.is_some();
            }
            if column.width == 0 || !column.wraps {
                column.width = column.width.max(width);
            }
        }
        if let Some(chars) = self.chars.filter(|_| table.header().is_some()) {
            self.fit(chars);
        }
        for (column, shown) in self.columns.iter().zip(table.column_iter_mut()) {
            let width = Width::Fixed(column.width + GAP_CHARS);
            shown.set_padding((0, GAP_CHARS));
            shown.set_constraint(ColumnConstraint::Absolute(width));
            if column.is_number {
                shown.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.trim_fmt()
    }

    /// Shares what the whole words leave among the columns of text, the narrow ones first.
    fn fit(&mut self, chars: u16) {
        let (mut texts, words): (Vec<_>, Vec<_>) =
            self.columns.iter_mut().partition(|column| column.wraps);
        let taken = words.iter().map(|column| column.width + GAP_CHARS).sum();
        let mut free = chars.saturating_add(GAP_CHARS).saturating_sub(taken);
        texts.sort_by_key(|column| column.width);
        let mut left = u16::try_from(texts.len()).unwrap_or(u16::MAX);
        for column in texts {
            let share = (free / left).saturating_sub(GAP_CHARS);
            column.width = column.width.min(share.max(column.width_min));
            free = free.saturating_sub(column.width + GAP_CHARS);
            left -= 1;
        }
    }
}

impl Column {
    fn of(rows: &[Vec<String>], place: usize) -> Self {
        let cells = rows.iter().map(|row| row[place].as_str());
        let words = cells.clone().flat_map(str::split_whitespace);
        let longest = words.map(|word| word.chars().count()).max();
        let width_min = longest
            .unwrap_or(0)
            .clamp(*TEXT_CHARS.start(), *TEXT_CHARS.end());
        Self {
            width: 0,
            width_min: u16::try_from(width_min).expect("it is within its bounds"),
            wraps: cells.clone().any(|cell| cell.contains(' ')),
            is_number: {
                let mut filled = cells.filter(|cell| !cell.is_empty()).peekable();
                filled.peek().is_some() && filled.all(|cell| cell.parse::<i64>().is_ok())
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        let row = |row: &&[&str]| row.iter().map(|cell| (*cell).to_owned()).collect();
        rows.iter().map(row).collect()
    }

    #[test]
    fn numbers_stand_right_and_later_blocks_below_the_first() {
        let mut layout = Layout::default();
        let first = layout.block(&["name", "seats"], rows(&[&["one", "7"], &["three", "12"]]));
        assert_eq!(first, "name   seats\none        7\nthree     12");
        let second = layout.block(&["name", "seats"], rows(&[&["x", "100"]]));
        assert_eq!(second, "x        100");
        let gaps = Layout::default().block(&["a", "n"], rows(&[&["x", ""], &["y", "10"]]));
        assert_eq!(gaps, "a   n\nx\ny  10", "an empty cell is no text");
    }

    #[test]
    fn text_wraps_and_ids_do_not() {
        let id = "01980000-0000-7000-8000-000000000001";
        let text = "many words ".repeat(20);
        let row: &[&str] = &[id, &text, id];
        let mut layout = Layout {
            chars: Some(100),
            ..Layout::default()
        };
        let block = layout.block(&["id", "text", "id"], rows(&[row]));
        assert!(
            block.lines().all(|line| line.chars().count() <= 100),
            "{block}"
        );
        assert_eq!(block.matches(id).count(), 2, "{block}");
        let block = Layout::default().block(&["id", "text", "id"], rows(&[row]));
        assert_eq!(block.lines().count(), 2, "a file has room for all: {block}");
    }
}

//! Lays out tables block by block, so that a list of any length can be printed while it comes.

use std::ops::RangeInclusive;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, Table, Width};

/// What a table should fit in.
const TABLE_CHARS: u16 = 100;
const GAP_CHARS: u16 = 2;
/// Columns without spaces stay whole up to the length of a UUID, so that ids can be copied.
const WORD_CHARS_MAX: u16 = 36;
/// Text is not wrapped into less than its longest word, within these bounds.
const TEXT_CHARS: RangeInclusive<usize> = 16..=24;

/// The widths of a table's columns, which its first block decides.
#[derive(Default)]
pub(crate) struct Layout {
    columns: Vec<Column>,
}

struct Column {
    width: u16,
    wraps: bool,
    width_min: u16,
    is_number: bool,
}

impl Layout {
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
            }
            if column.width == 0 || !column.wraps {
                column.width = column.width.max(width);
            }
        }
        if table.header().is_some() {
            self.fit();
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
    fn fit(&mut self) {
        let (mut texts, words): (Vec<_>, Vec<_>) =
            self.columns.iter_mut().partition(|column| column.wraps);
        let taken = words.iter().map(|column| column.width + GAP_CHARS).sum();
        let mut free = (TABLE_CHARS + GAP_CHARS).saturating_sub(taken);
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
        let mut cells = rows.iter().map(|row| row[place].as_str());
        let words = cells.clone().flat_map(str::split_whitespace);
        let longest = words.map(|word| word.chars().count()).max();
        let width_min = longest
            .unwrap_or(0)
            .clamp(*TEXT_CHARS.start(), *TEXT_CHARS.end());
        Self {
            width: 0,
            width_min: u16::try_from(width_min).expect("it is within its bounds"),
            wraps: cells.clone().any(|cell| cell.contains(' ')),
            is_number: !rows.is_empty() && cells.all(|cell| cell.parse::<i64>().is_ok()),
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
    }

    #[test]
    fn text_wraps_and_ids_do_not() {
        let id = "01980000-0000-7000-8000-000000000001";
        let text = "many words ".repeat(20);
        let row: &[&str] = &[id, &text, id];
        let block = Layout::default().block(&["id", "text", "id"], rows(&[row]));
        assert!(
            block.lines().all(|line| line.chars().count() <= 100),
            "{block}"
        );
        assert_eq!(block.matches(id).count(), 2, "{block}");
    }
}

//! What was measured: a table for people, or JSON lines for scripts.

use clap::ValueEnum;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::json;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Table,
    Json,
}

/// What one round found for one engine and order, in assignments per second.
#[derive(Clone, Copy)]
pub(super) struct Figures {
    pub(super) service: f64,
    pub(super) floor: f64,
    pub(super) per_user: f64,
    /// The most memory that the server's process had, if the system tells.
    pub(super) server_rss_mib: Option<f64>,
}

impl Figures {
    /// Each figure by itself in the middle of its rounds.
    pub(super) fn median(rounds: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(rounds.iter().map(figure).collect());
        let rss: Option<Vec<f64>> = rounds.iter().map(|round| round.server_rss_mib).collect();
        Self {
            service: of(|round| round.service),
            floor: of(|round| round.floor),
            per_user: of(|round| round.per_user),
            server_rss_mib: rss.map(median),
        }
    }

    fn ratio_to_floor(&self) -> f64 {
        self.service / self.floor
    }

    fn ratio_to_per_user(&self) -> f64 {
        self.service / self.per_user
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "service {:.0}/s, floor {:.0}/s, per user {:.0}/s",
            self.service, self.floor, self.per_user
        )
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (low, high) = ((values.len() - 1) / 2, values.len() / 2);
    f64::midpoint(values[low], values[high])
}

/// Says what was found: each line at once in JSON, all of them at the end in a table.
pub(super) struct Report {
    format: Format,
    table: Table,
}

impl Report {
    pub(super) fn new(format: Format) -> Self {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header([
            "engine",
            "order",
            "service/s",
            "floor/s",
            "per user/s",
            "of floor",
            "times per user",
            "server MiB",
        ]);
        for column in 2..=7 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self { format, table }
    }

    pub(super) fn line(&mut self, engine: &str, order: &str, figures: &Figures) {
        let rss = figures.server_rss_mib;
        if self.format == Format::Json {
            let line = json!({
                "engine": engine,
                "order": order,
                "service_per_second": figures.service.round(),
                "floor_per_second": figures.floor.round(),
                "per_user_per_second": figures.per_user.round(),
                "ratio_to_floor": rounded(figures.ratio_to_floor()),
                "ratio_to_per_user": rounded(figures.ratio_to_per_user()),
                "server_rss_mib": rss.map(rounded),
            });
            println!("{line}");
        }
        self.table.add_row([
            engine.to_owned(),
            order.to_owned(),
            format!("{:.0}", figures.service),
            format!("{:.0}", figures.floor),
            format!("{:.0}", figures.per_user),
            format!("{:.2}", figures.ratio_to_floor()),
            format!("{:.1}", figures.ratio_to_per_user()),
            rss.map_or_else(|| "?".to_owned(), |rss| format!("{rss:.0}")),
        ]);
    }

    pub(super) fn end(&self) {
        if self.format == Format::Table {
            println!("Assignments per second:\n\n{}", self.table);
        }
    }
}

/// Three decimals are more than a measurement is good for.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0]), 3.0);
        assert_eq!(median(vec![5.0, 1.0, 3.0]), 3.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5);
    }
}

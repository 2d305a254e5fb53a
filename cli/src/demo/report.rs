//! What the demo says: text for people, JSON lines for scripts.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use clap::ValueEnum;
use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use seatwise_client::{BatchOutcome, v1};
use seatwise_server::store::Location;
use serde_json::json;

use super::steps::Place;

/// Users named with each reason.
const EXAMPLES: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

pub(super) struct Report(Format);

impl Report {
    pub(super) fn new(format: Format) -> Self {
        Self(format)
    }

    fn is_text(&self) -> bool {
        self.0 == Format::Text
    }

    fn json(&self, value: &serde_json::Value) {
        if !self.is_text() {
            println!("{value}");
        }
    }

    pub(super) fn opening(&self, address: SocketAddr, database: &Location) {
        let engine = match database {
            Location::Postgres(_) => "PostgreSQL",
            Location::Sqlite(_) => "SQLite",
        };
        if self.is_text() {
            println!("Seatwise on {address}, data in {engine}\n");
        }
        self.json(&json!({"step": "server", "address": address.to_string(), "engine": engine}));
    }

    pub(super) fn catalogue(&self, products: i32, plans: i32, rules: i32, took: Duration) {
        if self.is_text() {
            println!(
                "Catalogue   {products} products with {plans} service plans, {rules} rules  {}",
                seconds(took)
            );
        }
        self.json(&json!({
            "step": "catalogue", "products": products, "product_plans": plans, "rules": rules,
            "seconds": took.as_secs_f64(),
        }));
    }

    pub(super) fn customer(&self, id: &str, users: usize, took: Duration) {
        if self.is_text() {
            println!(
                "Customer    {id} with {users} users in 5 countries  {}\n",
                seconds(took)
            );
        }
        self.json(&json!({
            "step": "customer", "customer_id": id, "users": users, "seconds": took.as_secs_f64(),
        }));
    }

    pub(super) fn progress(&self, title: &str, users: usize) -> ProgressBar {
        if self.is_text() {
            println!("▶ {title}");
        }
        // Drawn on stderr, and only if that is a terminal.
        let bar = ProgressBar::new(users as u64);
        if !self.is_text() {
            bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template("  {bar:40} {pos}/{len} users  {per_sec}");
        bar.with_style(style.expect("the template is fixed"))
    }

    pub(super) fn batch(&self, step: &str, title: &str, outcome: &BatchOutcome, took: Duration) {
        let batch = &outcome.batch;
        let reasons = reasons(&outcome.failed);
        let counts: BTreeMap<&str, usize> = reasons
            .iter()
            .map(|(code, (count, _))| (*code, *count))
            .collect();
        self.json(&json!({
            "step": step, "title": title, "batch_id": batch.batch_id, "users": batch.user_count(),
            "applied": batch.applied_count(), "unchanged": batch.unchanged_count(),
            "failed": batch.failed_count(), "skipped": batch.skipped_count(), "reasons": counts,
            "replayed": outcome.replayed, "seconds": took.as_secs_f64(),
        }));
        if !self.is_text() {
            return;
        }
        let replayed = if outcome.replayed {
            " (recorded before; nothing was executed)"
        } else {
            ""
        };
        println!(
            "  {} users: {} applied, {} unchanged, {} failed{replayed}  {}",
            batch.user_count(),
            batch.applied_count(),
            batch.unchanged_count(),
            batch.failed_count(),
            seconds(took),
        );
        for (code, (count, examples)) in reasons {
            println!("  {count:>6} × {code}");
            for example in examples {
                println!("           {example}");
            }
        }
        println!();
    }

    pub(super) fn seats(&self, title: &str, licenses: &[v1::License]) {
        let row = |license: &v1::License| {
            json!({
                "product": license.display_name, "total": license.total(),
                "assigned": license.assigned(), "available": license.available(),
                "buy_more": license.buy_more(),
            })
        };
        let rows: Vec<_> = licenses.iter().map(row).collect();
        self.json(&json!({"step": "seats", "title": title, "licenses": rows}));
        if !self.is_text() {
            return;
        }
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header([title, "total", "assigned", "available", ""]);
        for license in licenses {
            table.add_row([
                license.display_name.clone(),
                license.total().to_string(),
                license.assigned().to_string(),
                license.available().to_string(),
                license.buy_more_url.clone(),
            ]);
        }
        for column in 1..=3 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        println!("{table}\n");
    }

    pub(super) fn total(&self, users: usize, took: Duration) {
        if self.is_text() {
            println!("All of it for {users} users  {}", seconds(took));
            println!("Every expectation of this demo was checked and met.\n");
        }
        self.json(&json!({
            "step": "total", "users": users, "seconds": took.as_secs_f64(), "expectations": "met",
        }));
    }

    pub(super) fn closing(&self, address: SocketAddr, place: &Place, keep: bool) {
        if !self.is_text() {
            return;
        }
        let Place {
            customer_id,
            user,
            batch_id,
        } = place;
        if keep {
            println!("The server goes on until Ctrl-C. Try, in another terminal:\n");
        } else {
            println!("To try such lines yourself, run `seatwise demo --keep`:\n");
        }
        println!(
            "  grpcurl -plaintext -d '{{\"customer_id\": \"{customer_id}\", \"user\": \"{user}\"}}' \\\n    \
             {address} seatwise.v1.AssignmentService/ListAssignments\n\n  \
             grpcurl -plaintext {address} describe seatwise.v1.BatchService.ExecuteBatch\n\n  \
             export SEATWISE_SERVER=http://{address}\n  \
             seatwise licenses list --customer {customer_id}\n  \
             seatwise batch results {batch_id} --customer {customer_id} --output csv\n  \
             seatwise revoke --customer {customer_id} --product VISIOCLIENT --user {user}"
        );
    }
}

/// Failed users per reason, with some of them in words.
fn reasons(failed: &[v1::BatchResult]) -> BTreeMap<&'static str, (usize, Vec<String>)> {
    let mut reasons: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    for result in failed {
        for reason in &result.reasons {
            let code = reason
                .code()
                .as_str_name()
                .trim_start_matches("REASON_CODE_");
            let entry = reasons.entry(code).or_default();
            entry.0 += 1;
            if entry.1.len() < EXAMPLES {
                entry
                    .1
                    .push(format!("{}{}", result.principal_name, about(reason)));
            }
        }
    }
    reasons
}

fn about(reason: &v1::Reason) -> String {
    let mut about = String::new();
    if let Some(product) = &reason.product {
        about += &format!("  {}", product.display_name);
    }
    if let Some(available) = reason.available {
        about += &format!(", {available} seats free at this user's turn");
    }
    if let Some(plan) = &reason.plan {
        let others: Vec<&str> = reason
            .others
            .iter()
            .map(|plan| plan.name.as_str())
            .collect();
        about += &format!("  {} / {}", plan.name, others.join(", "));
    }
    about
}

fn seconds(took: Duration) -> String {
    format!("[{:.2} s]", took.as_secs_f64())
}

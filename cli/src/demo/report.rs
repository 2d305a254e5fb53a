//! What the demo says: text for people, JSON lines for scripts.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;
use indicatif::ProgressBar;
use seatwise_client::{BatchOutcome, UserResult, v1};
use seatwise_server::store::Location;
use serde_json::{Value, json};

use super::steps::Place;
use crate::command_line::quoted;
use crate::error::Error;
use crate::layout::Layout;
use crate::{outcome, output};

/// Users named with each reason.
const USERS_SHOWN: usize = 2;

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

    /// Says one thing, in the form asked for.
    fn say(&self, text: &str, json: &Value) -> Result<(), Error> {
        match self.0 {
            Format::Text => output::line(text),
            Format::Json => output::line(&json.to_string()),
        }
    }

    pub(super) fn opening(&self, address: SocketAddr, database: &Location) -> Result<(), Error> {
        let engine = match database {
            Location::Postgres(_) => "PostgreSQL",
            Location::Sqlite(_) => "SQLite",
        };
        self.say(
            &format!("Seatwise on {address}, data in {engine}\n"),
            &json!({"step": "server", "address": address.to_string(), "engine": engine}),
        )
    }

    pub(super) fn catalogue(
        &self,
        (products, plans, rules): (i32, i32, i32),
        took: Duration,
    ) -> Result<(), Error> {
        let text = format!(
            "Catalogue  {products} products with {plans} service plans, {rules} rules  {}",
            seconds(took)
        );
        let seconds = took.as_secs_f64();
        let json = json!({
            "step": "catalogue", "products": products, "product_plans": plans, "rules": rules,
            "seconds": seconds,
        });
        self.say(&text, &json)
    }

    pub(super) fn customer(&self, id: &str, users: usize, took: Duration) -> Result<(), Error> {
        let text = format!(
            "Customer   {id} with {} users in 5 countries  {}\n",
            output::count(users as u64),
            seconds(took)
        );
        let seconds = took.as_secs_f64();
        let json =
            json!({"step": "customer", "customer_id": id, "users": users, "seconds": seconds});
        self.say(&text, &json)
    }

    pub(super) fn progress(&self, title: &str, users: usize) -> Result<ProgressBar, Error> {
        if self.0 == Format::Json {
            return Ok(ProgressBar::hidden());
        }
        output::line(&format!("▶ {title}"))?;
        Ok(output::progress(
            output::Format::Table,
            users as u64,
            "users",
        ))
    }

    pub(super) fn batch(
        &self,
        step: &str,
        title: &str,
        outcome: &BatchOutcome,
        took: Duration,
    ) -> Result<(), Error> {
        let batch = &outcome.batch;
        let replayed = if outcome.replayed {
            "recorded before, nothing was executed; "
        } else {
            ""
        };
        let summary = outcome::summary(batch, &outcome.failed, USERS_SHOWN)?;
        let text = format!("{replayed}{summary}\n\n{}", seconds(took));
        let indented = text
            .lines()
            .map(|line| format!("  {line}").trim_end().to_owned() + "\n");
        let json = json!({
            "step": step, "title": title, "batch_id": batch.batch_id, "users": batch.user_count(),
            "applied": batch.applied_count(), "unchanged": batch.unchanged_count(),
            "failed": batch.failed_count(), "skipped": batch.skipped_count(),
            "reasons": reasons(&outcome.failed), "replayed": outcome.replayed,
            "seconds": took.as_secs_f64(),
        });
        self.say(&indented.collect::<String>(), &json)
    }

    pub(super) fn seats(&self, title: &str, licenses: &[v1::License]) -> Result<(), Error> {
        let cells = |license: &v1::License| {
            vec![
                license.display_name.clone(),
                license.total().to_string(),
                license.assigned().to_string(),
                license.available().to_string(),
                license.buy_more_url.clone(),
            ]
        };
        let headers = [title, "total", "assigned", "available", "buy more"];
        let table = Layout::of_terminal().block(&headers, licenses.iter().map(cells).collect());
        let row = |license: &v1::License| {
            json!({
                "product": license.display_name, "total": license.total(),
                "assigned": license.assigned(), "available": license.available(),
                "buy_more": license.buy_more(),
            })
        };
        let rows: Vec<_> = licenses.iter().map(row).collect();
        let json = json!({"step": "seats", "title": title, "licenses": rows});
        self.say(&format!("{table}\n"), &json)
    }

    pub(super) fn total(&self, users: usize, took: Duration) -> Result<(), Error> {
        let text = format!(
            "Every expectation of this demo was checked and met.  {}\n",
            seconds(took)
        );
        let seconds = took.as_secs_f64();
        let json = json!({
            "step": "total", "users": users, "seconds": seconds, "expectations": "met",
        });
        self.say(&text, &json)
    }

    pub(super) fn closing(
        &self,
        address: SocketAddr,
        admin_key: &Path,
        place: &Place,
        keep: bool,
    ) -> Result<(), Error> {
        if self.0 == Format::Json {
            return Ok(());
        }
        let Place {
            customer_id,
            user,
            batch_id,
        } = place;
        let how = if keep {
            "The server goes on until Ctrl-C. Try, in another terminal:"
        } else {
            "To try such lines yourself, run `seatwise demo --keep`:"
        };
        let key = quoted(admin_key.display().to_string());
        output::line(&format!(
            "{how}\n\n  \
             export SEATWISE_TOKEN_FILE={key} SEATWISE_SERVER=http://{address}\n  \
             KEY=\"authorization: Bearer $(cat \"$SEATWISE_TOKEN_FILE\")\"\n\n  \
             grpcurl -plaintext -H \"$KEY\" -d '{{\"customer_id\": \"{customer_id}\", \"user\": \"{user}\"}}' \\\n    \
             {address} seatwise.v1.AssignmentService/ListAssignments\n\n  \
             grpcurl -plaintext -H \"$KEY\" {address} describe seatwise.v1.BatchService.ExecuteBatch\n\n  \
             seatwise licenses list --customer {customer_id}\n  \
             seatwise batch results {batch_id} --customer {customer_id} --output csv\n  \
             seatwise revoke --customer {customer_id} --product VISIOCLIENT --user {user}"
        ))
    }
}

/// Failed users per reason.
fn reasons(failed: &[UserResult]) -> BTreeMap<&'static str, usize> {
    let mut reasons = BTreeMap::new();
    for reason in failed.iter().flat_map(|result| &result.reasons) {
        let code = reason.code().as_str_name();
        let code = code.strip_prefix("REASON_CODE_").unwrap_or(code);
        *reasons.entry(code).or_default() += 1;
    }
    reasons
}

fn seconds(took: Duration) -> String {
    format!("[{:.2} s]", took.as_secs_f64())
}

//! Imports of the catalogue and of rules, and their previews.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use super::{Error, Service, now};
use crate::domain::{Catalogue, CustomerId, Customers, Origin, Place, PlanId, fold};
use crate::edition::{self, Edition, Note, RuleSet};
use crate::store::{self, CatalogueChange, Impact, ImportOutcome, Store};

/// Customers whose impact is told one by one.
const CUSTOMERS_TOLD_MAX: u64 = 1_000;
/// Customers that are read together.
const CUSTOMERS_READ: i64 = 100;
/// Users between two words about how far a preview has come.
const PROGRESS_USERS: u64 = 50_000;
/// Parts that wait for a slow reader.
const PARTS_BUFFERED: usize = 2;

/// What an import found and did, or would do.
#[derive(Debug)]
pub struct ImportReport {
    /// Repairs and remarks.
    pub notes: Vec<Note>,
    /// What changed.
    pub changes: Vec<CatalogueChange>,
    /// Products, product-plan pairs and rules of the file.
    pub counts: (usize, usize, usize),
    /// The version of the catalogue now.
    pub version: i64,
}

/// What an import would do.
pub struct ImportPreview {
    /// What it would find and change.
    pub report: ImportReport,
    /// The catalogue that it would make.
    pub catalogue: Arc<Catalogue>,
    /// What that would break. The channel closes after `Ended`, or with an error.
    pub impact: mpsc::Receiver<Result<ImpactPart, Error>>,
}

/// A part of what an import would break.
#[derive(Debug)]
pub enum ImpactPart {
    /// At a customer: by display name, only those with users for whom a rule would be broken.
    Customer(CustomerImpact),
    /// So far.
    Progress(ImpactTotal),
    /// In all.
    Ended(ImpactTotal),
}

/// What an import would break at one customer.
#[derive(Debug)]
pub struct CustomerImpact {
    /// The customer.
    pub customer: CustomerId,
    /// Its name for people.
    pub display_name: String,
    /// What it would break.
    pub impact: Impact,
}

/// What an import would break at the customers that were judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImpactTotal {
    /// Customers that were judged.
    pub judged_customers: u64,
    /// Users that were judged.
    pub judged_users: u64,
    /// Customers with users for whom a rule would be broken that is not broken now.
    pub customers: u64,
    /// Those users.
    pub users: u64,
    /// Their assignments that have part in that.
    pub assignments: u64,
}

type Parts = mpsc::Sender<Result<ImpactPart, Error>>;

impl Service {
    /// Imports a whole edition of products and plans.
    pub async fn import_catalogue(
        &self,
        file: Vec<u8>,
        origin: Origin,
    ) -> Result<ImportReport, Error> {
        let (edition, report) = read_edition(file).await?;
        let import =
            |store: Store| async move { store.import_edition(&edition, &origin, now()).await };
        Ok(report.with(self.call(import).await?))
    }

    /// Says what that would do, and what it would break at each of these customers. Nothing changes.
    pub async fn preview_catalogue(
        &self,
        file: Vec<u8>,
        told: Customers,
    ) -> Result<ImportPreview, Error> {
        let (edition, report) = read_edition(file).await?;
        let preview = |store: Store| async move { store.preview_edition(&edition).await };
        let preview = self.call(preview).await?;
        Ok(self.preview_import(report, preview, told))
    }

    /// Imports a whole set of rules.
    pub async fn import_rules(&self, file: Vec<u8>, origin: Origin) -> Result<ImportReport, Error> {
        let (rules, mut report) = read_rules(file).await?;
        let stored = rules.clone();
        let import =
            |store: Store| async move { store.import_rules(&stored, &origin, now()).await };
        let outcome = self.call(import).await?;
        let catalogue = self.catalogue().await?;
        report.notes.extend(strangers(&rules, &catalogue));
        Ok(report.with(outcome))
    }

    /// Says what that would do, and what it would break at each of these customers. Nothing changes.
    pub async fn preview_rules(
        &self,
        file: Vec<u8>,
        told: Customers,
    ) -> Result<ImportPreview, Error> {
        let (rules, mut report) = read_rules(file).await?;
        let stored = rules.clone();
        let preview = |store: Store| async move { store.preview_rules(&stored).await };
        let preview = self.call(preview).await?;
        report.notes.extend(strangers(&rules, &preview.then));
        Ok(self.preview_import(report, preview, told))
    }

    fn preview_import(
        &self,
        report: ImportReport,
        preview: store::ImportPreview,
        told: Customers,
    ) -> ImportPreview {
        let (parts, impact) = mpsc::channel(PARTS_BUFFERED);
        let catalogue = Arc::new(preview.then);
        let (service, now, then) = (self.clone(), preview.now, catalogue.clone());
        let is_same = now.version == then.version;
        self.0.tasks.spawn(async move {
            let total = if is_same {
                Ok(ImpactTotal::default())
            } else {
                service.judge((&now, &then), &told, &parts).await
            };
            let _ = parts.send(total.map(ImpactPart::Ended)).await;
        });
        ImportPreview {
            report: report.with(preview.outcome),
            catalogue,
            impact,
        }
    }

    /// Judges the users of all customers, each customer at one moment. The total is of all; one by one,
    /// only those are told whom the caller may look at.
    async fn judge(
        &self,
        catalogues: (&Catalogue, &Catalogue),
        told: &Customers,
        parts: &Parts,
    ) -> Result<ImpactTotal, Error> {
        let _slot = self.0.previews.acquire().await;
        let store = &self.0.store;
        let (mut total, mut told_count) = (ImpactTotal::default(), 0);
        let mut place = Place::First;
        loop {
            let customers = store.customers_to_judge(&place, CUSTOMERS_READ).await?;
            let Some((_, last)) = customers.last() else {
                return Ok(total);
            };
            place = Place::After((fold(&last.display_name), last.customer_id));
            for (scope, customer) in customers {
                let judged = AtomicU64::new(total.judged_users);
                let walked = |users: usize| {
                    let before = judged.fetch_add(users as u64, Ordering::Relaxed);
                    let after = before + users as u64;
                    if before / PROGRESS_USERS < after / PROGRESS_USERS {
                        let so_far = ImpactTotal {
                            judged_users: after,
                            ..total
                        };
                        // Who reads slowly needs no more of it.
                        let _ = parts.try_send(Ok(ImpactPart::Progress(so_far)));
                    }
                    !(parts.is_closed() || self.0.stopping.is_cancelled())
                };
                let store = store.of(scope);
                let impact = store
                    .impact(catalogues, &walked)
                    .await?
                    .ok_or(Error::ShuttingDown)?;
                total.judged_users = judged.into_inner();
                total.judged_customers += 1;
                if impact.users == 0 {
                    continue;
                }
                total.customers += 1;
                total.users += impact.users;
                total.assignments += impact.assignments;
                if told_count < CUSTOMERS_TOLD_MAX && told.contain(customer.customer_id) {
                    told_count += 1;
                    let impact = CustomerImpact {
                        customer: customer.customer_id,
                        display_name: customer.display_name,
                        impact,
                    };
                    let _ = parts.send(Ok(ImpactPart::Customer(impact))).await;
                }
            }
        }
    }
}

impl ImportReport {
    fn with(self, outcome: ImportOutcome) -> Self {
        Self {
            changes: outcome.changes,
            version: outcome.version,
            ..self
        }
    }
}

async fn read_edition(file: Vec<u8>) -> Result<(Edition, ImportReport), Error> {
    let parsed = tokio::task::spawn_blocking(move || edition::parse_catalogue(&file)).await?;
    let edition::Parsed { value, notes } = parsed.map_err(Error::File)?;
    let pairs = value.products.iter().map(|product| product.plan_ids.len());
    let counts = (value.products.len(), pairs.sum(), 0);
    Ok((value, read(notes, counts)))
}

async fn read_rules(file: Vec<u8>) -> Result<(RuleSet, ImportReport), Error> {
    let parsed = tokio::task::spawn_blocking(move || edition::parse_rules(&file)).await?;
    let edition::Parsed { value, notes } = parsed.map_err(Error::File)?;
    let counts = (0, 0, value.rules.len());
    Ok((value, read(notes, counts)))
}

/// The report of a file that was read and not yet imported.
fn read(notes: Vec<Note>, counts: (usize, usize, usize)) -> ImportReport {
    ImportReport {
        notes,
        changes: Vec::new(),
        counts,
        version: 0,
    }
}

/// Remarks about plans of the rules that no product has.
fn strangers(rules: &RuleSet, catalogue: &Catalogue) -> Vec<Note> {
    let plans = rules.plans().into_iter();
    let unsold = plans.filter(|plan| !catalogue.is_sold(PlanId(*plan)));
    let note = |plan| {
        let plan = match rules.plan_names.get(&plan) {
            Some(name) => format!("{name} ({plan})"),
            None => format!("{plan}"),
        };
        Note {
            line: 0,
            column: "",
            text: format!("no product has the plan {plan}: the rules about it are kept"),
        }
    };
    unsold.map(note).collect()
}

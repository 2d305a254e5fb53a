//! What is measured: a customer with many users who all get the same products, and the rows that this
//! comes down to.

use std::fmt::Write;

use seatwise_client::{Client, v1};
use uuid::Uuid;

use super::Order;
use crate::error::Error;

/// Service plans of each product.
const PLANS: usize = 4;
const COUNTRIES: [&str; 8] = ["NL", "DE", "FR", "US", "GB", "BE", "ES", "SE"];
const FIRST_NAMES: [&str; 8] = [
    "Ada", "Grace", "Edsger", "Barbara", "Donald", "Frances", "Radia", "Ken",
];
const LAST_NAMES: [&str; 7] = [
    "de Vries", "Schmidt", "Dubois", "Jansen", "Smith", "Lindgren", "García",
];

/// A customer before anybody has a product. Ids are random, as those of a directory are, so that
/// the order of the ids has nothing to do with that of the import.
pub(super) struct Workload {
    pub(super) customer: Uuid,
    pub(super) users: Vec<Uuid>,
    /// In the order of their ids.
    pub(super) products: Vec<Uuid>,
}

impl Workload {
    pub(super) fn new(users: usize, products: usize) -> Self {
        let ids = |count| (0..count).map(|_| Uuid::new_v4()).collect();
        let mut products: Vec<Uuid> = ids(products);
        products.sort_unstable();
        Self {
            customer: Uuid::now_v7(),
            users: ids(users),
            products,
        }
    }

    /// The users as a request names them. The random order is not that of the import either.
    pub(super) fn in_order(&self, order: Order) -> Vec<Uuid> {
        let mut users = self.users.clone();
        match order {
            Order::Sorted => users.sort_unstable(),
            Order::Random => users.sort_by_cached_key(|_| Uuid::new_v4()),
        }
        users
    }

    /// Puts the customer into a fresh installation, with a seat for everybody.
    pub(super) async fn prepare(&self, client: &Client) -> Result<(), Error> {
        let (catalogue, rules) = self.catalogue();
        client.import_catalogue(catalogue.as_bytes()).await?;
        client.import_rules(rules.as_bytes()).await?;
        let customer_id = self.customer.to_string();
        let customer = v1::CreateCustomerRequest {
            customer_id: customer_id.clone(),
            display_name: "Bench".to_owned(),
            comment: String::new(),
        };
        client.create_customer(customer).await?;
        let users: Vec<_> = (0..)
            .zip(&self.users)
            .map(|(at, id)| user(at, *id))
            .collect();
        let outcomes = client.import_users(&customer_id, users).await?;
        if let Some(bad) = outcomes.iter().find(|outcome| outcome.user_id.is_empty()) {
            return Err(Error::Failed(format!("a user was not imported: {bad:?}")));
        }
        for product in &self.products {
            let seats = v1::SetSeatsRequest {
                customer_id: customer_id.clone(),
                product_id: product.to_string(),
                enabled: Some(i32::try_from(self.users.len()).unwrap_or(i32::MAX)),
                ..v1::SetSeatsRequest::default()
            };
            client.set_seats(seats).await?;
        }
        Ok(())
    }

    /// Products with plans, and rules about these plans of which nobody breaks one.
    fn catalogue(&self) -> (String, String) {
        let mut catalogue =
            "Product_Display_Name,String_Id,GUID,Service_Plan_Name,Service_Plan_Id,\
            Service_Plans_Included_Friendly_Names\n"
                .to_owned();
        let mut rules = "kind,service_plan_id,service_plan_name,other,other_name\n".to_owned();
        let mut required: Option<(Uuid, String)> = None;
        for (at, product) in self.products.iter().enumerate() {
            for plan in 0..PLANS {
                let (id, name) = (Uuid::new_v4(), format!("BENCH_{at}_{plan}"));
                let _ = writeln!(
                    catalogue,
                    "Bench Product {at},BENCH_{at},{product},{name},{id},Bench Plan {at}.{plan}"
                );
                let other = Uuid::new_v4();
                let _ = match plan {
                    0 => writeln!(rules, "excludes,{id},{name},{other},OTHER_{at}"),
                    1 => writeln!(rules, "prohibited_in,{id},{name},KP,"),
                    _ => Ok(()),
                };
                if let Some((other, other_name)) = required.replace((id, name.clone())) {
                    let _ = writeln!(rules, "requires_any_of,{id},{name},{other},{other_name}");
                }
            }
        }
        (catalogue, rules)
    }
}

fn user(at: usize, id: Uuid) -> v1::ImportedUser {
    let first = FIRST_NAMES[at % FIRST_NAMES.len()];
    let last = LAST_NAMES[at % LAST_NAMES.len()];
    v1::ImportedUser {
        user_id: id.to_string(),
        principal_name: format!("{}.{at:06}@bench.example.com", first.to_lowercase()),
        display_name: Some(format!("{first} {last}")),
        usage_location: Some(COUNTRIES[at % COUNTRIES.len()].to_owned()),
        ..v1::ImportedUser::default()
    }
}

/// Everything that the batch writes, by transaction.
pub(super) struct Rows {
    pub(super) customer: Uuid,
    pub(super) batch: Uuid,
    pub(super) products: Vec<Uuid>,
    /// What a change row says: each product, not held before, with every plan after.
    pub(super) edits: Vec<u8>,
    pub(super) chunks: Vec<Chunk>,
    /// Whether the statements of a transaction may be sent together.
    pub(super) pipelined: bool,
}

/// What one transaction writes.
pub(super) struct Chunk {
    pub(super) users: Vec<Uuid>,
    pub(super) results: Vec<u8>,
}

impl Chunk {
    /// A chunk for each user.
    fn split(&self) -> impl Iterator<Item = Self> + '_ {
        let bytes = self.results.len() / self.users.len();
        self.users.iter().map(move |user| Self {
            users: vec![*user],
            results: self.results[..bytes].to_vec(),
        })
    }
}

impl Rows {
    /// The users in chunks like those of the service, with the results that it stored.
    pub(super) fn chunked(
        workload: &Workload,
        users: &[Uuid],
        stored: Vec<(usize, Vec<u8>)>,
    ) -> Self {
        let mut rest = users;
        let chunk = |(count, results)| {
            let (users, others) = rest.split_at(count);
            rest = others;
            Chunk {
                users: users.to_vec(),
                results,
            }
        };
        let chunks = stored.into_iter().map(chunk).collect();
        let edit = |product: &Uuid| {
            let (before, after) = ((-1i32).to_le_bytes(), 0i32.to_le_bytes());
            [product.as_bytes().as_slice(), &before, &after].concat()
        };
        Self {
            customer: workload.customer,
            batch: Uuid::now_v7(),
            products: workload.products.clone(),
            edits: workload.products.iter().flat_map(edit).collect(),
            chunks,
            pipelined: true,
        }
    }

    /// The first users, each in a transaction of its own.
    pub(super) fn sample(&self, users: usize) -> Self {
        let all = self.chunks.iter().flat_map(Chunk::split);
        Self {
            customer: self.customer,
            batch: self.batch,
            products: self.products.clone(),
            edits: self.edits.clone(),
            chunks: all.take(users).collect(),
            pipelined: false,
        }
    }

    pub(super) fn users(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.users.len()).sum()
    }
}

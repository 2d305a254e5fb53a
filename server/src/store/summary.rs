//! What the users of a selection hold: counts per product, and the holders page by page.
//!
//! Counting visits every assignment of a user, and that is all the time it takes: 5,000,000 of them
//! take two seconds or more on either engine. Two things are known without: how many hold each
//! product altogether (`licenses.assigned`), and that most hold it with all its plans. So of a
//! selection with more than half of the customer's users the *others* are visited, and their counts
//! taken from the whole; and for plans only the index of assignments with a choice of their own is.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::error::Error;
use super::filter::{Reads, UserKey, count_users, user_ids};
use super::licenses::{Row, select_licenses};
use super::members::{self, Holding, tally, tally_all_choices, tally_choices};
use super::schema::{licenses as l, products as p};
use super::selection::evaluate;
use super::types::{Id, Timestamp};
use super::{CustomerStore, License, User};
use crate::domain::{
    ChoiceId, Choices, CustomerId, Place, PlanChoice, ProductId, Selection, SelectionPart,
    UserFilter, UserId, UserOrder,
};

/// What the users of a selection hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// How many they are.
    pub user_count: i64,
    /// Every license of the customer, by display name and id of the product.
    pub licenses: Vec<Held>,
}

/// How many users of a selection hold a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The license.
    pub license: License,
    /// How many hold it.
    pub holder_count: i64,
    /// How many of them hold it with each choice of plans; empty if not asked for.
    pub choices: Vec<(PlanChoice, i64)>,
}

impl CustomerStore {
    /// Counts who of a selection holds what; how they chose the plans only if asked for.
    pub async fn summarize(
        &self,
        selection: &Selection,
        with_choices: bool,
        now: Timestamp,
    ) -> Result<Summary, Error> {
        let customer = self.customer;
        let (user_count, licenses, counts) = read_tx!(self, conn => {
            let everybody = count_users(conn, customer, &UserFilter::default()).await?;
            let (visited, user_count) = match all_but(selection) {
                Some(except) => {
                    let others = evaluate(conn, customer, &except, now).await?.users;
                    let count = everybody - others.len() as i64;
                    (Visited::Others(others), count)
                }
                None => {
                    let users = evaluate(conn, customer, selection, now).await?.users;
                    let count = users.len() as i64;
                    (visited(conn, customer, users, everybody).await?, count)
                }
            };
            let licenses: Vec<Row> = select_licenses!(customer)
                .order((p::sort_key, p::product_id))
                .load(conn)
                .await?;
            let licenses: Vec<License> = licenses.into_iter().map(License::from).collect();
            let counts = count(conn, customer, visited, &licenses, with_choices).await?;
            Ok((user_count, licenses, counts))
        })?;
        if licenses.is_empty() {
            self.customer().await?;
        }
        let mut choices = Choices::default();
        // A choice never changes, so it can be read later than the counts.
        let named = counts.keys().map(|(_, choice)| *choice);
        self.load_choices(&mut choices, named).await?;
        let mut by_product: HashMap<ProductId, Vec<(PlanChoice, i64)>> = HashMap::new();
        for ((product, id), count) in &counts {
            if *id != ChoiceId::ALL && *count > 0 {
                let choice = choices.get(*id).cloned();
                let choice =
                    choice.ok_or_else(|| Error::Broken(format!("no plan choice {}", id.0)))?;
                by_product
                    .entry(*product)
                    .or_default()
                    .push((choice, *count));
            }
        }
        let held = |license: License| {
            let all = counts.get(&(license.product, ChoiceId::ALL));
            let holder_count = all.copied().unwrap_or(0);
            let mut choices = by_product.remove(&license.product).unwrap_or_default();
            if with_choices {
                let own: i64 = choices.iter().map(|(_, count)| count).sum();
                choices.push((PlanChoice::ALL, holder_count - own));
            }
            Held {
                license,
                holder_count,
                choices,
            }
        };
        Ok(Summary {
            user_count,
            licenses: licenses.into_iter().map(held).collect(),
        })
    }

    /// Returns up to `limit` users of a selection by display name and id, at a place; only those who
    /// hold or lack a product, if one is given.
    pub async fn selected_users(
        &self,
        selection: &Selection,
        holding: Option<Holding>,
        place: &Place<UserKey>,
        limit: i64,
        now: Timestamp,
    ) -> Result<Vec<User>, Error> {
        if let Some(filter) = as_filter(selection, holding) {
            let order = UserOrder::DisplayName;
            return self.users(&filter, order, place, limit).await;
        }
        let page = read_tx!(self, conn => {
            let users = evaluate(conn, self.customer, selection, now).await?.users;
            members::page(conn, self.customer, &users, holding, place, limit).await
        })?;
        if page.is_empty() {
            self.customer().await?;
        }
        Ok(page)
    }

    /// Counts the users of a selection; only those who hold or lack a product, if one is given.
    pub async fn count_selected(
        &self,
        selection: &Selection,
        holding: Option<Holding>,
        now: Timestamp,
    ) -> Result<i64, Error> {
        if let Some(filter) = as_filter(selection, holding) {
            return self.count_users(&filter).await;
        }
        read_tx!(self, conn => {
            let users = evaluate(conn, self.customer, selection, now).await?.users;
            match holding {
                None => Ok(users.len() as i64),
                Some(holding) => members::count(conn, self.customer, &users, holding).await,
            }
        })
    }
}

/// The selection as one filter, which finds a page without finding all users first.
fn as_filter(selection: &Selection, holding: Option<Holding>) -> Option<UserFilter> {
    let ([SelectionPart::Filter(filter)], []) = (&selection.parts[..], &selection.except[..])
    else {
        return None;
    };
    let mut filter = filter.clone();
    if let Some(Holding { product, lacking }) = holding {
        let condition = if lacking {
            &mut filter.lacks_product
        } else {
            &mut filter.holds_product
        };
        if condition
            .replace(product)
            .is_some_and(|other| other != product)
        {
            return None;
        }
    }
    Some(filter)
}

/// Whose assignments are visited.
enum Visited {
    /// The selected users.
    Selected(Vec<UserId>),
    /// All other users of the customer.
    Others(Vec<UserId>),
}

/// Whom a selection leaves out that begins with everybody: then nobody else needs to be found.
fn all_but(selection: &Selection) -> Option<Selection> {
    let [SelectionPart::Filter(filter)] = &selection.parts[..] else {
        return None;
    };
    (*filter == UserFilter::default()).then(|| Selection {
        parts: selection.except.clone(),
        except: Vec::new(),
    })
}

/// The selected users or the others, whichever are fewer.
async fn visited(
    conn: &mut impl Reads,
    customer: CustomerId,
    users: Vec<UserId>,
    everybody: i64,
) -> Result<Visited, Error> {
    if users.len() as i64 * 2 <= everybody {
        return Ok(Visited::Selected(users));
    }
    let users: HashSet<UserId> = users.into_iter().collect();
    let mut others = user_ids(conn, customer, &UserFilter::default(), i64::MAX).await?;
    others.retain(|user| !users.contains(user));
    Ok(Visited::Others(others))
}

/// Counts per product and choice who of the selected users holds it so; under the choice of all
/// plans stand all who hold the product, whatever their choice.
async fn count(
    conn: &mut impl Reads,
    customer: CustomerId,
    visited: Visited,
    licenses: &[License],
    with_choices: bool,
) -> Result<HashMap<(ProductId, ChoiceId), i64>, Error> {
    let (mut users, are_others) = match visited {
        Visited::Selected(users) => (users, false),
        Visited::Others(users) => (users, true),
    };
    // In key order neighbours share pages.
    users.sort_unstable();
    let mut visited_counts = tally(conn, customer, &users).await?;
    if with_choices {
        visited_counts.extend(tally_choices(conn, customer, &users).await?);
    }
    if !are_others {
        return Ok(visited_counts.into_iter().collect());
    }
    let all = |license: &License| ((license.product, ChoiceId::ALL), license.seats.assigned);
    let mut counts: HashMap<_, _> = licenses.iter().map(all).collect();
    if with_choices {
        counts.extend(tally_all_choices(conn, customer).await?);
    }
    for (key, count) in visited_counts {
        *counts.entry(key).or_default() -= count;
    }
    Ok(counts)
}

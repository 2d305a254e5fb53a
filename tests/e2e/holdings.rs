//! What the users of a selection hold: all, some or none of them, and who does and who does not.

use std::collections::BTreeMap;

use seatwise_client::v1::{
    Coverage, LicenseSummary, ListHoldersRequest, Selection, SummarizeAssignmentsRequest,
    SummarizeAssignmentsResponse,
};

use crate::customer::Customer;
use crate::fixtures::product::{MAILBOX, NOTES, SUITE, VIDEO, VOICE};
use crate::fixtures::{assign_plans, only, plan, user_ids};
use crate::harness::{Harness, on_every_engine};
use crate::selections::{everybody, frozen, numbers, select, users, walk};

impl Customer {
    async fn holders(&self, selection: &Selection, product: &str, lacking: bool) -> Vec<String> {
        let list = async |page_token: String| {
            let request = ListHoldersRequest {
                customer_id: self.id.clone(),
                selection: Some(selection.clone()),
                product_id: product.to_owned(),
                lacking,
                page_size: 2,
                page_token,
                include_total_size: false,
            };
            let page = self.client.list_holders(request).await.expect("a page");
            let last = page.last_page_token;
            (
                page.users,
                page.next_page_token,
                page.previous_page_token,
                last,
            )
        };
        walk(list).await
    }

    async fn summary(&self, selection: Selection, plans: bool) -> SummarizeAssignmentsResponse {
        let request = SummarizeAssignmentsRequest {
            customer_id: self.id.clone(),
            selection: Some(selection),
            include_plans: plans,
        };
        let summary = self.client.summarize_assignments(request).await;
        summary.expect("a summary")
    }
}

async fn a_summary_tells_who_holds_what_and_which_plans_are_on(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(6).await;
    for (product, seats) in [(SUITE, 4), (NOTES, 10), (VIDEO, 0), (VOICE, 10)] {
        customer.set_seats(product, seats).await;
    }
    customer.give(&[SUITE], &user_ids(2)).await;
    let mail_only = assign_plans(SUITE, only(&[plan::MAIL]));
    customer.run(mail_only, &numbers([2])).await;
    customer.give(&[NOTES], &user_ids(6)).await;
    customer.give(&[VOICE], &numbers([5])).await;

    let summary = customer
        .summary(select(vec![everybody()], vec![]), true)
        .await;
    assert_eq!(summary.user_count(), 6);
    let names: Vec<_> = summary.licenses.iter().map(name).collect();
    assert_eq!(names, ["Notes", "Suite", "Video", "Voice"]);
    let all: Vec<_> = summary.licenses.iter().map(told).collect();
    assert_eq!(
        all,
        [
            (6, Coverage::All),
            (3, Coverage::Some),
            (0, Coverage::None),
            (1, Coverage::Some)
        ]
    );
    let video = summary.licenses[2].license.clone().expect("a license");
    assert_eq!((video.available(), video.buy_more()), (0, true));
    let plans = plans(&summary.licenses[1]);
    assert_eq!(plans["MAIL"], (3, Coverage::Some));
    assert_eq!(plans["CHAT"], (2, Coverage::Some));
    assert_eq!(plans["DRIVE"], (2, Coverage::Some));

    // Of a few, and with the seats of all; without plans unless they are asked for.
    let few = select(vec![users(&numbers([2]))], vec![]);
    let summary = customer.summary(few.clone(), true).await;
    assert_eq!(told_of(&summary, 1), (1, Coverage::All));
    assert_eq!(plans_of(&summary, 1)["CHAT"], (0, Coverage::None));
    assert_eq!(plans_of(&summary, 1)["MAIL"], (1, Coverage::All));
    assert_eq!(told_of(&summary, 3), (0, Coverage::None));
    let suite = summary.licenses[1].license.clone().expect("a license");
    assert_eq!((suite.assigned(), suite.available()), (3, 1));
    let summary = customer.summary(few, false).await;
    assert!(summary.licenses.iter().all(|held| held.plans.is_empty()));

    // Of most, of a frozen selection and of nobody.
    let most = select(vec![everybody()], vec![users(&numbers([2]))]);
    let most = frozen(&customer.frozen(most).await);
    let summary = customer.summary(select(vec![most], vec![]), true).await;
    assert_eq!(told_of(&summary, 1), (2, Coverage::Some));
    assert_eq!(plans_of(&summary, 1)["MAIL"], (2, Coverage::Some));
    let nobody = select(vec![everybody()], vec![everybody()]);
    let summary = customer.summary(nobody, true).await;
    assert_eq!(summary.user_count(), 0);
    assert!(
        summary
            .licenses
            .iter()
            .all(|held| told(held) == (0, Coverage::None))
    );
}

fn name(held: &LicenseSummary) -> &str {
    &held.license.as_ref().expect("a license").display_name
}

fn told(held: &LicenseSummary) -> (i32, Coverage) {
    (held.holder_count(), held.coverage())
}

fn told_of(summary: &SummarizeAssignmentsResponse, license: usize) -> (i32, Coverage) {
    told(&summary.licenses[license])
}

/// The plans of a license by name.
fn plans(held: &LicenseSummary) -> BTreeMap<String, (i32, Coverage)> {
    let told = held.plans.iter().map(|told| {
        let name = told.plan.as_ref().expect("a plan").name.clone();
        (name, (told.enabled_count(), told.coverage()))
    });
    told.collect()
}

fn plans_of(
    summary: &SummarizeAssignmentsResponse,
    license: usize,
) -> BTreeMap<String, (i32, Coverage)> {
    plans(&summary.licenses[license])
}

async fn holders_of_a_product_and_those_who_lack_it_are_listed(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(9).await;
    customer.set_seats(NOTES, 10).await;
    customer.set_seats(MAILBOX, 0).await;
    customer.give(&[NOTES], &numbers([1, 2, 3, 6, 8])).await;
    customer.rename(6, "Ada").await;
    let some = users(&numbers([8, 6, 5, 3, 2, 0]));
    let made = customer.frozen(select(vec![some.clone()], vec![])).await;
    for selection in [
        select(vec![some], vec![]),
        select(vec![frozen(&made)], vec![]),
    ] {
        let holders = customer.holders(&selection, NOTES, false).await;
        assert_eq!(holders, numbers([6, 2, 3, 8]));
        assert_eq!(
            customer.holders(&selection, NOTES, true).await,
            numbers([0, 5])
        );
        assert_eq!(
            customer.holders(&selection, MAILBOX, false).await,
            numbers([])
        );
    }
    let all = select(vec![everybody()], vec![]);
    assert_eq!(
        customer.holders(&all, NOTES, false).await,
        numbers([6, 1, 2, 3, 8])
    );
    assert_eq!(
        customer.holders(&all, NOTES, true).await,
        numbers([0, 4, 5, 7])
    );
    assert_eq!(customer.holders(&all, MAILBOX, true).await.len(), 9);
}

on_every_engine![
    a_summary_tells_who_holds_what_and_which_plans_are_on,
    holders_of_a_product_and_those_who_lack_it_are_listed,
];

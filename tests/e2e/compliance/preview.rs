//! Previews of imports: what they would break, and at which customers.

use seatwise_client::Client;
use seatwise_client::v1::{
    CustomerImpact, ImpactTotal, ListProductsRequest, ListRulesRequest, ReasonCode,
    UpdateCustomerRequest, ViolationFilter,
};

use super::{before_the_rules, import_rules, of_code};
use crate::customer::Customer;
use crate::fixtures::plan::CHAT;
use crate::fixtures::product::{MAILBOX, NOTES, PHONE};
use crate::fixtures::{CATALOGUE, RULES, user_ids};
use crate::harness::{Harness, on_every_engine};

impl Customer {
    async fn call_it(&self, name: &str) {
        let request = UpdateCustomerRequest {
            customer_id: self.id.clone(),
            display_name: Some(name.to_owned()),
            ..Default::default()
        };
        self.client.update_customer(request).await.expect("renamed");
    }
}

/// The versions that the lists of the catalogue tell.
async fn versions(client: &Client) -> (i32, i32) {
    let products = client.list_products(ListProductsRequest::default()).await;
    let rules = client.list_rules(ListRulesRequest::default()).await;
    (
        products.expect("products").catalogue_version(),
        rules.expect("rules").catalogue_version(),
    )
}

/// Whose assignments would be broken: users and assignments of each customer.
fn names(impacts: &[CustomerImpact]) -> Vec<(String, i32, i32)> {
    let name = |impact: &CustomerImpact| {
        let counts = (impact.user_count(), impact.assignment_count());
        (impact.display_name.clone(), counts.0, counts.1)
    };
    impacts.iter().map(name).collect()
}

/// Zeta, whose users hold what the rules forbid; alpha, three users of which hold it; and one of which
/// nobody does.
async fn three_customers(server: &Harness) -> [Customer; 3] {
    let customer = before_the_rules(server).await;
    customer.call_it("Zeta").await;
    let fine = server.customer_with_users(2).await;
    fine.set_seats(NOTES, 9).await;
    fine.give(&[NOTES], &user_ids(2)).await;
    let other = server.customer_with_users(3).await;
    other.call_it("alpha").await;
    for product in [PHONE, NOTES] {
        other.set_seats(product, 9).await;
    }
    other.give(&[PHONE, NOTES], &user_ids(3)).await;
    [customer, other, fine]
}

async fn a_preview_of_rules_tells_what_they_would_break_and_changes_nothing(server: &Harness) {
    let [customer, ..] = three_customers(server).await;
    let (client, version) = (&customer.client, versions(&customer.client).await);
    assert_eq!(version.0, version.1);
    let preview = client.preview_rules(RULES.as_bytes()).await.expect("shown");
    let expected = [("alpha".to_owned(), 3, 3), ("Zeta".to_owned(), 4, 7)];
    assert_eq!(names(&preview.impacts), expected, "by name");
    let total = ImpactTotal {
        judged_customer_count: Some(3),
        judged_user_count: Some(13),
        customer_count: Some(2),
        user_count: Some(7),
        assignment_count: Some(10),
    };
    assert_eq!(preview.summary.impact, Some(total));
    assert_eq!(preview.summary.added_count(), 3);
    assert_eq!(preview.summary.catalogue_version(), version.0 + 1);
    assert_eq!(versions(client).await, version);
    let rules = client.list_rules(ListRulesRequest::default()).await;
    assert_eq!(rules.expect("rules").rules, []);

    let report = client
        .import_rules(RULES.as_bytes())
        .await
        .expect("imported");
    assert_eq!(
        (&report.notes, &report.changes),
        (&preview.notes, &preview.changes)
    );
    assert_eq!(report.summary.impact, None);
    let again = client.preview_rules(RULES.as_bytes()).await.expect("shown");
    assert_eq!(again.summary.impact, Some(zero()));
    assert_eq!(again.summary.catalogue_version(), version.0 + 1);
    // What is broken already is not broken anew.
    let fewer: Vec<&str> = RULES
        .lines()
        .filter(|line| !line.starts_with("requires"))
        .collect();
    let fewer = format!("{}\n", fewer.join("\n"));
    let fewer = client.preview_rules(fewer.as_bytes()).await.expect("shown");
    assert_eq!(fewer.impacts, []);
    assert_eq!(
        fewer.summary.impact.expect("a total").judged_user_count(),
        13
    );
}

async fn a_preview_of_an_edition_tells_whom_new_plans_and_holders_would_concern(server: &Harness) {
    let [customer, ..] = three_customers(server).await;
    let client = &customer.client;
    import_rules(client, RULES).await;
    // Notes is for the company, and Mailbox has chat, which the phone needs.
    let edition = CATALOGUE.replace("Notes,User", "Notes,Company")
        + &format!("Mailbox,MAILBOX,{MAILBOX},CHAT,{CHAT},Chat,User\n");
    let preview = client
        .preview_catalogue(edition.as_bytes())
        .await
        .expect("shown");
    let expected = [("alpha", 3, 3), ("Example", 2, 2), ("Zeta", 3, 3)];
    let expected = expected.map(|(name, users, held)| (name.to_owned(), users, held));
    assert_eq!(names(&preview.impacts), expected);
    let zeta = &preview.impacts[2];
    assert_eq!(
        (zeta.violator_count_now(), zeta.violator_count_then()),
        (4, 6)
    );
    let [rule] = &zeta.rules[..] else {
        panic!("one rule: {:?}", zeta.rules);
    };
    let reason = rule.reason.as_ref().expect("a reason");
    assert_eq!(
        (reason.code(), rule.user_count()),
        (ReasonCode::ProductNotForUsers, 3)
    );
    let imported = client.import_catalogue(edition.as_bytes()).await;
    assert_eq!(imported.expect("imported").changes, preview.changes);
    let company = of_code(ReasonCode::ProductNotForUsers);
    assert_eq!(customer.violation_summary(&company).await.user_count(), 3);
    assert_eq!(
        customer
            .violation_summary(&ViolationFilter::default())
            .await
            .user_count(),
        6
    );
}

fn zero() -> ImpactTotal {
    ImpactTotal {
        judged_customer_count: Some(0),
        judged_user_count: Some(0),
        customer_count: Some(0),
        user_count: Some(0),
        assignment_count: Some(0),
    }
}

on_every_engine![
    a_preview_of_rules_tells_what_they_would_break_and_changes_nothing,
    a_preview_of_an_edition_tells_whom_new_plans_and_holders_would_concern,
];

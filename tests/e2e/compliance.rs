//! What users hold against the rules: who does and why, as a selection, and before an import.

mod preview;
mod refused;

use std::collections::BTreeMap;

use seatwise_client::Client;
use seatwise_client::v1::selection_part::Part;
use seatwise_client::v1::{
    BrokenRule, ImportedUser, ListViolationsRequest, ListViolationsResponse, ReasonCode,
    SummarizeViolationsRequest, SummarizeViolationsResponse, ViolationFilter, Violator,
};

use crate::customer::{Customer, assert_applied, imported_user, pages};
use crate::fixtures::plan::{CHAT, MAIL, MAIL_BASIC};
use crate::fixtures::product::{DIAL, MAILBOX, NOTES, PHONE, SUITE};
use crate::fixtures::{
    CATALOGUE, RULES, UNKNOWN_ID, all_except, assign_plans, revoke, user_id, user_ids,
};
use crate::harness::{Harness, on_every_engine};
use crate::selections::{everybody, frozen, select};

/// Users with violations that meet a filter.
pub(crate) fn violating(filter: ViolationFilter) -> Part {
    Part::Violating(filter)
}

impl Customer {
    /// All users with violations, in pages of this size, and those violations.
    pub(crate) async fn violators(
        &self,
        filter: &ViolationFilter,
        page_size: i32,
    ) -> Vec<Violator> {
        let page = async |page_token: String| {
            let request = ListViolationsRequest {
                customer_id: self.id.clone(),
                filter: Some(filter.clone()),
                page_size,
                page_token,
            };
            let page = self.client.list_violations(request).await?;
            assert_eq!(page.locale, "en");
            let violations = page.users.iter().map(|user| user.violations.len());
            let all_but_last = violations.rev().skip(1).sum::<usize>();
            assert!((all_but_last as i32) < page_size, "until it is full");
            Ok((page.users, page.next_page_token))
        };
        pages(page).await.expect("pages")
    }

    pub(crate) async fn violation_summary(
        &self,
        filter: &ViolationFilter,
    ) -> SummarizeViolationsResponse {
        let request = SummarizeViolationsRequest {
            customer_id: self.id.clone(),
            filter: Some(filter.clone()),
        };
        let summary = self.client.summarize_violations(request).await;
        summary.expect("a summary")
    }

    async fn move_to(&self, numbers: &[usize], location: &str) {
        let moved = |number: &usize| ImportedUser {
            usage_location: Some(location.to_owned()),
            ..imported_user(*number)
        };
        self.import(numbers.iter().map(moved).collect()).await;
    }
}

/// The small catalogue without rules, and a customer with users who hold what the rules forbid.
async fn before_the_rules(server: &Harness) -> Customer {
    server.start().await;
    let client = server.client();
    let imported = client.import_catalogue(CATALOGUE.as_bytes()).await;
    imported.expect("imported");
    let customer = server.customer_with_users(8).await;
    for product in [SUITE, MAILBOX, PHONE, DIAL, NOTES] {
        customer.set_seats(product, 9).await;
    }
    // Two mails; two mails and no chat to the phone; nothing wrong; no chat; domestic calls.
    customer.give(&[SUITE, MAILBOX], &[user_id(0)]).await;
    customer.give(&[MAILBOX, PHONE], &[user_id(1)]).await;
    let without_chat = assign_plans(SUITE, all_except(&[CHAT]));
    assert_applied(&customer.run(without_chat, &[user_id(1)]).await[0]);
    customer.give(&[SUITE, PHONE, NOTES], &[user_id(2)]).await;
    customer.give(&[PHONE], &[user_id(3)]).await;
    customer.give(&[DIAL, NOTES], &user_ids(6)[4..]).await;
    customer.move_to(&[5], "US").await;
    customer
}

fn of_code(code: ReasonCode) -> ViolationFilter {
    ViolationFilter {
        code: code.into(),
        ..Default::default()
    }
}

/// What is broken by whom, in short.
fn told(violators: &[Violator]) -> Vec<(String, Vec<ReasonCode>)> {
    let codes = |violator: &Violator| {
        let reasons = violator.violations.iter().map(|one| &one.reason);
        let codes = reasons.map(|reason| reason.as_ref().expect("a reason").code());
        (violator.user_id.clone(), codes.collect())
    };
    violators.iter().map(codes).collect()
}

/// How many users break rules, by the plan that a rule is about.
fn by_plan(rules: &[BrokenRule]) -> BTreeMap<String, i32> {
    let rule = |rule: &BrokenRule| {
        let reason = rule.reason.as_ref().expect("a reason");
        let plan = reason.plan.as_ref().expect("a plan");
        (plan.name.clone(), rule.user_count())
    };
    rules.iter().map(rule).collect()
}

async fn import_rules(client: &Client, rules: &str) -> i32 {
    let report = client.import_rules(rules.as_bytes()).await;
    report.expect("imported").summary.catalogue_version()
}

async fn what_is_held_against_new_rules_is_told_by_user_and_by_rule(server: &Harness) {
    use ReasonCode::{
        MutuallyExclusivePlans as Excluded, PrerequisiteMissing as Missing,
        UsageLocationProhibited as Prohibited,
    };
    let customer = before_the_rules(server).await;
    let any = ViolationFilter::default();
    assert_eq!(customer.violators(&any, 50).await, []);
    assert_eq!(customer.violation_summary(&any).await.user_count(), 0);
    let preview = customer.client.preview_rules(RULES.as_bytes()).await;
    let preview = preview.expect("a preview");

    let version = import_rules(&customer.client, RULES).await;
    assert_eq!(preview.summary.catalogue_version(), version);
    let expected = vec![
        (user_id(0), vec![Excluded]),
        (user_id(1), vec![Excluded, Missing]),
        (user_id(3), vec![Missing]),
        (user_id(5), vec![Prohibited]),
    ];
    for page_size in [1, 2, 50] {
        let violators = customer.violators(&any, page_size).await;
        assert_eq!(told(&violators), expected);
    }
    check_words(&customer.violators(&any, 50).await);

    let summary = customer.violation_summary(&any).await;
    let counts = (
        summary.user_count(),
        summary.violation_count(),
        summary.rule_count(),
    );
    assert_eq!(counts, (4, 5, 3));
    assert_eq!(
        (summary.catalogue_version(), &summary.locale[..]),
        (version, "en")
    );
    let rules = summary.rules.iter();
    let rules: Vec<_> = rules
        .map(|rule| (rule.user_count(), &rule.text[..]))
        .collect();
    assert_eq!(rules[0], (2, "MAIL cannot be on together with MAIL_BASIC."));
    assert_eq!((rules[1].0, rules[2].0), (2, 1));
    // The preview told the same.
    let [impact] = &preview.impacts[..] else {
        panic!("one customer: {:?}", preview.impacts);
    };
    assert_eq!((impact.user_count(), impact.assignment_count()), (4, 7));
    assert_eq!(by_plan(&impact.rules), by_plan(&summary.rules));
}

/// What is said about the violations of the first and of the third user.
fn check_words(violators: &[Violator]) {
    let first = &violators[0];
    assert_eq!(first.principal_name, "user0@example.com");
    assert_eq!(first.display_name, "User 0");
    let violation = &first.violations[0];
    assert_eq!(
        violation.text,
        "MAIL cannot be on together with MAIL_BASIC."
    );
    let products = violation.products.iter();
    let products: Vec<_> = products.map(|product| &product.display_name[..]).collect();
    assert_eq!(products, ["Suite", "Mailbox"], "what has part in it, by id");
    let missing = violators[2].violations[0]
        .reason
        .as_ref()
        .expect("a reason");
    let suppliers: Vec<_> = missing
        .suppliers
        .iter()
        .map(|one| &one.product_id)
        .collect();
    assert_eq!(suppliers, [SUITE], "of what the customer has a license");
}

async fn violators_are_selected_and_mended(server: &Harness) {
    let customer = before_the_rules(server).await;
    import_rules(&customer.client, RULES).await;
    let any = ViolationFilter::default();
    // The phone without chat: revoked by a batch over who is found when it is accepted.
    let phones = select(
        vec![violating(of_code(ReasonCode::PrerequisiteMissing))],
        vec![],
    );
    let outcome = customer
        .execute(customer.over(revoke(&[PHONE]), phones))
        .await;
    assert_eq!(outcome.counts(), (2, 0, 0));
    // The rest: frozen, and mended by one batch; who is in order is left alone.
    let rest = customer
        .frozen(select(vec![violating(any.clone())], vec![]))
        .await;
    assert_eq!(rest.user_count(), 3);
    let mend = customer.over(
        revoke(&[MAILBOX, DIAL]),
        select(vec![frozen(&rest)], vec![]),
    );
    assert_eq!(customer.execute(mend).await.counts(), (3, 0, 0));
    assert_eq!(customer.violators(&any, 50).await, []);
    assert_eq!(customer.products_of(&user_id(4)).await, [DIAL, NOTES]);
    let nobody = customer.frozen(select(vec![violating(any)], vec![])).await;
    assert_eq!(nobody.user_count(), 0);
}

async fn violations_are_filtered_and_told_in_the_callers_language(server: &Harness) {
    let customer = before_the_rules(server).await;
    import_rules(&customer.client, RULES).await;
    customer.move_to(&[2], "").await;
    let users = async |filter: ViolationFilter| {
        let violators = customer.violators(&filter, 50).await;
        let listed: Vec<_> = violators.into_iter().map(|one| one.user_id).collect();
        let everybody = select(vec![everybody()], vec![violating(filter.clone())]);
        let others = customer.frozen(everybody).await.user_count();
        assert_eq!(others as usize, 8 - listed.len(), "everybody but them");
        let summary = customer.violation_summary(&filter).await;
        assert_eq!(summary.user_count() as usize, listed.len());
        listed
    };
    let by_product = |product: &str| ViolationFilter {
        product_id: product.to_owned(),
        ..Default::default()
    };
    let by_plan = |plan: &str| ViolationFilter {
        plan_id: plan.to_owned(),
        ..Default::default()
    };
    assert_eq!(
        users(of_code(ReasonCode::UsageLocationMissing)).await,
        [user_id(2)]
    );
    assert_eq!(
        users(of_code(ReasonCode::ProductNotForUsers)).await,
        [""; 0]
    );
    assert_eq!(users(by_product(SUITE)).await, user_ids(3));
    assert_eq!(users(by_product(NOTES)).await, [user_id(2)]);
    assert_eq!(users(by_product(UNKNOWN_ID)).await, [""; 0]);
    assert_eq!(users(by_plan(MAIL)).await, user_ids(2));
    assert_eq!(users(by_plan(MAIL_BASIC)).await, user_ids(2));
    assert_eq!(users(by_plan(CHAT)).await, [""; 0], "it is missing, not on");
    let both = ViolationFilter {
        product_id: PHONE.to_owned(),
        ..of_code(ReasonCode::MutuallyExclusivePlans)
    };
    assert_eq!(users(both).await, [""; 0]);

    let dutch = server.client_in("nl");
    let request = ListViolationsRequest {
        customer_id: customer.id.clone(),
        page_size: 1,
        ..Default::default()
    };
    let page = dutch.list_violations(request).await.expect("a page");
    assert_eq!(page.locale, "nl");
    let text = &page.users[0].violations[0].text;
    assert!(text.contains("niet samen met MAIL_BASIC"), "{text}");
}

async fn many_users_are_judged_page_by_page(server: &Harness) {
    const USERS: usize = 23_000;
    server.start().await;
    let imported = server.client().import_catalogue(CATALOGUE.as_bytes()).await;
    imported.expect("imported");
    let customer = server.customer_with_users(USERS).await;
    customer.set_seats(PHONE, 30_000).await;
    // Nobody among the first 20,000.
    let users = &user_ids(USERS)[21_500..];
    customer.give(&[PHONE], users).await;
    import_rules(&customer.client, RULES).await;
    let any = ViolationFilter::default();
    let page = async |page_token: String| -> ListViolationsResponse {
        let request = ListViolationsRequest {
            customer_id: customer.id.clone(),
            page_size: 1_000,
            page_token,
            ..Default::default()
        };
        customer
            .client
            .list_violations(request)
            .await
            .expect("a page")
    };
    let first = page(String::new()).await;
    assert_eq!(
        first.users,
        [],
        "so many users are judged for a page, and no more"
    );
    let second = page(first.next_page_token).await;
    assert_eq!(second.users.len(), 1_000);
    let violators = customer.violators(&any, 1_000).await;
    let listed: Vec<_> = violators.into_iter().map(|one| one.user_id).collect();
    assert_eq!(listed, users);
    let selected = customer.frozen(select(vec![violating(any)], vec![])).await;
    assert_eq!(selected.user_count() as usize, users.len());
}

on_every_engine![
    what_is_held_against_new_rules_is_told_by_user_and_by_rule,
    violators_are_selected_and_mended,
    violations_are_filtered_and_told_in_the_callers_language,
    many_users_are_judged_page_by_page,
];

//! The catalogue: the vendor's whole file, newer editions, dirty and broken files.

use seatwise_client::transport::v1::ErrorReason;
use seatwise_client::v1::catalogue_change::Kind;
use seatwise_client::v1::product::AppliesTo;
use seatwise_client::v1::{
    CatalogueChange, GetProductRequest, ListProductsRequest, ListRulesRequest, Product, ReasonCode,
    Rule, UpdateProductRequest, rule,
};
use seatwise_client::{Client, ImportReport};

use crate::customer::{assert_applied, assert_failed, assert_unchanged, interrupt, pages};
use crate::fixtures::plan::{CHAT, DRIVE, MAIL};
use crate::fixtures::product::{BACKUP, NOTES, SUITE, VIDEO};
use crate::fixtures::{
    CATALOGUE, REAL_CATALOGUE, REAL_RULES, assign, assign_plans, import_catalogue, only, user_id,
    user_ids,
};
use crate::harness::{Harness, on_every_engine};

const DIRTY: &[u8] = include_bytes!("../../server/fixtures/dirty-catalogue.csv");
const REFUSED: &[u8] = include_bytes!("../../server/fixtures/refused-catalogue.csv");

async fn the_vendors_whole_catalogue_and_rules_are_imported(server: &Harness) {
    server.start().await;
    let client = server.client();
    let catalogue = import(&client, REAL_CATALOGUE).await;
    assert_eq!(catalogue.summary.product_count(), 569);
    assert_eq!(catalogue.summary.product_plan_count(), 5_448);
    assert_eq!(catalogue.summary.added_count(), 569);
    assert_eq!(catalogue.summary.rule_count, None);
    let rules = client.import_rules(REAL_RULES.as_bytes()).await;
    let rules = rules.expect("the rules are good");
    assert_eq!(rules.summary.rule_count(), 97 + 6 + 2);
    assert_eq!(rules.summary.added_count(), 105);

    assert_eq!(products(&client).await.len(), 569);
    let listed = list_rules(&client).await;
    let count = |kind| listed.iter().filter(|rule| rule.kind() == kind).count();
    assert_eq!(count(rule::Kind::Excludes), 97);
    assert_eq!(count(rule::Kind::RequiresAnyOf), 6);
    assert_eq!(count(rule::Kind::ProhibitedIn), 2);

    // The same files again change nothing.
    let version = rules.summary.catalogue_version();
    let again = import(&client, REAL_CATALOGUE).await;
    assert_no_change(&again, version);
    assert_eq!(again.summary.product_count(), 569);
    let again = client.import_rules(REAL_RULES.as_bytes()).await;
    assert_no_change(&again.expect("the rules are good"), version);
}

async fn the_vendors_rules_hold_for_the_vendors_products(server: &Harness) {
    server.start().await;
    let client = server.client();
    import(&client, REAL_CATALOGUE).await;
    let rules = client.import_rules(REAL_RULES.as_bytes()).await;
    rules.expect("the rules are good");
    let customer = server.customer_with_users(2).await;
    let mut ids = Vec::new();
    for string_id in [
        "EXCHANGESTANDARD",
        "EXCHANGEDESKLESS",
        "WORKPLACE_ANALYTICS",
    ] {
        let product = named(&client, string_id).await;
        customer.set_seats(&product.product_id, 2).await;
        ids.push(product.product_id);
    }
    let [mail, deskless, analytics] = [&ids[0], &ids[1], &ids[2]];
    let both = customer.assign(&[mail, deskless], &[user_id(0)]).await;
    assert_failed(&both[0], &[ReasonCode::MutuallyExclusivePlans]);
    let alone = customer.assign(&[analytics], &[user_id(0)]).await;
    assert_failed(&alone[0], &[ReasonCode::PrerequisiteMissing]);
    let together = customer.assign(&[analytics, mail], &[user_id(0)]).await;
    assert_applied(&together[0]);
}

async fn a_newer_edition_reports_exactly_what_changed(server: &Harness) {
    server.start_with_catalogue().await;
    let client = server.client();
    let edition = CATALOGUE
        .replace("Notes,NOTES,", "Notebook,NOTES,")
        .replace("Video,VIDEO,a0", "Radio,RADIO,a1")
        .replace(
            "DRIVE,b0000000-0000-4000-8000-000000000003,Drive",
            "DISK,b1000000-0000-4000-8000-000000000003,Disk",
        )
        .replace("Basic mail", "Simple mail");
    let report = import(&client, &edition).await;
    let radio = VIDEO.replacen("a0", "a1", 1);
    let disk = DRIVE.replacen("b0", "b1", 1);
    let plan = "b0000000-0000-4000-8000-000000000004";
    let mut changes = report.changes.clone();
    let mut expected = vec![
        told(Kind::Renamed, NOTES, "", "Notebook", "Notes"),
        told(Kind::Removed, VIDEO, "", "Video", ""),
        told(Kind::Added, &radio, "", "Radio", ""),
        told(Kind::Added, SUITE, &disk, "DISK", ""),
        told(Kind::Removed, SUITE, DRIVE, "DRIVE", ""),
        told(Kind::Renamed, "", plan, "Simple mail", "Basic mail"),
    ];
    let key = |change: &CatalogueChange| (change.kind, change.name.clone());
    changes.sort_by_key(key);
    expected.sort_by_key(key);
    assert_eq!(changes, expected);
    let summary = &report.summary;
    assert_eq!(
        (
            summary.added_count(),
            summary.changed_count(),
            summary.removed_count()
        ),
        (2, 2, 2)
    );

    assert_eq!(product(&client, NOTES).await.display_name, "Notebook");
    assert!(product(&client, VIDEO).await.retired);
    let suite = product(&client, SUITE).await;
    let plans: Vec<_> = suite
        .plans
        .iter()
        .map(|p| (p.name.as_str(), p.retired))
        .collect();
    assert_eq!(
        plans,
        [
            ("CHAT", false),
            ("DISK", false),
            ("DRIVE", true),
            ("MAIL", false)
        ]
    );
}

async fn nothing_that_is_assigned_disappears_with_an_edition(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(3).await;
    customer.set_seats(SUITE, 3).await;
    customer.set_seats(VIDEO, 3).await;
    customer.give(&[SUITE, VIDEO], &user_ids(2)).await;
    let before = customer.assignments().await;
    let edition: Vec<_> = CATALOGUE
        .lines()
        .filter(|line| !line.contains(",DRIVE,") && !line.contains(",VIDEO,"))
        .collect();
    import(&server.client(), &edition.join("\n")).await;
    assert_eq!(
        customer.assignments().await,
        before,
        "also the plan is kept"
    );
    customer.assert_seats(VIDEO, 2, 1).await;

    // Holders keep the plan, also if they are given the product again; new holders do not get it.
    let again = customer.assign(&[SUITE], &user_ids(3)).await;
    again[..2].iter().for_each(assert_unchanged);
    assert_applied(&again[2]);
    let plans = async |number| {
        customer.assignments_of(&user_id(number)).await[0]
            .enabled_plan_ids
            .clone()
    };
    assert_eq!(plans(0).await, [MAIL, CHAT, DRIVE]);
    assert_eq!(plans(2).await, [MAIL, CHAT]);
    let request = customer.request(assign_plans(SUITE, only(&[DRIVE])), user_ids(3));
    let mut stream = customer.client.batch(request);
    let error = stream.accepted().await.expect_err("the plan is retired");
    assert_eq!(error.reason, ErrorReason::UnknownPlan);

    // The first edition brings it back.
    let back = import(&server.client(), CATALOGUE).await;
    assert_eq!(back.summary.added_count(), 2);
    assert_eq!(plans(0).await, [MAIL, CHAT, DRIVE]);
    customer.revoke(&[SUITE, VIDEO], &user_ids(3)).await;
    customer.assert_seats(VIDEO, 0, 3).await;
}

async fn a_plan_that_is_retired_while_a_batch_runs_is_refused_user_by_user(server: &Harness) {
    server.start().await;
    let edition: Vec<_> = CATALOGUE
        .lines()
        .filter(|line| !line.contains(",DRIVE,"))
        .collect();
    let edition = edition.join("\n");
    for _ in 0..10 {
        import_catalogue(&server.client()).await;
        let customer = server.customer_with_users(4_000).await;
        customer.set_seats(SUITE, 4_000).await;
        let request = customer.request(assign_plans(SUITE, only(&[MAIL, DRIVE])), user_ids(4_000));
        let outcome = interrupt(&customer, request, async {
            import(&server.client(), &edition).await;
        });
        let results = outcome.await.results;
        let (served, refused): (Vec<_>, Vec<_>) =
            results.iter().partition(|result| result.reasons.is_empty());
        served.into_iter().for_each(assert_applied);
        for result in &refused {
            assert_failed(result, &[ReasonCode::PlanNotInProduct]);
            let reason = &result.reasons[0];
            assert_eq!(
                reason.product.as_ref().map(|p| p.product_id.as_str()),
                Some(SUITE)
            );
            assert_eq!(reason.plan.as_ref().map(|p| p.name.as_str()), Some("DRIVE"));
        }
        customer.assert_counts().await;
        if !refused.is_empty() {
            return;
        }
    }
    panic!("every batch had ended before the edition came");
}

async fn who_can_hold_a_product_is_in_the_file_or_set_by_a_call(server: &Harness) {
    server.start_with_catalogue().await;
    let client = server.client();
    assert_eq!(
        product(&client, BACKUP).await.applies_to(),
        AppliesTo::Company
    );
    let version = import(&client, CATALOGUE).await.summary.catalogue_version();
    let set = async |applies_to: AppliesTo| {
        let request = UpdateProductRequest {
            product_id: NOTES.to_owned(),
            applies_to: applies_to.into(),
            ..Default::default()
        };
        let product = client.update_product(request).await;
        product.expect("the product is changed")
    };
    let customer = server.customer_with_users(1).await;
    customer.set_seats(NOTES, 1).await;
    assert_eq!(
        set(AppliesTo::Company).await.applies_to(),
        AppliesTo::Company
    );
    let results = customer.assign(&[NOTES], &user_ids(1)).await;
    assert_failed(&results[0], &[ReasonCode::ProductNotForUsers]);

    // A file without the column leaves it as it is; one with the column decides.
    let without: Vec<_> = CATALOGUE
        .lines()
        .map(|line| line.rsplit_once(',').expect("many cells").0)
        .collect();
    let without = import(&client, &without.join("\n")).await;
    assert_no_change(&without, version + 1);
    let with = import(&client, CATALOGUE).await;
    assert_eq!(
        with.changes,
        [told(Kind::Changed, NOTES, "", "User", "Company")]
    );
    customer.give(&[NOTES], &user_ids(1)).await;
    set(AppliesTo::User).await;
    assert_no_change(&import(&client, CATALOGUE).await, version + 2);
}

async fn a_dirty_file_is_repaired_and_each_repair_noted(server: &Harness) {
    server.start().await;
    let client = server.client();
    let report = client.import_catalogue(DIRTY).await;
    let report = report.expect("all of it can be repaired");
    assert_eq!(report.notes.len(), 23);
    assert_eq!(report.summary.note_count(), 23);
    let first = &report.notes[0];
    assert_eq!(
        (first.line, first.text.as_str()),
        (0, "removed the byte order mark")
    );
    let note = report.notes.iter().find(|note| note.line == 8);
    let note = note.expect("a note on line 8");
    assert_eq!(note.column, "GUID");
    assert!(note.text.starts_with("removed white space"), "{note:?}");
    let listed = products(&client).await;
    assert_eq!(listed.len(), report.summary.product_count() as usize);
    let shared: Vec<_> = listed
        .iter()
        .filter(|p| p.string_id == "MCOPSTN5")
        .collect();
    assert_eq!(shared.len(), 2, "told apart by id");

    let again = client.import_catalogue(DIRTY).await;
    let again = again.expect("all of it can be repaired");
    assert_no_change(&again, report.summary.catalogue_version());
    assert_eq!(again.notes, report.notes);
}

async fn a_broken_file_is_refused_with_every_place_and_imports_nothing(server: &Harness) {
    server.start_with_catalogue().await;
    let client = server.client();
    let before = products(&client).await;
    let error = client.import_catalogue(REFUSED).await;
    let error = error.expect_err("the file cannot be repaired");
    assert_eq!(error.reason, ErrorReason::InvalidFile);
    assert_eq!(error.metadata["field"], "line 3, column GUID");
    let places: Vec<_> = error.violations.iter().map(|v| v.field.as_str()).collect();
    for place in [
        "line 3, column GUID",
        "line 4, column Service_Plan_Id",
        "line 5, column Product_Display_Name",
        "line 6",
        "line 7",
        "line 8, column String_Id",
        "line 10, column Applies_To",
        "line 13",
    ] {
        assert!(places.contains(&place), "{place} is missing in {places:?}");
    }
    assert!(error.violations.iter().all(|v| v.problem.len() > 10));
    assert_eq!(products(&client).await, before);
}

async fn rules_can_be_replaced_and_hold_at_once(server: &Harness) {
    server.start_with_catalogue().await;
    let client = server.client();
    let customer = server.customer_with_users(1).await;
    customer.set_seats(NOTES, 1).await;
    customer.set_seats(VIDEO, 1).await;
    customer.give(&[NOTES], &user_ids(1)).await;
    let rules = "kind,service_plan_id,service_plan_name,other,other_name\n\
        excludes,b0000000-0000-4000-8000-000000000009,NOTES,b0000000-0000-4000-8000-00000000000a,VIDEO\n\
        prohibited_in,d0000000-0000-4000-8000-000000000009,GHOST,NL,\n";
    let report = client.import_rules(rules.as_bytes()).await;
    let report = report.expect("the rules are good");
    assert_eq!(
        (report.summary.added_count(), report.summary.removed_count()),
        (2, 3)
    );
    let ghosts: Vec<_> = report
        .notes
        .iter()
        .filter(|note| note.text.contains("GHOST"))
        .collect();
    assert_eq!(
        ghosts.len(),
        1,
        "a plan that no product has is kept with a warning"
    );
    let results = customer.run(assign(&[VIDEO]), &user_ids(1)).await;
    assert_failed(&results[0], &[ReasonCode::MutuallyExclusivePlans]);
    assert_eq!(list_rules(&client).await.len(), 2);
}

async fn import(client: &Client, file: &str) -> ImportReport {
    let report = client.import_catalogue(file.as_bytes()).await;
    report.expect("the file is good")
}

async fn products(client: &Client) -> Vec<Product> {
    let products = pages(|page_token| async move {
        let request = ListProductsRequest {
            page_size: 100,
            page_token,
            string_id: String::new(),
            ..Default::default()
        };
        let page = client.list_products(request).await?;
        Ok((page.products, page.next_page_token))
    });
    products.await.expect("products are listed")
}

async fn list_rules(client: &Client) -> Vec<Rule> {
    let rules = pages(|page_token| async move {
        let page = client
            .list_rules(ListRulesRequest {
                page_size: 10,
                page_token,
            })
            .await?;
        Ok((page.rules, page.next_page_token))
    });
    rules.await.expect("rules are listed")
}

async fn product(client: &Client, id: &str) -> Product {
    let request = GetProductRequest {
        product_id: id.to_owned(),
    };
    client
        .get_product(request)
        .await
        .expect("there is a product")
}

/// The one product with a string id.
async fn named(client: &Client, string_id: &str) -> Product {
    let request = ListProductsRequest {
        string_id: string_id.to_lowercase(),
        ..Default::default()
    };
    let page = client.list_products(request).await;
    let mut products = page.expect("products are listed").products;
    assert_eq!(products.len(), 1, "{string_id}");
    products.remove(0)
}

fn told(kind: Kind, product: &str, plan: &str, name: &str, previous: &str) -> CatalogueChange {
    CatalogueChange {
        kind: kind.into(),
        product_id: product.to_owned(),
        plan_id: plan.to_owned(),
        name: name.to_owned(),
        previous_name: previous.to_owned(),
    }
}

fn assert_no_change(report: &ImportReport, version: i32) {
    assert_eq!(report.changes, []);
    let summary = &report.summary;
    let counts = (
        summary.added_count(),
        summary.changed_count(),
        summary.removed_count(),
    );
    assert_eq!(counts, (0, 0, 0));
    assert_eq!(summary.catalogue_version(), version);
}

on_every_engine![
    the_vendors_whole_catalogue_and_rules_are_imported,
    the_vendors_rules_hold_for_the_vendors_products,
    a_newer_edition_reports_exactly_what_changed,
    nothing_that_is_assigned_disappears_with_an_edition,
    a_plan_that_is_retired_while_a_batch_runs_is_refused_user_by_user,
    who_can_hold_a_product_is_in_the_file_or_set_by_a_call,
    a_dirty_file_is_repaired_and_each_repair_noted,
    a_broken_file_is_refused_with_every_place_and_imports_nothing,
    rules_can_be_replaced_and_hold_at_once,
];

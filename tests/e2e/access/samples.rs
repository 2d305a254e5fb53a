//! Good requests of every RPC.

use serde_json::{Value, json};

use super::estate::{Estate, catalogue, import, rules};
use super::requests::Sample;
use super::world::FAR;

/// Requests by method, as JSON.
macro_rules! requests {
    ($(($method:expr, $($request:tt)+)),* $(,)?) => {
        vec![$(Sample {
            method: $method,
            request: json!($($request)+),
            is_single: false,
        }),*]
    };
}

/// Good requests of all methods, in the same order for every customer.
pub(super) fn samples(of: &Estate) -> Vec<Sample> {
    let about_customer = [
        assignments(of),
        new_batches(of, "BatchService/ExecuteBatch", 4),
        new_batches(of, "BatchService/ExecuteLargeBatch", 5),
        again("BatchService/RetryBatch", [&of.batch, &of.refused]),
        again("BatchService/RevertBatch", [&of.idle, &of.gift]),
        batches(of),
        histories(of),
        selections(of),
        users(of),
        // What sets seats also makes licenses: after everything that looks for one.
        licenses(of),
    ];
    let mut all = installation(of);
    for mut sample in about_customer.into_iter().flatten() {
        sample.request["customer_id"] = json!(of.id);
        all.push(sample);
    }
    all.extend(import_of_users(of));
    all
}

/// The last of the samples passes only once.
fn ending_once(mut samples: Vec<Sample>) -> Vec<Sample> {
    if let Some(last) = samples.last_mut() {
        last.is_single = true;
    }
    samples
}

/// Users selected in every way.
fn chosen(of: &Estate) -> Value {
    let filter = |holds: usize, lacks: usize| {
        json!({"holds_product_id": of.product(holds), "lacks_product_id": of.product(lacks),
            "holds_plan_id": of.plan(holds, 1)})
    };
    let violating =
        |product: usize| json!({"product_id": of.product(product), "plan_id": of.plan(product, 1)});
    json!({
        "parts": [
            {"users": {"users": [of.user(3)]}},
            {"filter": filter(1, 5)},
            {"filter": {"failed_in_batch_id": of.batch}},
            {"selection_id": of.selection},
            {"violating": violating(1)},
        ],
        "except": [
            {"users": {"users": [of.name(4)]}},
            {"filter": filter(5, 1)},
            {"filter": {"failed_in_batch_id": of.idle}},
            {"selection_id": of.other_selection},
            {"violating": violating(5)},
        ],
    })
}

/// A change that names products and plans in every way, but plans in one of three.
fn change(of: &Estate, way: usize) -> Value {
    let plans = |product: usize| {
        let (one, other) = (json!([of.plan(product, 1)]), json!([of.plan(product, 2)]));
        match way {
            0 => json!({"all_except": {"plan_ids": one}}),
            1 => json!({"only": {"plan_ids": one}}),
            _ => json!({"delta": {"enable_plan_ids": one, "disable_plan_ids": other}}),
        }
    };
    json!({
        "assign": [{"product_id": of.product(2), "plans": plans(2)}],
        "revoke_product_ids": [of.product(5)],
        "replace": [{"product_id": of.product(3), "by_product_id": of.product(4), "plans": plans(4)}],
        "revoke_others": {"keep_product_ids": [of.product(1)]},
    })
}

fn assignments(of: &Estate) -> Vec<Sample> {
    let filter = json!({"product_id": of.product(1), "plan_id": of.plan(1, 1)});
    requests! {
        ("AssignmentService/ListAssignments", {"user": of.user(3), "product_id": of.product(2)}),
        ("AssignmentService/ListAssignments", {"user": of.name(3)}),
        ("AssignmentService/ListAssignments", {"page_token": "$page"}),
        ("AssignmentService/SummarizeAssignments", {"selection": chosen(of)}),
        ("AssignmentService/ListHolders",
            {"selection": chosen(of), "product_id": of.product(1), "page_token": "$page"}),
        ("AssignmentService/ListGainedPlans", {"page_token": "$page"}),
        ("AssignmentService/ListViolations", {"filter": filter, "page_token": "$page"}),
        ("AssignmentService/SummarizeViolations", {"filter": filter}),
    }
}

/// Batches that do nothing, or are only shown; and one that takes a product from a user.
fn new_batches(of: &Estate, method: &'static str, user: usize) -> Vec<Sample> {
    let give = json!({"assign": [{"product_id": of.product(2)}]});
    let take = json!({"revoke_product_ids": [of.product(2)]});
    let mut samples = requests! {
        (method, {"request_id": "$request", "change": give, "users": [of.user(3)]}),
        (method, {"request_id": "$request", "change": give, "users": [of.user(3)],
            "validate_only": true, "plan_token": "$plan"}),
    };
    for way in 0..3 {
        let change = change(of, way);
        let own = json!([{"user": of.user(3), "change": change}]);
        samples.extend(requests! {
            (method, {"change": change, "users": [of.name(3)], "validate_only": true}),
            (method, {"user_changes": own, "validate_only": true}),
        });
    }
    samples.extend(ending_once(requests! {
        (method, {"request_id": "$request", "change": take, "users": [of.user(user)],
            "confirmation": "$confirmation"}),
    }));
    samples
}

/// What is made of an earlier batch: one that does nothing, and one that takes a product.
fn again(method: &'static str, [harmless, taking]: [&String; 2]) -> Vec<Sample> {
    ending_once(requests! {
        (method, {"request_id": "$request", "batch_id": harmless}),
        (method, {"batch_id": harmless, "validate_only": true, "plan_token": "$plan"}),
        (method, {"request_id": "$request", "batch_id": taking, "confirmation": "$confirmation"}),
    })
}

fn batches(of: &Estate) -> Vec<Sample> {
    let give = json!({"assign": [{"product_id": of.product(2)}]});
    requests! {
        ("BatchService/ExecuteBatch",
            {"change": give, "selection": chosen(of), "validate_only": true}),
        ("BatchService/CancelBatch", {"batch_id": of.batch}),
        ("BatchService/StreamBatchResults", {"batch_id": of.batch, "cursor": of.cursor}),
        ("BatchService/ListBatchResults",
            {"batch_id": of.batch, "page_token": "$page", "page_size": 1}),
        ("BatchService/GetBatch", {"batch_id": of.batch}),
        ("BatchService/ListBatches", {"page_token": "$page"}),
    }
}

/// What is about no customer.
fn installation(of: &Estate) -> Vec<Sample> {
    let grant = json!({"roles": ["ROLE_OPERATOR"], "all_customers": true});
    let listed = json!({"roles": ["ROLE_READER"], "customer_ids": [of.id]});
    requests! {
        ("AccessService/CreatePrincipal", {"kind": "KIND_KEY", "name": "$name"}),
        ("AccessService/CreatePrincipal",
            {"kind": "KIND_KEY", "name": "$name", "grants": [listed]}),
        ("AccessService/GetPrincipal", {"principal_id": of.principal}),
        ("AccessService/ListPrincipals", {"page_token": "$page"}),
        ("AccessService/DeletePrincipal", {"principal_id": "$principal"}),
        ("AccessService/CreateGrant", {"principal_id": "$principal", "grant": grant}),
        ("AccessService/CreateGrant", {"principal_id": "$principal", "grant": listed}),
        ("AccessService/DeleteGrant", {"grant_id": "$grant"}),
        ("AccessService/CreateKey", {"principal_id": "$principal"}),
        ("AccessService/RevokeKey", {"key_id": "$key"}),
        ("AccessService/GetCaller", {}),
        ("CatalogueService/ImportCatalogue", import(&catalogue(3))),
        ("CatalogueService/ImportRules", import(&rules())),
        ("CatalogueService/GetProduct", {"product_id": of.product(2)}),
        ("CatalogueService/ListProducts", {"page_token": "$page"}),
        ("CatalogueService/UpdateProduct",
            {"product_id": of.product(2), "applies_to": "APPLIES_TO_USER"}),
        ("CatalogueService/ListRules", {"page_token": "$page"}),
        ("CustomerService/CreateCustomer", {"customer_id": "$customer", "display_name": "New"}),
        ("CustomerService/ListCustomers", {}),
        ("CustomerService/ListCustomers", {"page_token": "$page"}),
        ("HistoryService/ListHistory", {}),
        ("HistoryService/GetCheckpoint", {}),
        ("HistoryService/StreamJournal", {}),
        ("HistoryService/WatchChanges", {}),
        ("ServerService/GetServerInfo", {}),
    }
}

/// What was done to the customer, and the customer itself.
fn histories(of: &Estate) -> Vec<Sample> {
    requests! {
        ("CustomerService/GetCustomer", {}),
        ("CustomerService/UpdateCustomer", {"display_name": of.title()}),
        ("CustomerService/UpdateCustomer", {"display_name": of.title(), "etag": "$etag"}),
        ("HistoryService/ListHistory", {"user": of.user(3)}),
        ("HistoryService/ListHistory", {"user": of.name(3)}),
        ("HistoryService/ListHistory", {"product_id": of.product(2), "page_token": "$page"}),
        ("HistoryService/ListHistory", {"batch_id": of.batch}),
        ("HistoryService/GetUserAt", {"user": of.user(3), "time": FAR}),
        ("HistoryService/WatchChanges", {"watch_token": of.watch}),
        ("HistoryService/GetCheckpoint", {}),
        ("HistoryService/StreamJournal", {}),
    }
}

fn selections(of: &Estate) -> Vec<Sample> {
    requests! {
        ("SelectionService/CreateSelection", {"selection": chosen(of)}),
        ("SelectionService/GetSelection", {"selection_id": of.selection}),
        ("SelectionService/DeleteSelection", {"selection_id": "$selection"}),
        ("SelectionService/ListSelectionUsers",
            {"selection": chosen(of), "page_token": "$page"}),
    }
}

fn users(of: &Estate) -> Vec<Sample> {
    let filter = json!({"holds_product_id": of.product(1), "lacks_product_id": of.product(5),
        "holds_plan_id": of.plan(1, 1)});
    ending_once(requests! {
        ("UserService/CreateUser",
            {"user_id": "$user", "principal_name": "$name", "display_name": "New"}),
        ("UserService/GetUser", {"user": of.user(3)}),
        ("UserService/GetUser", {"user": of.name(3)}),
        ("UserService/ListUsers", {"filter": filter, "page_token": "$page"}),
        ("UserService/ListUsers", {"filter": {"failed_in_batch_id": of.batch}}),
        ("UserService/UpdateUser", {"user": of.user(10), "state": "STATE_ACTIVE"}),
        ("UserService/UpdateUser", {"user": of.name(10), "etag": "$etag"}),
        ("UserService/DeleteUser", {"user": "$doomed"}),
        ("UserService/DeleteUser", {"user": of.user(12), "etag": "$etag"}),
    })
}

/// The messages of a stream.
fn import_of_users(of: &Estate) -> Vec<Sample> {
    let new = json!({"user_id": "$user", "principal_name": "$name", "display_name": "New"});
    requests! {
        ("UserService/ImportUsers", [{"customer_id": of.id, "users": [new]}]),
    }
}

fn licenses(of: &Estate) -> Vec<Sample> {
    let (product, later) = (of.product(2), "LATER_PLANS_ON");
    ending_once(requests! {
        ("LicenseService/GetLicense", {"product_id": product}),
        ("LicenseService/ListLicenses", {"page_token": "$page"}),
        ("LicenseService/SetLaterPlans", {"product_id": product, "later_plans": later}),
        ("LicenseService/SetLaterPlans",
            {"product_id": product, "later_plans": later, "etag": "$etag"}),
        ("LicenseService/SetSeats", {"product_id": product, "enabled": 50}),
        ("LicenseService/SetSeats", {"product_id": product, "enabled": 50, "etag": "$etag"}),
        ("LicenseService/SetSeats",
            {"product_id": of.product(1), "enabled": 0, "confirmation": "$confirmation"}),
    })
}

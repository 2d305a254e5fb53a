//! Bad selections, wherever a request has one.

use seatwise_client::transport::v1::ErrorReason::{DuplicateUser, ResourceNotFound, TooManyItems};
use seatwise_client::v1::selection_part::Part;
use seatwise_client::v1::{
    CreateSelectionRequest, DeleteSelectionRequest, GetSelectionRequest, ListHoldersRequest,
    ListSelectionUsersRequest, Selection, SelectionPart, SummarizeAssignmentsRequest, UserFilter,
};

use super::BadInput;
use crate::fixtures::product::{NOTES, VOICE};
use crate::fixtures::{UNKNOWN_ID, strings, user_id};
use crate::selections::{everybody, select, users};

pub(super) async fn refused(bad: &mut BadInput<'_>) {
    fields(bad).await;
    items(bad).await;
    names(bad).await;
    holders(bad).await;
}

fn create(bad: &BadInput<'_>, selection: Selection) -> CreateSelectionRequest {
    CreateSelectionRequest {
        customer_id: bad.customer.id.clone(),
        selection: Some(selection),
        comment: String::new(),
    }
}

async fn fields(bad: &mut BadInput<'_>) {
    let client = bad.customer.client.clone();
    let missing = CreateSelectionRequest {
        customer_id: bad.customer.id.clone(),
        selection: None,
        comment: String::new(),
    };
    bad.invalid(
        "no selection",
        client.create_selection(missing),
        "selection",
    )
    .await;
    let unset = Selection {
        parts: vec![SelectionPart { part: None }],
        except: Vec::new(),
    };
    let filter = |filter| select(vec![everybody()], vec![Part::Filter(filter)]);
    let search = UserFilter {
        search: "x".repeat(257),
        ..UserFilter::default()
    };
    let product = UserFilter {
        holds_product_id: "notes".to_owned(),
        ..UserFilter::default()
    };
    for (selection, field) in [
        (Selection::default(), "selection.parts"),
        (unset, "selection.parts[0]"),
        (
            select(vec![users(&[])], vec![]),
            "selection.parts[0].users.users",
        ),
        (
            select(vec![everybody(), users(&strings(&["ada"]))], vec![]),
            "selection.parts[1].users.users[0]",
        ),
        (
            select(vec![Part::SelectionId("x".to_owned())], vec![]),
            "selection.parts[0].selection_id",
        ),
        (filter(search), "selection.except[0].filter.search"),
        (
            filter(product),
            "selection.except[0].filter.holds_product_id",
        ),
    ] {
        let call = client.create_selection(create(bad, selection.clone()));
        bad.invalid("to freeze", call, field).await;
        let request = ListSelectionUsersRequest {
            customer_id: bad.customer.id.clone(),
            selection: Some(selection.clone()),
            ..Default::default()
        };
        bad.invalid("to list", client.list_selection_users(request), field)
            .await;
        let request = SummarizeAssignmentsRequest {
            customer_id: bad.customer.id.clone(),
            selection: Some(selection),
            include_plans: true,
        };
        bad.invalid("to sum up", client.summarize_assignments(request), field)
            .await;
    }
}

async fn items(bad: &mut BadInput<'_>) {
    let client = bad.customer.client.clone();
    let many: Vec<String> = (0..=100_000).map(user_id).collect();
    let parts = vec![everybody(); 101];
    for (selection, field) in [
        (select(parts.clone(), vec![]), "selection.parts"),
        (select(vec![everybody()], parts), "selection.except"),
        (
            select(vec![users(&many)], vec![]),
            "selection.parts[0].users.users",
        ),
    ] {
        let call = client.create_selection(create(bad, selection));
        bad.refused("too many", call, TooManyItems, ("field", field))
            .await;
    }
    let same = [user_id(1), user_id(2), user_id(1)];
    let by_name = [user_id(0), user_id(1), "USER1@EXAMPLE.com".to_owned()];
    for twice in [same, by_name] {
        let selection = select(vec![everybody()], vec![users(&twice)]);
        let call = client.create_selection(create(bad, selection));
        let place = ("field", "selection.except[0].users.users[2]");
        bad.refused("a user twice", call, DuplicateUser, place)
            .await;
    }
}

async fn names(bad: &mut BadInput<'_>) {
    let client = bad.customer.client.clone();
    let strange = CreateSelectionRequest {
        customer_id: bad.stranger.id.clone(),
        selection: Some(select(vec![everybody()], vec![])),
        comment: String::new(),
    };
    let strange = client.create_selection(strange).await.expect("frozen");
    let strange = strange.selection.expect("a selection").selection_id;
    for id in [UNKNOWN_ID, &strange] {
        let place = ("resource", "selection");
        let token = select(vec![Part::SelectionId(id.to_owned())], vec![]);
        let call = client.create_selection(create(bad, token.clone()));
        bad.refused("no selection", call, ResourceNotFound, place)
            .await;
        let request = ListSelectionUsersRequest {
            customer_id: bad.customer.id.clone(),
            selection: Some(token.clone()),
            ..Default::default()
        };
        let call = client.list_selection_users(request);
        bad.refused("no selection", call, ResourceNotFound, place)
            .await;
        let request = SummarizeAssignmentsRequest {
            customer_id: bad.customer.id.clone(),
            selection: Some(token),
            include_plans: false,
        };
        let call = client.summarize_assignments(request);
        bad.refused("no selection", call, ResourceNotFound, place)
            .await;
        let request = GetSelectionRequest {
            customer_id: bad.customer.id.clone(),
            selection_id: id.to_owned(),
        };
        let call = client.get_selection(request);
        bad.refused("no selection", call, ResourceNotFound, place)
            .await;
    }
    let place = ("resource", "customer");
    let nobodys = CreateSelectionRequest {
        customer_id: UNKNOWN_ID.to_owned(),
        selection: Some(select(vec![everybody()], vec![])),
        comment: String::new(),
    };
    let call = client.create_selection(nobodys);
    bad.refused("no customer", call, ResourceNotFound, place)
        .await;
    let nobodys = DeleteSelectionRequest {
        customer_id: UNKNOWN_ID.to_owned(),
        selection_id: strange,
        comment: String::new(),
    };
    let call = client.delete_selection(nobodys);
    bad.refused("no customer", call, ResourceNotFound, place)
        .await;
}

async fn holders(bad: &mut BadInput<'_>) {
    let client = bad.customer.client.clone();
    let request = |product: &str| ListHoldersRequest {
        customer_id: bad.customer.id.clone(),
        selection: Some(select(vec![everybody()], vec![])),
        product_id: product.to_owned(),
        ..Default::default()
    };
    let (wrong, unlicensed, mut size) = (request("notes"), request(VOICE), request(NOTES));
    bad.invalid("no product", client.list_holders(wrong), "product_id")
        .await;
    let call = client.list_holders(unlicensed);
    let place = ("resource", "license");
    bad.refused("no license", call, ResourceNotFound, place)
        .await;
    size.page_size = -1;
    bad.invalid("a negative size", client.list_holders(size), "page_size")
        .await;
}

//! Bad requests about customers, users, licenses and products.

use seatwise_client::Error;
use seatwise_client::transport::v1::ErrorReason::{
    EtagMismatch, ResourceExists, ResourceNotFound, SeatsBelowAssigned,
};
use seatwise_client::transport::v1::product::AppliesTo;
use seatwise_client::v1::{
    CreateCustomerRequest, CreateUserRequest, DeleteUserRequest, GetCustomerRequest,
    GetLicenseRequest, GetProductRequest, GetUserRequest, ImportedUser, SetSeatsRequest,
    UpdateCustomerRequest, UpdateProductRequest, UpdateUserRequest,
};

use super::BadInput;
use crate::customer::imported_user;
use crate::fixtures::product::{MAILBOX, NOTES, VIDEO};
use crate::fixtures::{UNKNOWN_ID, user_id};

pub(super) async fn refused(bad: &mut BadInput<'_>) {
    customers(bad).await;
    new_users(bad).await;
    changed_users(bad).await;
    users_of_others(bad).await;
    imports(bad).await;
    licenses(bad).await;
    products(bad).await;
}

async fn customers(bad: &mut BadInput<'_>) {
    let client = bad.customer.client.clone();
    let long = "x".repeat(257);
    for name in ["", " x", "x ", "a\nb", "a\0b", &long] {
        let request = CreateCustomerRequest {
            customer_id: String::new(),
            display_name: name.to_owned(),
            comment: String::new(),
        };
        let call = client.create_customer(request);
        bad.invalid("a bad name", call, "display_name").await;
    }
    let create = |id: &str| CreateCustomerRequest {
        customer_id: id.to_owned(),
        display_name: "X".to_owned(),
        comment: String::new(),
    };
    let call = client.create_customer(create("x"));
    bad.invalid("an id that is none", call, "customer_id").await;
    let call = client.create_customer(create(&bad.customer.id));
    let place = ("field", "customer_id");
    bad.refused("an id that is taken", call, ResourceExists, place)
        .await;

    let get = |id: &str| GetCustomerRequest {
        customer_id: id.to_owned(),
    };
    bad.invalid("no id", client.get_customer(get("")), "customer_id")
        .await;
    let call = client.get_customer(get(UNKNOWN_ID));
    bad.refused(
        "an unknown customer",
        call,
        ResourceNotFound,
        ("id", UNKNOWN_ID),
    )
    .await;
    let update = |etag: &str| UpdateCustomerRequest {
        customer_id: bad.customer.id.clone(),
        display_name: Some("Y".to_owned()),
        etag: etag.to_owned(),
        ..UpdateCustomerRequest::default()
    };
    let (malformed, old) = (update("x"), update("99"));
    bad.invalid(
        "an etag that is none",
        client.update_customer(malformed),
        "etag",
    )
    .await;
    let call = client.update_customer(old);
    bad.refused("an old etag", call, EtagMismatch, ("etag", "1"))
        .await;
}

async fn new_users(bad: &mut BadInput<'_>) {
    let client = bad.customer.client.clone();
    let good = CreateUserRequest {
        customer_id: bad.customer.id.clone(),
        principal_name: "new@example.com".to_owned(),
        display_name: "New".to_owned(),
        ..CreateUserRequest::default()
    };
    type Spoil = fn(&mut CreateUserRequest);
    let cases: [(Spoil, &str); 10] = [
        (|user| user.customer_id = "x".into(), "customer_id"),
        (|user| user.user_id = "x".into(), "user_id"),
        (|user| user.principal_name = String::new(), "principal_name"),
        (|user| user.principal_name = "new".into(), "principal_name"),
        (
            |user| user.principal_name = format!("{}@x", "x".repeat(255)),
            "principal_name",
        ),
        (|user| user.display_name = "\u{1}".into(), "display_name"),
        (|user| user.display_name = "é".repeat(257), "display_name"),
        (|user| user.usage_location = "NLD".into(), "usage_location"),
        (|user| user.usage_location = "N1".into(), "usage_location"),
        (|user| user.state = 7, "state"),
    ];
    for (spoil, field) in cases {
        let mut user = good.clone();
        spoil(&mut user);
        bad.invalid("a bad new user", client.create_user(user), field)
            .await;
    }
    let taken: [(Spoil, &str); 3] = [
        (|user| user.user_id = user_id(0), "user_id"),
        (
            |user| user.principal_name = "user0@example.com".into(),
            "principal_name",
        ),
        (
            |user| user.principal_name = "USER0@EXAMPLE.COM".into(),
            "principal_name",
        ),
    ];
    for (spoil, field) in taken {
        let mut user = good.clone();
        spoil(&mut user);
        let call = client.create_user(user);
        bad.refused("a taken name", call, ResourceExists, ("field", field))
            .await;
    }
}

async fn changed_users(bad: &mut BadInput<'_>) {
    let client = bad.customer.client.clone();
    let good = UpdateUserRequest {
        customer_id: bad.customer.id.clone(),
        user: user_id(0),
        display_name: Some("Changed".to_owned()),
        ..UpdateUserRequest::default()
    };
    type Spoil = fn(&mut UpdateUserRequest);
    let cases: [(Spoil, &str); 6] = [
        (|user| user.user = "ada".into(), "user"),
        (
            |user| user.principal_name = Some(String::new()),
            "principal_name",
        ),
        (
            |user| user.display_name = Some(String::new()),
            "display_name",
        ),
        (
            |user| user.usage_location = Some("?".into()),
            "usage_location",
        ),
        (|user| user.state = -1, "state"),
        (|user| user.etag = "one".into(), "etag"),
    ];
    for (spoil, field) in cases {
        let mut user = good.clone();
        spoil(&mut user);
        bad.invalid("a bad change", client.update_user(user), field)
            .await;
    }
    let mut taken = good.clone();
    taken.principal_name = Some("User1@example.com".to_owned());
    let call = client.update_user(taken);
    bad.refused(
        "a name of another",
        call,
        ResourceExists,
        ("field", "principal_name"),
    )
    .await;
    let mut old = good;
    old.etag = "99".to_owned();
    bad.refused(
        "an old etag",
        client.update_user(old),
        EtagMismatch,
        ("etag", "1"),
    )
    .await;
    let delete = DeleteUserRequest {
        customer_id: bad.customer.id.clone(),
        user: user_id(0),
        etag: "99".to_owned(),
        comment: String::new(),
    };
    let call = client.delete_user(delete);
    bad.refused(
        "a delete with an old etag",
        call,
        EtagMismatch,
        ("resource", "user"),
    )
    .await;
}

/// A user of another customer is like one that does not exist.
async fn users_of_others(bad: &mut BadInput<'_>) {
    let client = bad.customer.client.clone();
    let customer_id = bad.customer.id.clone();
    let (theirs, nobody) = (user_id(7), user_id(8));
    for (user, id) in [(&theirs, &theirs), (&nobody, &nobody)] {
        let place = ("id", id.as_str());
        let (customer_id, user) = (customer_id.clone(), user.clone());
        let get = GetUserRequest {
            customer_id: customer_id.clone(),
            user: user.clone(),
        };
        bad.refused("get", client.get_user(get), ResourceNotFound, place)
            .await;
        let update = UpdateUserRequest {
            customer_id: customer_id.clone(),
            user: user.clone(),
            ..UpdateUserRequest::default()
        };
        bad.refused(
            "update",
            client.update_user(update),
            ResourceNotFound,
            place,
        )
        .await;
        let delete = DeleteUserRequest {
            customer_id,
            user,
            etag: String::new(),
            comment: String::new(),
        };
        bad.refused(
            "delete",
            client.delete_user(delete),
            ResourceNotFound,
            place,
        )
        .await;
    }
}

/// A bad user of an import fails alone; a bad call imports nobody.
async fn imports(bad: &mut BadInput<'_>) {
    let client = bad.customer.client.clone();
    let call = client.import_users("x", vec![imported_user(50)]);
    bad.invalid("an import into no customer", call, "customer_id")
        .await;
    let call = client.import_users(UNKNOWN_ID, vec![imported_user(50)]);
    let place = ("resource", "customer");
    bad.refused(
        "an import into an unknown customer",
        call,
        ResourceNotFound,
        place,
    )
    .await;

    let named = |name: &str| ImportedUser {
        user_id: String::new(),
        principal_name: name.to_owned(),
        ..imported_user(50)
    };
    let users = vec![
        named(""),
        named("ada"),
        ImportedUser {
            user_id: "x".to_owned(),
            ..imported_user(50)
        },
        ImportedUser {
            display_name: Some("\0".to_owned()),
            ..imported_user(50)
        },
        ImportedUser {
            display_name: None,
            ..imported_user(50)
        },
        ImportedUser {
            usage_location: Some("X".to_owned()),
            ..imported_user(50)
        },
        ImportedUser {
            state: 9,
            ..imported_user(50)
        },
        ImportedUser {
            principal_name: "user1@example.com".to_owned(),
            ..imported_user(0)
        },
    ];
    let fields = [
        "principal_name",
        "principal_name",
        "user_id",
        "display_name",
        "display_name",
        "usage_location",
        "state",
        "principal_name",
    ];
    let outcomes = client.import_users(&bad.customer.id, users).await;
    for (outcome, field) in outcomes.expect("one user each").iter().zip(fields) {
        assert!(
            outcome.error.starts_with(&format!("{field}: ")),
            "{outcome:?}"
        );
        bad.unharmed(field).await;
    }
}

async fn licenses(bad: &mut BadInput<'_>) {
    let client = bad.customer.client.clone();
    let good = SetSeatsRequest {
        customer_id: bad.customer.id.clone(),
        product_id: NOTES.to_owned(),
        ..SetSeatsRequest::default()
    };
    type Spoil = fn(&mut SetSeatsRequest);
    let cases: [(Spoil, &str); 8] = [
        (|seats| seats.customer_id = String::new(), "customer_id"),
        (|seats| seats.product_id = "NOTES".into(), "product_id"),
        (|seats| seats.enabled = Some(-1), "enabled"),
        (|seats| seats.enabled = Some(100_000_001), "enabled"),
        (|seats| seats.warning = Some(i32::MIN), "warning"),
        (|seats| seats.suspended = Some(i32::MAX), "suspended"),
        (|seats| seats.etag = "1.0".into(), "etag"),
        (|seats| seats.confirmation = "yes".into(), "confirmation"),
    ];
    for (spoil, field) in cases {
        let mut seats = good.clone();
        spoil(&mut seats);
        bad.invalid("bad seats", client.set_seats(seats), field)
            .await;
    }
    let mut unknown = good.clone();
    unknown.product_id = UNKNOWN_ID.to_owned();
    let place = ("resource", "product");
    bad.refused(
        "no product",
        client.set_seats(unknown),
        ResourceNotFound,
        place,
    )
    .await;
    let mut old = good.clone();
    old.etag = "99".to_owned();
    bad.refused(
        "an old etag",
        client.set_seats(old),
        EtagMismatch,
        ("etag", "1"),
    )
    .await;
    let mut few = good;
    few.product_id = VIDEO.to_owned();
    few.enabled = Some(2);
    let place = ("assigned", "3");
    bad.refused(
        "too few seats",
        client.set_seats(few),
        SeatsBelowAssigned,
        place,
    )
    .await;

    let get = GetLicenseRequest {
        customer_id: bad.customer.id.clone(),
        product_id: MAILBOX.to_owned(),
    };
    let place = ("resource", "license");
    bad.refused(
        "no license",
        client.get_license(get),
        ResourceNotFound,
        place,
    )
    .await;
}

async fn products(bad: &mut BadInput<'_>) {
    let client = bad.customer.client.clone();
    let get = |id: &str| GetProductRequest {
        product_id: id.to_owned(),
    };
    bad.invalid("no id", client.get_product(get("SUITE")), "product_id")
        .await;
    let call = client.get_product(get(UNKNOWN_ID));
    let place = ("resource", "product");
    bad.refused("an unknown product", call, ResourceNotFound, place)
        .await;
    let update = |id: &str, applies_to| UpdateProductRequest {
        product_id: id.to_owned(),
        applies_to,
        ..Default::default()
    };
    for applies_to in [0, 3] {
        let call = client.update_product(update(NOTES, applies_to));
        bad.invalid("a bad holder", call, "applies_to").await;
    }
    let update = update(UNKNOWN_ID, AppliesTo::User.into());
    let refused: Result<_, Error> = client.update_product(update).await;
    bad.refused(
        "an unknown product",
        async { refused },
        ResourceNotFound,
        place,
    )
    .await;
}

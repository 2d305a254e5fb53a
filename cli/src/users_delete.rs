//! `seatwise users delete`.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser as Filled;
use seatwise_client::{Client, v1};

use crate::error::Error;
use crate::names::Names;
use crate::output::{self, Column, Format, Row, column};
use crate::paging::{self, Ask};
use crate::question::{self, Asking};
use crate::text::text;
use crate::users::Place;
use crate::why::Why;

#[derive(Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    place: Place,
    /// Only if the user still has this etag
    #[arg(long, value_parser = Filled::new())]
    etag: Option<String>,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    why: Why,
}

impl Row for v1::DeleteUserResponse {
    const COLUMNS: &'static [Column<Self>] = &[
        column("user_id", |deleted| deleted.user_id.clone()),
        column("freed_product_ids", |deleted| {
            deleted.freed_product_ids.join(", ")
        }),
    ];
}

/// Deletes a user; on a terminal after saying whom, and what becomes free.
pub(crate) async fn run(client: &Client, format: Format, args: Delete) -> Result<ExitCode, Error> {
    let mut request = v1::DeleteUserRequest {
        customer_id: args.place.customer.id(client).await?,
        user: args.place.user.clone(),
        etag: args.etag.unwrap_or_default(),
        comment: args.why.comment,
    };
    if args.asking.asks(format) {
        let user = args.place.get(client).await?;
        output::note(&about(client, &request.customer_id, &user).await?);
        if !question::is_confirmed(&text!("delete-user"))? {
            return Ok(question::declined());
        }
        // Whoever has the name by now, this one was shown.
        request.user = user.user_id;
    }
    output::show(format, &client.delete_user(request).await?)?;
    Ok(ExitCode::SUCCESS)
}

/// Who the user is and what it holds.
async fn about(client: &Client, customer_id: &str, user: &v1::User) -> Result<String, Error> {
    let held = paging::collect(async |ask: Ask| {
        let request = v1::ListAssignmentsRequest {
            customer_id: customer_id.to_owned(),
            user: user.user_id.clone(),
            page_size: ask.page_size,
            page_token: ask.page_token,
            ..Default::default()
        };
        Ok(client.list_assignments(request).await?.into())
    })
    .await?;
    let ids: Vec<_> = held.into_iter().map(|held| held.product_id).collect();
    let mut names = Names::default();
    names
        .look_up(client, ids.iter().map(|id| (id, false)))
        .await?;
    let products: Vec<_> = ids.iter().map(|id| names.product(id)).collect();
    let products = products.join(", ");
    let (name, principal) = (user.display_name.as_str(), user.principal_name.as_str());
    Ok(match products.as_str() {
        "" => text!("user-holds-nothing", name = name, principal = principal),
        products => text!(
            "user-holds",
            name = name,
            principal = principal,
            products = products,
        ),
    })
}

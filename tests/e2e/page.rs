//! What a person does on a license page, step by step: picks a customer, selects users, looks what
//! they hold, chooses products and plans, saves once, and reads the confirmation.
//!
//! A test is named by the number of its step. s01 is about who may use the page. Roles are not
//! asked for yet; what holds until they are is that nobody reaches the server from elsewhere.

mod choosing;
mod confirming;
mod looking;
mod picking;

use seatwise_client::v1::{Change, LicenseSummary, ListUsersRequest, ListUsersResponse, Selection};

use crate::customer::{Customer, Outcome};
use crate::selections::{numbers, select, users};

/// A selection of these users.
fn these(chosen: impl IntoIterator<Item = usize>) -> Selection {
    select(vec![users(&numbers(chosen))], vec![])
}

/// The ids of the users of a page: what "select all" selects.
fn all_on(page: &ListUsersResponse) -> Vec<String> {
    page.users.iter().map(|user| user.user_id.clone()).collect()
}

impl Customer {
    /// A page of the list of users, three at a time.
    async fn users_page(&self, page_token: &str) -> ListUsersResponse {
        let request = ListUsersRequest {
            customer_id: self.id.clone(),
            page_size: 3,
            page_token: page_token.to_owned(),
            ..ListUsersRequest::default()
        };
        let page = self.client.list_users(request).await;
        page.expect("a page of users")
    }

    /// The first three pages of the list of users.
    async fn three_pages(&self) -> [ListUsersResponse; 3] {
        let first = self.users_page("").await;
        let second = self.users_page(&first.next_page_token).await;
        let third = self.users_page(&second.next_page_token).await;
        [first, second, third]
    }

    /// What the users of a selection hold of a product.
    async fn held_of(&self, selection: &Selection, product: &str) -> LicenseSummary {
        let summary = self.summary(selection.clone(), true).await;
        let is_meant = |held: &LicenseSummary| {
            let license = held.license.as_ref().expect("a license");
            license.product_id == product
        };
        let held = summary.licenses.into_iter().find(is_meant);
        held.expect("every license has its place")
    }

    /// Saves: does one change to all users of a selection.
    async fn save(&self, change: Change, selection: Selection) -> Outcome {
        self.execute(self.over(change, selection)).await
    }
}

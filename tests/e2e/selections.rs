//! Selections: whom they have, how they are kept, paged and refused.

use seatwise_client::transport::v1::ErrorReason;
use seatwise_client::v1::selection_part::Part;
use seatwise_client::v1::{
    Change, CreateSelectionRequest, CreateSelectionResponse, DeleteSelectionRequest,
    DeleteUserRequest, ExecuteBatchRequest, FrozenSelection, GetSelectionRequest, ImportedUser,
    ListSelectionUsersRequest, ListSelectionUsersResponse, Selection, SelectionPart, User,
    UserFilter, UserList,
};
use seatwise_client::{Code, Error};

use crate::customer::{Customer, imported_user};
use crate::fixtures::{UNKNOWN_ID, strings, user_id};
use crate::harness::{Harness, on_every_engine};

pub(crate) fn users(users: &[String]) -> Part {
    let users = users.to_vec();
    Part::Users(UserList { users })
}

pub(crate) fn everybody() -> Part {
    Part::Filter(UserFilter::default())
}

fn search(text: &str) -> Part {
    Part::Filter(UserFilter {
        search: text.to_owned(),
        ..UserFilter::default()
    })
}

pub(crate) fn frozen(selection: &FrozenSelection) -> Part {
    Part::SelectionId(selection.selection_id.clone())
}

pub(crate) fn select(parts: Vec<Part>, except: Vec<Part>) -> Selection {
    let wrap = |part| SelectionPart { part: Some(part) };
    Selection {
        parts: parts.into_iter().map(wrap).collect(),
        except: except.into_iter().map(wrap).collect(),
    }
}

impl Customer {
    pub(crate) async fn freeze(
        &self,
        selection: Selection,
    ) -> Result<CreateSelectionResponse, Error> {
        let request = CreateSelectionRequest {
            customer_id: self.id.clone(),
            selection: Some(selection),
            comment: String::new(),
        };
        self.client.create_selection(request).await
    }

    /// A request that does one change to the users of a selection, under a new request id.
    pub(crate) fn over(&self, change: Change, selection: Selection) -> ExecuteBatchRequest {
        ExecuteBatchRequest {
            selection: Some(selection),
            ..self.request(change, Vec::new())
        }
    }

    /// Freezes a selection that names only users who exist.
    pub(crate) async fn frozen(&self, selection: Selection) -> FrozenSelection {
        let made = self.freeze(selection).await.expect("frozen");
        assert_eq!((made.unknown_user_count(), made.unknown_users), (0, vec![]));
        made.selection.expect("a selection")
    }

    async fn get_selection(&self, id: &str) -> Result<FrozenSelection, Error> {
        let request = GetSelectionRequest {
            customer_id: self.id.clone(),
            selection_id: id.to_owned(),
        };
        self.client.get_selection(request).await
    }

    pub(crate) async fn page(
        &self,
        selection: &Selection,
        page_size: i32,
        token: &str,
    ) -> Result<ListSelectionUsersResponse, Error> {
        let request = ListSelectionUsersRequest {
            customer_id: self.id.clone(),
            selection: Some(selection.clone()),
            page_size,
            page_token: token.to_owned(),
            include_total_size: true,
        };
        self.client.list_selection_users(request).await
    }

    /// The ids of all users of a selection in order, read in both directions.
    pub(crate) async fn selected(&self, selection: &Selection) -> Vec<String> {
        let list = async |token: String| {
            let page = self.page(selection, 3, &token).await.expect("a page");
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

    pub(crate) async fn rename(&self, number: usize, name: &str) {
        let user = ImportedUser {
            display_name: Some(name.to_owned()),
            ..imported_user(number)
        };
        self.import(vec![user]).await;
    }

    pub(crate) async fn delete(&self, number: usize) {
        let request = DeleteUserRequest {
            customer_id: self.id.clone(),
            user: user_id(number),
            etag: String::new(),
            comment: String::new(),
        };
        self.client.delete_user(request).await.expect("deleted");
    }
}

/// Reads a list by its next pages, and from its last page back; both must show the same users. A
/// page comes with the tokens of the next, the previous and the last.
pub(crate) async fn walk(
    list: impl AsyncFn(String) -> (Vec<User>, String, String, String),
) -> Vec<String> {
    let ids = |users: Vec<User>| users.into_iter().map(|user| user.user_id);
    let (first, mut next, previous, last) = list(String::new()).await;
    assert_eq!(previous, "", "nothing is before the first page");
    let mut forward: Vec<String> = ids(first).collect();
    while !next.is_empty() {
        let (users, after, before, _) = list(next).await;
        assert_ne!(before, "", "there is a page before");
        forward.extend(ids(users));
        next = after;
    }
    if !last.is_empty() {
        let (users, after, mut previous, _) = list(last).await;
        assert_eq!(after, "", "nothing is after the last page");
        let mut backward: Vec<String> = ids(users).collect();
        while !previous.is_empty() {
            let (users, _, before, _) = list(previous).await;
            backward.splice(0..0, ids(users));
            previous = before;
        }
        assert_eq!(backward, forward);
    }
    forward
}

pub(crate) fn numbers(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(user_id).collect()
}

async fn a_frozen_selection_means_the_same_users_later(server: &Harness) {
    server.start().await;
    let customer = server.customer_with_users(8).await;
    let named = strings(&[
        &user_id(5),
        "USER2@example.com",
        "nobody@example.com",
        UNKNOWN_ID,
    ]);
    let union = vec![users(&named), search("user 3"), users(&numbers([5, 1]))];
    let made = customer
        .freeze(select(union, vec![users(&numbers([1]))]))
        .await;
    let made = made.expect("frozen");
    assert_eq!(made.unknown_users, ["nobody@example.com", UNKNOWN_ID]);
    assert_eq!(made.unknown_user_count(), 2);
    let made = made.selection.expect("a selection");
    assert_eq!(made.user_count(), 3);
    let (from, to) = (
        made.create_time.expect("a time"),
        made.expire_time.expect("a time"),
    );
    assert_eq!(to.seconds - from.seconds, 24 * 60 * 60);
    let token = select(vec![frozen(&made)], vec![]);
    assert_eq!(customer.selected(&token).await, numbers([2, 3, 5]));

    // Who comes or is renamed changes nothing; who is deleted is gone.
    customer.rename(2, "Zoë").await;
    customer.rename(7, "User 3 the second").await;
    customer.add_users([30]).await;
    assert_eq!(customer.selected(&token).await, numbers([2, 3, 5]));
    let page = customer.page(&token, 0, "").await.expect("a page");
    assert_eq!(
        page.users[0].display_name, "Zoë",
        "users are shown as they are"
    );
    customer.delete(3).await;
    assert_eq!(customer.selected(&token).await, numbers([2, 5]));
    let page = customer.page(&token, 1, "").await.expect("a page");
    assert_eq!(page.total_size, Some(2));
    let read = customer.get_selection(&made.selection_id).await;
    assert_eq!(read.expect("there"), made);

    // Extended and reduced it is another one, in the order of today's names.
    let more = select(
        vec![frozen(&made), users(&numbers([4]))],
        vec![users(&numbers([5]))],
    );
    let more = customer.frozen(more).await;
    let more = select(vec![frozen(&more)], vec![]);
    assert_eq!(customer.selected(&more).await, numbers([4, 2]));
    assert_eq!(customer.selected(&token).await, numbers([2, 5]), "it stays");
    for _ in 0..2 {
        customer.delete_selection(&made.selection_id).await;
        let gone = customer.page(&token, 0, "").await.expect_err("gone");
        assert_eq!(gone.reason, ErrorReason::ResourceNotFound);
    }
}

impl Customer {
    async fn delete_selection(&self, id: &str) {
        let request = DeleteSelectionRequest {
            customer_id: self.id.clone(),
            selection_id: id.to_owned(),
            comment: String::new(),
        };
        self.client.delete_selection(request).await.expect("gone");
    }
}

async fn every_kind_of_selection_is_paged_in_both_directions(server: &Harness) {
    server.start().await;
    let customer = server.customer_with_users(10).await;
    customer.rename(4, "Ada").await;
    let sorted = numbers([4, 0, 1, 2, 3, 5, 6, 7, 8, 9]);
    let backwards: Vec<String> = sorted.iter().rev().cloned().collect();
    let made = customer
        .frozen(select(vec![users(&backwards)], vec![]))
        .await;
    let without = |left_out: &[usize]| -> Vec<String> {
        let left_out = numbers(left_out.iter().copied());
        sorted
            .iter()
            .filter(|id| !left_out.contains(id))
            .cloned()
            .collect()
    };
    for (selection, expected) in [
        (select(vec![everybody()], vec![]), sorted.clone()),
        (select(vec![users(&backwards)], vec![]), sorted.clone()),
        (select(vec![frozen(&made)], vec![]), sorted.clone()),
        (
            select(vec![everybody()], vec![users(&numbers([3, 9]))]),
            without(&[3, 9]),
        ),
        (
            select(vec![frozen(&made)], vec![search("ada")]),
            without(&[4]),
        ),
        (
            select(vec![search("ada"), users(&numbers([7]))], vec![]),
            numbers([4, 7]),
        ),
        (select(vec![everybody()], vec![everybody()]), vec![]),
    ] {
        assert_eq!(
            customer.selected(&selection).await,
            expected,
            "{selection:?}"
        );
        let page = customer.page(&selection, 1, "").await.expect("a page");
        assert_eq!(page.total_size, Some(expected.len() as i64));
    }

    // A token is good for its own selection only.
    let all = select(vec![everybody()], vec![]);
    let token = customer
        .page(&all, 1, "")
        .await
        .expect("a page")
        .next_page_token;
    let others = [
        select(vec![frozen(&made)], vec![]),
        select(vec![search("user")], vec![]),
    ];
    for other in others {
        let refused = customer
            .page(&other, 1, &token)
            .await
            .expect_err("another list");
        assert_eq!(refused.reason, ErrorReason::InvalidToken, "{refused:?}");
    }
    let stranger = server.customer().await;
    let refused = stranger
        .page(&all, 1, &token)
        .await
        .expect_err("another list");
    assert_eq!(refused.reason, ErrorReason::InvalidToken, "{refused:?}");
}

async fn a_customer_has_at_most_a_hundred_frozen_selections(server: &Harness) {
    server.start().await;
    let customer = server.customer_with_users(1).await;
    let all = || select(vec![everybody()], vec![]);
    let first = customer.frozen(all()).await;
    for _ in 1..100 {
        customer.frozen(all()).await;
    }
    let error = customer.freeze(all()).await.expect_err("one too many");
    assert_eq!(error.reason, ErrorReason::TooManySelections, "{error:?}");
    assert_eq!(error.code, Code::FailedPrecondition, "{error:?}");
    assert_eq!(error.metadata.get("max").map(String::as_str), Some("100"));
    customer.delete_selection(&first.selection_id).await;
    customer.frozen(all()).await;
}

on_every_engine![
    a_frozen_selection_means_the_same_users_later,
    every_kind_of_selection_is_paged_in_both_directions,
    a_customer_has_at_most_a_hundred_frozen_selections,
];

//! Every list other than that of users, page by page in both directions, against a plain sort.

use std::collections::BTreeSet;

use super::customers::rename;
use super::engine::Fresh;
use super::filter::Numbers;
use super::fixture::{
    BASIC, BY, COMPANY_WIDE, Fixture, NOW, OFFICE, PREMIUM, assign, customer, display, edition,
    edition_product, product, revoke, scope, user,
};
use crate::domain::{
    BatchId, CustomerId, Customers, INSTALLATION, Place, ProductId, Scope, UserId, fold,
};
use crate::edition::AppliesTo;
use crate::store::{AssignmentFilter, ProductFilter};

/// Names that are equal but for their case, begin alike, or are not ASCII.
const NAMES: [&str; 8] = [
    "Contoso", "CONTOSO", "contoso", "Cont", "Éclair", "éclair", "Zürich", "zulu",
];

/// Pages of any size, read forward from the first and backward from the last, hold these keys.
macro_rules! assert_list {
    ($page:expr, $key:expr, $expected:expr) => {
        let expected: &Vec<_> = $expected;
        for size in [1, 2, 3, 5, 1_000] {
            for start in [Place::First, Place::Last] {
                let (mut seen, mut place) = (Vec::new(), start);
                loop {
                    let page = $page(&place, size).await.expect("a page");
                    assert!(page.len() <= size as usize);
                    let keys: Vec<_> = page.iter().map($key).collect();
                    let (Some(first), Some(last)) = (keys.first(), keys.last()) else {
                        break;
                    };
                    place = if place.is_backward() {
                        let place = Place::Before(first.clone());
                        seen.splice(0..0, keys);
                        place
                    } else {
                        let place = Place::After(last.clone());
                        seen.extend(keys);
                        place
                    };
                }
                assert_eq!(&seen, expected, "pages of {size}, until {place:?}");
            }
        }
    };
}

pub(super) async fn customers_are_listed_by_name(fresh: Fresh) {
    let Fixture { store, .. } = fresh.fixture().await;
    let mut all: Vec<(String, CustomerId)> = vec![("contoso".to_owned(), customer(1))];
    // Ids that differ in their first and in their last byte, created out of order.
    let numbers = [9, 1 << 120, 3, 255 << 120, 2, 7, 6, 5];
    for (number, name) in numbers.into_iter().zip(NAMES) {
        let id = customer(number);
        // Renamed, too: the place in the list is that of the new name.
        let created = store.create_customer(id, &display("Old"), &BY, NOW).await;
        created.expect("created");
        let renamed = store
            .of(scope(id))
            .update_customer(&rename(&display(name)), None, &BY, NOW)
            .await;
        renamed.expect("renamed");
        all.push((fold(name), id));
    }
    all.sort();
    // A thousand are listed, of whom some are there; ids at both ends of what ids can be.
    let many = (1..=999).chain([255 << 120]).filter(|number| *number != 6);
    for among in [
        Customers::All,
        Customers::Listed(BTreeSet::new()),
        Customers::Listed(BTreeSet::from([customer(3)])),
        Customers::Listed(many.map(customer).collect()),
    ] {
        for search in [None, Some("cont"), Some("contoso"), Some("é"), Some("x")] {
            let is_listed = |(name, id): &&(String, CustomerId)| {
                among.contain(*id) && search.is_none_or(|text| name.starts_with(text))
            };
            let expected: Vec<_> = all.iter().filter(is_listed).cloned().collect();
            let count = store.count_customers(&among, search).await;
            let count = count.expect("a count");
            assert_eq!(count, expected.len() as i64, "{search:?} {among:?}");
            let page = |place: &Place<(String, CustomerId)>, size| {
                let (store, among, place) = (store.clone(), among.clone(), place.clone());
                async move { store.customers(&among, search, &place, size).await }
            };
            let key = |row: &crate::store::Customer| (fold(&row.display_name), row.customer_id);
            assert_list!(page, key, &expected);
        }
    }
}

pub(super) async fn customers_are_walked_with_their_keys(fresh: Fresh) {
    let Fixture { store, .. } = fresh.fixture().await;
    let names = ["Contoso", "Zulu", "Adatum"];
    for (number, name) in (1..).zip(names).skip(1) {
        let name = display(name);
        let created = store.create_customer(customer(number), &name, &BY, NOW);
        created.await.expect("created");
    }
    let by_id = [1, 2, 3].map(|number| scope(customer(number)));
    assert_eq!(store.customers_after(None, 9).await.expect("read"), by_id);
    let rest = store.customers_after(Some(by_id[0]), 1).await;
    assert_eq!(rest.expect("read"), by_id[1..2]);
    let judged = store.customers_to_judge(&Place::First, 9).await;
    let judged = judged.expect("read").into_iter();
    let (keys, names): (Vec<Scope>, Vec<String>) = judged
        .map(|(scope, customer)| (scope, customer.display_name))
        .unzip();
    assert_eq!(names, ["Adatum", "Contoso", "Zulu"]);
    assert_eq!(keys, [by_id[2], by_id[0], by_id[1]]);
    assert_eq!(store.installation(), scope(INSTALLATION));
}

pub(super) async fn products_are_listed_by_name_and_filter(fresh: Fresh) {
    let Fixture { store, .. } = fresh.fixture().await;
    // The products of the fixture are retired by this edition, but for one.
    let mut next = edition(
        NAMES
            .into_iter()
            .zip(5..)
            .map(|(name, number)| edition_product(product(number), name, &[1]))
            .chain([edition_product(OFFICE, "Office", &[1])])
            .collect(),
    );
    next.products[0].applies_to = Some(AppliesTo::Company);
    next.products[1].string_id = "zz_top".to_owned();
    next.products[2].string_id = "Office".to_owned();
    store
        .import_edition(&next, &BY, NOW)
        .await
        .expect("imported");
    let all = store
        .products(&ProductFilter::default(), &Place::First, 1_000)
        .await;
    let all = all.expect("products");
    assert_eq!(all.len(), NAMES.len() + 4);

    let mut numbers = Numbers(5);
    for _ in 0..40 {
        let some = |numbers: &mut Numbers| numbers.pick(&[None, Some(true), Some(false)]);
        let text = numbers.pick(&["", "cont", "z", "É", "office"]);
        let filter = ProductFilter {
            string_id: numbers
                .pick(&[None, None, Some("OFFICE")])
                .map(str::to_owned),
            search: (!text.is_empty()).then(|| fold(text)),
            retired: some(&mut numbers),
            for_company: some(&mut numbers),
        };
        let meets = |row: &&crate::store::Product| {
            let names = [fold(&row.display_name), fold(&row.string_id)];
            let begins = |text: &String| names.iter().any(|name| name.starts_with(&**text));
            filter.search.as_ref().is_none_or(begins)
                && filter
                    .string_id
                    .as_ref()
                    .is_none_or(|id| fold(id) == names[1])
                && filter.retired.is_none_or(|retired| row.retired == retired)
                && filter
                    .for_company
                    .is_none_or(|company| row.for_company == company)
        };
        let key = |row: &crate::store::Product| (fold(&row.display_name), row.product_id);
        let mut expected: Vec<_> = all.iter().filter(meets).map(key).collect();
        expected.sort();
        let count = store.count_products(&filter).await.expect("a count");
        assert_eq!(count, expected.len() as i64, "{filter:?}");
        let page = |place: &Place<(String, ProductId)>, size| {
            let (store, filter, place) = (store.clone(), filter.clone(), place.clone());
            async move { store.products(&filter, &place, size).await }
        };
        assert_list!(page, key, &expected);
    }
}

pub(super) async fn licenses_are_listed_by_the_name_of_the_product(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    for (product, seats) in [(OFFICE, 2), (BASIC, 0), (COMPANY_WIDE, 5), (PREMIUM, 1)] {
        fixture.enable_seats(product, seats).await;
    }
    let users = fixture.create_users(1..=1).await;
    assert_eq!(
        fixture.run(1, &users, assign(&[OFFICE, PREMIUM])).await,
        "A"
    );
    let row = |name: &str, product| (name.to_owned(), product);
    let with = vec![row("company", COMPANY_WIDE), row("office", OFFICE)];
    let without = vec![row("basic", BASIC), row("premium", PREMIUM)];
    let mut all: Vec<_> = with.iter().chain(&without).cloned().collect();
    all.sort();
    for (available, expected) in [(None, all), (Some(true), with), (Some(false), without)] {
        let count = fixture.rows.count_licenses(available);
        assert_eq!(count.await.expect("a count"), expected.len() as i64);
        let page = |place: &Place<(String, ProductId)>, size| {
            let (fixture, place) = (fixture.clone(), place.clone());
            async move { fixture.rows.licenses(available, &place, size).await }
        };
        let key = |row: &crate::store::License| (fold(&row.display_name), row.product);
        assert_list!(page, key, &expected);
    }
}

pub(super) async fn assignments_are_listed_by_user_and_by_product(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    for product in [OFFICE, BASIC] {
        fixture.enable_seats(product, 9).await;
    }
    let users = fixture.create_users(1..=5).await;
    assert_eq!(
        fixture.run(1, &users, assign(&[OFFICE, BASIC])).await,
        "AAAAA"
    );
    assert_eq!(fixture.run(2, &users[1..3], revoke(&[OFFICE])).await, "AA");
    let mut all: Vec<(UserId, ProductId)> = users
        .iter()
        .flat_map(|&user| [(user, OFFICE), (user, BASIC)])
        .filter(|(user, product)| *product != OFFICE || !users[1..3].contains(user))
        .collect();
    all.sort();
    for wanted_user in [None, Some(user(1)), Some(user(2)), Some(user(99))] {
        for wanted_product in [None, Some(OFFICE), Some(PREMIUM)] {
            let filter = AssignmentFilter {
                user: wanted_user,
                product: wanted_product,
            };
            let meets = |(user, product): &&(UserId, ProductId)| {
                wanted_user.is_none_or(|wanted| wanted == *user)
                    && wanted_product.is_none_or(|wanted| wanted == *product)
            };
            let expected: Vec<_> = all.iter().filter(meets).copied().collect();
            let count = fixture.rows.count_assignments(filter);
            assert_eq!(count.await.expect("a count"), expected.len() as i64);
            let page = |place: &Place<(UserId, ProductId)>, size| {
                let (fixture, place) = (fixture.clone(), *place);
                async move { fixture.rows.assignments(filter, &place, size).await }
            };
            let key = |row: &crate::store::Assignment| (row.user, row.product);
            assert_list!(page, key, &expected);
        }
    }
}

pub(super) async fn batches_are_listed_newest_first(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let users = fixture.create_users(1..=1).await;
    let mut all: Vec<(BatchId, bool)> = Vec::new();
    for number in [5, 3, 9, 8, 1] {
        let request = fixture.request(number, &users, revoke(&[OFFICE]));
        let batch = fixture.accept(&request).await;
        let ends = number > 4;
        if ends {
            fixture.work(&batch).await;
        }
        all.push((batch.batch_id, ends));
    }
    all.sort_by(|a, b| b.cmp(a));
    for ended in [None, Some(true), Some(false)] {
        let meets = |(_, has_ended): &&(BatchId, bool)| ended.is_none_or(|e| e == *has_ended);
        let expected: Vec<BatchId> = all.iter().filter(meets).map(|(id, _)| *id).collect();
        let count = fixture.rows.count_batches(ended);
        assert_eq!(count.await.expect("a count"), expected.len() as i64);
        let page = |place: &Place<BatchId>, size| {
            let (fixture, place) = (fixture.clone(), *place);
            async move { fixture.rows.batches(ended, &place, size).await }
        };
        assert_list!(page, |row: &crate::store::Batch| row.batch_id, &expected);
    }
}

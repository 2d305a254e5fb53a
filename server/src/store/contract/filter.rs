//! Lists of users by filter and order, against a model that knows no index.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::engine::Fresh;
use super::fixture::{
    BASIC, BY, Fixture, NOW, OFFICE, PREMIUM, assign, assign_plans, by_id, country, customer,
    display, first_users, later, plan, principal, product, scope, user,
};
use super::raw;
use crate::domain::{
    BatchId, Change, Place, PlanChoice, PlanId, ProductId, UserFilter, UserId, UserOrder, fold,
};
use crate::store::{ImportUser, Refusal, Store, User, UserKey, UserUpdate};

/// Few words, so that names are often equal but for their case, or begin alike.
const WORDS: [&str; 12] = [
    "Ada", "ADA", "ada", "Adam", "Zoë", "zoe", "Éva", "éva", "Straße", "STRASSE", "Ωmega", "ωmega",
];
const COUNTRIES: [&str; 3] = ["NL", "BE", "DE"];

/// Numbers that look random and are the same every time.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % end
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// What the model knows about a user.
#[derive(Clone, Debug)]
struct Person {
    user: User,
    held: HashMap<ProductId, Option<PlanChoice>>,
    failed_in: BTreeSet<BatchId>,
}

impl Person {
    fn key(&self, order: UserOrder) -> UserKey {
        let text = match order {
            UserOrder::DisplayName => fold(&self.user.display_name),
            UserOrder::PrincipalName => fold(&self.user.principal_name),
            UserOrder::Id => String::new(),
        };
        (text, self.user.user_id)
    }

    fn has_plan(&self, wanted: PlanId) -> bool {
        self.held.iter().any(|(product, choice)| {
            let plans: &[u128] = match *product {
                OFFICE => &[1, 2],
                BASIC => &[3],
                _ => &[4],
            };
            plans.iter().any(|number| plan(*number) == wanted)
                && match choice {
                    None => true,
                    Some(PlanChoice::AllExcept(off)) => !off.contains(&wanted),
                    Some(PlanChoice::Only(on)) => on.contains(&wanted),
                }
        })
    }

    fn meets(&self, filter: &UserFilter) -> bool {
        let user = &self.user;
        let names = [fold(&user.display_name), fold(&user.principal_name)];
        let location = user.usage_location.as_deref();
        let begins = |text: &String| names.iter().any(|name| name.starts_with(&**text));
        filter.search.as_ref().is_none_or(begins)
            && filter.active.is_none_or(|active| user.active == active)
            && filter
                .usage_location
                .is_none_or(|wanted| wanted.map(|c| c.as_str().to_owned()).as_deref() == location)
            && filter
                .holds_product
                .is_none_or(|p| self.held.contains_key(&p))
            && filter
                .lacks_product
                .is_none_or(|p| !self.held.contains_key(&p))
            && filter.holds_plan.is_none_or(|plan| self.has_plan(plan))
            && filter
                .failed_in
                .is_none_or(|batch| self.failed_in.contains(&batch))
            && filter
                .not_active_since
                .is_none_or(|time| user.last_active_at.is_none_or(|last| last.0 < time))
    }
}

/// The customer's users as they should be.
struct World {
    fixture: Fixture,
    people: Vec<Person>,
    batches: Vec<BatchId>,
}

impl World {
    async fn new(fresh: Fresh, count: u128, numbers: &mut Numbers) -> Self {
        let fixture = fresh.fixture().await;
        let rows = (1..=count)
            .map(|number| random_user(number, numbers))
            .collect();
        let imported = fixture.rows.import_users(rows, &BY, NOW).await;
        assert_eq!(imported.expect("imported").len(), count as usize);
        // Somebody else's users are in no list of this customer.
        let other = customer(2);
        let name = display("Fabrikam");
        fixture
            .store
            .create_customer(other, &name, &BY, NOW)
            .await
            .expect("created");
        let rows = (1..=9).map(|number| random_user(number, numbers)).collect();
        fixture
            .store
            .of(scope(other))
            .import_users(rows, &BY, NOW)
            .await
            .expect("imported");
        let users = first_users(&fixture.store, fixture.customer, 1_000).await;
        let person = |user| Person {
            user,
            held: HashMap::new(),
            failed_in: BTreeSet::new(),
        };
        let people = users.expect("users").into_iter().map(person).collect();
        let mut world = Self {
            fixture,
            people,
            batches: Vec::new(),
        };
        world.give(numbers).await;
        world.delete(numbers).await;
        world
    }

    /// Gives products, of which one has too few seats, with choices of plans.
    async fn give(&mut self, numbers: &mut Numbers) {
        let count = self.people.len() as i64;
        for (product, seats) in [(OFFICE, count), (BASIC, count / 8), (PREMIUM, count)] {
            self.fixture.enable_seats(product, seats).await;
        }
        let some = |plans: &[u128]| plans.iter().map(|number| plan(*number)).collect();
        let changes: [(ProductId, Option<PlanChoice>); 5] = [
            (OFFICE, None),
            (OFFICE, Some(PlanChoice::Only(some(&[2])))),
            (OFFICE, Some(PlanChoice::AllExcept(some(&[2])))),
            (BASIC, None),
            (PREMIUM, Some(PlanChoice::AllExcept(some(&[4])))),
        ];
        for (number, (product, choice)) in (1..).zip(changes) {
            let change: Change = match &choice {
                None => assign(&[product]),
                Some(choice) => assign_plans(product, choice.clone()),
            };
            let chosen: Vec<usize> = (0..self.people.len())
                .filter(|_| numbers.below(4) == 0)
                .collect();
            let users: Vec<UserId> = chosen
                .iter()
                .map(|place| self.people[*place].user.user_id)
                .collect();
            let outcomes = self.fixture.run(number, &users, change).await;
            let batch = BatchId(Uuid::from_u128(number.into()));
            self.batches.push(batch);
            // Served in the order of the request, or by id, which is the same here.
            for (place, outcome) in chosen.into_iter().zip(outcomes.chars()) {
                let person = &mut self.people[place];
                if outcome == 'F' {
                    person.failed_in.insert(batch);
                } else {
                    person.held.insert(product, choice.clone());
                }
            }
        }
        assert!(
            self.people
                .iter()
                .any(|person| !person.failed_in.is_empty())
        );
    }

    async fn delete(&mut self, numbers: &mut Numbers) {
        for _ in 0..self.people.len() / 10 {
            let gone = self.people.swap_remove(numbers.below(self.people.len()));
            let (store, id) = (&self.fixture.store, by_id(gone.user.user_id));
            store
                .of(scope(self.fixture.customer))
                .delete_user(&id, None, &BY, NOW)
                .await
                .expect("deleted");
        }
    }

    fn expected(&self, filter: &UserFilter, order: UserOrder) -> Vec<UserId> {
        let mut people: Vec<&Person> = self
            .people
            .iter()
            .filter(|person| person.meets(filter))
            .collect();
        people.sort_by_key(|person| person.key(order));
        people.iter().map(|person| person.user.user_id).collect()
    }

    fn random_filter(&self, numbers: &mut Numbers) -> UserFilter {
        let mut filter = UserFilter::default();
        for _ in 0..numbers.below(4) {
            match numbers.below(8) {
                0 => {
                    let word = fold(numbers.pick(&WORDS));
                    let end = 1 + numbers.below(word.chars().count());
                    filter.search = Some(word.chars().take(end).collect());
                }
                1 => filter.active = Some(numbers.below(2) == 0),
                2 => {
                    let code = numbers.pick(&["NL", "BE", "FR", ""]);
                    filter.usage_location = Some((!code.is_empty()).then(|| country(code)));
                }
                3 => filter.holds_product = Some(numbers.pick(&[OFFICE, BASIC, product(9)])),
                4 => filter.lacks_product = Some(numbers.pick(&[OFFICE, PREMIUM, product(9)])),
                5 => filter.holds_plan = Some(plan(1 + numbers.below(5) as u128)),
                6 => filter.failed_in = Some(numbers.pick(&self.batches)),
                _ => filter.not_active_since = Some(later(numbers.below(5) as i64).0),
            }
        }
        filter
    }
}

fn random_user(number: u128, numbers: &mut Numbers) -> ImportUser {
    let (first, last) = (numbers.pick(&WORDS), numbers.pick(&WORDS));
    let name = match numbers.below(3) {
        0 => first.to_owned(),
        _ => format!("{first} {last}"),
    };
    // Not in the order in which they are made.
    let id = user(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) << 32 | number);
    ImportUser {
        id: Some(id),
        new_id: id,
        values: UserUpdate {
            principal_name: Some(principal(&format!("{last}.{number}@example.com"))),
            display_name: Some(display(&name)),
            usage_location: Some(
                (numbers.below(4) != 0).then(|| country(numbers.pick(&COUNTRIES))),
            ),
            active: Some(numbers.below(5) != 0),
            last_active_at: (numbers.below(3) != 0).then(|| later(numbers.below(5) as i64)),
        },
    }
}

const ORDERS: [UserOrder; 3] = [
    UserOrder::DisplayName,
    UserOrder::PrincipalName,
    UserOrder::Id,
];

pub(super) fn key_of(user: &User, order: UserOrder) -> UserKey {
    let text = match order {
        UserOrder::DisplayName => fold(&user.display_name),
        UserOrder::PrincipalName => fold(&user.principal_name),
        UserOrder::Id => String::new(),
    };
    (text, user.user_id)
}

pub(super) async fn users_who_meet_a_filter_are_listed_in_every_order(fresh: Fresh) {
    let mut numbers = Numbers(1);
    let world = World::new(fresh, 240, &mut numbers).await;
    let rows = &world.fixture.rows;
    let mut found = 0;
    for round in 0..150 {
        let filter = world.random_filter(&mut numbers);
        let order = ORDERS[round % 3];
        let expected = world.expected(&filter, order);
        found += expected.len();
        let all = rows.users(&filter, order, &Place::First, 1_000).await;
        let all: Vec<UserId> = all
            .expect("users")
            .iter()
            .map(|user| user.user_id)
            .collect();
        assert_eq!(all, expected, "{filter:?} {order:?}");
        let count = rows.count_users(&filter).await.expect("a count");
        assert_eq!(count, expected.len() as i64, "{filter:?}");
        let by_name = world.expected(&filter, UserOrder::DisplayName);
        let ids = rows.user_ids(&filter, 1_000).await.expect("ids");
        assert_eq!(ids, by_name, "{filter:?}");
        let some = rows.user_ids(&filter, 3).await.expect("ids");
        assert_eq!(some, by_name[..by_name.len().min(3)], "{filter:?}");
    }
    assert!(
        found > 1_500,
        "{found} users found: the filters were too narrow"
    );
}

/// Pages forward, then back from the last page; both see everybody once.
pub(super) async fn users_are_paged_both_ways_by_filter(fresh: Fresh) {
    let mut numbers = Numbers(2);
    let world = World::new(fresh, 120, &mut numbers).await;
    let (store, customer) = (&world.fixture.store, world.fixture.customer);
    for round in 0..30 {
        let filter = world.random_filter(&mut numbers);
        let order = ORDERS[round % 3];
        let expected = world.expected(&filter, order);
        let size = [1, 7, 50][numbers.below(3)];
        let forward = walk(store, customer, &filter, order, size, Place::First).await;
        assert_eq!(forward, expected, "{filter:?} {order:?} forward by {size}");
        let backward = walk(store, customer, &filter, order, size, Place::Last).await;
        assert_eq!(
            backward, expected,
            "{filter:?} {order:?} backward by {size}"
        );
    }
}

async fn walk(
    store: &Store,
    customer: crate::domain::CustomerId,
    filter: &UserFilter,
    order: UserOrder,
    size: i64,
    start: Place<UserKey>,
) -> Vec<UserId> {
    let (mut seen, mut place) = (Vec::new(), start);
    loop {
        let page = store
            .of(scope(customer))
            .users(filter, order, &place, size)
            .await
            .expect("a page");
        assert!(page.len() <= size as usize);
        let keys: Vec<UserKey> = page.iter().map(|user| key_of(user, order)).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        let ids = keys.iter().map(|key| key.1);
        let (Some(first), Some(last)) = (keys.first(), keys.last()) else {
            return seen;
        };
        if place.is_backward() {
            seen = ids.chain(seen).collect();
            place = Place::Before(first.clone());
        } else {
            seen.extend(ids);
            place = Place::After(last.clone());
        }
    }
}

/// What comes and goes between two pages moves nobody else.
pub(super) async fn pages_of_users_are_stable_while_users_come_and_go(fresh: Fresh) {
    let mut numbers = Numbers(3);
    let mut world = World::new(fresh, 60, &mut numbers).await;
    let rows = world.fixture.rows.clone();
    let filter = UserFilter::default();
    let order = UserOrder::DisplayName;
    for start in [Place::First, Place::Last] {
        let staying: BTreeSet<UserId> = world.expected(&filter, order).into_iter().collect();
        let (mut seen, mut place) = (Vec::new(), start.clone());
        let mut gone = BTreeSet::new();
        loop {
            let page = rows.users(&filter, order, &place, 4).await.expect("a page");
            let (Some(first), Some(last)) = (page.first(), page.last()) else {
                break;
            };
            let edge = if place.is_backward() { first } else { last };
            let key = key_of(edge, order);
            seen.extend(page.iter().map(|user| user.user_id));
            // The very user that the next page is beyond goes, and others come.
            let id = edge.user_id;
            rows.delete_user(&by_id(id), None, &BY, NOW)
                .await
                .expect("deleted");
            gone.insert(id);
            let new = random_user(
                1_000 + seen.len() as u128 + numbers.below(1 << 40) as u128,
                &mut numbers,
            );
            rows.import_users(vec![new], &BY, NOW)
                .await
                .expect("imported");
            place = match start {
                Place::First => Place::After(key),
                _ => Place::Before(key),
            };
        }
        let unique: BTreeSet<UserId> = seen.iter().copied().collect();
        assert_eq!(unique.len(), seen.len(), "somebody was listed twice");
        assert!(staying.is_subset(&unique), "somebody was left out");
        world
            .people
            .retain(|person| !gone.contains(&person.user.user_id));
    }
}

pub(super) async fn a_filter_by_a_batch_that_is_not_there_is_refused(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let (store, batch) = (&fixture.store, BatchId(Uuid::from_u128(7)));
    let filter = UserFilter {
        failed_in: Some(batch),
        ..UserFilter::default()
    };
    let expected = Refusal::NotFound {
        resource: "batch",
        id: batch.to_string(),
    };
    let order = UserOrder::DisplayName;
    let list = fixture.rows.users(&filter, order, &Place::First, 9);
    assert_eq!(raw::refusal(store, list).await, expected);
    let count = fixture.rows.count_users(&filter);
    assert_eq!(raw::refusal(store, count).await, expected);
    let ids = fixture.rows.user_ids(&filter, 9);
    assert_eq!(raw::refusal(store, ids).await, expected);
}

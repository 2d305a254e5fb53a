//! The pretended company: its catalogue, its people, its licenses. Everything follows from the
//! number of users, so that every figure of the demo can be foretold.

use seatwise_client::v1;
use uuid::Uuid;

/// A small catalogue of real products.
pub(super) const CATALOGUE: &[u8] = include_bytes!("catalogue.csv");
/// The rules between their plans.
pub(super) const RULES: &[u8] = include_bytes!("rules.csv");

/// Office 365 E3.
pub(super) const OFFICE_E3: &str = "6fd2c87f-b296-42f0-b197-1e91e994b900";
/// Sway, a plan of Office 365 E3.
pub(super) const SWAY: &str = "a23b959c-7ce8-4e57-9140-b90eb88a9e97";
/// Visio Plan 2.
pub(super) const VISIO: &str = "c5928f49-12ba-48f7-ada3-0d743a3601d5";
/// Planner and Project Plan 3.
pub(super) const PROJECT: &str = "53818b1b-4a27-454b-8896-0dba576410e6";
/// Office 365 E1, which nobody can hold beside Office 365 E3.
pub(super) const OFFICE_E1: &str = "18181a46-0d4e-45cd-891e-60aabd171b4e";

const COUNTRIES: [&str; 5] = ["NL", "DE", "FR", "US", "GB"];
const FIRST_NAMES: [&str; 10] = [
    "Ada", "Grace", "Edsger", "Barbara", "Donald", "Frances", "Tony", "Radia", "Ken", "Hedy",
];
const LAST_NAMES: [&str; 10] = [
    "de Vries", "Schmidt", "Dubois", "Jansen", "Smith", "Bakker", "Meyer", "Martin", "Visser",
    "Jones",
];

/// What one user is like.
pub(super) struct Person {
    pub(super) has_location: bool,
    pub(super) is_active: bool,
}

impl Person {
    pub(super) fn of(index: usize) -> Self {
        Self {
            has_location: index % 100 != 7,
            is_active: index % 250 != 13,
        }
    }

    /// True if the person can be given something new.
    pub(super) fn can_receive(&self) -> bool {
        self.has_location && self.is_active
    }
}

/// The user's sign-in name. The tag keeps runs on one database apart.
pub(super) fn principal_name(index: usize, tag: &str) -> String {
    format!("user{index:06}@{tag}.example.com")
}

pub(super) fn user(index: usize, tag: &str) -> v1::ImportedUser {
    let person = Person::of(index);
    let first = FIRST_NAMES[index % FIRST_NAMES.len()];
    let last = LAST_NAMES[index / FIRST_NAMES.len() % LAST_NAMES.len()];
    let location = if person.has_location {
        COUNTRIES[index % COUNTRIES.len()]
    } else {
        ""
    };
    let state = if person.is_active {
        v1::user::State::Active
    } else {
        v1::user::State::Inactive
    };
    v1::ImportedUser {
        user_id: Uuid::new_v4().to_string(),
        principal_name: principal_name(index, tag),
        display_name: Some(format!("{first} {last} {index}")),
        usage_location: Some(location.to_owned()),
        state: state.into(),
        last_active_time: None,
    }
}

/// Seats of each license. Visio has too few.
pub(super) fn seats(users: usize) -> [(&'static str, usize); 4] {
    [
        (OFFICE_E3, users),
        (VISIO, users * 8 / 10),
        (PROJECT, users),
        (OFFICE_E1, users),
    ]
}

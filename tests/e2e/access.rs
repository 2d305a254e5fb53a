//! Who may do what: nobody acts outside the own role or customers, or without a good key, or on the own
//! rights.

mod call;
mod dump;
mod estate;
mod expected;
mod fields;
mod keys;
mod matrix;
mod requests;
mod rights;
mod samples;
mod world;

use keys::{a_key_is_good_only_as_it_was_made, several_keys_are_good_at_once};
use matrix::nobody_acts_outside_the_own_role_and_customers;
use rights::{
    nobody_changes_the_own_rights, nobody_gives_what_they_do_not_have,
    of_two_admins_who_remove_each_other_one_stays, the_last_global_admin_stays,
};

crate::harness::on_every_engine![
    nobody_acts_outside_the_own_role_and_customers,
    a_key_is_good_only_as_it_was_made,
    several_keys_are_good_at_once,
    nobody_changes_the_own_rights,
    nobody_gives_what_they_do_not_have,
    the_last_global_admin_stays,
    of_two_admins_who_remove_each_other_one_stays,
];

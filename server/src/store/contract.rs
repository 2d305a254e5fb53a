//! The store's contract: named checks, each run in an empty store of its own on every engine, which
//! is how both keep the promises of `store.rs` and the sixth, to answer alike.
//!
//! SQLite needs nothing. PostgreSQL runs if `TEST_POSTGRES_URL` names a database of a server on
//! which databases can be created; with `SEATWISE_TEST_ALL` set it must.

mod accept;
mod cancel;
mod catalogue;
mod chain;
mod choices;
mod chunks;
mod customers;
mod deletion;
mod directory;
mod earlier;
mod engine;
mod filter;
mod fixture;
mod guard;
mod history;
mod import;
mod indexes;
mod journal;
mod later_plans;
mod licenses;
mod lists;
mod migration;
mod model;
mod overlap;
mod promises;
mod prune_journal;
mod prune_results;
mod raw;
mod records;
mod rules;
mod scopes;
mod selections;
mod takeover;
mod tamper;
mod terms;
mod trouble;
mod users;
mod violation_model;
mod violations;
mod watch;
mod work;

/// The table: each check becomes a test for each engine.
macro_rules! checks {
    ($($theme:ident { $($check:ident)* })*) => {
        checks!(@engine sqlite $($($theme $check)*)*);
        checks!(@engine postgres $($($theme $check)*)*);
    };
    (@engine $engine:ident $($theme:ident $check:ident)*) => {
        mod $engine {
            $(
                // SQLite's async face needs more than one thread.
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $check() {
                    if let Some(engine) = super::engine::$engine().await {
                        engine.run(super::$theme::$check).await;
                    }
                }
            )*
        }
    };
}

checks! {
    migration {
        an_empty_database_is_migrated_once
        a_schema_that_is_not_the_programs_is_recognised
        a_database_of_something_else_is_not_taken_for_empty
        servers_that_migrate_at_once_take_turns
        a_second_server_opens_only_what_can_be_shared
        the_tables_are_those_of_the_program
        the_token_key_is_made_once_and_kept
        what_was_written_is_there_after_a_restart
    }
    customers {
        a_customer_is_created_read_and_renamed
        a_customer_id_is_given_once
        a_customer_that_is_not_there_is_not_found
        a_customer_at_another_version_is_left_alone
    }
    users {
        a_user_is_created_and_found_by_id_and_by_name
        a_user_is_changed_value_by_value
        a_user_at_another_version_is_left_alone
        a_user_that_is_not_there_is_not_found
        user_ids_and_folded_names_are_unique_within_a_customer
    }
    filter {
        users_who_meet_a_filter_are_listed_in_every_order
        users_are_paged_both_ways_by_filter
        pages_of_users_are_stable_while_users_come_and_go
        a_filter_by_a_batch_that_is_not_there_is_refused
    }
    deletion {
        a_deleted_user_frees_its_seats_and_says_so_in_one_change
        a_deleted_users_name_can_be_used_again_and_its_id_cannot
    }
    import {
        imported_users_are_created_updated_or_unchanged
        an_imported_user_that_is_refused_does_not_keep_others_out
        a_user_may_come_twice_in_one_import
        names_may_move_between_users_within_one_import
        a_thousand_users_are_imported_at_once
        an_import_touches_its_customer_only
    }
    lists {
        customers_are_listed_by_name
        customers_are_walked_with_their_keys
        products_are_listed_by_name_and_filter
        licenses_are_listed_by_the_name_of_the_product
        assignments_are_listed_by_user_and_by_product
        batches_are_listed_newest_first
    }
    licenses {
        a_license_is_created_and_its_seats_are_set
        seats_that_are_so_already_move_no_version
        seats_below_those_assigned_are_confirmed_first
        a_license_at_another_version_is_left_alone
        a_license_that_is_not_there_is_not_found
    }
    catalogue {
        a_first_edition_is_added_and_read_back
        an_edition_renames_products_and_plans
        a_product_that_an_edition_lacks_is_retired_and_can_come_back
        a_product_gains_and_loses_plans
        who_can_hold_a_product_is_kept_if_the_edition_does_not_say
    }
    rules {
        rules_are_added_renamed_and_removed
        a_plan_that_no_product_has_is_named_by_the_rules
        rules_are_paged_each_exactly_once
    }
    scopes {
        ids_of_another_customer_read_nothing
        ids_of_another_customer_change_nothing
    }
    selections {
        selections_are_what_a_naive_model_says
        a_frozen_selection_is_gone_when_its_time_is_over
        a_deleted_selection_is_gone_and_can_be_deleted_again
        another_customers_selection_is_not_found
        a_customer_keeps_a_hundred_selections_and_expired_ones_make_room
        a_part_that_names_a_user_twice_is_refused
        a_frozen_selection_of_many_rows_is_read_from_any_place
    }
    violations {
        violations_are_what_a_naive_model_says
        a_page_of_violations_ends_with_a_whole_user
        a_summary_tells_the_rules_that_most_users_break
        a_customer_that_is_not_there_has_no_violations_to_tell
    }
    directory {
        who_may_do_what_is_read_back_as_it_was_written
        a_change_of_rights_is_recorded_without_names
        a_change_of_rights_that_is_refused_changes_nothing
        two_admins_who_remove_each_other_leave_one
        the_use_of_a_key_is_noted_and_never_goes_back
    }
    accept {
        an_accepted_batch_is_stored_before_the_answer
        the_same_request_is_accepted_once
        a_request_is_not_refused_for_what_came_after_it
        a_request_id_is_not_used_for_two_requests
        a_user_that_is_named_twice_is_refused_in_every_spelling
        users_that_are_not_there_get_a_turn_without_a_user
        service_is_by_id_when_seats_are_ample_else_as_requested
        the_first_chunk_is_small_and_the_others_are_larger
        every_user_can_have_a_change_of_its_own
        thousands_of_users_are_resolved_by_id_and_by_name
    }
    chunks {
        a_chunk_commits_everything_together
        a_chunk_that_cannot_be_written_leaves_no_trace
        a_chunk_that_was_done_is_not_done_again
        a_chunk_is_not_decided_by_a_catalogue_that_moved
        a_user_deleted_or_changed_since_acceptance_is_seen_as_it_is
        a_product_is_swapped_for_one_that_excludes_it
    }
    terms {
        a_preview_says_what_the_batch_then_does
        a_batch_stops_after_so_many_failures
        full_licenses_are_swapped_by_all_or_nobody
        an_atomic_batch_has_its_limit_of_users
        a_batch_that_lacks_seats_is_refused_if_it_says_so
        a_batch_keeps_the_promise_of_its_preview
        a_rehearsal_goes_by_the_catalogue_of_its_moment
    }
    cancel {
        a_cancelled_batch_skips_all_who_had_no_turn
        a_cancelled_atomic_batch_does_nothing
        a_batch_that_stops_by_itself_or_has_ended_is_not_cancelled
    }
    earlier {
        a_revert_restores_what_the_batch_found_and_can_be_reverted
        a_revert_leaves_alone_what_was_changed_since
        a_revert_says_who_has_changed_what_since
        a_retry_tries_those_who_failed_in_the_order_of_the_request
        a_retry_looks_up_again_who_was_not_there
        a_retry_can_include_those_who_were_skipped
        a_batch_that_runs_is_neither_reverted_nor_retried
        a_batch_of_nobody_has_ended
    }
    guard {
        a_batch_that_takes_too_much_has_to_be_confirmed
        a_guard_counts_what_is_lost_by_whatever_change
        what_a_batch_gives_first_does_not_hide_what_it_takes
    }
    later_plans {
        a_policy_says_what_all_plans_are
        an_import_tells_whose_plans_it_has_changed
    }
    records {
        changes_are_numbered_without_a_gap_and_say_what_changed
        results_are_read_from_any_position
    }
    journal {
        every_mutation_leaves_one_commit_with_its_records
        what_changes_nothing_leaves_no_record
        records_hold_nothing_personal
        a_batch_is_recorded_from_its_acceptance_to_its_end
    }
    history {
        a_history_is_listed_by_what_it_is_about
        a_history_is_filtered_by_kind_and_time
        what_a_user_held_is_known_for_every_moment
        a_history_names_users_as_they_are_called_now
        a_time_never_goes_back
    }
    watch {
        changes_are_read_onwards_from_any_place
        a_watch_begins_where_nothing_is_missing
    }
    tamper {
        any_single_mutation_of_the_journal_is_found
        any_single_mutation_of_a_pruned_journal_is_found
    }
    prune_results {
        results_are_pruned_step_by_step_and_the_batch_stays
        a_pruned_batch_is_refused_and_never_executed_again
        what_runs_or_is_young_is_not_pruned
        a_revert_that_runs_needs_nothing_that_is_pruned
    }
    prune_journal {
        a_journal_is_pruned_from_its_front_and_stays_whole
        a_journal_keeps_its_end_and_what_kept_batches_have_done
        a_pruned_journal_is_refused_before_its_beginning
        pruning_by_itself_is_no_reason_to_prune
        batches_that_run_while_two_servers_prune_are_exact
    }
    choices {
        a_choice_has_one_number_however_often_it_is_made
        a_choice_is_changed_in_place_and_takes_no_other_seat
        choices_are_loaded_by_whoever_does_not_know_them
        choices_known_from_before_are_used_and_new_ones_are_told
        each_customer_numbers_its_own_choices
    }
    takeover {
        a_batch_is_abandoned_when_its_lease_is_over
        abandoned_batches_of_all_customers_are_found
        whoever_lost_a_batch_can_no_longer_write_to_it
        one_of_many_that_claim_a_batch_at_once_gets_it
        a_batch_that_is_handed_back_can_be_claimed_at_once
        a_batch_is_not_taken_over_in_the_middle_of_a_chunk
        a_batch_that_is_not_there_is_not_found
    }
    promises {
        concurrent_batches_take_every_seat_and_not_one_more
        products_that_exclude_each_other_never_meet_at_one_user
        decisions_about_one_customer_are_made_one_at_a_time
        all_kinds_of_writes_at_once_make_one_history
    }
    trouble {
        another_transaction_in_the_way_is_a_conflict_that_wrote_nothing
        a_lost_connection_is_an_outage_and_is_replaced
        a_decision_that_panics_harms_nobody_else
    }
}

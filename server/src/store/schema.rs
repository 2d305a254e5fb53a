//! The tables, one set for both engines. Every table is distributed (`customer_id` first in its
//! key) or reference; the migrations say which.

use diesel::table;

table! {
    use diesel::sql_types::*;
    use crate::store::types::Instant;
    installation (id) {
        id -> SmallInt,
        token_key -> Binary,
        catalogue_version -> BigInt,
        access_version -> BigInt,
        change_seq -> BigInt,
        change_hash -> Binary,
        changed_at -> Instant,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::Guid;
    products (product_id) {
        product_id -> Guid,
        display_name -> Text,
        sort_key -> Text,
        string_id -> Text,
        string_key -> Text,
        for_company -> Bool,
        later_plans -> SmallInt,
        retired -> Bool,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::Guid;
    service_plans (plan_id) {
        plan_id -> Guid,
        name -> Text,
        display_name -> Text,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::Guid;
    product_plans (product_id, plan_id) {
        product_id -> Guid,
        plan_id -> Guid,
        retired -> Bool,
        added_version -> BigInt,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::Guid;
    rules (kind, plan_id, other) {
        kind -> SmallInt,
        plan_id -> Guid,
        other -> Text,
        plan_name -> Text,
        other_names -> Text,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::{Guid, Instant};
    customers (customer_id) {
        customer_id -> Guid,
        display_name -> Text,
        sort_key -> Text,
        change_seq -> BigInt,
        change_hash -> Binary,
        changed_at -> Instant,
        guard_users -> Nullable<BigInt>,
        guard_percent -> Nullable<BigInt>,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::{Guid, Instant};
    users (customer_id, user_id) {
        customer_id -> Guid,
        user_id -> Guid,
        principal_name -> Text,
        principal_key -> Nullable<Text>,
        display_name -> Text,
        sort_key -> Text,
        usage_location -> Nullable<Text>,
        active -> Bool,
        last_active_at -> Nullable<Instant>,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::{Guid, Instant};
    licenses (customer_id, product_id) {
        customer_id -> Guid,
        product_id -> Guid,
        enabled -> BigInt,
        warning -> BigInt,
        suspended -> BigInt,
        assigned -> BigInt,
        later_plans -> SmallInt,
        version -> BigInt,
        updated_at -> Instant,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::Guid;
    plan_choices (customer_id, choice_id) {
        customer_id -> Guid,
        choice_id -> Integer,
        only_named -> Bool,
        plan_ids -> Binary,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::{Guid, Instant};
    assignments (customer_id, user_id, product_id) {
        customer_id -> Guid,
        user_id -> Guid,
        product_id -> Guid,
        choice_id -> Integer,
        catalogue_version -> BigInt,
        batch_id -> Guid,
        assigned_at -> Instant,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::{Guid, Instant};
    batches (customer_id, batch_id) {
        customer_id -> Guid,
        batch_id -> Guid,
        request_id -> Guid,
        request_hash -> Binary,
        state -> SmallInt,
        user_count -> BigInt,
        next_position -> BigInt,
        applied_count -> BigInt,
        unchanged_count -> BigInt,
        failed_count -> BigInt,
        skipped_count -> BigInt,
        terms -> BigInt,
        capacity -> SmallInt,
        stopped -> SmallInt,
        tally -> Binary,
        fence -> BigInt,
        lease_expires_at -> Instant,
        created_at -> Instant,
        ended_at -> Nullable<Instant>,
        reverts_batch_id -> Nullable<Guid>,
        reverted_by_batch_id -> Nullable<Guid>,
        retries_batch_id -> Nullable<Guid>,
        retried_by_batch_id -> Nullable<Guid>,
        results -> SmallInt,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::Guid;
    batch_chunks (customer_id, batch_id, first_position) {
        customer_id -> Guid,
        batch_id -> Guid,
        first_position -> BigInt,
        turns -> Binary,
        digest -> Nullable<Binary>,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::Guid;
    batch_results (customer_id, batch_id, first_position) {
        customer_id -> Guid,
        batch_id -> Guid,
        first_position -> BigInt,
        result_count -> BigInt,
        first_seq -> BigInt,
        change_count -> BigInt,
        dispositions -> Binary,
        results -> Binary,
        failed_user_ids -> Binary,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::{Guid, Instant};
    changes (customer_id, seq) {
        customer_id -> Guid,
        seq -> BigInt,
        kind -> SmallInt,
        thing_id -> Guid,
        details -> Binary,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::{Guid, Instant};
    commits (customer_id, last_seq) {
        customer_id -> Guid,
        last_seq -> BigInt,
        first_seq -> BigInt,
        committed_at -> Instant,
        hash -> Binary,
        who -> Text,
        through -> Text,
        request_id -> Nullable<Guid>,
        batch_id -> Nullable<Guid>,
        comment -> Text,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::{Guid, Instant};
    journal_starts (customer_id) {
        customer_id -> Guid,
        position -> BigInt,
        hash -> Binary,
        committed_at -> Instant,
        pruned_at -> Instant,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::{Guid, Instant};
    selections (customer_id, selection_id) {
        customer_id -> Guid,
        selection_id -> Guid,
        user_count -> BigInt,
        is_sorted -> Bool,
        created_at -> Instant,
        expires_at -> Instant,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::Guid;
    selection_chunks (customer_id, selection_id, sorted, first_position) {
        customer_id -> Guid,
        selection_id -> Guid,
        sorted -> Bool,
        first_position -> BigInt,
        user_ids -> Binary,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::{Guid, Instant};
    principals (principal_id) {
        principal_id -> Guid,
        kind -> SmallInt,
        name -> Text,
        created_at -> Instant,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::{Guid, Instant};
    grants (grant_id) {
        grant_id -> Guid,
        principal_id -> Guid,
        roles -> SmallInt,
        customer_ids -> Nullable<Binary>,
        expires_at -> Nullable<Instant>,
        created_at -> Instant,
    }
}
table! {
    use diesel::sql_types::*;
    use crate::store::types::{Guid, Instant};
    api_keys (key_id) {
        key_id -> Guid,
        principal_id -> Guid,
        secret_hash -> Binary,
        expires_at -> Nullable<Instant>,
        revoked_at -> Nullable<Instant>,
        used_at -> Nullable<Instant>,
        created_at -> Instant,
    }
}

diesel::allow_tables_to_appear_in_same_query!(batch_chunks, batch_results);
diesel::allow_tables_to_appear_in_same_query!(licenses, products);
diesel::allow_tables_to_appear_in_same_query!(product_plans, service_plans);
diesel::allow_tables_to_appear_in_same_query!(assignments, users);
diesel::allow_tables_to_appear_in_same_query!(changes, commits);

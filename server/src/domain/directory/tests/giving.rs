//! Whatever is given: nobody has rights afterwards that giver and receiver did not have before.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn any_grant() -> impl Strategy<Value = Grant> {
    let customers = prop_oneof![
        Just(Customers::All),
        prop::collection::btree_set(1_u128..5, 1..4)
            .prop_map(|numbers| { Customers::Listed(numbers.into_iter().map(customer).collect()) }),
    ];
    let roles = prop::collection::vec(0_usize..9, 1..4);
    let roles = roles.prop_map(|picked| {
        Roles::of(
            &picked
                .into_iter()
                .map(|index| Role::ALL[index])
                .collect::<Vec<_>>(),
        )
    });
    let end = prop::option::of(500_i64..2_000);
    (any::<u128>(), roles, customers, end).prop_map(|(number, roles, customers, expires_at)| {
        Grant {
            id: GrantId(Uuid::from_u128(number)),
            roles,
            customers,
            expires_at,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 100_000, ..ProptestConfig::default() })]

    /// Whoever is given something by somebody can then do nothing, nowhere and at no time, that both could
    /// not do before.
    #[test]
    fn giving_makes_no_rights(
        own in prop::collection::vec(any_grant(), 0..4),
        theirs in prop::collection::vec(any_grant(), 0..3),
        given in any_grant(),
        later in 0_i64..1_500,
    ) {
        let all = Directory::new(1, [principal(1, own), principal(2, theirs)]);
        let giver = all.caller(id(1), None, NOW);
        let change = AccessChange::CreateGrant(id(2), given, NOW);
        prop_assume!(all.check(&giver, &change, NOW).is_ok());
        let (time, after) = (NOW + later, all.after(&change, NOW));
        let can = |of: &Directory, who, role: Role, at: u128| {
            let roles = Roles::of(&[role, Role::GlobalAdmin]);
            of.caller(id(who), None, time).enter(customer(at), roles).is_ok()
        };
        for role in Role::ALL {
            // The last customer is in no list: only who has all has it.
            for at in 1..=9 {
                let before = can(&all, 1, role, at) || can(&all, 2, role, at);
                prop_assert!(before || !can(&after, 2, role, at), "{role:?} at {at}");
            }
        }
    }
}

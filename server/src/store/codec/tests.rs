//! What is written is read back as it was, and damage is noticed.

use super::*;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

#[test]
fn an_order_is_read_back_as_written_and_damage_is_noticed() {
    let plans = vec![PlanId(id(7)), PlanId(id(8))];
    let assign = |plans| Assign {
        product: ProductId(id(1)),
        plans,
    };
    let order = Order {
        changes: vec![
            Change {
                assign: vec![assign(None)],
                revoke: vec![ProductId(id(2))],
                replace: vec![Replace {
                    product: ProductId(id(4)),
                    by: ProductId(id(5)),
                    plans: Some(PlanEdit::Delta {
                        enable: plans.clone(),
                        disable: vec![PlanId(id(9))],
                    }),
                }],
                revoke_others: Some(vec![ProductId(id(6))]),
                undo: None,
            },
            Change {
                undo: Some(Undo {
                    edits: vec![Edit {
                        product: ProductId(id(3)),
                        before: Some(ChoiceId(70_000)),
                        after: None,
                    }],
                    takes_safe_part: true,
                }),
                ..Change::default()
            },
            Change {
                assign: vec![
                    assign(Some(PlanEdit::Set(PlanChoice::AllExcept(plans.clone())))),
                    assign(Some(PlanEdit::Set(PlanChoice::Only(plans)))),
                ],
                ..Change::default()
            },
        ],
        turns: vec![
            Turn {
                index: 5,
                user: Some(UserId(id(3))),
                name: "ada@x".into(),
                change: 0,
            },
            Turn {
                index: 0,
                user: None,
                name: "né@x".into(),
                change: 2,
            },
        ],
    };
    let bytes = encode_order(&order);
    assert_eq!(decode_order(&bytes).expect("whole"), order);
    for len in 0..bytes.len() {
        assert!(
            decode_order(&bytes[..len]).is_err(),
            "{len} of {} bytes",
            bytes.len()
        );
    }
}

#[test]
fn a_tally_is_read_back_as_written_and_damage_is_noticed() {
    let seats = |number| Seats {
        enabled: number,
        warning: 2,
        suspended: 3,
        assigned: -4,
    };
    let tally = SeatTally {
        before: seats(1),
        after: seats(5),
        unmet: -6,
        shortage: 7,
    };
    let tally = Tally {
        seats: [(ProductId(id(1)), tally)].into(),
        reasons: [("USER_INACTIVE".to_owned(), 8), (String::new(), 9)].into(),
    };
    let bytes = encode_tally(&tally);
    assert_eq!(decode_tally(&bytes).expect("whole"), tally);
    for len in 1..bytes.len() {
        assert!(decode_tally(&bytes[..len]).is_err(), "{len} bytes");
    }
}

#[test]
fn edits_are_read_back_as_written() {
    let edits = vec![
        Edit {
            product: ProductId(id(1)),
            before: None,
            after: Some(ChoiceId(0)),
        },
        Edit {
            product: ProductId(id(2)),
            before: Some(ChoiceId(9)),
            after: None,
        },
    ];
    assert_eq!(decode_edits(&encode_edits(&edits)).expect("whole"), edits);
    assert!(decode_edits(&encode_edits(&edits)[1..]).is_err());
}

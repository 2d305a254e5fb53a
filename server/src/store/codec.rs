//! Bytes of our own in rows: turns of a chunk, edits of a change, plans of a choice. Fixed widths,
//! little endian; what is written here is read back here.

use uuid::Uuid;

use super::error::Error;
use crate::domain::{Assign, Change, Edit, Order, PlanChoice, PlanId, ProductId, Turn, UserId};

/// Plans of a choice: 16 bytes each.
pub(super) fn encode_plans(plans: &[PlanId]) -> Vec<u8> {
    plans.iter().flat_map(|plan| *plan.0.as_bytes()).collect()
}

pub(super) fn decode_choice(only: bool, plans: &[u8]) -> Result<PlanChoice, Error> {
    let mut reader = Reader(plans);
    let mut ids = Vec::with_capacity(plans.len() / 16);
    while !reader.0.is_empty() {
        ids.push(PlanId(reader.id()?));
    }
    Ok(if only {
        PlanChoice::Only(ids)
    } else {
        PlanChoice::AllExcept(ids)
    })
}

/// Edits of a user: product, choice before and after; -1 is none.
pub(super) fn encode_edits(edits: &[Edit]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(edits.len() * 24);
    for edit in edits {
        bytes.extend(edit.product.0.as_bytes());
        bytes.extend(edit.before.map_or(-1, |choice| choice.0).to_le_bytes());
        bytes.extend(edit.after.map_or(-1, |choice| choice.0).to_le_bytes());
    }
    bytes
}

#[cfg(test)]
pub(super) fn decode_edits(bytes: &[u8]) -> Result<Vec<Edit>, Error> {
    let mut reader = Reader(bytes);
    let mut edits = Vec::with_capacity(bytes.len() / 24);
    while !reader.0.is_empty() {
        let product = ProductId(reader.id()?);
        let mut choice = || {
            reader
                .i32()
                .map(|choice| (choice >= 0).then_some(crate::domain::ChoiceId(choice)))
        };
        edits.push(Edit {
            product,
            before: choice()?,
            after: choice()?,
        });
    }
    Ok(edits)
}

/// The turns of a chunk with the changes that they name.
pub(super) fn encode_order(order: &Order) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64 + order.turns.len() * 56);
    put_len(&mut bytes, order.changes.len());
    for change in &order.changes {
        put_len(&mut bytes, change.assign.len());
        for assign in &change.assign {
            bytes.extend(assign.product.0.as_bytes());
            let (kind, plans): (u8, &[PlanId]) = match &assign.plans {
                None => (0, &[]),
                Some(PlanChoice::AllExcept(plans)) => (1, plans),
                Some(PlanChoice::Only(plans)) => (2, plans),
            };
            bytes.push(kind);
            put_len(&mut bytes, plans.len());
            bytes.extend(encode_plans(plans));
        }
        put_len(&mut bytes, change.revoke.len());
        bytes.extend(
            change
                .revoke
                .iter()
                .flat_map(|product| *product.0.as_bytes()),
        );
    }
    put_len(&mut bytes, order.turns.len());
    for turn in &order.turns {
        bytes.extend(turn.index.to_le_bytes());
        bytes.extend(turn.change.to_le_bytes());
        bytes.extend(turn.user.map_or(Uuid::nil(), |user| user.0).as_bytes());
        put_len(&mut bytes, turn.name.len());
        bytes.extend(turn.name.as_bytes());
    }
    bytes
}

pub(super) fn decode_order(bytes: &[u8]) -> Result<Order, Error> {
    let mut reader = Reader(bytes);
    let changes = (0..reader.u32()?)
        .map(|_| reader.change())
        .collect::<Result<_, _>>()?;
    let turns = (0..reader.u32()?)
        .map(|_| reader.turn())
        .collect::<Result<_, _>>()?;
    if !reader.0.is_empty() {
        return Err(damaged());
    }
    Ok(Order { changes, turns })
}

fn put_len(bytes: &mut Vec<u8>, len: usize) {
    let len = u32::try_from(len).expect("lists and names of a request are bounded");
    bytes.extend(len.to_le_bytes());
}

fn damaged() -> Error {
    Error::Broken("a stored value is damaged".to_owned())
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, Error> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes(bytes.try_into().expect("four bytes")))
    }

    #[cfg(test)]
    fn i32(&mut self) -> Result<i32, Error> {
        self.u32().map(u32::cast_signed)
    }

    fn id(&mut self) -> Result<Uuid, Error> {
        Ok(Uuid::from_slice(self.take(16)?).expect("16 bytes"))
    }

    fn change(&mut self) -> Result<Change, Error> {
        let assign = (0..self.u32()?)
            .map(|_| self.assign())
            .collect::<Result<_, _>>()?;
        let revoke = (0..self.u32()?)
            .map(|_| self.id().map(ProductId))
            .collect::<Result<_, _>>()?;
        Ok(Change { assign, revoke })
    }

    fn assign(&mut self) -> Result<Assign, Error> {
        let product = ProductId(self.id()?);
        let kind = self.take(1)?[0];
        let len = self.u32()? as usize;
        let plans = self.take(len.saturating_mul(16))?;
        let plans = match kind {
            0 => None,
            1 | 2 => Some(decode_choice(kind == 2, plans)?),
            _ => return Err(damaged()),
        };
        Ok(Assign { product, plans })
    }

    fn turn(&mut self) -> Result<Turn, Error> {
        let (index, change) = (self.u32()?, self.u32()?);
        let user = self.id()?;
        let len = self.u32()? as usize;
        let name = String::from_utf8(self.take(len)?.to_vec()).map_err(|_| damaged())?;
        Ok(Turn {
            index,
            user: (!user.is_nil()).then_some(UserId(user)),
            name,
            change,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ChoiceId;

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
                },
                Change {
                    assign: vec![
                        assign(Some(PlanChoice::AllExcept(plans.clone()))),
                        assign(Some(PlanChoice::Only(plans))),
                    ],
                    revoke: Vec::new(),
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
                    change: 1,
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
}

//! Bytes of our own in rows: turns of a chunk, edits of a change, plans of a choice. Fixed widths,
//! little endian; what is written here is read back here.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::error::Error;
use crate::domain::{
    Assign, Change, ChoiceId, CustomerId, Customers, Disposition, Edit, Order, PlanChoice,
    PlanEdit, PlanId, ProductId, Replace, SeatTally, Seats, Tally, Turn, Undo, UserId,
};

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

/// Customers of a grant: 16 bytes each, sorted; none is all.
pub(super) fn encode_customers(customers: &Customers) -> Option<Vec<u8>> {
    match customers {
        Customers::All => None,
        Customers::Listed(listed) => Some(listed.iter().flat_map(|id| *id.0.as_bytes()).collect()),
    }
}

pub(super) fn decode_customers(stored: Option<&[u8]>) -> Result<Customers, Error> {
    let Some(bytes) = stored else {
        return Ok(Customers::All);
    };
    let mut reader = Reader(bytes);
    let mut listed = BTreeSet::new();
    while !reader.0.is_empty() {
        listed.insert(CustomerId(reader.id()?));
    }
    Ok(Customers::Listed(listed))
}

/// Sums of a batch: products with their seats before and after, then reasons with their counts.
pub(super) fn encode_tally(tally: &Tally) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + tally.seats.len() * 96);
    put_len(&mut bytes, tally.seats.len());
    for (product, seats) in &tally.seats {
        bytes.extend(product.0.as_bytes());
        for Seats {
            enabled,
            warning,
            suspended,
            assigned,
        } in [seats.before, seats.after]
        {
            for number in [enabled, warning, suspended, assigned] {
                bytes.extend(number.to_le_bytes());
            }
        }
        bytes.extend(seats.unmet.to_le_bytes());
        bytes.extend(seats.shortage.to_le_bytes());
    }
    put_len(&mut bytes, tally.reasons.len());
    for (code, count) in &tally.reasons {
        put_text(&mut bytes, code);
        bytes.extend(count.to_le_bytes());
    }
    bytes
}

pub(super) fn decode_tally(bytes: &[u8]) -> Result<Tally, Error> {
    let mut reader = Reader(bytes);
    let seats = reader.list(|reader| {
        let product = ProductId(reader.id()?);
        let tally = SeatTally {
            before: reader.seats()?,
            after: reader.seats()?,
            unmet: reader.i64()?,
            shortage: reader.i64()?,
        };
        Ok((product, tally))
    })?;
    let reasons = reader.list(|reader| Ok((reader.text()?, reader.i64()?.cast_unsigned())))?;
    if !reader.0.is_empty() {
        return Err(damaged());
    }
    Ok(Tally {
        seats: seats.into_iter().collect(),
        reasons: reasons.into_iter().collect(),
    })
}

pub(super) const FAILED: u8 = 3;
pub(super) const SKIPPED: u8 = 4;

/// What became of a user, as a byte.
pub(super) fn encode_disposition(disposition: Disposition) -> u8 {
    match disposition {
        Disposition::Applied => 1,
        Disposition::Unchanged => 2,
        Disposition::Failed => FAILED,
        Disposition::Skipped => SKIPPED,
    }
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

pub(super) fn decode_edits(bytes: &[u8]) -> Result<Vec<Edit>, Error> {
    let mut reader = Reader(bytes);
    let mut edits = Vec::with_capacity(bytes.len() / 24);
    while !reader.0.is_empty() {
        edits.push(reader.edit()?);
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
            put_plan_edit(&mut bytes, assign.plans.as_ref());
        }
        put_products(&mut bytes, &change.revoke);
        put_len(&mut bytes, change.replace.len());
        for replace in &change.replace {
            bytes.extend(replace.product.0.as_bytes());
            bytes.extend(replace.by.0.as_bytes());
            put_plan_edit(&mut bytes, replace.plans.as_ref());
        }
        bytes.push(u8::from(change.revoke_others.is_some()));
        put_products(
            &mut bytes,
            change.revoke_others.as_deref().unwrap_or_default(),
        );
        put_undo(&mut bytes, change.undo.as_ref());
    }
    put_len(&mut bytes, order.turns.len());
    for turn in &order.turns {
        bytes.extend(turn.index.to_le_bytes());
        bytes.extend(turn.change.to_le_bytes());
        bytes.extend(turn.user.map_or(Uuid::nil(), |user| user.0).as_bytes());
        put_text(&mut bytes, &turn.name);
    }
    bytes
}

pub(super) fn decode_order(bytes: &[u8]) -> Result<Order, Error> {
    let mut reader = Reader(bytes);
    let changes = reader.list(Reader::change)?;
    let turns = reader.list(Reader::turn)?;
    if !reader.0.is_empty() {
        return Err(damaged());
    }
    Ok(Order { changes, turns })
}

/// 0 is none, 1 an undo of all or nothing, 2 one that takes the safe part.
fn put_undo(bytes: &mut Vec<u8>, undo: Option<&Undo>) {
    let Some(undo) = undo else {
        return bytes.push(0);
    };
    bytes.push(1 + u8::from(undo.takes_safe_part));
    put_len(bytes, undo.edits.len());
    bytes.extend(encode_edits(&undo.edits));
}

fn put_plan_edit(bytes: &mut Vec<u8>, edit: Option<&PlanEdit>) {
    let (kind, plans, more): (u8, &[PlanId], &[PlanId]) = match edit {
        None => (0, &[], &[]),
        Some(PlanEdit::Set(PlanChoice::AllExcept(plans))) => (1, plans, &[]),
        Some(PlanEdit::Set(PlanChoice::Only(plans))) => (2, plans, &[]),
        Some(PlanEdit::Delta { enable, disable }) => (3, enable, disable),
    };
    bytes.push(kind);
    for plans in [plans, more] {
        put_len(bytes, plans.len());
        bytes.extend(encode_plans(plans));
    }
}

fn put_products(bytes: &mut Vec<u8>, products: &[ProductId]) {
    put_len(bytes, products.len());
    bytes.extend(products.iter().flat_map(|product| *product.0.as_bytes()));
}

pub(super) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_len(bytes, text.len());
    bytes.extend(text.as_bytes());
}

fn put_len(bytes: &mut Vec<u8>, len: usize) {
    let len = u32::try_from(len).expect("lists and names of a request are bounded");
    bytes.extend(len.to_le_bytes());
}

pub(super) fn damaged() -> Error {
    Error::Broken("a stored value is damaged".to_owned())
}

/// Reads what was written, from the front.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, Error> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes(bytes.try_into().expect("four bytes")))
    }

    pub(super) fn i32(&mut self) -> Result<i32, Error> {
        self.u32().map(u32::cast_signed)
    }

    pub(super) fn i64(&mut self) -> Result<i64, Error> {
        let bytes = self.take(8)?;
        Ok(i64::from_le_bytes(bytes.try_into().expect("eight bytes")))
    }

    pub(super) fn text(&mut self) -> Result<String, Error> {
        let len = self.u32()? as usize;
        String::from_utf8(self.take(len)?.to_vec()).map_err(|_| damaged())
    }

    fn seats(&mut self) -> Result<Seats, Error> {
        Ok(Seats {
            enabled: self.i64()?,
            warning: self.i64()?,
            suspended: self.i64()?,
            assigned: self.i64()?,
        })
    }

    pub(super) fn id(&mut self) -> Result<Uuid, Error> {
        Ok(Uuid::from_slice(self.take(16)?).expect("16 bytes"))
    }

    fn change(&mut self) -> Result<Change, Error> {
        let assign = self.list(|reader| {
            let product = ProductId(reader.id()?);
            let plans = reader.plan_edit()?;
            Ok(Assign { product, plans })
        })?;
        let revoke = self.products()?;
        let replace = self.list(|reader| {
            let (product, by) = (ProductId(reader.id()?), ProductId(reader.id()?));
            let plans = reader.plan_edit()?;
            Ok(Replace { product, by, plans })
        })?;
        let has_others = self.take(1)?[0] != 0;
        let kept = self.products()?;
        Ok(Change {
            assign,
            revoke,
            replace,
            revoke_others: has_others.then_some(kept),
            undo: self.undo()?,
        })
    }

    fn undo(&mut self) -> Result<Option<Undo>, Error> {
        let takes_safe_part = match self.take(1)?[0] {
            0 => return Ok(None),
            1 => false,
            2 => true,
            _ => return Err(damaged()),
        };
        let edits = self.list(Self::edit)?;
        Ok(Some(Undo {
            edits,
            takes_safe_part,
        }))
    }

    fn edit(&mut self) -> Result<Edit, Error> {
        let product = ProductId(self.id()?);
        let mut choice = || {
            self.i32()
                .map(|choice| (choice >= 0).then_some(ChoiceId(choice)))
        };
        Ok(Edit {
            product,
            before: choice()?,
            after: choice()?,
        })
    }

    fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        (0..self.u32()?).map(|_| item(self)).collect()
    }

    fn products(&mut self) -> Result<Vec<ProductId>, Error> {
        self.list(|reader| reader.id().map(ProductId))
    }

    fn plan_edit(&mut self) -> Result<Option<PlanEdit>, Error> {
        let kind = self.take(1)?[0];
        let plans = self.list(|reader| reader.id().map(PlanId))?;
        let more = self.list(|reader| reader.id().map(PlanId))?;
        Ok(match kind {
            0 => None,
            1 => Some(PlanEdit::Set(PlanChoice::AllExcept(plans))),
            2 => Some(PlanEdit::Set(PlanChoice::Only(plans))),
            3 => Some(PlanEdit::Delta {
                enable: plans,
                disable: more,
            }),
            _ => return Err(damaged()),
        })
    }

    fn turn(&mut self) -> Result<Turn, Error> {
        let (index, change) = (self.u32()?, self.u32()?);
        let user = self.id()?;
        let name = self.text()?;
        Ok(Turn {
            index,
            user: (!user.is_nil()).then_some(UserId(user)),
            name,
            change,
        })
    }
}

#[cfg(test)]
mod tests;

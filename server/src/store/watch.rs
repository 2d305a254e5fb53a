//! Reading the journal onwards, for those who watch it.

use std::ops::Range;

use super::CustomerStore;
use super::error::{Error, Refusal};
use super::history::{Order, Recorded, Rows, Select, mask};
use crate::domain::RecordKind;

impl CustomerStore {
    /// The position after which a watch begins: the given one, or the end of the journal. Refused with
    /// `BeyondJournal` if the journal never came so far, and with `ChangesPruned`.
    pub async fn watch_start(&self, after: Option<i64>) -> Result<i64, Error> {
        let end = self.checkpoint().await?.position;
        let Some(after) = after else {
            return Ok(end);
        };
        if after > end {
            return Err(Refusal::BeyondJournal.into());
        }
        self.check_kept(after + 1).await?;
        Ok(after)
    }

    /// Returns up to `limit` records at places that are all committed, the oldest first; only those of
    /// the kinds, if there are any. Refused with `ChangesPruned` if not all of them are still there.
    pub async fn changes(
        &self,
        kinds: &[RecordKind],
        places: Range<i64>,
        limit: i64,
    ) -> Result<Vec<Recorded>, Error> {
        let first = places.start;
        let rows = Rows {
            customer: self.customer,
            select: match kinds {
                [] => Select::All,
                kinds => Select::Kinds(mask(kinds.iter().copied())),
            },
            range: places,
            order: Order::OldestFirst,
            limit,
        };
        let found = self.recorded(rows).await?;
        // Afterwards: what is kept now was kept when it was read.
        self.check_kept(first).await?;
        Ok(found)
    }

    /// Refuses if the record at a place counts as gone.
    async fn check_kept(&self, place: i64) -> Result<(), Error> {
        match self.start().await? {
            Some(start) if start.position >= place => {
                let oldest = start.position;
                Err(Refusal::ChangesPruned { oldest }.into())
            }
            _ => Ok(()),
        }
    }
}

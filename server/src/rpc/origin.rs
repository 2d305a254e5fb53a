//! Who calls, through what, and why: what the journal keeps of a call.

use super::parse::Fields;
use crate::domain::{Comment, Origin};

/// The caller of every call: there is no access control yet. The one place that says so.
const CALLER: &str = "anonymous";

/// The origin of a mutation through an RPC, as `UserService/CreateUser`.
pub(super) fn origin(fields: &mut Fields, through: &str, comment: &str) -> Option<Origin> {
    let comment = fields.take("comment", Comment::parse(comment))?;
    Some(Origin {
        who: CALLER.to_owned(),
        through: through.to_owned(),
        request: None,
        comment,
    })
}

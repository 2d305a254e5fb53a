//! Lists: in which order, and where a page of one begins.

/// Where a page is. Its rows come in the order of the list, whichever way they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<K> {
    /// The first rows.
    First,
    /// The first rows after this key, whether or not it is still there.
    After(K),
    /// The last rows before this key, whether or not it is still there.
    Before(K),
    /// The last rows.
    Last,
}

impl<K> Place<K> {
    /// True if the rows are read from the end of the list towards its beginning.
    pub fn is_backward(&self) -> bool {
        matches!(self, Self::Before(_) | Self::Last)
    }

    /// The key that the page lies next to.
    pub fn key(&self) -> Option<&K> {
        match self {
            Self::After(key) | Self::Before(key) => Some(key),
            Self::First | Self::Last => None,
        }
    }

    /// The same place by another key.
    pub fn map<L>(&self, convert: impl FnOnce(&K) -> L) -> Place<L> {
        match self {
            Self::First => Place::First,
            Self::After(key) => Place::After(convert(key)),
            Self::Before(key) => Place::Before(convert(key)),
            Self::Last => Place::Last,
        }
    }
}

/// The order of a list of users. Names are compared by their folded form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UserOrder {
    /// By display name, then id.
    #[default]
    DisplayName,
    /// By principal name.
    PrincipalName,
    /// By id.
    Id,
}

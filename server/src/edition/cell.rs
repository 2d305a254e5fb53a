//! Cleans a cell: repairs what needs no guessing, refuses the rest.

use unicode_normalization::{UnicodeNormalization as _, is_nfc};
use uuid::Uuid;

/// The longest name, in characters after cleaning.
pub(super) const NAME_CHARS_MAX: usize = 256;

/// Messages quote no more of a cell than this, because a cell can be as large as the file.
const QUOTED_CHARS_MAX: usize = 64;

/// A value with the repairs it took, or the reason why there is none.
pub(super) type Cleaned<T> = Result<(T, Vec<&'static str>), String>;

/// Text for people; may be empty.
pub(super) fn text(raw: &str) -> Cleaned<String> {
    let visible: String = raw.chars().filter(|c| !is_invisible(*c)).collect();
    if let Some(control) = visible.chars().find(|c| is_forbidden(*c)) {
        let code = u32::from(control);
        return Err(format!(
            "holds the control character U+{code:04X}: remove it"
        ));
    }
    let tidy = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    let repairs = done([
        (visible != raw, "removed invisible characters"),
        (tidy != visible, "tidied white space"),
        (!is_nfc(&tidy), "composed accents (Unicode NFC)"),
    ]);
    let text = if is_nfc(&tidy) {
        tidy
    } else {
        tidy.nfc().collect()
    };
    let chars = text.chars().count();
    if chars > NAME_CHARS_MAX {
        return Err(format!(
            "is {chars} characters long: shorten it to {NAME_CHARS_MAX}"
        ));
    }
    Ok((text, repairs))
}

/// A GUID in its hyphenated form, in any case, also in braces.
pub(super) fn guid(raw: &str) -> Cleaned<Uuid> {
    let compact: String = raw
        .chars()
        .filter(|c| !c.is_whitespace() && !is_invisible(*c))
        .collect();
    if compact.is_empty() {
        return Err("is empty: fill in the GUID".into());
    }
    let braced = compact
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    let bare = braced.unwrap_or(&compact);
    // The length leaves only the hyphenated one of the forms that `Uuid` reads.
    let id = Some(bare)
        .filter(|bare| bare.len() == 36)
        .and_then(|bare| bare.parse().ok());
    let Some(id) = id else {
        let given = quoted(raw);
        return Err(format!(
            "{given} is no GUID: write 8-4-4-4-12 hexadecimal digits"
        ));
    };
    let repairs = done([
        (compact != raw, "removed white space"),
        (braced.is_some(), "removed braces"),
        (
            bare.contains(|c: char| c.is_ascii_uppercase()),
            "put into lower case",
        ),
    ]);
    Ok((id, repairs))
}

/// The cell as messages show it: in quotes, escaped and not too long.
pub(super) fn quoted(raw: &str) -> String {
    let mut shown: String = raw.chars().take(QUOTED_CHARS_MAX).collect();
    if shown.len() < raw.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

fn done<const N: usize>(repairs: [(bool, &'static str); N]) -> Vec<&'static str> {
    repairs
        .into_iter()
        .filter(|(done, _)| *done)
        .map(|(_, repair)| repair)
        .collect()
}

/// Takes no room on screen, so two names could differ in it and look the same.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{180e}' | '\u{feff}' // soft hyphen, vowel separator, byte order mark
        | '\u{200b}'..='\u{200f}' // zero-width spaces, joiners and direction marks
        | '\u{202a}'..='\u{202e}' // direction overrides
        | '\u{2060}'..='\u{206f}' // word joiner and the like
    )
}

/// Tabs and line ends are white space to people; other control characters are damage.
fn is_forbidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

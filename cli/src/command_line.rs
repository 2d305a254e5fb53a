//! The command line that was typed, to be typed again with a difference.

/// The command line without some of its options and with others at its end. An option that takes a
/// value is named with a `=` after it.
pub(crate) fn again(without: &[&str], with: &[&str]) -> String {
    differing(std::env::args(), without, with)
}

fn differing(args: impl Iterator<Item = String>, without: &[&str], with: &[&str]) -> String {
    let mut words = Vec::new();
    let mut is_value = false;
    for arg in args {
        if std::mem::take(&mut is_value) || without.contains(&arg.as_str()) {
            continue;
        }
        let options = without.iter().filter(|option| option.ends_with('='));
        let mut options = options.map(|option| (*option, option.trim_end_matches('=')));
        if let Some((start, option)) =
            options.find(|(start, option)| arg.starts_with(start) || arg == *option)
        {
            is_value = arg == option && !arg.starts_with(start);
            continue;
        }
        words.push(quoted(arg));
    }
    words.extend(with.iter().map(|word| quoted((*word).to_owned())));
    words.join(" ")
}

/// A word as shells read it.
pub(crate) fn quoted(word: String) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_@%+:,./-".contains(c);
    // An `=` in front is a path to zsh.
    let is_plain = |c: (usize, char)| is_plain(c.1) || (c.1 == '=' && c.0 > 0);
    if !word.is_empty() && word.char_indices().all(is_plain) {
        return word;
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(args: &[&str], without: &[&str], with: &[&str]) -> String {
        differing(args.iter().map(|arg| (*arg).to_owned()), without, with)
    }

    #[test]
    fn options_are_left_out_with_their_values_and_others_added() {
        let args = ["seatwise", "assign", "--plans", "=A B", "--dry-run", "it's"];
        assert_eq!(
            line(&args, &["--dry-run"], &["--plan", "t-k"]),
            r"seatwise assign --plans '=A B' 'it'\''s' --plan t-k"
        );
        for args in [
            ["--page", "last", "x"],
            ["--page=last", "x", "--page-token=a"],
        ] {
            assert_eq!(line(&args, &["--page=", "--page-token="], &[]), "x");
        }
        assert_eq!(
            line(&["--page-size", "2"], &["--page="], &[]),
            "--page-size 2"
        );
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_read_them_otherwise() {
        for (word, shown) in [
            ("", "''"),
            ("=A", "'=A'"),
            ("--plans==A,-B", "--plans==A,-B"),
            ("$x", "'$x'"),
        ] {
            assert_eq!(quoted(word.to_owned()), shown);
        }
    }
}

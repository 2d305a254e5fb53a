use proptest::prelude::*;
use uuid::Uuid;

use super::*;

/// Bytes that mean something to a reader of tables come often.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        any::<u8>(),
        prop::sample::select(b",\"\r\n|{} \xef\xbb\xbf\xc2\xa0".as_slice()),
    ];
    prop::collection::vec(byte, 0..200)
}

/// Dirties a table in ways that can be repaired; each of the dice decides one thing.
struct Dirt<'d> {
    dice: std::iter::Cycle<std::slice::Iter<'d, u8>>,
}

impl Dirt<'_> {
    fn roll(&mut self, sides: u8) -> u8 {
        self.dice.next().expect("a cycle of some dice") % sides
    }

    fn space(&mut self) -> &'static str {
        [" ", "\u{a0}", "\t", "\u{200b}", "  \u{3000}"][usize::from(self.roll(5))]
    }

    fn guid(&mut self, guid: &str) -> String {
        let mut dirty = String::new();
        for c in guid.chars() {
            match self.roll(8) {
                0 => dirty += self.space(),
                1 | 2 => {
                    dirty.push(c.to_ascii_uppercase());
                    continue;
                }
                _ => {}
            }
            dirty.push(c);
        }
        if self.roll(4) == 0 {
            format!("{{{dirty}}}")
        } else {
            dirty
        }
    }

    /// White space goes where there is some, and to both ends.
    fn name(&mut self, name: &str) -> String {
        let words = name.split(' ').map(|word| match self.roll(4) {
            0 => format!("{}{word}", self.space()),
            1 => format!("{word}{}", self.space()),
            _ => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn row(&mut self, row: &str) -> String {
        let mut cell = |cell: &str| {
            let parts = cell.split('|').map(|part| match part.parse::<Uuid>() {
                Ok(_) => self.guid(part),
                Err(_) => self.name(part),
            });
            parts.collect::<Vec<_>>().join("|")
        };
        row.split(',').map(&mut cell).collect::<Vec<_>>().join(",")
    }

    /// Repeats rows only after they stood, because of equally frequent names the first wins.
    fn file(&mut self, header: &str, rows: &[&str]) -> String {
        let mut lines = vec![header.to_owned()];
        for (count, row) in rows.iter().enumerate() {
            lines.push(self.row(row));
            for _ in 0..self.roll(3) {
                let earlier = usize::from(self.roll(u8::MAX)) % (count + 1);
                lines.push(self.row(rows[earlier]));
            }
        }
        let line_end = if self.roll(2) == 0 { "\r\n" } else { "\n" };
        let byte_order_mark = if self.roll(2) == 0 { "\u{feff}" } else { "" };
        format!("{byte_order_mark}{}", lines.join(line_end))
    }
}

/// The rows of a clean file that need no quotes.
fn plain_rows(file: &'static [u8]) -> Vec<&'static str> {
    let lines = str::from_utf8(file).expect("a clean file").lines().skip(1);
    lines.filter(|line| !line.contains('"')).collect()
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in bytes()) {
        for header in ["", CATALOGUE_HEADER, RULES_HEADER] {
            let file = [header.as_bytes(), b"\n", &bytes].concat();
            for answer in [parse_catalogue(&file).err(), parse_rules(&file).err()] {
                let problems = answer.expect("random bytes hold no GUID");
                prop_assert!(problems.is_sorted_by_key(|problem| problem.line));
                prop_assert!(!problems.is_empty());
            }
        }
    }

    #[test]
    fn any_damage_is_answered(bytes in bytes(), at in 0_usize..6_000) {
        for file in [CATALOGUE, RULES] {
            let file = [&file[..at], &bytes, &file[at..12_000]].concat();
            for parse in [|f: &[u8]| parse_catalogue(f).err(), |f: &[u8]| parse_rules(f).err()] {
                let problems = parse(&file).unwrap_or_default();
                prop_assert!(problems.is_sorted_by_key(|problem| problem.line));
            }
        }
    }

    #[test]
    fn dirt_changes_no_edition(
        first in 0_usize..5_000,
        dice in prop::collection::vec(any::<u8>(), 1..500),
    ) {
        let rows = &plain_rows(CATALOGUE)[first..first + 30];
        let clean = [&[CATALOGUE_HEADER], rows].concat().join("\n");
        let dirty = Dirt { dice: dice.iter().cycle() }.file(CATALOGUE_HEADER, rows);
        let (clean, dirty) = (parse_catalogue(clean.as_bytes()), parse_catalogue(dirty.as_bytes()));
        prop_assert_eq!(accepted(dirty).0, accepted(clean).0);
    }

    #[test]
    fn dirt_changes_no_rule_set(dice in prop::collection::vec(any::<u8>(), 1..500)) {
        let dirty = Dirt { dice: dice.iter().cycle() }.file(RULES_HEADER, &plain_rows(RULES));
        prop_assert_eq!(accepted(parse_rules(dirty.as_bytes())).0, accepted(parse_rules(RULES)).0);
    }
}

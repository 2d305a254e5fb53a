//! Requests as JSON with the fields' names of the protocol, and what in them stands for what is made anew
//! for each call.

use serde_json::Value;
use uuid::Uuid;

use super::estate::Estate;

/// A good request of a customer.
///
/// `$page`, `$plan`, `$confirmation` and `$etag` become what the server gives for this request. `$request`,
/// `$user`, `$customer` and `$name` are new with each call; `$doomed`, `$selection`, `$principal`, `$grant`
/// and `$key` are used up by a call that passes.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) method: &'static str,
    pub(super) request: Value,
    /// It passes only once.
    pub(super) is_single: bool,
}

/// A request as it is sent, and what in it is new.
#[derive(Clone, Debug)]
pub(super) struct Filled {
    pub(super) request: Value,
    pub(super) new: Vec<String>,
}

/// The texts of a request with their places, as `change.assign[].product_id`.
pub(super) fn texts(request: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut request = request.clone();
    visit(&mut request, "", &mut |place, text| {
        found.push((place.to_owned(), text.clone()));
    });
    found
}

/// Visits every text. The messages of a stream are as one.
fn visit(value: &mut Value, place: &str, look: &mut impl FnMut(&str, &mut String)) {
    match value {
        Value::String(text) => look(place, text),
        Value::Array(items) => {
            let list = if place.is_empty() { "" } else { "[]" };
            let inner = format!("{place}{list}");
            for item in items {
                visit(item, &inner, look);
            }
        }
        Value::Object(fields) => {
            let dot = if place.is_empty() { "" } else { "." };
            for (name, field) in fields {
                visit(field, &format!("{place}{dot}{name}"), look);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A request with another text at a place.
pub(super) fn set(request: &Value, place: &str, by: &str) -> Value {
    let mut request = request.clone();
    visit(&mut request, "", &mut |at, text| {
        if at == place {
            by.clone_into(text);
        }
    });
    request
}

/// The request with new ids where it asks for some; what would be used up is what the customer has.
pub(super) fn fill(sample: &Sample, estate: &Estate) -> Filled {
    let mut request = sample.request.clone();
    let mut new = Vec::new();
    visit(&mut request, "", &mut |_, text| {
        let id = Uuid::new_v4();
        *text = match text.as_str() {
            "$request" | "$user" | "$customer" => id.to_string(),
            "$name" => format!("{}@new.example", id.simple()),
            other => {
                *text = standing(other, estate);
                return;
            }
        };
        new.push(text.clone());
    });
    Filled { request, new }
}

/// What a customer has of the kind that a sample asks for.
pub(super) fn standing(text: &str, estate: &Estate) -> String {
    let known = match text {
        "$request" => &estate.request,
        "$user" => return estate.user(11),
        "$doomed" => return estate.user(9),
        "$customer" => &estate.id,
        "$selection" => &estate.selection,
        "$principal" => &estate.principal,
        "$grant" => &estate.grant,
        "$key" => &estate.key,
        other => other,
    };
    known.to_owned()
}

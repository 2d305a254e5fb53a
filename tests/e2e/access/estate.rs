//! A customer with everything that a call can name, and how it is made. Each has products, users and names of
//! its own, in ids of the same form, so that one can stand for another in a request.

use seatwise_client::v1::ErrorReason;
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::{Answer, Caller};
use super::requests::{Sample, fill, set, texts};
use super::samples::samples;

/// What is in every text of a customer's that no other may see.
pub(super) const CANARY: &str = "canary";
/// Times that a customer was changed, so that no etag of it is one of another's.
const CHANGES: usize = 5;
/// Products of a customer, and customers whose products the catalogue has.
const PRODUCTS: usize = 5;
const ESTATES: usize = 4;

/// A customer and what it has.
#[derive(Clone, Debug, Default)]
pub(super) struct Estate {
    number: usize,
    /// The customer.
    pub(super) id: String,
    /// A batch of five users, of whom two have failed, and the request that it was made by.
    pub(super) batch: String,
    pub(super) request: String,
    /// After its first result.
    pub(super) cursor: String,
    /// A batch that changed nobody.
    pub(super) idle: String,
    /// A batch that gave a product, which its reversal takes.
    pub(super) gift: String,
    /// A batch that was refused for a user, and would take a product from it now.
    pub(super) refused: String,
    /// Users 0 to 2, and user 9.
    pub(super) selection: String,
    pub(super) other_selection: String,
    /// Where a watch can go on.
    pub(super) watch: String,
    /// A principal with its grant and its key.
    pub(super) principal: String,
    pub(super) grant: String,
    pub(super) key: String,
    /// Requests that are good, with their tokens.
    pub(super) samples: Vec<Sample>,
}

impl Estate {
    /// A customer that does not exist, with ids that nothing has; its products are without a license.
    pub(super) fn ghost(number: usize) -> Self {
        let id = || Uuid::new_v4().to_string();
        let mut ghost = Self {
            number,
            id: id(),
            batch: id(),
            request: id(),
            idle: id(),
            gift: id(),
            refused: id(),
            selection: id(),
            other_selection: id(),
            principal: id(),
            grant: id(),
            key: id(),
            ..Self::default()
        };
        ghost.samples = samples(&ghost);
        ghost
    }

    pub(super) fn user(&self, user: usize) -> String {
        format!("c{}000000-0000-4000-8000-{user:012x}", self.number)
    }

    pub(super) fn name(&self, user: usize) -> String {
        format!("user{user:02}@{}.{CANARY}.example", self.number)
    }

    pub(super) fn title(&self) -> String {
        format!("Customer {} {CANARY}", self.number)
    }

    /// Texts that are only in what is this customer's.
    pub(super) fn marks(&self) -> [String; 4] {
        let Self { number, id, .. } = self;
        let name = format!("{number}.{CANARY}");
        [id.clone(), format!("c{number}000000-"), name, self.title()]
    }

    pub(super) fn product(&self, product: usize) -> String {
        format!("a{}000000-0000-4000-8000-00000000000{product}", self.number)
    }

    pub(super) fn plan(&self, product: usize, plan: usize) -> String {
        format!(
            "b{}000000-0000-4000-8000-0000000000{product}{plan}",
            self.number
        )
    }

    /// Makes the customer with its users and what they hold, under the first edition of the catalogue.
    pub(super) async fn make(admin: &Caller, number: usize) -> Self {
        let estate = Self {
            number,
            id: Uuid::new_v4().to_string(),
            request: Uuid::new_v4().to_string(),
            ..Self::default()
        };
        let customer = json!({"customer_id": estate.id, "display_name": estate.title()});
        admin.must("CustomerService/CreateCustomer", customer).await;
        let users: Vec<Value> = (0..14).map(|user| estate.new_user(user)).collect();
        let users = json!([{"customer_id": estate.id, "users": users}]);
        admin.must("UserService/ImportUsers", users).await;
        for product in 1..=PRODUCTS {
            estate.set_seats(admin, product, 50).await;
        }
        let later = json!({"customer_id": estate.id, "product_id": estate.product(2),
            "later_plans": "LATER_PLANS_ON"});
        admin.must("LicenseService/SetLaterPlans", later).await;
        estate.give(admin, 1, &[0, 1, 2, 7]).await;
        estate
    }

    fn new_user(&self, user: usize) -> Value {
        let state = match user {
            8 => "STATE_INACTIVE",
            _ => "STATE_ACTIVE",
        };
        json!({"user_id": self.user(user), "principal_name": self.name(user),
            "display_name": format!("User {user} of {}", self.title()), "usage_location": "NL", "state": state})
    }

    async fn set_seats(&self, admin: &Caller, product: usize, seats: usize) {
        let request = json!({"customer_id": self.id, "product_id": self.product(product),
            "enabled": seats});
        admin.must("LicenseService/SetSeats", request).await;
    }

    async fn set_state(&self, admin: &Caller, user: usize, state: &str) {
        let request = json!({"customer_id": self.id, "user": self.user(user), "state": state});
        admin.must("UserService/UpdateUser", request).await;
    }

    async fn give(&self, admin: &Caller, product: usize, users: &[usize]) -> String {
        let users: Vec<String> = users.iter().map(|user| self.user(*user)).collect();
        let change = json!({"assign": [{"product_id": self.product(product)}]});
        let request = json!({"customer_id": self.id, "change": change, "users": users});
        execute(admin, &request).await
    }

    /// Gives it batches, selections and tokens, under the second edition.
    pub(super) async fn furnish(&mut self, admin: &Caller, is_changed: bool) {
        let id = self.id.clone();
        let mut users: Vec<String> = [3, 4, 5, 8].map(|user| self.user(user)).into();
        users.push(self.name(99));
        let change = json!({"assign": [{"product_id": self.product(2)}]});
        let batch = json!({"customer_id": id, "request_id": self.request, "change": change,
            "users": users, "comment": CANARY});
        self.batch = execute(admin, &batch).await;
        let results = json!({"customer_id": id, "batch_id": self.batch});
        let results = admin.must("BatchService/ListBatchResults", results).await;
        self.cursor = text(&results, "/results/0/cursor");
        self.idle = self.give(admin, 2, &[3]).await;
        self.gift = self.give(admin, 2, &[6]).await;
        self.set_state(admin, 7, "STATE_INACTIVE").await;
        let replace = json!({"replace": [{"product_id": self.product(1),
            "by_product_id": self.product(2)}]});
        let refused = json!({"customer_id": id, "change": replace, "users": [self.user(7)]});
        self.refused = execute(admin, &refused).await;
        self.set_state(admin, 7, "STATE_ACTIVE").await;
        self.selection = self.freeze(admin, &[0, 1, 2]).await;
        self.other_selection = self.freeze(admin, &[9]).await;
        if is_changed {
            self.change_often(admin).await;
        }
        let guard = json!({"customer_id": id, "revocation_guard": {"users_max": 0}});
        admin.must("CustomerService/UpdateCustomer", guard).await;
        self.meet_principal(admin).await;
        let watch = json!({"customer_id": id});
        let watch = admin.must("HistoryService/WatchChanges", watch).await;
        self.watch = text(&watch, "/progress/watchToken");
        for mut sample in samples(self) {
            self.settle(admin, &mut sample).await;
            self.samples.push(sample);
        }
    }

    async fn freeze(&self, admin: &Caller, users: &[usize]) -> String {
        let users: Vec<String> = users.iter().map(|user| self.user(*user)).collect();
        let selection = json!({"parts": [{"users": {"users": users}}]});
        let request = json!({"customer_id": self.id, "selection": selection});
        let made = admin.must("SelectionService/CreateSelection", request);
        text(&made.await, "/selection/selectionId")
    }

    async fn change_often(&self, admin: &Caller) {
        for change in (0..CHANGES).rev() {
            let name = match change {
                0 => self.title(),
                change => format!("Before {change}"),
            };
            let customer = json!({"customer_id": self.id, "display_name": name});
            admin.must("CustomerService/UpdateCustomer", customer).await;
            for user in [10, 12] {
                let user = json!({"customer_id": self.id, "user": self.user(user),
                    "display_name": format!("{name} {user}")});
                admin.must("UserService/UpdateUser", user).await;
            }
            self.set_seats(admin, 2, 50 + change).await;
        }
    }

    async fn meet_principal(&mut self, admin: &Caller) {
        let grant = json!({"roles": ["ROLE_READER"], "customer_ids": [self.id]});
        let request = json!({"kind": "KIND_KEY", "name": self.title(), "grants": [grant]});
        let made = admin.must("AccessService/CreatePrincipal", request).await;
        self.principal = text(&made, "/principal/principalId");
        self.grant = text(&made, "/principal/grants/0/grantId");
        let key = json!({"principal_id": self.principal});
        let key = admin.must("AccessService/CreateKey", key).await;
        self.key = text(&key, "/key/keyId");
    }

    /// A sample with the tokens that are good now.
    pub(super) async fn renewed(&self, admin: &Caller, index: usize) -> Sample {
        let mut sample = samples(self).swap_remove(index);
        self.settle(admin, &mut sample).await;
        sample
    }

    /// A sample with new things that it can use up.
    pub(super) async fn supplied(&self, admin: &Caller, sample: &Sample) -> Sample {
        let mut sample = sample.clone();
        for (place, wanted) in texts(&sample.request) {
            let made = match wanted.as_str() {
                "$doomed" => {
                    let id = Uuid::new_v4().to_string();
                    let user = json!({"customer_id": self.id, "user_id": id,
                        "principal_name": format!("{id}@doomed.example"), "display_name": "Doomed"});
                    admin.must("UserService/CreateUser", user).await;
                    id
                }
                "$selection" => self.freeze(admin, &[9]).await,
                "$principal" => Self::principal(admin).await,
                "$grant" => {
                    let grant = json!({"roles": ["ROLE_OPERATOR"], "all_customers": true});
                    let given =
                        json!({"principal_id": Self::principal(admin).await, "grant": grant});
                    let given = admin.must("AccessService/CreateGrant", given).await;
                    text(&given, "/principal/grants/0/grantId")
                }
                "$key" => {
                    let key = json!({"principal_id": Self::principal(admin).await});
                    let key = admin.must("AccessService/CreateKey", key).await;
                    text(&key, "/key/keyId")
                }
                _ => continue,
            };
            sample.request = set(&sample.request, &place, &made);
        }
        sample
    }

    async fn principal(admin: &Caller) -> String {
        let new = json!({"kind": "KIND_KEY", "name": Uuid::new_v4().to_string()});
        let new = admin.must("AccessService/CreatePrincipal", new).await;
        text(&new, "/principal/principalId")
    }

    /// Puts the tokens into a sample that the server gives for it.
    async fn settle(&self, admin: &Caller, sample: &mut Sample) {
        for (pattern, wanted) in texts(&sample.request) {
            if !["$page", "$plan", "$confirmation", "$etag"].contains(&wanted.as_str()) {
                continue;
            }
            let mut asking = set(&fill(sample, self).request, &pattern, "");
            let token = if wanted == "$etag" {
                self.etag(admin, sample).await
            } else {
                if wanted == "$page" {
                    asking["page_size"] = json!(1);
                }
                token(&wanted, admin.call(sample.method, &asking).await)
            };
            let token =
                token.unwrap_or_else(|| panic!("{wanted} for {asking} of {}", sample.method));
            sample.request = set(&sample.request, &pattern, &token);
        }
    }

    async fn etag(&self, admin: &Caller, sample: &Sample) -> Option<String> {
        let (service, _) = sample.method.split_once('/')?;
        let named = |field: &str| json!({"customer_id": self.id, field: sample.request[field]});
        let (read, request) = match service {
            "UserService" => ("UserService/GetUser", named("user")),
            "LicenseService" => ("LicenseService/GetLicense", named("product_id")),
            _ => (
                "CustomerService/GetCustomer",
                json!({"customer_id": self.id}),
            ),
        };
        let found = admin.must(read, request).await;
        let found = found.as_object()?.values().next()?;
        Some(found["etag"].as_str()?.to_owned())
    }
}

/// The token of a kind that an answer gives.
fn token(wanted: &str, answer: Answer) -> Option<String> {
    if wanted == "$confirmation" {
        let error = answer.refusal?.error;
        let reasons = [
            ErrorReason::ConfirmationRequired,
            ErrorReason::SeatsBelowAssigned,
        ];
        assert!(reasons.contains(&error.reason), "{error:?}");
        return error.metadata.get("confirmation").cloned();
    }
    assert!(answer.refusal.is_none(), "{wanted}: {:?}", answer.refusal);
    let last = answer.messages.last()?;
    let place = match wanted {
        "$page" => "/nextPageToken",
        _ => "/frame/summary/planToken",
    };
    Some(last.pointer(place)?.as_str()?.to_owned())
}

/// Executes a batch to its end; gives its id.
pub(super) async fn execute(admin: &Caller, request: &Value) -> String {
    let answer = admin.call("BatchService/ExecuteBatch", request).await;
    text(&answer.ok("a batch"), "/frame/started/batch/batchId")
}

/// A text in an answer.
pub(super) fn text(answer: &Value, place: &str) -> String {
    let found = answer.pointer(place).and_then(Value::as_str);
    found
        .unwrap_or_else(|| panic!("no {place} in {answer}"))
        .to_owned()
}

/// Editions of the catalogue, with so many plans in each product. Products of all customers have the same
/// names.
pub(super) fn catalogue(plans: usize) -> String {
    let mut file = "Product_Display_Name,String_Id,GUID,Service_Plan_Name,Service_Plan_Id,\
                    Service_Plans_Included_Friendly_Names,Applies_To\n"
        .to_owned();
    for (estate, product, plan) in parts(plans) {
        let (id, plan_id) = (estate.product(product), estate.plan(product, plan));
        file += &format!("P{product},P{product},{id},S{product}{plan},{plan_id},Plan,User\n");
    }
    file
}

/// The first two plans of each customer's first product exclude each other.
pub(super) fn rules() -> String {
    let mut file = "kind,service_plan_id,service_plan_name,other,other_name\n".to_owned();
    for (estate, product, plan) in parts(1) {
        if product == 1 {
            let (one, other) = (estate.plan(1, plan), estate.plan(1, plan + 1));
            file += &format!("excludes,{one},,{other},\n");
        }
    }
    file
}

fn parts(plans: usize) -> impl Iterator<Item = (Estate, usize, usize)> {
    let estates = (1..=ESTATES).map(|number| Estate {
        number,
        ..Estate::default()
    });
    estates.flat_map(move |estate| {
        let products =
            (1..=PRODUCTS).flat_map(move |product| (1..=plans).map(move |plan| (product, plan)));
        products.map(move |(product, plan)| (estate.clone(), product, plan))
    })
}

/// Imports an edition as a file.
pub(super) fn import(file: &str) -> Value {
    use base64::Engine;
    json!([{"data": base64::engine::general_purpose::STANDARD.encode(file)}])
}

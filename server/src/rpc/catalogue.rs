//! `CatalogueService`.

use futures_util::stream::{self, Iter};
use seatwise_proto::v1::catalogue_service_server::CatalogueService;
use seatwise_proto::v1::product::AppliesTo;
use seatwise_proto::v1::{
    CatalogueChange, GetProductRequest, GetProductResponse, ImportCatalogueRequest,
    ImportCatalogueResponse, ImportNote, ImportRulesRequest, ImportRulesResponse, ImportSummary,
    ListProductsRequest, ListProductsResponse, ListRulesRequest, ListRulesResponse,
    UpdateProductRequest, UpdateProductResponse, catalogue_change, import_catalogue_response,
    import_rules_response,
};
use tonic::{Request, Response, Status, Streaming};

use super::filter::optional;
use super::origin::origin;
use super::page::{Page, name_key, read_name};
use super::parse::{self, Fields};
use super::status::{from_service, invalid_field};
use super::{Rpc, convert, filter};
use crate::domain::{DisplayName, PlanId, ProductId, fold};
use crate::service::{ImportReport, ProductFilter};

/// A file that is imported.
const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

type Lines<T> = Iter<std::vec::IntoIter<Result<T, Status>>>;

#[tonic::async_trait]
impl CatalogueService for Rpc {
    type ImportCatalogueStream = Lines<ImportCatalogueResponse>;

    async fn import_catalogue(
        &self,
        request: Request<Streaming<ImportCatalogueRequest>>,
    ) -> Result<Response<Self::ImportCatalogueStream>, Status> {
        let part = |part: ImportCatalogueRequest| (part.data, part.comment);
        let (file, comment) = collect(request.into_inner(), part).await?;
        let mut fields = Fields::default();
        let origin = origin(&mut fields, "CatalogueService/ImportCatalogue", &comment);
        let report = self
            .service
            .import_catalogue(file, fields.finish(origin)?)
            .await
            .map_err(from_service)?;
        use import_catalogue_response::Report;
        let lines = lines(report, Report::Note, Report::Change, Report::Summary);
        let lines = lines.map(|line| Ok(ImportCatalogueResponse { report: Some(line) }));
        Ok(Response::new(stream::iter(lines.collect::<Vec<_>>())))
    }

    type ImportRulesStream = Lines<ImportRulesResponse>;

    async fn import_rules(
        &self,
        request: Request<Streaming<ImportRulesRequest>>,
    ) -> Result<Response<Self::ImportRulesStream>, Status> {
        let part = |part: ImportRulesRequest| (part.data, part.comment);
        let (file, comment) = collect(request.into_inner(), part).await?;
        let mut fields = Fields::default();
        let origin = origin(&mut fields, "CatalogueService/ImportRules", &comment);
        let report = self
            .service
            .import_rules(file, fields.finish(origin)?)
            .await
            .map_err(from_service)?;
        use import_rules_response::Report;
        let lines = lines(report, Report::Note, Report::Change, Report::Summary);
        let lines = lines.map(|line| Ok(ImportRulesResponse { report: Some(line) }));
        Ok(Response::new(stream::iter(lines.collect::<Vec<_>>())))
    }

    async fn get_product(
        &self,
        request: Request<GetProductRequest>,
    ) -> Result<Response<GetProductResponse>, Status> {
        let id = parse::product_id(&request.into_inner().product_id)?;
        let (product, plans) = self.service.product(id).await.map_err(from_service)?;
        let product = Some(convert::product(product, plans));
        Ok(Response::new(GetProductResponse { product }))
    }

    async fn list_products(
        &self,
        request: Request<ListProductsRequest>,
    ) -> Result<Response<ListProductsResponse>, Status> {
        let request = request.into_inner();
        let page = Page::parse(&self.tokens, &request)?;
        let mut fields = Fields::default();
        let string_id = optional(&request.string_id, DisplayName::parse);
        let string_id = fields.take("string_id", string_id);
        let search = fields.take("search", filter::search(&request.search));
        let for_company = fields.take("applies_to", applies_to(request.applies_to));
        let filter = || {
            Some(ProductFilter {
                string_id: string_id?.map(|name| name.as_str().to_owned()),
                search: search?,
                retired: request.retired,
                for_company: for_company?,
            })
        };
        let filter = fields.finish(filter())?;
        let slice = page.slice(|key| read_name(key).map(|(name, id)| (name, ProductId(id))))?;
        let listed = self.service.products(filter, slice).await;
        let (mut rows, total_size) = listed.map_err(from_service)?;
        let ways = page.cut(&mut rows, |row| {
            name_key(&fold(&row.display_name), row.product_id.0)
        });
        let products = rows
            .into_iter()
            .map(|row| convert::product(row, Vec::new()));
        Ok(Response::new(ListProductsResponse {
            products: products.collect(),
            next_page_token: ways.next,
            previous_page_token: ways.previous,
            last_page_token: ways.last,
            total_size,
        }))
    }

    async fn update_product(
        &self,
        request: Request<UpdateProductRequest>,
    ) -> Result<Response<UpdateProductResponse>, Status> {
        let request = request.into_inner();
        let mut fields = Fields::default();
        let id = fields.take("product_id", ProductId::parse(&request.product_id));
        let for_company = fields.take("applies_to", applies_to(request.applies_to));
        let later = convert::from_later_plans(request.later_plans);
        let later = fields.take("later_plans", later);
        if for_company == Some(None) && later == Some(None) {
            fields.wrong("applies_to", "must be set, or else later_plans");
        }
        let origin = origin(
            &mut fields,
            "CatalogueService/UpdateProduct",
            &request.comment,
        );
        let update = id.zip(for_company).zip(later).zip(origin);
        let (((id, for_company), later), origin) = fields.finish(update)?;
        self.service
            .update_product(id, for_company, later, origin)
            .await
            .map_err(from_service)?;
        let (product, plans) = self.service.product(id).await.map_err(from_service)?;
        let product = Some(convert::product(product, plans));
        Ok(Response::new(UpdateProductResponse { product }))
    }

    async fn list_rules(
        &self,
        request: Request<ListRulesRequest>,
    ) -> Result<Response<ListRulesResponse>, Status> {
        let request = request.into_inner();
        let page = Page::parse(&self.tokens, &request)?;
        let slice = page.slice(rule_place)?;
        let rows = self.service.rules(slice.place.key().cloned(), slice.limit);
        let mut rows = rows.await.map_err(from_service)?;
        let ways = page.cut(&mut rows, |row| {
            let kind = row.kind.to_be_bytes();
            [&kind[..], row.plan.0.as_bytes(), row.other.as_bytes()].concat()
        });
        Ok(Response::new(ListRulesResponse {
            rules: rows.into_iter().map(convert::rule).collect(),
            next_page_token: ways.next,
        }))
    }
}

fn rule_place(place: &[u8]) -> Option<(i16, PlanId, String)> {
    let (kind, rest) = place.split_at_checked(2)?;
    let (plan, other) = rest.split_at_checked(16)?;
    let kind = i16::from_be_bytes(kind.try_into().ok()?);
    let plan = PlanId(uuid::Uuid::from_slice(plan).ok()?);
    Some((kind, plan, String::from_utf8(other.to_vec()).ok()?))
}

/// Whether products are for the company; `None` if the request does not say.
fn applies_to(applies_to: i32) -> Result<Option<bool>, &'static str> {
    match AppliesTo::try_from(applies_to) {
        Ok(AppliesTo::Unspecified) => Ok(None),
        Ok(AppliesTo::User) => Ok(Some(false)),
        Ok(AppliesTo::Company) => Ok(Some(true)),
        Err(_) => Err("must be APPLIES_TO_USER or APPLIES_TO_COMPANY"),
    }
}

/// Joins the parts of a file, and gives the comment of the first.
async fn collect<T>(
    mut parts: Streaming<T>,
    read: impl Fn(T) -> (Vec<u8>, String),
) -> Result<(Vec<u8>, String), Status> {
    let mut file = Vec::new();
    let mut first = None;
    while let Some(part) = parts.message().await? {
        let (data, comment) = read(part);
        first.get_or_insert(comment);
        file.extend(data);
        if file.len() > FILE_BYTES_MAX {
            return Err(invalid_field("data", "the file must have at most 64 MiB"));
        }
    }
    Ok((file, first.unwrap_or_default()))
}

/// A report as lines, whichever message they go into.
fn lines<T>(
    report: ImportReport,
    note: fn(ImportNote) -> T,
    change: fn(CatalogueChange) -> T,
    summary: fn(ImportSummary) -> T,
) -> impl Iterator<Item = T> {
    let changes: Vec<_> = report
        .changes
        .into_iter()
        .map(convert::catalogue_change)
        .collect();
    let end = summary(summarize(
        &report.notes.len(),
        report.counts,
        report.version,
        &changes,
    ));
    let notes = report.notes.into_iter().map(move |found| {
        note(ImportNote {
            line: i32::try_from(found.line).unwrap_or(i32::MAX),
            column: found.column.to_owned(),
            text: found.text,
        })
    });
    notes
        .chain(changes.into_iter().map(change))
        .chain(std::iter::once(end))
}

fn summarize(
    notes: &usize,
    (products, pairs, rules): (usize, usize, usize),
    version: i64,
    changes: &[CatalogueChange],
) -> ImportSummary {
    use catalogue_change::Kind;
    let count = |count: usize| Some(i32::try_from(count).unwrap_or(i32::MAX));
    let of = |kinds: &[Kind]| {
        count(
            changes
                .iter()
                .filter(|change| kinds.contains(&change.kind()))
                .count(),
        )
    };
    let is_catalogue = products > 0;
    ImportSummary {
        product_count: count(products).filter(|_| is_catalogue),
        product_plan_count: count(pairs).filter(|_| is_catalogue),
        rule_count: count(rules).filter(|_| !is_catalogue),
        note_count: count(*notes),
        added_count: of(&[Kind::Added]),
        changed_count: of(&[Kind::Renamed, Kind::Changed]),
        removed_count: of(&[Kind::Removed]),
        catalogue_version: convert::count(version),
    }
}

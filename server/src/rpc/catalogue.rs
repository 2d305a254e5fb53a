//! `CatalogueService`.

use seatwise_proto::v1::catalogue_service_server::CatalogueService;
use seatwise_proto::v1::product::AppliesTo;
use seatwise_proto::v1::{
    GetProductRequest, GetProductResponse, ImportCatalogueRequest, ImportCatalogueResponse,
    ImportRulesRequest, ImportRulesResponse, ListProductsRequest, ListProductsResponse,
    ListRulesRequest, ListRulesResponse, UpdateProductRequest, UpdateProductResponse,
};
use tonic::{Request, Response, Status, Streaming};

use super::access::Pass;
use super::filter::optional;
use super::import::{self, Lines};
use super::page::{Page, name_key, read_name};
use super::parse::{self, Fields};
use super::status::from_service;
use super::{Rpc, convert, filter};
use crate::domain::{DisplayName, PlanId, ProductId, fold};
use crate::service::ProductFilter;

#[tonic::async_trait]
impl CatalogueService for Rpc {
    type ImportCatalogueStream = Lines<ImportCatalogueResponse>;

    async fn import_catalogue(
        &self,
        request: Request<Streaming<ImportCatalogueRequest>>,
    ) -> Result<Response<Self::ImportCatalogueStream>, Status> {
        let pass = Pass::of(&request);
        let part = |part: ImportCatalogueRequest| (part.data, part.comment, part.validate_only);
        let upload = import::collect(request.into_inner(), part).await?;
        let mut fields = Fields::default();
        let origin = pass.origin(&mut fields, &upload.comment);
        let origin = fields.finish(origin)?;
        let lines = if upload.validate_only {
            let preview = self
                .service
                .preview_catalogue(upload.file, pass.seen())
                .await;
            import::preview(preview.map_err(from_service)?)
        } else {
            let report = self.service.import_catalogue(upload.file, origin).await;
            import::report(report.map_err(from_service)?)
        };
        Ok(Response::new(lines))
    }

    type ImportRulesStream = Lines<ImportRulesResponse>;

    async fn import_rules(
        &self,
        request: Request<Streaming<ImportRulesRequest>>,
    ) -> Result<Response<Self::ImportRulesStream>, Status> {
        let pass = Pass::of(&request);
        let part = |part: ImportRulesRequest| (part.data, part.comment, part.validate_only);
        let upload = import::collect(request.into_inner(), part).await?;
        let mut fields = Fields::default();
        let origin = pass.origin(&mut fields, &upload.comment);
        let origin = fields.finish(origin)?;
        let lines = if upload.validate_only {
            let preview = self.service.preview_rules(upload.file, pass.seen()).await;
            import::preview(preview.map_err(from_service)?)
        } else {
            let report = self.service.import_rules(upload.file, origin).await;
            import::report(report.map_err(from_service)?)
        };
        Ok(Response::new(lines))
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
        let catalogue = self.service.catalogue().await.map_err(from_service)?;
        let products = rows
            .into_iter()
            .map(|row| convert::product(row, Vec::new()));
        Ok(Response::new(ListProductsResponse {
            products: products.collect(),
            next_page_token: ways.next,
            previous_page_token: ways.previous,
            last_page_token: ways.last,
            total_size,
            catalogue_version: convert::count(catalogue.version),
        }))
    }

    async fn update_product(
        &self,
        request: Request<UpdateProductRequest>,
    ) -> Result<Response<UpdateProductResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let id = fields.take("product_id", ProductId::parse(&request.product_id));
        let for_company = fields.take("applies_to", applies_to(request.applies_to));
        let later = convert::from_later_plans(request.later_plans);
        let later = fields.take("later_plans", later);
        if for_company == Some(None) && later == Some(None) {
            fields.wrong("applies_to", "must be set, or else later_plans");
        }
        let origin = pass.origin(&mut fields, &request.comment);
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
        let catalogue = self.service.catalogue().await.map_err(from_service)?;
        Ok(Response::new(ListRulesResponse {
            rules: rows.into_iter().map(convert::rule).collect(),
            next_page_token: ways.next,
            catalogue_version: convert::count(catalogue.version),
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

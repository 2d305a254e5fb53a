//! Finds products by the names that people know them by.

use std::collections::HashMap;

use seatwise_client::{Client, Code, v1};
use uuid::Uuid;

use crate::error::Error;
use crate::paging::{self, Ask};

/// The product of this id or string id, with its plans.
pub(crate) async fn find(client: &Client, name: &str) -> Result<v1::Product, Error> {
    let product_id = match Uuid::try_parse(name) {
        Ok(id) => id.to_string(),
        Err(_) => only(name, with_string_id(client, name).await?)?,
    };
    Ok(client
        .get_product(v1::GetProductRequest { product_id })
        .await?)
}

/// As [`find`], one after the other.
pub(crate) async fn find_all(client: &Client, names: &[String]) -> Result<Vec<v1::Product>, Error> {
    let mut products = Vec::with_capacity(names.len());
    for name in names {
        products.push(find(client, name).await?);
    }
    Ok(products)
}

async fn with_string_id(client: &Client, string_id: &str) -> Result<Vec<v1::Product>, Error> {
    paging::collect(async |ask: Ask| {
        let request = v1::ListProductsRequest {
            page_size: ask.page_size,
            page_token: ask.page_token,
            string_id: string_id.to_owned(),
            ..Default::default()
        };
        Ok(client.list_products(request).await?.into())
    })
    .await
}

/// The id of the only product that was found.
fn only(string_id: &str, mut found: Vec<v1::Product>) -> Result<String, Error> {
    match found.len() {
        0 => Err(Error::Input(format!(
            "no product has the string id {string_id}; \
             `seatwise catalogue products` lists them, and ids work as well"
        ))),
        1 => Ok(found.remove(0).product_id),
        count => {
            let mut text = format!("{count} products have the string id {string_id}; give the id:");
            for product in found {
                let retired = if product.retired { ", retired" } else { "" };
                text += &format!(
                    "\n  {} {}{retired}",
                    product.product_id, product.display_name
                );
            }
            Err(Error::Input(text))
        }
    }
}

/// The names of these products for people. One that the catalogue does not know has none.
pub(crate) async fn names(
    client: &Client,
    ids: impl Iterator<Item = String>,
) -> Result<HashMap<String, String>, Error> {
    let mut names = HashMap::new();
    for product_id in ids {
        let request = v1::GetProductRequest {
            product_id: product_id.clone(),
        };
        match client.get_product(request).await {
            Ok(product) => names.insert(product_id, product.display_name),
            Err(error) if error.code == Code::NotFound => None,
            Err(error) => return Err(error.into()),
        };
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(string_id: &str) -> v1::Product {
        v1::Product {
            product_id: format!("id of {string_id}"),
            display_name: format!("name of {string_id}"),
            string_id: string_id.into(),
            ..v1::Product::default()
        }
    }

    #[test]
    fn an_ambiguous_string_id_lists_the_ids() {
        let error = only("TWICE", vec![product("A"), product("B")]).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("id of A name of A") && text.contains("id of B"),
            "{text}"
        );
        assert_eq!(only("A", vec![product("A")]).unwrap(), "id of A");
        assert!(
            only("NONE", vec![])
                .unwrap_err()
                .to_string()
                .contains("NONE")
        );
    }
}

//! Finds products by the names that people know them by.

use seatwise_client::{Client, v1};
use uuid::Uuid;

use crate::error::Error;
use crate::paging::{self, Ask};
use crate::text::text;

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
        0 => Err(Error::Input(text!("product-unknown", name = string_id))),
        1 => Ok(found.remove(0).product_id),
        count => {
            let mut text = text!("product-ambiguous", name = string_id, count = count);
            for product in found {
                let name = match product.retired {
                    true => text!("product-retired", name = product.display_name),
                    false => product.display_name,
                };
                text += &format!("\n  {} {name}", product.product_id);
            }
            Err(Error::Input(text))
        }
    }
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

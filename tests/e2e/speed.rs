use crate::harness::{Harness, on_every_engine};
use crate::fixtures::*;
use std::time::Instant;
async fn speed(server: &Harness) {
    server.start_process().await;
    let t=Instant::now();
    import_catalogue(&server.client()).await;
    eprintln!("{:?} small catalogue {:?}", server.engine, t.elapsed());
    let t=Instant::now();
    let customer = server.customer_with_users(20_000).await;
    eprintln!("{:?} import 20000 {:?}", server.engine, t.elapsed());
    customer.set_seats(product::NOTES, 20_000).await;
    customer.set_seats(product::VIDEO, 15_000).await;
    let t=Instant::now();
    customer.execute(customer.request(assign(&[product::NOTES]), user_ids(20_000))).await;
    eprintln!("{:?} batch 20000 ample {:?}", server.engine, t.elapsed());
    let t=Instant::now();
    customer.execute(customer.request(assign(&[product::VIDEO]), user_ids(20_000))).await;
    eprintln!("{:?} batch 20000 short {:?}", server.engine, t.elapsed());
    let t=Instant::now();
    for i in 0..200 { customer.execute(customer.request(revoke(&[product::NOTES]), user_ids(i+1)[i..].to_vec())).await; }
    eprintln!("{:?} 200 singles {:?}", server.engine, t.elapsed());
    let t=Instant::now();
    customer.execute(customer.request(assign(&[product::NOTES]), user_ids(100_000))).await;
    eprintln!("{:?} batch 100000 of which 80000 unknown {:?}", server.engine, t.elapsed());
    let t=Instant::now();
    server.client().import_catalogue(REAL_CATALOGUE.as_bytes()).await.unwrap();
    eprintln!("{:?} real catalogue {:?}", server.engine, t.elapsed());
}
on_every_engine![speed,];

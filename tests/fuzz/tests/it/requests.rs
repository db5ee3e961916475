use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use tokio::time::timeout;

use crate::campaign::Campaign;
use crate::world::{World, check_code};

/// `METHOD /path?query`, a line feed, the body.
fn request(input: &[u8]) -> Option<Request<Body>> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let (line, body) = (std::str::from_utf8(&input[..end]).ok()?, &input[end + 1..]);
    let (method, path) = line.split_once(' ')?;
    // What is no request line at all is for the target `protocol`.
    Request::builder()
        .method(method)
        .uri(format!("/api{path}"))
        .header("authorization", "Bearer ada")
        .header("content-type", "application/json")
        .body(Body::from(body.to_vec()))
        .ok()
        // The place where the API is mounted is the host's.
        .filter(|request| request.uri().path().starts_with("/api/") && request.uri().path() != "/api/")
}

#[tokio::test]
async fn requests_of_any_shape_get_an_answer_of_the_contract() {
    let mut world = World::new().await;
    let mut campaign = Campaign::new("requests", 4_000);
    let mut round = 0;
    while let Some(input) = campaign.next() {
        // Ada's rights and conversations wear off under her own requests.
        round += 1;
        if round % 500 == 0 {
            world = World::new().await;
        }
        let Some(request) = request(&world.filled(&input)) else {
            continue;
        };
        let shown = format!("{} {}", request.method(), request.uri());
        campaign
            .judge(&input, async {
                let answer = timeout(Duration::from_secs(20), world.ask(request)).await;
                let (status, headers, body) = answer.unwrap();
                assert!(status < 500, "{shown}: {status}");
                if status >= 400 {
                    let kind = headers.get("content-type").unwrap();
                    assert_eq!(kind, "application/problem+json", "{shown}: {status}");
                    let problem: Value = serde_json::from_slice(&body).unwrap();
                    check_code(&problem);
                    assert_eq!(problem["status"], status);
                }
            })
            .await;
    }
}

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use serde_json::Value;
use tokio::time::timeout;

use crate::campaign::Campaign;
use crate::world::{World, check_code};

/// Types that a browser shows in place.
const SHOWN: [&str; 3] = ["image/", "audio/", "video/"];

/// A line with the file's name, a line with its declared type, the content; or `RAW`, an empty line, the whole body.
fn body(input: &[u8]) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let mut parts = input.splitn(3, |byte| *byte == b'\n');
    let (name, declared, content) = (parts.next()?, parts.next()?, parts.next()?);
    if name == b"RAW" {
        return Some((content.to_vec(), None));
    }
    let body = [
        b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"",
        name,
        b"\"\r\nContent-Type: ",
        declared,
        b"\r\n\r\n",
        content,
        b"\r\n--B--\r\n",
    ]
    .concat();
    Some((body, Some(content.to_vec())))
}

fn request(method: &str, path: &str, body: Vec<u8>) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(format!("/api/attachments{path}"))
        .header("authorization", "Bearer ada")
        .header("content-type", "multipart/form-data; boundary=B")
        .body(Body::from(body))
        .unwrap()
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers
        .get(name)
        .unwrap_or_else(|| panic!("no {name}"))
        .to_str()
        .unwrap()
}

/// What is said of a file that was taken.
fn check_file(file: &Value) {
    let name = file["filename"].as_str().unwrap();
    assert!(!name.is_empty() && name.len() <= 255, "{name:?}");
    assert!(
        !name.contains(['/', '\\', '\0']) && name != "." && name != "..",
        "{name:?}"
    );
    assert!(!name.chars().any(char::is_control), "{name:?}");
    let mime = file["mime_type"].as_str().unwrap();
    let is_listed = SHOWN.iter().any(|family| mime.starts_with(family))
        || mime.starts_with("application/")
        || ["text/plain", "text/csv"].contains(&mime);
    assert!(is_listed, "{mime}");
    for runs in ["svg", "html", "xml", "javascript", "xhtml"] {
        let is_office = mime.contains("openxmlformats");
        assert!(is_office || !mime.contains(runs), "{mime}");
    }
}

/// How it is handed out.
fn check_download(file: &Value, headers: &HeaderMap) {
    assert_eq!(header(headers, "x-content-type-options"), "nosniff");
    assert!(header(headers, "content-security-policy").starts_with("sandbox"));
    let mime = file["mime_type"].as_str().unwrap();
    assert!(header(headers, "content-type").starts_with(mime));
    let disposition = header(headers, "content-disposition");
    let (how, rest) = disposition.split_once("; filename=\"").unwrap();
    let is_shown = SHOWN.iter().any(|family| mime.starts_with(family));
    assert_eq!(how, if is_shown { "inline" } else { "attachment" });
    let (plain, full) = rest.split_once('"').unwrap();
    assert!(
        plain
            .bytes()
            .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\\')
    );
    let full = full.strip_prefix("; filename*=UTF-8''").unwrap();
    assert!(!full.contains([' ', '"', ';', ',', '\'']), "{disposition}");
}

#[tokio::test]
async fn files_of_any_shape_are_refused_or_harmless() {
    let mut world = World::new().await;
    let mut campaign = Campaign::new("uploads", 1_500);
    let mut round = 0;
    while let Some(input) = campaign.next() {
        round += 1;
        if round % 200 == 0 {
            world = World::new().await;
        }
        let Some((body, content)) = body(&input) else {
            continue;
        };
        campaign
            .judge(&input, async {
                let answer = timeout(Duration::from_secs(20), world.ask(request("POST", "", body))).await;
                let (status, _, answer) = answer.unwrap();
                let answer: Value = serde_json::from_slice(&answer).unwrap();
                if status != 201 {
                    assert!((400..500).contains(&status), "{status}: {answer}");
                    return check_code(&answer);
                }
                check_file(&answer);
                let path = format!("/{}/content", answer["id"].as_str().unwrap());
                let (status, headers, bytes) = world.ask(request("GET", &path, Vec::new())).await;
                assert_eq!(status, 200);
                check_download(&answer, &headers);
                assert_eq!(answer["size"], bytes.len());
                if let Some(content) = content {
                    // A line feed in the declared type may begin the content early, or the content end the part.
                    let whole = content.len() == bytes.len();
                    assert!(!whole || bytes == content, "not what was sent");
                }
            })
            .await;
    }
}

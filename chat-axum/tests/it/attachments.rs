//! Uploads by content, downloads in ranges.

use axum::body::{Body, Bytes};
use serde_json::{Value, json};

use crate::support::{Answer, Server, bearer, server};

const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03\x08\x02\0\0\0\x12\x16\xf1\x4d\0\0\0\0IEND\xaeB`\x82";
const BOUNDARY: &str = "b0undary";

fn part(name: &str, filename: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{filename}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    [head.as_bytes(), content, b"\r\n"].concat()
}

fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat(), format!("--{BOUNDARY}--\r\n").into_bytes()].concat()
}

async fn post(server: &Server, body: impl Into<Body>) -> Answer {
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let headers = [("authorization", bearer("ada")), ("content-type", content_type)];
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    server.raw("POST", "/attachments", &headers, body).await
}

async fn upload(server: &Server, name: &str, content: &[u8]) -> Answer {
    post(server, form(&[part("file", name, content)])).await
}

async fn download(server: &Server, user: &str, id: &str, headers: &[(&str, &str)]) -> Answer {
    let authorization = bearer(user);
    let all = [&[("authorization", authorization.as_str())], headers].concat();
    server
        .raw("GET", &format!("/attachments/{id}/content"), &all, Body::empty())
        .await
}

#[tokio::test]
async fn what_went_in_comes_out() {
    let server = server().await;
    let answer = upload(&server, "grüße x.png", PNG).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    let file = answer.json();
    assert_eq!(file["kind"], "image");
    assert_eq!(file["mime_type"], "image/png");
    assert_eq!((&file["width"], &file["height"]), (&json!(2), &json!(3)));
    assert_eq!(file["size"], PNG.len());
    let id = file["id"].as_str().unwrap();
    assert_eq!(file["url"], format!("/api/attachments/{id}/content"));
    assert_eq!(
        server.get("ada", &format!("/attachments/{id}")).await.json(),
        file
    );

    let answer = download(&server, "ada", id, &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.bytes, PNG);
    assert_eq!(answer.header("content-type"), "image/png");
    assert_eq!(answer.header("content-length"), PNG.len().to_string());
    assert_eq!(
        answer.header("content-security-policy"),
        "sandbox; default-src 'none'"
    );
    assert_eq!(answer.header("cache-control"), "private, no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let disposition = answer.header("content-disposition");
    assert!(
        disposition.starts_with("inline; filename=\"gr__e "),
        "{disposition}"
    );
    assert!(
        disposition.contains("filename*=UTF-8''gr%C3%BC%C3%9Fe%20"),
        "{disposition}"
    );

    let stranger = download(&server, "eve", id, &[]).await;
    assert_eq!(stranger.refusal().1, "attachment_not_found");
    assert_eq!(download(&server, "", id, &[]).await.status, 401);
}

#[tokio::test]
async fn ranges() {
    let server = server().await;
    let text: Vec<u8> = (0..200_000_u32)
        .map(|n| b'a' + u8::try_from(n % 26).unwrap())
        .collect();
    let file = upload(&server, "a.txt", &text).await.json();
    let id = file["id"].as_str().unwrap();
    let part = download(&server, "ada", id, &[("range", "bytes=100000-100009")]).await;
    assert_eq!(part.status, 206);
    assert_eq!(part.bytes, &text[100_000..100_010]);
    assert_eq!(part.header("content-range"), "bytes 100000-100009/200000");
    assert_eq!(part.header("content-length"), "10");
    assert!(part.header("content-disposition").starts_with("attachment;"));
    assert_eq!(part.header("content-type"), "text/plain; charset=utf-8");
    let tail = download(&server, "ada", id, &[("range", "bytes=-5")]).await;
    assert_eq!(tail.bytes, &text[199_995..]);
    let outside = download(&server, "ada", id, &[("range", "bytes=200000-")]).await;
    assert_eq!(
        outside.refusal(),
        (416, "invalid_argument".into(), "range".into())
    );
    assert_eq!(outside.header("content-range"), "bytes */200000");
    let etag = part.header("etag").to_owned();
    assert_eq!(
        download(&server, "ada", id, &[("if-none-match", &etag)])
            .await
            .status,
        304
    );
    let other = [("range", "bytes=0-1"), ("if-range", "\"other\"")];
    assert_eq!(download(&server, "ada", id, &other).await.status, 200);
    let same = [("range", "bytes=0-1"), ("if-range", etag.as_str())];
    assert_eq!(download(&server, "ada", id, &same).await.status, 206);
}

#[tokio::test]
async fn what_may_run_is_refused_whatever_it_is_called() {
    let server = server().await;
    let refused: &[&[u8]] = &[
        b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0",
        b"\x7fELF\x02\x01\x01\0\0\0\0\0",
        b"<!doctype html><script>alert(1)</script>",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>",
        b"\0\x01\x02",
    ];
    for content in refused {
        let answer = upload(&server, "photo.png", content).await;
        assert_eq!(
            answer.refusal(),
            (415, "unsupported_media_type".into(), "file".into())
        );
    }
    assert_eq!(
        upload(&server, "empty.txt", b"").await.refusal(),
        (422, "invalid_argument".into(), "file".into())
    );
}

#[tokio::test]
async fn the_form_has_one_part_called_file() {
    let server = server().await;
    let file = || part("file", "a.png", PNG);
    let invalid = |field: &str| (422, "invalid_argument".to_owned(), field.to_owned());
    for parts in [
        vec![],
        vec![part("other", "a.png", PNG)],
        vec![file(), file()],
        vec![file(), part("x", "y", b"z")],
    ] {
        assert_eq!(post(&server, form(&parts)).await.refusal(), invalid("file"));
    }
    assert_eq!(post(&server, file()).await.refusal(), invalid("body"), "cut");
    assert_eq!(post(&server, "nonsense").await.refusal(), invalid("body"));
    let json = server.call("ada", "POST", "/attachments", json!({})).await;
    assert_eq!(json.refusal().1, "unsupported_media_type");
}

#[tokio::test]
async fn too_much_is_refused_announced_or_not() {
    let server = server().await;
    let max = server.engine.config().limits.upload_bytes;
    let text = |bytes: usize| form(&[part("file", "a.txt", &vec![b'x'; bytes])]);
    let streamed = |bytes: Vec<u8>| {
        let chunks: Vec<Result<Bytes, std::io::Error>> = bytes
            .chunks(256 * 1024)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
            .collect();
        Body::from_stream(futures::stream::iter(chunks))
    };
    assert_eq!(post(&server, text(max)).await.status, 201);
    for answer in [
        post(&server, text(max + 1)).await,
        post(&server, streamed(text(max + 1))).await,
        post(&server, streamed(text(max + 200_000))).await,
    ] {
        let (status, code, _) = answer.refusal();
        assert_eq!((status, code.as_str()), (413, "payload_too_large"));
    }
}

#[tokio::test]
async fn unused_uploads_can_be_deleted_by_their_uploader() {
    let server = server().await;
    let file = upload(&server, "a.png", PNG).await.json();
    let path = format!("/attachments/{}", file["id"].as_str().unwrap());
    assert_eq!(server.call("eve", "DELETE", &path, Value::Null).await.status, 404);
    assert_eq!(server.call("ada", "DELETE", &path, Value::Null).await.status, 204);
    assert_eq!(server.get("ada", &path).await.refusal().1, "attachment_not_found");
}

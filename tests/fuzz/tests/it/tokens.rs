use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use chat_core::command::{CreateGroup, PageRequest, SearchMessages, SyncRequest};
use serde_json::{Value, json};

use crate::campaign::Campaign;
use crate::world::{World, check_code, user};

/// Where a token can be shown.
const PLACES: [&str; 4] = [
    "sync",
    "/conversations?",
    "/search/messages?q=hello&",
    "/conversations/$GROUP/members?",
];

async fn show(world: &World, place: &str, token: &str) -> (u16, Value) {
    let request = if place == "sync" {
        Request::post("/api/sync")
            .header("content-type", "application/json")
            .body(Body::from(json!({ "token": token }).to_string()))
    } else {
        let escaped: String = token.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = place.replace("$GROUP", &world.group.to_string());
        Request::get(format!("/api{path}limit=1&cursor={escaped}")).body(Body::empty())
    };
    let mut request = request.unwrap();
    request
        .headers_mut()
        .insert("authorization", "Bearer ada".parse().unwrap());
    let (status, _, body) = world.ask(request).await;
    (status, serde_json::from_slice(&body).unwrap())
}

/// Tokens of Ada for each place, and of Ben for the same, which are not hers.
async fn handed_out(world: &World) -> (BTreeSet<(usize, String)>, Vec<String>) {
    let mut hers = BTreeSet::new();
    let mut others = Vec::new();
    for name in ["ada", "ben"] {
        let actor = world.actor(name);
        let one = || PageRequest {
            limit: Some(1),
            cursor: None,
        };
        let found = actor
            .search_messages(SearchMessages {
                q: "hello".to_owned(),
                page: one(),
                ..SearchMessages::default()
            })
            .await
            .unwrap();
        let conversations = actor
            .conversations(chat_core::command::ListConversations {
                page: one(),
                ..Default::default()
            })
            .await
            .unwrap();
        let members = actor.members(world.group, one()).await.unwrap();
        let tokens = [
            Some(actor.sync(SyncRequest::default()).await.unwrap().token),
            conversations.next_cursor,
            found.next_cursor,
            members.next_cursor,
        ];
        for (place, token) in tokens.into_iter().enumerate() {
            let token = token.unwrap();
            if name == "ada" {
                assert_eq!(
                    show(world, PLACES[place], &token).await.0,
                    200,
                    "{}",
                    PLACES[place]
                );
                hers.insert((place, token));
            } else {
                others.push(token);
            }
        }
    }
    (hers, others)
}

#[tokio::test]
async fn only_what_was_handed_out_is_taken() {
    let world = World::new().await;
    for n in 0..3 {
        let create = CreateGroup {
            name: format!("Group {n}"),
            member_ids: vec![user("ben"), user("cem")],
            description: None,
            avatar_attachment_id: None,
            permissions: None,
            custom: None,
            client_id: None,
        };
        world.actor("ada").create_group(create).await.unwrap();
    }
    let (hers, others) = handed_out(&world).await;
    let known = hers.iter().map(|(_, token)| token.clone()).chain(others);
    let mut campaign = Campaign::new("tokens", 2_000).with(known.map(String::into_bytes));
    while let Some(input) = campaign.next() {
        let Ok(token) = String::from_utf8(input.clone()) else {
            continue;
        };
        campaign
            .judge(&input, async {
                for (place, path) in PLACES.iter().enumerate() {
                    let (status, answer) = show(&world, path, &token).await;
                    let is_good = hers.contains(&(place, token.clone()));
                    if status == 200 {
                        assert!(is_good, "{path} took a token that nobody was given: {token}");
                    } else {
                        assert!(!is_good, "{path}: {answer}");
                        check_code(&answer);
                    }
                }
            })
            .await;
    }
}

//! The host's own words for alerts.

use std::sync::Arc;

use chat_core::command::{ProfilePatch, SettingsPatch};
use chat_core::model::{JsonObject, PushContent};
use chat_core::port::{PushAbout, PushText, PushWords};
use serde_json::json;

use crate::phones::{Phones, register, with};
use crate::world::{World, settle};

/// Speaks French with those who do, shows everything it is told, and panics when it is asked to.
#[derive(Debug)]
struct Words;

impl PushWords for Words {
    fn words(&self, about: &PushAbout<'_>) -> Option<PushText> {
        assert_ne!(about.text, Some("panic"), "a bug of the host");
        (about.locale == Some("fr")).then(|| PushText {
            title: format!("Message de {}", about.sender_name.unwrap_or("quelqu'un")),
            body: format!(
                "{:?} {:?} {}",
                about.text,
                about.conversation_name,
                "x".repeat(300)
            ),
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_says_it_in_its_own_words_and_shows_no_more_than_the_recipient_lets() {
    let phones = Arc::new(Phones::default());
    let world = World::wired(
        |_| {},
        |builder| with(&phones)(builder.with_push_words(Arc::new(Words))),
    );
    let [ann, bob] = world.users(["ann", "bob"]).await;
    let id = world.direct(&ann, &bob).await;
    register(&world, &bob, "bob").await;
    let show = async |content: Option<PushContent>, text: &str| {
        let patch = SettingsPatch {
            push_content: content,
            ..SettingsPatch::default()
        };
        world.on(&bob).update_settings(patch).await.unwrap();
        world.send(&ann, id, text).await;
        settle().await;
        let push = phones.taken().pop().unwrap();
        (push.title, push.body)
    };
    let own = ("Name of ann".to_owned(), "hello".to_owned());
    assert_eq!(show(None, "hello").await, own, "without a language of his");
    let french = JsonObject(json!({ "locale": "fr" }).as_object().cloned().unwrap());
    let patch = ProfilePatch {
        custom: Some(Some(french)),
        ..ProfilePatch::default()
    };
    world.on(&bob).update_me(patch).await.unwrap();
    let (title, body) = show(None, "hello").await;
    assert_eq!(title, "Message de Name of ann");
    assert!(body.starts_with("Some(\"hello\") None"), "{body}");
    assert!(
        (240..=241).contains(&body.chars().count()),
        "cut: {}",
        body.chars().count()
    );
    let (title, body) = show(Some(PushContent::SenderOnly), "hello").await;
    assert_eq!(title, "Message de Name of ann");
    assert!(body.starts_with("None None"), "{body}");
    let (title, _) = show(Some(PushContent::Generic), "hello").await;
    assert_eq!(title, "Message de quelqu'un");
    let ids_only = show(Some(PushContent::IdOnly), "hello").await;
    assert_eq!(ids_only, (String::new(), String::new()));
    let own = ("Name of ann".to_owned(), "panic".to_owned());
    assert_eq!(show(Some(PushContent::Full), "panic").await, own);
}

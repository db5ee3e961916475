//! Changes that cases are made of.

use std::sync::Arc;

use chat_conformance::fixtures::{AnyStore, append, group_conversation, member, text, user};
use chat_core::id::{ClientId, ConversationId, UserId};
use chat_core::store::{Change, ConversationStore, MembersNeeded, Needs, Target, Writes};
use chat_mongodb::MongoStore;

pub(crate) fn any(store: &MongoStore) -> AnyStore {
    Arc::new(store.clone())
}

/// A send with the facts the engine asks for: the sender's membership, his earlier send under the key, and what
/// moderators forbid him.
pub(crate) fn send(conversation: ConversationId, sender: &UserId, words: &str, key: &str) -> Change {
    let mut message = text(sender, words);
    message.client_id = Some(ClientId::new(key).unwrap());
    let append = append(conversation, message);
    let mut needs = append.needs.clone();
    needs.members = MembersNeeded::Of(vec![sender.clone()]);
    needs.restrictions_of = Some(sender.clone());
    Change::new(needs, move |facts| append.decide(facts))
}

/// Makes a conversation with its members.
pub(crate) fn create(conversation: chat_core::model::Conversation, users: &[UserId]) -> Change {
    let id = conversation.id;
    let rows: Vec<_> = users.iter().map(|user| member(id, user)).collect();
    Change::new(Needs::new(Target::Conversation(id)), move |_| {
        Ok(Writes {
            conversation: Some(conversation.clone()),
            members: rows.clone(),
            ..Writes::default()
        })
    })
}

pub(crate) async fn group(store: &MongoStore, members: usize) -> (ConversationId, Vec<UserId>) {
    let users: Vec<UserId> = (0..members).map(|n| user(&format!("user-{n:04}"))).collect();
    let conversation = group_conversation(&users[0]);
    let id = conversation.id;
    let made = store.commit(&[create(conversation, &users)]).await;
    made.unwrap().remove(0).unwrap();
    (id, users)
}

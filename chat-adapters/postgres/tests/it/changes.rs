//! Changes as the engine makes them, and what they cost.

use chat_conformance::fixtures::{append, group_conversation, member, text, user};
use chat_core::id::{ClientId, ConversationId, UserId};
use chat_core::store::{Change, ConversationStore, MembersNeeded, Needs, Target, Writes};
use chat_postgres::{PostgresStats, PostgresStore};

/// A send with the facts the engine asks for: the sender's membership and his earlier send under the key.
pub fn send(conversation: ConversationId, sender: &UserId, words: &str, key: &str) -> Change {
    let mut message = text(sender, words);
    message.client_id = Some(ClientId::new(key).unwrap());
    let append = append(conversation, message);
    let mut needs = append.needs.clone();
    needs.members = MembersNeeded::Of(vec![sender.clone()]);
    Change::new(needs, move |facts| append.decide(facts))
}

pub async fn group(store: &PostgresStore, members: usize) -> (ConversationId, Vec<UserId>) {
    let users: Vec<UserId> = (0..members).map(|n| user(&format!("user-{n:04}"))).collect();
    let conversation = group_conversation(&users[0]);
    let id = conversation.id;
    let rows: Vec<_> = users.iter().map(|user| member(id, user)).collect();
    let change = Change::new(Needs::new(Target::Conversation(id)), move |_| {
        Ok(Writes {
            conversation: Some(conversation.clone()),
            members: rows.clone(),
            ..Writes::default()
        })
    });
    store.commit(&[change]).await.unwrap().remove(0).unwrap();
    (id, users)
}

/// Transactions, writing round trips and reading round trips since.
pub fn since(before: PostgresStats, after: PostgresStats) -> (u64, u64, u64) {
    (
        after.transactions - before.transactions,
        after.write_statements - before.write_statements,
        after.read_statements - before.read_statements,
    )
}

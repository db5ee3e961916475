//! Who is there at the beginning, and what they talk in.

use hyper::Method;
use serde_json::{Value, json};

use super::person::{Person, Shared};
use super::token::token;
use crate::Failure;

/// Devices of one user.
const DEVICES: u16 = 2;

/// The users of so many clients.
pub(crate) fn users(clients: u16) -> Vec<String> {
    (0..clients.div_ceil(DEVICES))
        .map(|user| format!("u{user}"))
        .collect()
}

/// Clients, two to a user.
pub(crate) fn people(shared: &Shared, clients: u16, secret: &str, rng: &mut fastrand::Rng) -> Vec<Person> {
    (0..clients)
        .map(|number| {
            let user = format!("u{}", number / DEVICES);
            let token = token(secret, &user);
            let device = format!("d{}", number % DEVICES);
            Person::new(shared.clone(), number, user, device, token, rng.u64(..))
        })
        .collect()
}

/// Makes groups of about eight with an owner and an admin, and directs of every user with the two after him.
pub(crate) async fn furnish(people: &mut [Person], rng: &mut fastrand::Rng) -> Result<(), Failure> {
    let mut owners: Vec<&mut Person> = people.iter_mut().step_by(usize::from(DEVICES)).collect();
    let names: Vec<String> = owners.iter().map(|person| person.user.clone()).collect();
    for person in &mut owners {
        done(person, "me", &Method::GET, "/me", None).await?;
    }
    let count = names.len();
    for (at, person) in owners.iter_mut().enumerate() {
        for step in [1, 2] {
            let other = names.get((at + step) % count).ok_or("nobody")?;
            if *other != person.user {
                let body = json!({ "user_id": other });
                done(person, "open", &Method::POST, "/conversations/direct", Some(body)).await?;
            }
        }
        if at % 3 != 0 {
            continue;
        }
        let mut members = names.clone();
        members.retain(|name| *name != person.user);
        rng.shuffle(&mut members);
        members.truncate(rng.usize(5..9));
        let body = json!({ "name": format!("group {at}"), "member_ids": members });
        let group = done(person, "group", &Method::POST, "/conversations/group", Some(body)).await?;
        let id = group
            .pointer("/conversation/id")
            .and_then(Value::as_str)
            .ok_or("no id")?;
        if let Some(admin) = members.first() {
            let path = format!("/conversations/{id}/members/{admin}");
            done(
                person,
                "role",
                &Method::PATCH,
                &path,
                Some(json!({ "role": "admin" })),
            )
            .await?;
        }
    }
    Ok(())
}

async fn done(
    person: &mut Person,
    op: &str,
    method: &Method,
    path: &str,
    body: Option<Value>,
) -> Result<Value, Failure> {
    let outcome = person.rest(op, method, path, body.as_ref(), Value::Null).await;
    outcome
        .clone()
        .ok()
        .ok_or_else(|| format!("{op}: {outcome:?}").into())
}

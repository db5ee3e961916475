//! What a commit writes, as steps that can be repeated: by whoever finds them unfinished, any number of times, also late.
//!
//! Every document carries the number `no` of the change that wrote it last, and a step touches only what is older than
//! its own change. The changes of one commit have numbers of their own, so that whoever reads what changed a page at a
//! time can go on between any two of them. A document that goes is buried: it stays for a day as an empty grave with its `_id` and `no`, so that
//! a late repetition of an older step does not bring it back.

use std::collections::HashMap;

use mongodb::bson::{Bson, DateTime, Document, doc};

use crate::collection::Collection;
use crate::error::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The document becomes this.
    Put,
    /// The document is added, unless it is or was there.
    Once,
    /// Fields of an existing document.
    Set,
    /// The document goes.
    Bury,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Once => "once",
            Self::Set => "set",
            Self::Bury => "bury",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Put, Self::Once, Self::Set, Self::Bury]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

#[derive(Debug, Clone)]
struct Step {
    /// Which change of the commit wants it, from 0.
    change: i64,
    kind: Kind,
    collection: Collection,
    id: Bson,
    fields: Document,
}

/// The steps of one commit, at most one for each document.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    steps: Vec<Step>,
    places: HashMap<(Collection, String), usize>,
    /// Changes that are complete.
    changes: i64,
}

/// A plan as it is carried out: with the numbers of its changes.
#[derive(Debug)]
pub(crate) struct Commit {
    /// That of its last change, and of the commit.
    pub(crate) number: i64,
    /// Steps, each with the number of its change.
    steps: Vec<(i64, Step)>,
}

impl Plan {
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    pub(crate) fn put(&mut self, collection: Collection, id: impl Into<Bson>, fields: Document) {
        self.add(Kind::Put, collection, id.into(), fields);
    }

    pub(crate) fn once(&mut self, collection: Collection, id: impl Into<Bson>, fields: Document) {
        self.add(Kind::Once, collection, id.into(), fields);
    }

    pub(crate) fn set(&mut self, collection: Collection, id: impl Into<Bson>, fields: Document) {
        self.add(Kind::Set, collection, id.into(), fields);
    }

    /// Whatever is added from here on belongs to another change.
    pub(crate) fn next_change(&mut self) {
        self.changes = self.changes.saturating_add(1);
    }

    /// Which change is being added to, from 0.
    pub(crate) const fn change(&self) -> i64 {
        self.changes
    }

    /// This plan as the commit that follows on `before`.
    pub(crate) fn after(&self, before: i64) -> Commit {
        let first = before.saturating_add(1);
        let numbered = |step: &Step| (first.saturating_add(step.change), step.clone());
        Commit {
            number: before.saturating_add(self.changes.max(1)),
            steps: self.steps.iter().map(numbered).collect(),
        }
    }

    /// Gives the document the number of this change and changes nothing else.
    pub(crate) fn touch(&mut self, collection: Collection, id: impl Into<Bson>) {
        self.set(collection, id, Document::new());
    }

    pub(crate) fn bury(&mut self, collection: Collection, id: impl Into<Bson>) {
        self.add(Kind::Bury, collection, id.into(), Document::new());
    }

    fn add(&mut self, kind: Kind, collection: Collection, id: Bson, fields: Document) {
        let key = (collection, id.to_string());
        let step = Step {
            change: self.changes,
            kind,
            collection,
            id,
            fields,
        };
        let Some(earlier) = self.places.get(&key).and_then(|place| self.steps.get_mut(*place)) else {
            self.places.insert(key, self.steps.len());
            self.steps.push(step);
            return;
        };
        earlier.change = step.change;
        match (earlier.kind, step.kind) {
            // Fields of what this commit writes anyway, or of what it buries.
            (Kind::Put | Kind::Once | Kind::Set, Kind::Set) => earlier.fields.extend(step.fields),
            (Kind::Bury, Kind::Set) => {}
            _ => *earlier = step,
        }
    }
}

impl Commit {
    /// The steps as they lie in the slot.
    pub(crate) fn to_list(&self) -> Vec<Document> {
        self.steps
            .iter()
            .map(|(number, step)| {
                doc! {
                    "n": number, "k": step.kind.name(), "c": step.collection.name(), "i": step.id.clone(),
                    "f": step.fields.clone(),
                }
            })
            .collect()
    }

    /// The commit with this number, from what lies in the slot.
    pub(crate) fn from_list(number: i64, list: &[Bson]) -> Result<Self, Error> {
        const WHAT: &str = "a step of a commit";
        let mut steps = Vec::with_capacity(list.len());
        for entry in list {
            let entry = entry.as_document().ok_or(Error::Decode(WHAT))?;
            let kind = entry.get_str("k").ok().and_then(Kind::named);
            let collection = entry.get_str("c").ok().and_then(Collection::named);
            let (Ok(change), Some(kind), Some(collection), Some(id), Ok(fields)) = (
                entry.get_i64("n"),
                kind,
                collection,
                entry.get("i"),
                entry.get_document("f"),
            ) else {
                return Err(Error::Decode(WHAT));
            };
            let step = Step {
                change: 0,
                kind,
                collection,
                id: id.clone(),
                fields: fields.clone(),
            };
            steps.push((change, step));
        }
        Ok(Self { number, steps })
    }

    /// Updates for each collection that do what this commit wants.
    pub(crate) fn updates(&self) -> Vec<(Collection, Vec<Document>)> {
        let mut grouped: Vec<(Collection, Vec<Document>)> = Vec::new();
        for (number, step) in &self.steps {
            let update = step.update(*number);
            match grouped
                .iter_mut()
                .find(|(collection, _)| *collection == step.collection)
            {
                Some((_, updates)) => updates.push(update),
                None => grouped.push((step.collection, vec![update])),
            }
        }
        grouped
    }
}

impl Step {
    fn update(&self, no: i64) -> Document {
        let id = self.id.clone();
        let older = doc! { "_id": id.clone(), "no": { "$lt": no } };
        match self.kind {
            // Where the document is newer already, the insert that is tried instead meets its `_id` and fails.
            Kind::Put => {
                let mut whole = doc! { "_id": id, "no": no };
                whole.extend(self.fields.clone());
                doc! { "q": older, "u": whole, "upsert": true }
            }
            Kind::Once => {
                let mut whole = doc! { "no": no };
                whole.extend(self.fields.clone());
                doc! { "q": { "_id": id }, "u": { "$setOnInsert": whole }, "upsert": true }
            }
            Kind::Set => {
                let mut fields = doc! { "no": no };
                fields.extend(self.fields.clone());
                doc! { "q": older, "u": { "$set": fields } }
            }
            Kind::Bury => doc! { "q": older, "u": { "_id": id, "no": no, "gone": DateTime::now() } },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_one_step() {
        let mut plan = Plan::default();
        plan.put(Collection::Members, "a", doc! { "x": 1, "y": 1 });
        plan.set(Collection::Members, "a", doc! { "x": 2 });
        plan.set(Collection::Users, "a", doc! { "x": 3 });
        plan.touch(Collection::Members, "a");
        let list: Vec<Bson> = plan.after(6).to_list().into_iter().map(Bson::Document).collect();
        let updates = Commit::from_list(7, &list).unwrap().updates();
        assert_eq!(updates.len(), 2);
        let (collection, members) = &updates[0];
        assert_eq!(*collection, Collection::Members);
        let whole = doc! { "_id": "a", "no": 7_i64, "x": 2, "y": 1 };
        assert_eq!(
            members,
            &[doc! { "q": { "_id": "a", "no": { "$lt": 7_i64 } }, "u": whole, "upsert": true }]
        );
    }

    #[test]
    fn each_change_has_its_number_and_the_commit_that_of_the_last() {
        let mut plan = Plan::default();
        for id in ["a", "b", "a"] {
            plan.put(Collection::Members, id, doc! {});
            plan.next_change();
        }
        let commit = plan.after(6);
        assert_eq!(commit.number, 9);
        let (_, members) = &commit.updates()[0];
        let numbers: Vec<i64> = members
            .iter()
            .map(|update| update.get_document("u").unwrap().get_i64("no").unwrap())
            .collect();
        assert_eq!(
            numbers,
            [9, 8],
            "what two changes write has the number of the later one"
        );
    }

    #[test]
    fn what_is_buried_stays_buried_and_may_come_anew() {
        let mut plan = Plan::default();
        plan.put(Collection::Hides, "a", doc! { "x": 1 });
        plan.bury(Collection::Hides, "a");
        plan.set(Collection::Hides, "a", doc! { "x": 2 });
        assert_eq!(plan.after(0).to_list()[0].get_str("k").unwrap(), "bury");
        plan.put(Collection::Hides, "a", doc! { "x": 3 });
        assert_eq!(plan.after(0).to_list()[0].get_str("k").unwrap(), "put");
        assert_eq!(plan.after(0).to_list().len(), 1);
    }
}

//! A history, ordered by what checks ask.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::truth::Truth;
use crate::Failure;
use crate::history::{Kind, Line, Seen, token_in};

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    Ok,
    /// With its code.
    Fail(String),
    Info,
}

/// A command from its invocation to its end.
#[derive(Debug)]
pub(super) struct Op<'h> {
    pub(super) user: &'h str,
    pub(super) conn: Option<u64>,
    pub(super) name: &'h str,
    a: &'h Value,
    pub(super) invoked: u64,
    /// When it was answered, or nobody waited any more.
    pub(super) ended: u64,
    pub(super) end: End,
    v: Option<&'h Value>,
    /// Messages in its answer.
    pub(super) seen: Vec<Seen>,
}

impl Op<'_> {
    pub(super) fn text(&self, name: &str) -> &str {
        self.a.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.a.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A field of its answer.
    pub(super) fn answer(&self, path: &str) -> Option<&Value> {
        self.v?.pointer(path)
    }

    pub(super) fn number(&self, path: &str) -> Option<u64> {
        self.answer(path)?.as_u64()
    }

    /// Whether it may have had an effect.
    pub(super) const fn may_have_happened(&self) -> bool {
        !matches!(self.end, End::Fail(_))
    }

    pub(super) fn is_ok(&self) -> bool {
        self.end == End::Ok
    }

    /// After this it cannot take effect any more; never for one whose end nobody knows.
    pub(super) fn over(&self) -> u64 {
        if self.end == End::Info {
            u64::MAX
        } else {
            self.ended
        }
    }

    /// Whether it only asks.
    pub(super) fn is_read(&self) -> bool {
        matches!(self.name, "sync" | "history" | "message" | "search")
    }

    /// The mark of the text it wants to write.
    pub(super) fn body(&self) -> Option<&str> {
        token_in(self.text("body"))
    }

    /// Marks of texts in its answer, wherever they stand.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &str> {
        let elsewhere = self.answer("/tok").and_then(Value::as_array);
        let elsewhere = elsewhere.into_iter().flatten().filter_map(Value::as_str);
        elsewhere.chain(self.seen.iter().filter_map(|seen| seen.body.as_deref()))
    }
}

/// How somebody came to see a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// It was pushed to him.
    Event,
    /// He asked for what there is.
    Read,
    /// It is the answer to a command that changes something.
    Answer,
}

/// A message somebody saw.
#[derive(Debug)]
pub(super) struct Sighting<'h> {
    pub(super) seen: Seen,
    pub(super) user: &'h str,
    pub(super) conn: Option<u64>,
    pub(super) how: How,
    /// When it was asked for; for events when it came.
    pub(super) asked: u64,
    /// When it came.
    pub(super) t: u64,
}

/// An event as it came.
#[derive(Debug)]
pub(super) struct Pushed<'h> {
    pub(super) t: u64,
    pub(super) name: &'h str,
    pub(super) v: &'h Value,
}

impl Pushed<'_> {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.v.get(name)?.as_str()
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.v.get(name)?.as_u64()
    }
}

/// A live connection.
#[derive(Debug)]
pub(super) struct Connection<'h> {
    pub(super) user: &'h str,
    pub(super) ready: u64,
    pub(super) closed: u64,
    pub(super) events: Vec<Pushed<'h>>,
}

/// A fault from its beginning to its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// Everything.
#[derive(Debug)]
pub(super) struct Index<'h> {
    /// In order of invocation.
    pub(super) ops: Vec<Op<'h>>,
    /// Sends by sender and client id, in order of invocation.
    pub(super) sends: BTreeMap<(&'h str, &'h str), Vec<usize>>,
    pub(super) sightings: Vec<Sighting<'h>>,
    pub(super) connections: BTreeMap<u64, Connection<'h>>,
    pub(super) views: Vec<&'h Line>,
    pub(super) windows: Vec<Window>,
    /// When the last fault was over.
    pub(super) healed: Option<u64>,
    pub(super) truth: Truth,
    /// Whose text a mark is: the id of the message.
    pub(super) marks: HashMap<String, String>,
}

fn seen_in(v: &Value) -> Vec<Seen> {
    let list = v.get("seen").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|seen| serde_json::from_value(seen.clone()).ok())
        .collect()
}

impl<'h> Index<'h> {
    pub(super) fn new(lines: &'h [Line]) -> Result<Self, Failure> {
        let mut index = Self {
            ops: Vec::new(),
            sends: BTreeMap::new(),
            sightings: Vec::new(),
            connections: BTreeMap::new(),
            views: Vec::new(),
            windows: Vec::new(),
            healed: None,
            truth: Truth::default(),
            marks: HashMap::new(),
        };
        let mut open: HashMap<&str, usize> = HashMap::new();
        for line in lines {
            match line.k {
                Kind::Invoke => {
                    open.insert(line.id.as_deref().unwrap_or_default(), index.ops.len());
                    index.invoke(line);
                }
                Kind::Ok | Kind::Fail | Kind::Info => {
                    let id = line.id.as_deref().unwrap_or_default();
                    let at = open
                        .remove(id)
                        .ok_or_else(|| format!("{id} ends and never began"))?;
                    index.end(at, line);
                }
                Kind::Event => index.event(line),
                Kind::View => index.views.push(line),
                Kind::Fault => index.fault(line),
                Kind::Truth => index.truth.take(line)?,
            }
        }
        if index.truth.conversations.is_empty() {
            return Err("this history has no rows of the store".into());
        }
        index.name_marks();
        Ok(index)
    }

    fn invoke(&mut self, line: &'h Line) {
        let op = Op {
            user: line.u.as_deref().unwrap_or_default(),
            conn: line.conn,
            name: &line.op,
            a: &line.a,
            invoked: line.t,
            ended: u64::MAX,
            end: End::Info,
            v: None,
            seen: Vec::new(),
        };
        if line.op == "send"
            && let Some(key) = line.a.get("key").and_then(Value::as_str)
        {
            self.sends.entry((op.user, key)).or_default().push(self.ops.len());
        }
        self.ops.push(op);
    }

    fn end(&mut self, at: usize, line: &'h Line) {
        let Some(op) = self.ops.get_mut(at) else { return };
        op.ended = line.t;
        op.v = Some(&line.v);
        op.end = match line.k {
            Kind::Ok => End::Ok,
            Kind::Fail => {
                let code = line.v.get("code").and_then(Value::as_str).unwrap_or_default();
                End::Fail(code.to_owned())
            }
            _ => End::Info,
        };
        op.seen = seen_in(&line.v);
        let how = if op.is_read() { How::Read } else { How::Answer };
        for seen in &op.seen {
            self.sightings.push(Sighting {
                seen: seen.clone(),
                user: op.user,
                conn: op.conn,
                how,
                asked: op.invoked,
                t: line.t,
            });
        }
    }

    fn event(&mut self, line: &'h Line) {
        let (Some(conn), Some(user)) = (line.conn, line.u.as_deref()) else {
            return;
        };
        let connection = self.connections.entry(conn).or_insert_with(|| Connection {
            user,
            ready: line.t,
            closed: u64::MAX,
            events: Vec::new(),
        });
        if line.op == "closed" {
            connection.closed = connection.closed.min(line.t);
            return;
        }
        connection.events.push(Pushed {
            t: line.t,
            name: &line.op,
            v: &line.v,
        });
        for seen in seen_in(&line.v) {
            self.sightings.push(Sighting {
                seen,
                user,
                conn: Some(conn),
                how: How::Event,
                asked: line.t,
                t: line.t,
            });
        }
    }

    fn fault(&mut self, line: &Line) {
        match (line.op.as_str(), line.a.get("phase").and_then(Value::as_str)) {
            ("healed", _) => self.healed = Some(line.t),
            ("end", _) => {}
            (_, Some("start")) => self.windows.push(Window {
                from: line.t,
                to: u64::MAX,
            }),
            _ => {
                if let Some(last) = self.windows.last_mut() {
                    last.to = line.t;
                }
            }
        }
    }

    fn name_marks(&mut self) {
        let mut ids: HashMap<(&str, &str), &str> = HashMap::new();
        for message in self.truth.by_id.values() {
            if let Some(key) = &message.key {
                ids.insert((&message.by, key), &message.id);
            }
        }
        for op in &self.ops {
            let id = match op.name {
                "send" => ids.get(&(op.user, op.text("key"))).copied(),
                "edit" => Some(op.text("m")),
                _ => None,
            };
            if let (Some(id), Some(body)) = (id, op.body()) {
                self.marks.insert(body.to_owned(), id.to_owned());
            }
        }
    }

    /// Commands of that name, in order of invocation.
    pub(super) fn named<'i>(&'i self, name: &'i str) -> impl Iterator<Item = &'i Op<'h>> {
        self.ops.iter().filter(move |op| op.name == name)
    }

    /// Sends under one key.
    pub(super) fn attempts<'i>(&'i self, places: &'i [usize]) -> impl Iterator<Item = &'i Op<'h>> {
        places.iter().filter_map(|at| self.ops.get(*at))
    }
}

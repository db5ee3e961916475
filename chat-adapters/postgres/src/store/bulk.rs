//! Writing many rows of one table with one statement: every column is one array.
//!
//! A column says its name, its type and its values at one place, so that they cannot get out of step.

use super::pending::Place;
use crate::statement::Statement;

/// A row to write, with the place of its change in the transaction.
pub(super) type Placed<R> = (R, Place);

/// A column of a table that is written in bulk.
pub(super) struct Column<R: 'static> {
    name: &'static str,
    /// The type of one value of the parameter.
    kind: &'static str,
    /// The type it is turned into, where parameters of that type cannot be had.
    cast: &'static str,
    bind: fn(Statement, &[&Placed<R>]) -> Statement,
}

impl<R> Column<R> {
    pub(super) const fn new(
        name: &'static str,
        kind: &'static str,
        bind: fn(Statement, &[&Placed<R>]) -> Statement,
    ) -> Self {
        Self {
            name,
            kind,
            cast: "",
            bind,
        }
    }

    pub(super) const fn cast(mut self, to: &'static str) -> Self {
        self.cast = to;
        self
    }

    fn value(&self) -> String {
        format!("u.{}{}", self.name, self.cast)
    }
}

/// The number of a change: from its transaction's id and its place in it, but above every earlier number of its
/// conversation. A transaction that waited for the conversation may have a lower id than the one it waited for; and a
/// number that is too high only makes a change told once more.
macro_rules! change_no {
    () => {
        "greatest((((pg_current_xact_id()::text)::int8 + (SELECT s.shift FROM chat_state s)) << 12) + u.place, u.floor)"
    };
}
pub(super) use change_no;

fn names<R>(columns: &[Column<R>]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    names.join(", ")
}

/// The parameters as a table `u`: every column, then the place of the change and the floor of its number.
fn parameters<R>(columns: &[Column<R>]) -> String {
    let kinds = columns.iter().map(|column| column.kind).chain(["int8", "int8"]);
    let arrays: Vec<String> = (1..)
        .zip(kinds)
        .map(|(number, kind)| format!("${number}::{kind}[]"))
        .collect();
    format!(
        "unnest({}) u({}, place, floor)",
        arrays.join(", "),
        names(columns)
    )
}

/// An INSERT of these columns and `change_no`; `rest` says in which order and what about conflicts.
pub(super) fn insert<R>(table: &str, columns: &[Column<R>], rest: &str) -> String {
    let values: Vec<String> = columns.iter().map(Column::value).collect();
    format!(
        "INSERT INTO {table} ({}, change_no) SELECT {}, {} FROM {} {rest}",
        names(columns),
        values.join(", "),
        change_no!(),
        parameters(columns)
    )
}

/// The clause by which a row replaces the one with the same `key`, but for the columns of the key.
pub(super) fn replacing<R>(columns: &[Column<R>], key: &[&str]) -> String {
    let sets: Vec<String> = columns
        .iter()
        .map(|column| column.name)
        .chain(["change_no"])
        .filter(|name| !key.contains(name))
        .map(|name| format!("{name} = excluded.{name}"))
        .collect();
    format!(
        "ON CONFLICT ({}) DO UPDATE SET {}",
        key.join(", "),
        sets.join(", ")
    )
}

/// An UPDATE of these columns and `change_no` of the rows with the same `key`, the first column.
pub(super) fn update<R>(table: &str, columns: &[Column<R>], key: &str) -> String {
    let sets: Vec<String> = columns
        .iter()
        .filter(|column| column.name != key)
        .map(|column| format!("{} = {}", column.name, column.value()))
        .collect();
    format!(
        "UPDATE {table} t SET {}, change_no = {} FROM {} WHERE t.{key} = u.{key}",
        sets.join(", "),
        change_no!(),
        parameters(columns)
    )
}

/// The values of all columns, then places and floors.
pub(super) fn bind<R>(
    mut query: Statement,
    columns: &[Column<R>],
    rows: &[&Placed<R>],
    floor: impl Fn(&R, Place) -> i64,
) -> Statement {
    for column in columns {
        query = (column.bind)(query, rows);
    }
    let places: Vec<i64> = rows.iter().map(|(_, place)| *place).collect();
    let floors: Vec<i64> = rows.iter().map(|(row, place)| floor(row, *place)).collect();
    query.bind(places).bind(floors)
}

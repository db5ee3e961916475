//! Several commands at once, on two nodes over one store: whatever comes of it, some order of them, one after the other
//! on the model, gives the same answers and leaves the same behind for everybody.
//!
//! `CHAT_RACE_RUNS` says how many cases are played on each store, `CHAT_RACE_SEED` which one is the first. A seed that
//! fails is printed and kept in `regressions.txt` (not with `CHAT_MODEL_KEEP=0`). In memory a seed also says how the
//! tasks take turns; on the other stores the machine does.

mod act;

use std::sync::Arc;

use chat_conformance::faults::{Faults, FaultyStore};
use chat_core::ChatEngine;
use chat_core::error::{ChatError, ErrorCode};
use chat_core::store::Store;
use chat_core::time::Clock;

use super::compare::compare;
use super::game::Game;
use super::reference::Model;
use super::rng::Rng;
use super::show::NAMES;
use super::{keep_in, kept_in, number};
use crate::world::{Counted, World};
use act::{Act, Said};

const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/model/race/regressions.txt");
/// Few enough for every build, each with some races.
const RUNS: u64 = 100;
const RUNS_ON_DISK: u64 = 25;
const RUNS_ON_A_SERVER: u64 = 6;
/// The stand-in for MongoDB is slow.
const RUNS_ON_MONGODB: u64 = 2;
/// Steps one after the other before the races of a case.
const BEFORE: usize = 14;
const RACES: usize = 4;

type Answer = Result<Said, ErrorCode>;

/// Plays one case; how many of its races were not explained by the order in which they were asked.
async fn case(world: World, seed: u64) -> Result<usize, String> {
    let mut rng = Rng::new(seed);
    let mut game = Game::set_up(world, &mut rng).await;
    let faults = Faults::default();
    let nodes = [1, 2].map(|node| node_of(&game, &faults, node));
    game.open_direct(0, 1).await?;
    game.create_group(0, vec![1, 2, 3]).await?;
    for _ in 0..BEFORE {
        let mut rng = Rng::new(rng.next());
        game.step(&mut rng).await?;
    }
    let mut turned = 0;
    for race in 0..RACES {
        // Keys of one race are not those of another.
        game.sent += 1;
        let c = rng.below(game.model.chats.len());
        let wanted = 2 + rng.below(3);
        let drawn: Vec<Act> = (0..wanted).filter_map(|_| game.draw(&mut rng, c)).collect();
        faults.take_turns(rng.next());
        let order = run(&mut game, &nodes, &drawn, &mut rng)
            .await
            .map_err(|found| format!("race {race}: {found}"))?;
        turned += usize::from(!order.is_sorted());
    }
    Ok(turned)
}

/// One more engine on the same data, whose calls to the store take turns.
fn node_of(game: &Game, faults: &Faults, node: u64) -> ChatEngine {
    let store = Arc::clone(game.world.store()) as Arc<dyn Store>;
    ChatEngine::builder(Arc::new(FaultyStore::new(store, faults)))
        .with_clock(Arc::clone(&game.world.clock) as Arc<dyn Clock>)
        .with_config(game.world.engine.config().clone())
        .with_ids(Arc::new(Counted::from(node << 32)))
        .build()
}

/// Does all of it at once; the order that explains what came of it.
async fn run(
    game: &mut Game,
    nodes: &[ChatEngine],
    drawn: &[Act],
    rng: &mut Rng,
) -> Result<Vec<usize>, String> {
    let mut tasks = Vec::new();
    for (number, act) in drawn.iter().enumerate() {
        let Some(command) = game.as_command(act) else {
            continue;
        };
        let actor = nodes[number % nodes.len()].as_user(&Game::id(act.user));
        tasks.push((act, tokio::spawn(command.ask(actor))));
    }
    let mut done: Vec<(&Act, Answer)> = Vec::new();
    for (act, task) in tasks {
        let answer = task.await.map_err(|error| format!("{act:?}: {error}"))?;
        done.push((act, answer.map_err(|error: ChatError| error.code())));
    }
    let mut why = String::new();
    for order in orders(done.len()) {
        match in_order(game, &done, &order, rng).await {
            Ok(model) => {
                game.model = model;
                return Ok(order);
            }
            Err(reason) => why.push_str(&format!("    {order:?}: {reason}\n")),
        }
    }
    let mut told = String::from("no order explains it\n");
    for (act, answer) in &done {
        let said = answer.as_ref().map(|said| &said.told);
        told.push_str(&format!("  {} {:?} -> {said:?}\n", NAMES[act.user], act.what));
    }
    Err(told + &why)
}

/// The model after that order, when it explains everything.
async fn in_order(
    game: &Game,
    done: &[(&Act, Answer)],
    order: &[usize],
    rng: &mut Rng,
) -> Result<Model, String> {
    let mut model = game.model.clone();
    for place in order {
        let (act, answer) = &done[*place];
        let wanted = act.on_the_model(&mut model, answer);
        let said = answer
            .as_ref()
            .map(|said| said.told.clone())
            .map_err(|code| *code);
        // It has happened, and he was out before his answer was made: it has a place, and says nothing of it.
        let is_unknown = said == Err(ErrorCode::OutcomeUnknown) && wanted.is_ok();
        if wanted != said && !is_unknown {
            return Err(format!("{act:?}: the model says {wanted:?}, the engine {said:?}"));
        }
    }
    for user in 0..game.actors.len() {
        compare(&mut model, user, &game.actors[user], rng).await?;
    }
    Ok(model)
}

/// Every order of so many.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for _ in 0..count {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                let left = (0..count)
                    .filter(|next| !order.contains(next))
                    .collect::<Vec<_>>();
                left.into_iter()
                    .map(move |next| [order.as_slice(), &[next]].concat())
            })
            .collect();
    }
    orders
}

/// Plays cases; how many races only another order explained than the one they were asked in.
async fn cases<F: Future<Output = World>>(store: &str, runs: u64, fresh: impl Fn() -> F) -> usize {
    let first = number("CHAT_RACE_SEED").unwrap_or(1);
    let runs = number("CHAT_RACE_RUNS").unwrap_or(runs);
    let mut failed = String::new();
    let mut turned = 0;
    for seed in kept_in(REGRESSIONS).into_iter().chain(first..first + runs) {
        match case(fresh().await, seed).await {
            Ok(more) => turned += more,
            Err(found) => {
                eprintln!("seed {seed} fails on {store}: {found}");
                keep_in(REGRESSIONS, seed);
                failed.push_str(&format!("\n== seed {seed} on {store} ==\n{found}"));
            }
        }
    }
    assert!(failed.is_empty(), "{failed}");
    turned
}

#[tokio::test]
async fn commands_at_once_on_memory_come_in_some_order() {
    let turned = cases("memory", RUNS, World::memory).await;
    // Tasks take turns by the seeds, so there are some in any hundred.
    assert!(
        turned > 0 || number("CHAT_RACE_RUNS").is_some(),
        "nothing overtook anything"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_at_once_on_sqlite_come_in_some_order() {
    cases("sqlite", RUNS_ON_DISK, World::sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_at_once_on_postgres_come_in_some_order() {
    if crate::postgres::Space::new().is_some() {
        let fresh = || async { World::postgres().await.unwrap() };
        cases("postgres", RUNS_ON_A_SERVER, fresh).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_at_once_on_mongodb_come_in_some_order() {
    if crate::mongodb::Space::new().await.is_some() {
        let fresh = || async { World::mongodb().await.unwrap() };
        cases("mongodb", RUNS_ON_MONGODB, fresh).await;
    }
}

/// A checker that finds an order for everything would prove nothing.
#[tokio::test]
async fn an_answer_that_no_order_gives_is_found() {
    let mut rng = Rng::new(1);
    let mut game = Game::set_up(World::memory().await, &mut rng).await;
    game.open_direct(0, 1).await.unwrap();
    let nodes = [game.world.engine.clone()];
    let draw = |text: &str| Act {
        user: 0,
        what: act::What::Send(
            0,
            super::reference::Payload {
                text: text.to_owned(),
                ..super::reference::Payload::nothing()
            },
            None,
        ),
    };
    let both = [draw("a"), draw("b")];
    run(&mut game, &nodes, &both, &mut rng).await.unwrap();
    // What the model has not been told of.
    game.actors[1].block(&Game::id(0)).await.unwrap();
    let found = run(&mut game, &nodes, &both, &mut rng).await;
    assert!(found.unwrap_err().contains("no order explains it"));
}

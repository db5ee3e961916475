//! Who is there, over all nodes.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use chat_core::error::BackendResult;
use chat_core::id::{SessionId, UserId};
use chat_core::port::{Edge, Lapsed, Presence};
use chat_core::view::PresenceStatus;
use redis::aio::ConnectionManager;
use redis::{Client, RedisResult, Script};

use crate::bus::connection;
use crate::config::RedisConfig;
use crate::error::{OpenError, unavailable};

/// One step of a user, whole and alone and by the server's clock, so of concurrent reports exactly one sees each edge. A
/// session is a field of its user's hash: when it runs out, and whether it is looked at.
///
/// `KEYS[1]` is the user's hash, `KEYS[2]` who is there by when he came, `KEYS[3]` the same users by when the last of their
/// sessions runs out. `ARGV[1]` is the user, `ARGV[2]` the step: `report` or `end` of the session `ARGV[3]`, or `look`.
/// Answers with his status before and after: 0 is offline, 1 away, 2 online.
const STEP: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function look()
  local best, last = 0, 0
  local fields = redis.call('HGETALL', KEYS[1])
  for i = 1, #fields, 2 do
    local ends, seen = string.match(fields[i + 1], '^(%d+):([01])$')
    ends = tonumber(ends)
    if not ends or ends <= now then
      redis.call('HDEL', KEYS[1], fields[i])
    else
      best = math.max(best, seen == '1' and 2 or 1)
      last = math.max(last, ends)
    end
  end
  return best, last
end
local from = look()
-- Sessions that ran out without anybody being told: for the others he is still there.
if from == 0 and redis.call('ZSCORE', KEYS[2], ARGV[1]) then from = 1 end
if ARGV[2] == 'report' then
  redis.call('HSET', KEYS[1], ARGV[3], string.format('%d:%s', now + ARGV[5], ARGV[4]))
elseif ARGV[2] == 'end' and redis.call('HDEL', KEYS[1], ARGV[3]) == 0 and from == 0 then
  -- Forgotten by a server that lost everything: his end is told all the same.
  from = 1
end
local to, last = look()
if to == 0 then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
else
  redis.call('ZADD', KEYS[2], 'NX', now, ARGV[1])
  redis.call('ZADD', KEYS[3], last, ARGV[1])
  redis.call('PEXPIREAT', KEYS[1], last)
end
return {from, to}
";

/// The status of each user whose hash is among `KEYS`.
const STATUSES: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
for i, key in ipairs(KEYS) do
  local best = 0
  for _, session in ipairs(redis.call('HVALS', key)) do
    local ends, seen = string.match(session, '^(%d+):([01])$')
    ends = tonumber(ends)
    if ends and ends > now then best = math.max(best, seen == '1' and 2 or 1) end
  end
  found[i] = best
end
return found
";

/// Users whose last session has run out, and for how many milliseconds; at most `ARGV[1]`.
const LAPSED: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
local users = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', 0, ARGV[1])
for i = 1, #users, 2 do
  found[#found + 1] = {users[i], math.floor(now - tonumber(users[i + 1]))}
end
return found
";

/// Keys of one script.
const CHUNK: usize = 500;

/// A [`Presence`] in Redis: what one node reports all nodes see.
///
/// Nothing in it has to survive. A server that comes back empty is told everything again within one heartbeat (25 s), and
/// what is asked while it is away is unknown. A node that dies is forgotten when its reports run out
/// ([`session_ttl`](RedisConfig::session_ttl)).
pub struct RedisPresence {
    connection: ConnectionManager,
    config: RedisConfig,
    step: Script,
    statuses: Script,
    lapsed: Script,
}

impl RedisPresence {
    /// Presence on the server that this URL names (`redis://[user:password@]host:port[/db]`), which need not be there
    /// yet. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// [`OpenError::Url`].
    pub fn new(url: &str, config: RedisConfig) -> Result<Self, OpenError> {
        let client = Client::open(url).map_err(OpenError::Url)?;
        Ok(Self {
            connection: connection(&client, &config)?,
            config,
            step: Script::new(STEP),
            statuses: Script::new(STATUSES),
            lapsed: Script::new(LAPSED),
        })
    }

    fn of(&self, user: &UserId) -> String {
        self.config.key(&format!("sessions:{{{user}}}"))
    }

    fn came(&self) -> String {
        self.config.key("came")
    }

    fn ends(&self) -> String {
        self.config.key("ends")
    }

    async fn step(&self, user: &UserId, step: Step) -> RedisResult<Edge> {
        let mut invocation = self.step.prepare_invoke();
        invocation
            .key(self.of(user))
            .key(self.came())
            .key(self.ends())
            .arg(user.as_str());
        match step {
            Step::Report(session, foreground) => {
                let ttl = u64::try_from(self.config.session_ttl.as_millis()).unwrap_or(u64::MAX >> 16);
                let seen = if foreground { "1" } else { "0" };
                invocation
                    .arg("report")
                    .arg(session.to_string())
                    .arg(seen)
                    .arg(ttl)
            }
            Step::End(session) => invocation.arg("end").arg(session.to_string()),
            Step::Look => invocation.arg("look"),
        };
        let mut connection = self.connection.clone();
        let (from, to): (u8, u8) = invocation.invoke_async(&mut connection).await?;
        let (from, to) = (status(from), status(to));
        Ok(if from == to {
            Edge::Same
        } else {
            Edge::Changed { from, to }
        })
    }

    async fn ask(&self, users: &[UserId]) -> RedisResult<HashMap<UserId, PresenceStatus>> {
        let mut found = HashMap::with_capacity(users.len());
        for some in users.chunks(CHUNK) {
            let mut invocation = self.statuses.prepare_invoke();
            for user in some {
                invocation.key(self.of(user));
            }
            let mut connection = self.connection.clone();
            let codes: Vec<u8> = invocation.invoke_async(&mut connection).await?;
            let known = some.iter().zip(codes).filter(|(_, code)| *code > 0);
            found.extend(known.map(|(user, code)| (user.clone(), status(code))));
        }
        Ok(found)
    }

    async fn newest(&self, limit: usize) -> RedisResult<Vec<UserId>> {
        let mut connection = self.connection.clone();
        let names: Vec<String> = redis::cmd("ZREVRANGE")
            .arg(self.came())
            .arg(0)
            .arg(isize::try_from(limit).unwrap_or(isize::MAX).saturating_sub(1))
            .query_async(&mut connection)
            .await?;
        let users: Vec<UserId> = names.iter().filter_map(|name| UserId::new(name).ok()).collect();
        let there = self.ask(&users).await?;
        Ok(users
            .into_iter()
            .filter(|user| there.contains_key(user))
            .collect())
    }

    async fn run_out(&self, limit: usize) -> RedisResult<Vec<Lapsed>> {
        let mut connection = self.connection.clone();
        let found: Vec<(String, u64)> = self
            .lapsed
            .key(self.ends())
            .arg(limit)
            .invoke_async(&mut connection)
            .await?;
        let mut lapsed = Vec::new();
        for (name, late) in found {
            let Ok(user) = UserId::new(&name) else { continue };
            // Of several nodes that look, the one whose step ends it has the edge.
            if let Edge::Changed {
                to: PresenceStatus::Offline,
                ..
            } = self.step(&user, Step::Look).await?
            {
                let silent_for = self.config.session_ttl + Duration::from_millis(late);
                lapsed.push(Lapsed {
                    user_id: user,
                    silent_for,
                });
            }
        }
        Ok(lapsed)
    }
}

enum Step {
    Report(SessionId, bool),
    End(SessionId),
    Look,
}

fn status(code: u8) -> PresenceStatus {
    match code {
        0 => PresenceStatus::Offline,
        1 => PresenceStatus::Away,
        _ => PresenceStatus::Online,
    }
}

impl fmt::Debug for RedisPresence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisPresence")
            .field("prefix", &self.config.prefix)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Presence for RedisPresence {
    async fn report(&self, user: &UserId, session: SessionId, foreground: bool) -> BackendResult<Edge> {
        self.step(user, Step::Report(session, foreground))
            .await
            .map_err(|error| unavailable(error, "report"))
    }

    async fn ended(&self, user: &UserId, session: SessionId) -> BackendResult<Edge> {
        self.step(user, Step::End(session))
            .await
            .map_err(|error| unavailable(error, "ended"))
    }

    async fn statuses(&self, users: &[UserId]) -> BackendResult<HashMap<UserId, PresenceStatus>> {
        self.ask(users)
            .await
            .map_err(|error| unavailable(error, "statuses"))
    }

    async fn present(&self, limit: usize) -> BackendResult<Vec<UserId>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        self.newest(limit)
            .await
            .map_err(|error| unavailable(error, "present"))
    }

    async fn lapsed(&self, limit: usize) -> BackendResult<Vec<Lapsed>> {
        self.run_out(limit)
            .await
            .map_err(|error| unavailable(error, "lapsed"))
    }
}

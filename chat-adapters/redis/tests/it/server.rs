//! Redis servers of a test's own, on private ports, without anything on disk.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chat_redis::RedisConfig;

/// Something that takes longer will not happen any more.
pub(crate) const STUCK: Duration = Duration::from_secs(60);

/// A server; ended when it is dropped.
pub(crate) struct Server {
    program: std::ffi::OsString,
    port: u16,
    running: Option<Child>,
}

impl Server {
    /// Starts one; `None` where `CHAT_TEST_REDIS_PROGRAM` names no program, which fails where `CHAT_REQUIRE` names
    /// `redis-program`.
    pub(crate) fn start() -> Option<Self> {
        let program = std::env::var_os("CHAT_TEST_REDIS_PROGRAM").filter(|program| !program.is_empty());
        let Some(program) = program else {
            let required = std::env::var("CHAT_REQUIRE").unwrap_or_default();
            assert!(
                !required.split(',').any(|name| name.trim() == "redis-program"),
                "redis-program is required and not there"
            );
            eprintln!("skipped: CHAT_TEST_REDIS_PROGRAM names no program");
            return None;
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut server = Self {
            program,
            port,
            running: None,
        };
        server.again();
        Some(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it at once; whatever it held is gone.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it, empty, and waits until it accepts connections.
    pub(crate) fn again(&mut self) {
        let child = Command::new(&self.program)
            .args(["--port", &self.port.to_string()])
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let child = self.running.insert(child);
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "the server ended by itself");
            assert!(began.elapsed() < STUCK, "the server does not accept connections");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it where it is: connections stay open and nothing answers.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.running.as_ref().unwrap().id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Runs one command past the adapter.
    pub(crate) async fn command<T: redis::FromRedisValue>(&self, words: &[&[u8]]) -> T {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let (name, arguments) = words.split_first().unwrap();
        let mut command = redis::cmd(std::str::from_utf8(name).unwrap());
        for argument in arguments {
            command.arg(*argument);
        }
        command.query_async(&mut connection).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.running {
            // It may have ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Quick to notice what is wrong.
pub(crate) fn config() -> RedisConfig {
    RedisConfig::default()
        .with_pulse(Duration::from_millis(200))
        .with_command_timeout(Duration::from_secs(1))
}

macro_rules! server_or_return {
    () => {
        match crate::server::Server::start() {
            Some(server) => server,
            None => return,
        }
    };
}
pub(crate) use server_or_return;

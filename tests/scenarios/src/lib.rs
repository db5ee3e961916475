//! The documents of the repository as doctests: their Rust code blocks are compiled and run.

macro_rules! documents {
    ($($name:ident = $path:literal;)*) => {
        $(#[doc = include_str!($path)] #[cfg(doctest)] mod $name {})*
    };
}

documents! {
    readme = "../../../README.md";
    architecture = "../../../ARCHITECTURE.md";
    concepts = "../../../docs/concepts.md";
    http_api = "../../../docs/http-api.md";
    socket_events = "../../../docs/socket-events.md";
    errors = "../../../docs/errors.md";
    design = "../../../docs/design.md";
    adapters = "../../../docs/adapters.md";
    operations = "../../../docs/operations.md";
    hosts = "../../../docs/hosts.md";
    from_node = "../../../docs/from-node.md";
}

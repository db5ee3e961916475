use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use chat_core::live::ConnectFrom;

/// Where a request comes from: what the host put into its extensions, as it knows its proxies, else the socket's peer.
pub(crate) fn connect_from(request: &Parts) -> ConnectFrom {
    if let Some(from) = request.extensions.get::<ConnectFrom>() {
        return *from;
    }
    ConnectFrom {
        address: request
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(address)| address.ip()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn the_host_knows_better_where_it_comes_from() {
        let mut parts = Request::builder().body(()).unwrap().into_parts().0;
        assert_eq!(connect_from(&parts).address, None);
        parts
            .extensions
            .insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 5))));
        assert_eq!(connect_from(&parts).address, Some([10, 0, 0, 1].into()));
        parts.extensions.insert(ConnectFrom {
            address: Some([192, 0, 2, 7].into()),
        });
        assert_eq!(connect_from(&parts).address, Some([192, 0, 2, 7].into()));
    }
}

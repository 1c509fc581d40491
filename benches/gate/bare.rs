//! The bare answer of the same HTTP library, in a process of its own.

use std::net::SocketAddr;
use std::process::{Child, Command};

/// Set for the process that gives it.
pub const BARE: &str = "KEYRACK_BENCH_BARE";

/// That process.
pub struct Bare {
    child: Child,
    pub address: SocketAddr,
}

impl Bare {
    pub fn start() -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], crate::support::http::free_port()));
        let mut command = Command::new(std::env::current_exe().unwrap());
        let child = command.env(BARE, address.to_string()).spawn().unwrap();
        crate::support::http::wait_for_port(address);
        Self { child, address }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What it does.
pub fn answer_barely(address: &str) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let router = axum::Router::new()
            .route("/", axum::routing::get(|| async { "hello" }))
            // nginx keeps no connection on which an answer to its question has a body.
            .route("/auth/nginx", axum::routing::get(|| async {}))
            .fallback(|| async { "hello" });
        axum::serve(
            axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true))),
            router,
        )
        .await
        .unwrap();
    });
}

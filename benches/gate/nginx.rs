//! nginx in front, which asks about each request before it answers with a tiny picture.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use super::support::http::{free_port, wait_for_port};
use super::support::servers::{program, recipe};

/// Two workers of nginx, ended when this is dropped.
pub struct Nginx {
    child: Child,
    pub address: SocketAddr,
    _folder: tempfile::TempDir,
}

/// How nginx's picture ends.
pub const END: &[u8] = b"\x02\x02\x4c\x01\x00\x3b";

impl Nginx {
    /// Asks at this address and path. `None` where nginx is not installed.
    pub fn start(asks: SocketAddr, path: &str) -> Option<Self> {
        // The question is the recipe's; what it answers with is nginx's own, so that no API behind it is measured too.
        Self::with(|listen| {
            format!(
                "upstream gate {{ server {asks}; keepalive 64; keepalive_requests 1000000000; }}\n\
                 server {{\nlisten {listen};\n\
                 location / {{\nauth_request /-/gate;\n\
                 auth_request_set $gate_limit $upstream_http_x_ratelimit_limit;\n\
                 auth_request_set $gate_remaining $upstream_http_x_ratelimit_remaining;\n\
                 add_header X-RateLimit-Limit $gate_limit always;\n\
                 add_header X-RateLimit-Remaining $gate_remaining always;\nempty_gif;\n}}\n\
                 location = /-/gate {{\ninternal;\nproxy_pass http://gate{path};\nproxy_http_version 1.1;\n\
                 proxy_set_header Connection \"\";\nproxy_pass_request_body off;\nproxy_set_header Content-Length \"\";\n\
                 proxy_set_header X-Original-Method $request_method;\nproxy_set_header X-Original-URI $request_uri;\n\
                 proxy_set_header X-Original-Host $host;\nproxy_set_header X-Forwarded-For $remote_addr;\n\
                 proxy_buffer_size 8k;\n}}\n}}\n"
            )
        })
    }

    /// The README's recipe as it stands, before an API.
    pub fn recipe(gate: SocketAddr, api: SocketAddr) -> Option<Self> {
        Self::with(|listen| recipe("nginx.conf", listen, &gate.into(), api))
    }

    fn with(site: impl FnOnce(SocketAddr) -> String) -> Option<Self> {
        let program = program("nginx")?;
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().display();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|name| format!("{name}_temp_path {own}/{name};\n"))
            .collect();
        let text = format!(
            "daemon off;\nuser root;\nworker_processes 2;\npid {own}/pid;\nerror_log stderr crit;\n\
             events {{ worker_connections 1024; }}\n\
             http {{\naccess_log off;\nkeepalive_requests 1000000000;\n{temp}{}}}\n",
            site(address)
        );
        std::fs::write(folder.path().join("nginx.conf"), text).unwrap();
        let child = Command::new(program)
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(folder.path().join("nginx.conf"))
            .args(["-e", "stderr"])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        wait_for_port(address);
        Some(Self { child, address, _folder: folder })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Gently: a master that is killed leaves its workers.
        let id = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

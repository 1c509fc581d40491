//! A gate at a socket in the file system: who comes by it, whose word counts there, and what becomes of its file.

use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;

use super::envoy::ENVOY;
use super::*;
use crate::support::program;

/// One request by a socket, and the status of its answer.
fn by(socket: &Path, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let mut stream = UnixStream::connect(socket).unwrap();
    let headers = [headers, &[("Connection", "close")]].concat();
    stream.write_all(&request("GET", path, &headers, "")).unwrap();
    let answer = std::io::read_to_string(stream).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

on_both! {
    async fn behind_nginx_by_a_socket_every_answer_reaches_the_client(db) {
        every_answer_of(Site::by_socket, &db, &NGINX).await;
    }

    async fn behind_caddy_by_a_socket_every_answer_reaches_the_client(db) {
        every_answer_of(Site::by_socket, &db, &CADDY).await;
    }

    async fn behind_haproxy_by_a_socket_every_answer_reaches_the_client(db) {
        every_answer_of(Site::by_socket, &db, &HAPROXY).await;
    }

    async fn behind_envoy_by_a_socket_every_answer_reaches_the_client(db) {
        every_answer_of(Site::by_socket, &db, &ENVOY).await;
    }

    async fn who_comes_by_a_socket_is_believed_where_the_settings_say_so_and_is_this_machine(db) {
        let office = office(&db, preset("voxpria")).await;
        let anywhere = bearer(&keep(&office, scoped("acme", "calls:read")).await.secret);
        let here = CreateKey { allow: Networks::parse("127.0.0.1").unwrap(), ..scoped("acme", "calls:read") };
        let here = bearer(&keep(&office, here).await.secret);
        let there = CreateKey { allow: Networks::parse("198.51.100.1").unwrap(), ..scoped("acme", "calls:read") };
        let there = bearer(&keep(&office, there).await.secret);
        let socket = db.dir().join("gate.sock");
        let place = format!("unix:{}", socket.display());
        let asked = |key| [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/api/v1/calls"), ("X-Forwarded-For", "198.51.100.1"), ("Authorization", key)];
        // A network of proxies says nothing about sockets, this machine's own neither.
        let mut doubting = Gate::bare(&db, &["--listen", &place, "--trusted-proxy", "127.0.0.0/8"]);
        assert_eq!(by(&socket, "/auth", &asked(anywhere.as_str())).0, 403);
        doubting.wait_for_log("peer=a socket");
        let me = |key: &str| by(&socket, "/api/v1/me", &[("Authorization", key), ("X-Forwarded-For", "198.51.100.1")]).0;
        assert_eq!((me(&here), me(&there)), (200, 401), "nobody's word is believed: it is this machine");
        let verdicts = by(&socket, "/metrics", &[("Host", "localhost")]).0;
        assert_eq!(verdicts, 403, "without a token");
        doubting.stop();
        assert!(!socket.exists(), "its file goes with it");

        let group = rustix::process::getgid().as_raw();
        let told = ["--listen", &place, "--trusted-proxy", "unix", "--socket-group", &group.to_string()];
        let believing = Gate::bare(&db, &told);
        let file = std::fs::metadata(&socket).unwrap();
        assert_eq!((file.permissions().mode() & 0o777, file.gid()), (0o660, group));
        assert_eq!(by(&socket, "/auth", &asked(anywhere.as_str())).0, 200);
        assert_eq!((me(&here), me(&there)), (401, 200), "the client is who the proxy names");
        assert_eq!(by(&socket, "/auth", &asked(here.as_str())).0, 401);
        assert_eq!(believing.get("/auth", &asked(anywhere.as_str())).status, 403, "a socket's trust is no address's");
        assert_eq!(by(&socket, "/readyz", &[]).0, 200);

        // What a killed gate leaves is replaced; what somebody listens at is not.
        let again = |why: &str| {
            let refused = program::run(db.dir(), ["--db", &db.address(), "gate", "--listen", &place]);
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(!refused.status.success() && said.contains(&format!("{place} can't be listened on: ")) && said.contains(why), "{said}");
        };
        again("another program listens there");
        assert_eq!(by(&socket, "/auth", &asked(anywhere.as_str())).0, 200, "it still listens");
        believing.kill();
        assert!(socket.exists());
        let admin = Gate::bare(&db, &["--admin-listen", &place, "--socket-mode", "0600"]);
        assert_eq!(by(&socket, "/metrics", &[("Host", "localhost")]).0, 200, "who may open it needs no token");
        assert_eq!(by(&socket, "/metrics", &[("Host", "api.example.com")]).0, 403, "a proxy leads there");
        admin.stop();
        std::fs::write(&socket, "mine").unwrap();
        again("something else than a socket lies there");
        assert!(!std::fs::metadata(&socket).unwrap().file_type().is_socket(), "and stays");
    }

    async fn a_socket_that_makes_no_sense_is_refused_in_words(db) {
        office(&db, preset("voxpria")).await;
        for (args, word) in [
            (["--listen", "unix:gate.sock"], "write the whole path"),
            (["--listen", "/run/gate.sock"], "or a socket, as unix:/run/keyrack/gate.sock"),
            (["--listen", "unix:/nonexistent/gate.sock"], "/nonexistent: No such file"),
            (["--socket-mode", "rw"], "write the rights as 0660"),
            (["--socket-group", "nobody-has-this"], "has no group \"nobody-has-this\""),
            (["--trusted-proxy", "unix:/run/gate.sock"], "or unix for sockets"),
        ] {
            let refused = program::run(db.dir(), [&["--db", &db.address(), "gate"][..], &args].concat());
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(!refused.status.success() && said.contains(word), "{args:?}: {said}");
        }
    }
}

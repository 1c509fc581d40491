//! Real servers round a gate, each on a free port of this machine, ended by the process that this test started.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::http::{Connection, free_port, wait_for_port};

mod cluster;
pub use cluster::Cluster;

/// A server that this test started.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// Its folder, and what it said.
    dir: PathBuf,
}

/// Where a program lies; `None` if it is not installed.
pub fn program(name: &str) -> Option<PathBuf> {
    ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists())
}

/// A program that a package of Python's brings, installed by `tests/run` below the target folder.
pub fn of_python(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("python").join("bin").join(name);
    path.exists().then_some(path)
}

/// Where a proxy finds its gate.
#[derive(Clone, Debug)]
pub enum At {
    Address(SocketAddr),
    Socket(PathBuf),
}

impl From<SocketAddr> for At {
    fn from(address: SocketAddr) -> Self {
        Self::Address(address)
    }
}

/// What stands in a recipe where its gate has an address, and what where it has a socket. The documentation tells these.
pub const BY_SOCKET: [(&str, &str, &str); 4] = [
    ("nginx.conf", "server 127.0.0.1:8100;", "server unix:/run/keyrack/gate.sock;"),
    ("Caddyfile", "reverse_proxy 127.0.0.1:8100 {", "reverse_proxy unix//run/keyrack/gate.sock {"),
    ("keyrack.lua", ":get { url = gate, ", ":get { url = gate, dst = 'unix@/run/keyrack/gate.sock', "),
    (
        "envoy.yaml",
        "address: { socket_address: { address: 127.0.0.1, port_value: 8100 } }",
        "address: { pipe: { path: /run/keyrack/gate.sock } }",
    ),
];

fn source(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recipes").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// A recipe whose gate is found where this one's is.
fn by_socket(name: &str, mut told: String, gate: &At) -> String {
    if let At::Socket(socket) = gate {
        for (_, address, by_socket) in BY_SOCKET.iter().filter(|(recipe, ..)| *recipe == name) {
            assert!(told.contains(address), "{name}");
            told =
                told.replace(address, &by_socket.replace("/run/keyrack/gate.sock", socket.to_str().unwrap()));
        }
    }
    told
}

/// A recipe with a part of it, from one line to before another one, as a smaller recipe has it.
fn instead(recipe: &str, [from, to]: [&str; 2], smaller: &str) -> String {
    let (begin, end) = (recipe.find(from).unwrap(), recipe.find(to).unwrap());
    let column = begin - recipe[..begin].rfind('\n').unwrap() - 1;
    let margin = format!("\n{}", " ".repeat(column));
    format!(
        "{}{}{}{}",
        &recipe[..begin],
        source(smaller).trim_end().replace('\n', &margin),
        margin,
        &recipe[end..]
    )
}

/// A recipe of the documentation, with the addresses of this test in place of its own.
pub fn recipe(name: &str, listen: SocketAddr, gate: &At, api: SocketAddr) -> String {
    let told = by_socket(name, source(name).replace(":8080", &format!(":{}", listen.port())), gate);
    let gate = match gate {
        At::Address(address) => *address,
        At::Socket(_) => local(8100),
    };
    told.replace("127.0.0.1:8100", &gate.to_string()).replace("127.0.0.1:9000", &api.to_string())
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn folder(dir: &Path, name: &str) -> PathBuf {
    let folder = dir.join(format!("{name}-{}", free_port()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

impl Server {
    #[track_caller]
    fn start(mut command: Command, address: SocketAddr, dir: &Path) -> Self {
        let out = std::fs::File::create(dir.join("out")).unwrap();
        let child = command
            .env("HOME", dir)
            .env("XDG_DATA_HOME", dir)
            .env("XDG_CONFIG_HOME", dir)
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        let server = Self { child, address, dir: dir.to_owned() };
        wait_for_port(address);
        server
    }

    /// nginx with our recipe.
    #[track_caller]
    pub fn nginx(dir: &Path, gate: &At, api: SocketAddr) -> Option<Self> {
        let program = program("nginx")?;
        let (dir, listen) = (folder(dir, "nginx"), local(free_port()));
        let own = dir.display();
        let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|name| format!("{name}_temp_path {own}/{name};\n"))
            .collect();
        let main = format!(
            "daemon off;\nmaster_process off;\npid {own}/pid;\nerror_log stderr;\nevents {{}}\n\
             http {{\naccess_log off;\n{temp}{}\n}}\n",
            recipe("nginx.conf", listen, gate, api)
        );
        std::fs::write(dir.join("nginx.conf"), main).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(&dir).arg("-c").arg(dir.join("nginx.conf")).args(["-e", "stderr"]);
        Some(Self::start(command, listen, &dir))
    }

    /// Caddy with our recipe.
    #[track_caller]
    pub fn caddy(dir: &Path, gate: &At, api: SocketAddr) -> Option<Self> {
        let program = program("caddy")?;
        let (dir, listen) = (folder(dir, "caddy"), local(free_port()));
        let site = recipe("Caddyfile", listen, gate, api);
        std::fs::write(dir.join("Caddyfile"), format!("{{\n\tadmin off\n\tauto_https off\n}}\n{site}"))
            .unwrap();
        let mut command = Command::new(program);
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(dir.join("Caddyfile"));
        Some(Self::start(command, listen, &dir))
    }

    /// HAProxy with our recipe.
    #[track_caller]
    pub fn haproxy(dir: &Path, gate: &At, api: SocketAddr) -> Option<Self> {
        let program = program("haproxy")?;
        let (dir, listen) = (folder(dir, "haproxy"), local(free_port()));
        for name in ["haproxy.cfg", "keyrack.lua"] {
            std::fs::write(dir.join(name), recipe(name, listen, gate, api)).unwrap();
        }
        let mut command = Command::new(program);
        command.args(["-db", "-f"]).arg(dir.join("haproxy.cfg"));
        Some(Self::start(command, listen, &dir))
    }

    /// Envoy with our recipe.
    #[track_caller]
    pub fn envoy(dir: &Path, gate: &At, api: SocketAddr) -> Option<Self> {
        Self::envoy_told(dir, gate, api, |recipe| recipe)
    }

    /// The same where it asks by gRPC: as the recipe for that has it.
    #[track_caller]
    pub fn envoy_grpc(dir: &Path, gate: &At, api: SocketAddr) -> Option<Self> {
        Self::envoy_told(dir, gate, api, |recipe| {
            let filter = ["- name: envoy.filters.http.ext_authz", "- name: envoy.filters.http.router"];
            let recipe = instead(&recipe, filter, "envoy-grpc-filter.yaml");
            let recipe =
                instead(&recipe, ["- name: gate\n", "- name: api\n      load"], "envoy-grpc-cluster.yaml");
            recipe.replace("8103", "8100")
        })
    }

    /// The same where several gates stand behind a ring, by the recipe for that.
    #[track_caller]
    pub fn envoy_ring(dir: &Path, gates: [SocketAddr; 2], api: SocketAddr) -> Option<Self> {
        let ring = free_port();
        Self::envoy_told(dir, &gates[0].into(), api, |recipe| {
            let recipe =
                instead(&recipe, ["- name: gate\n", "- name: api\n      load"], "envoy-ring-clusters.yaml");
            let more = source("envoy-ring-listener.yaml").replace('\n', "\n    ");
            let recipe =
                recipe.replace("  listeners:\n", &format!("  listeners:\n    {}\n", more.trim_end()));
            let port = |from: u16, to: u16| (format!("port_value: {from} "), format!("port_value: {to} "));
            [port(8099, ring), port(8101, gates[1].port())]
                .iter()
                .fold(recipe, |recipe, (from, to)| recipe.replace(from, to))
        })
    }

    #[track_caller]
    fn envoy_told(
        dir: &Path,
        gate: &At,
        api: SocketAddr,
        told: impl FnOnce(String) -> String,
    ) -> Option<Self> {
        let program = of_python("envoy")?;
        let (dir, listen) = (folder(dir, "envoy"), local(free_port()));
        let mut told = by_socket("envoy.yaml", told(source("envoy.yaml")), gate);
        let gate = match gate {
            At::Address(gate) => gate.port(),
            At::Socket(_) => 8100,
        };
        for (from, to) in [(8080, listen.port()), (9000, api.port()), (8100, gate)] {
            told = told.replace(&format!("port_value: {from} "), &format!("port_value: {to} "));
        }
        std::fs::write(dir.join("envoy.yaml"), told).unwrap();
        let mut command = Command::new(program);
        command
            .args(["--concurrency", "1", "--use-dynamic-base-id", "-l", "warning", "-c"])
            .arg(dir.join("envoy.yaml"));
        Some(Self::start(command, listen, &dir))
    }

    /// Traefik with our recipe, for the host `api.example.com`.
    #[track_caller]
    pub fn traefik(dir: &Path, gate: &At, api: SocketAddr) -> Option<Self> {
        let program = of_python("traefik")?;
        // A file of its own name in its folder would be its static configuration.
        let (dir, listen) = (folder(dir, "traefik"), local(free_port()));
        std::fs::write(dir.join("dynamic.yml"), recipe("traefik.yml", listen, gate, api)).unwrap();
        let mut command = Command::new(program);
        command
            .arg(format!("--entrypoints.web.address={listen}"))
            .arg(format!("--providers.file.filename={}", dir.join("dynamic.yml").display()))
            .args(["--global.checknewversion=false", "--global.sendanonymoususage=false"]);
        Some(Self::start(command, listen, &dir))
    }

    /// A Redis, or a Valkey, without anything in it.
    #[track_caller]
    pub fn redis(dir: &Path) -> Option<Self> {
        Self::redis_at(dir, local(free_port()))
    }

    #[track_caller]
    pub fn redis_at(dir: &Path, listen: SocketAddr) -> Option<Self> {
        let program = program("redis-server").or_else(|| program("valkey-server"))?;
        let dir = folder(dir, "redis");
        let mut command = Command::new(program);
        command.args([
            "--bind",
            "127.0.0.1",
            "--port",
            &listen.port().to_string(),
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        Some(Self::start(command, listen, &dir))
    }

    /// What it wrote to standard output and error.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.dir.join("out")).unwrap_or_default()
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("{}:\n{}", self.address, self.said());
        }
    }
}

/// The API behind a proxy: it answers with what it was sent, and counts.
pub struct Api {
    pub address: SocketAddr,
    count: std::sync::Arc<std::sync::atomic::AtomicUsize>,
    connections: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Api {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counting = std::sync::Arc::clone(&count);
        let connections = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let opened = std::sync::Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                opened.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                let counting = std::sync::Arc::clone(&counting);
                std::thread::spawn(move || answer(stream, &counting));
            }
        });
        Self { address, count, connections }
    }

    /// How many connections were ever opened to it.
    pub fn connections(&self) -> usize {
        self.connections.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// How many requests have come.
    pub fn count(&self) -> usize {
        self.count.load(std::sync::atomic::Ordering::SeqCst)
    }
}

fn answer(stream: TcpStream, count: &std::sync::atomic::AtomicUsize) {
    let mut out = stream.try_clone().unwrap();
    let mut connection = Connection::on(stream);
    while let Some((head, body)) = connection.request() {
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let echo = serde_json::json!({ "head": head, "body": body }).to_string();
        let text = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{echo}",
            echo.len()
        );
        if out.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

//! gRPC as Envoy speaks it to `envoy.service.auth.v3`, by hand: what is sent is what is written.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, Response};
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use tokio::io::{AsyncRead, AsyncWrite};

pub const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
pub const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// A field that holds bytes: a text, or a message.
pub fn field(number: u32, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    let mut out = Vec::new();
    varint(&mut out, u64::from(number << 3 | 2));
    varint(&mut out, value.len() as u64);
    out.extend_from_slice(value);
    out
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The fields of a message, in their order: number, and value or bytes.
fn fields(mut bytes: &[u8]) -> Vec<(u64, u64, Vec<u8>)> {
    fn number(bytes: &mut &[u8]) -> u64 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = bytes[0];
            *bytes = &bytes[1..];
            number |= u64::from(byte & 0x7F) << shift;
            shift += 7;
            if byte < 0x80 {
                return number;
            }
        }
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = number(&mut bytes);
        let value = number(&mut bytes);
        let mut content = Vec::new();
        if tag & 7 == 2 {
            let (own, rest) = bytes.split_at(usize::try_from(value).unwrap());
            (content, bytes) = (own.to_vec(), rest);
        }
        found.push((tag >> 3, value, content));
    }
    found
}

/// What Envoy tells of a request.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub host: &'a str,
    pub headers: Vec<(&'a str, &'a str)>,
    /// Whether each header is told as it came (`encode_raw_headers`).
    pub raw: bool,
    /// Who is connected to Envoy.
    pub source: Option<&'a str>,
    pub issuer: Option<&'a str>,
}

impl<'a> Ask<'a> {
    pub fn new(method: &'a str, path: &'a str, headers: &[(&'a str, &'a str)]) -> Self {
        let source = Some("198.51.100.1");
        Self {
            method,
            path,
            host: "api.example.com",
            headers: headers.to_vec(),
            raw: true,
            source,
            issuer: None,
        }
    }

    pub fn message(&self) -> Vec<u8> {
        let headers = if self.raw {
            let all: Vec<u8> = self
                .headers
                .iter()
                .flat_map(|(name, value)| field(1, [field(1, name), field(3, value)].concat()))
                .collect();
            field(13, all)
        } else {
            self.headers
                .iter()
                .flat_map(|(name, value)| field(3, [field(1, name), field(2, value)].concat()))
                .collect()
        };
        let http = [field(2, self.method), headers, field(4, self.path), field(5, self.host)].concat();
        let source =
            self.source.map(|source| field(1, field(1, field(1, field(2, source))))).unwrap_or_default();
        let issuer = self
            .issuer
            .map(|slug| field(10, [field(1, "issuer"), field(2, slug)].concat()))
            .unwrap_or_default();
        field(1, [source, field(4, field(2, http)), issuer].concat())
    }
}

/// What a gate says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// Of gRPC itself; 0: there is an answer.
    pub grpc: i32,
    /// Of the answer; 0: it may pass.
    pub code: u64,
    /// For the client, where it may not.
    pub status: u64,
    pub body: String,
    /// For the service, where it may pass; else for the client.
    pub headers: Vec<(String, String)>,
    /// For the client, where it may pass.
    pub more: Vec<(String, String)>,
    pub removed: Vec<String>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().chain(&self.more).find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    fn read(message: &[u8]) -> Self {
        let mut reply = Self::default();
        for (number, _, content) in fields(message) {
            match number {
                1 => reply.code = fields(&content).first().map_or(0, |field| field.1),
                2 => {
                    for (number, _, content) in fields(&content) {
                        match number {
                            1 => reply.status = fields(&content)[0].1,
                            2 => reply.headers.push(header(&content)),
                            3 => reply.body = String::from_utf8(content).unwrap(),
                            other => panic!("field {other} of a denial"),
                        }
                    }
                }
                3 => {
                    for (number, _, content) in fields(&content) {
                        match number {
                            2 => reply.headers.push(header(&content)),
                            5 => reply.removed.push(String::from_utf8(content).unwrap()),
                            6 => reply.more.push(header(&content)),
                            other => panic!("field {other} of a pass"),
                        }
                    }
                }
                other => panic!("field {other} of an answer"),
            }
        }
        reply
    }
}

fn header(option: &[u8]) -> (String, String) {
    let parts = fields(&fields(option)[0].2);
    let text = |number| {
        parts.iter().find(|part| part.0 == number).map(|part| String::from_utf8(part.2.clone()).unwrap())
    };
    (text(1).unwrap(), text(2).or_else(|| text(3)).unwrap_or_default())
}

/// A message in its frame.
pub fn framed(message: &[u8]) -> Bytes {
    let mut out = vec![0];
    out.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    out.extend_from_slice(message);
    out.into()
}

/// A connection as Envoy keeps one.
#[derive(Clone)]
pub struct Channel(SendRequest<Bytes>);

impl Channel {
    /// `None`: it was closed at once.
    pub async fn open(address: SocketAddr) -> Option<Self> {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        Self::on(stream).await
    }

    pub async fn on(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Option<Self> {
        let (send, connection) = h2::client::handshake(stream).await.ok()?;
        tokio::spawn(connection);
        let channel = Self(send);
        // Closed at once, or it takes a question.
        channel.health().await.map(|_| channel)
    }

    /// Begins a question; its message is still to be sent.
    pub async fn begin(&self, path: &str) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        let request = Request::post(format!("http://gate{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())
            .unwrap();
        let mut send = self.0.clone().ready().await?;
        send.send_request(request, false)
    }

    /// Sends bytes as a question's body, and reads the answer: the gRPC status and the message.
    pub async fn send(&self, path: &str, body: Bytes) -> Result<(i32, Vec<u8>), h2::Error> {
        let (answer, mut stream) = self.begin(path).await?;
        // A gate that has heard enough answers before it was all sent.
        let _ = stream.send_data(body, true);
        answered(answer).await
    }

    #[track_caller]
    pub fn check(&self, ask: &Ask<'_>) -> impl Future<Output = Reply> + use<> {
        self.ask(&ask.message())
    }

    /// The same with a message that was made elsewhere.
    pub fn ask(&self, message: &[u8]) -> impl Future<Output = Reply> + use<> {
        let (channel, body) = (self.clone(), framed(message));
        async move {
            let (grpc, message) = channel.send(CHECK, body).await.unwrap();
            Reply { grpc, ..Reply::read(&message) }
        }
    }

    /// Whether it serves.
    pub async fn health(&self) -> Option<bool> {
        let (grpc, message) = self.send(HEALTH, framed(&[])).await.ok()?;
        (grpc == 0).then(|| fields(&message).first().is_some_and(|field| field.1 == 1))
    }
}

pub async fn answered(answer: ResponseFuture) -> Result<(i32, Vec<u8>), h2::Error> {
    let answer: Response<RecvStream> =
        tokio::time::timeout(Duration::from_secs(30), answer).await.expect("an answer in time")?;
    assert_eq!(answer.status(), 200);
    let at_once = answer.headers().get("grpc-status").cloned();
    let mut body = answer.into_body();
    let mut bytes = Vec::new();
    while let Some(part) = body.data().await {
        let part = part?;
        let _ = body.flow_control().release_capacity(part.len());
        bytes.extend_from_slice(&part);
    }
    let trailers = body.trailers().await?;
    let status = at_once.or_else(|| trailers?.get("grpc-status").cloned()).expect("a gRPC status");
    Ok((status.to_str().unwrap().parse().unwrap(), bytes.split_off(bytes.len().min(5))))
}

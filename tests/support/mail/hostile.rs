//! A mail server that does the worst thing at a chosen moment, and is a good one at all others. It keeps every byte that
//! it saw before TLS.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyrack::mail::Security;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

use super::certificates::{Certificates, Shown};

/// The nine moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Banner,
    Ehlo,
    StartTls,
    Handshake,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// After the final dot.
    Dot,
}

impl Phase {
    pub const ALL: [Self; 9] = [
        Self::Banner,
        Self::Ehlo,
        Self::StartTls,
        Self::Handshake,
        Self::Auth,
        Self::Mail,
        Self::Rcpt,
        Self::Data,
        Self::Dot,
    ];
}

/// What it does instead of the right thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Nothing, and holds the connection.
    Silence,
    Close,
    /// A byte at a time, and never an end.
    Drip,
    /// A reply of ever more lines.
    Endless,
    /// A line of ever more bytes.
    HugeLine,
    /// Bytes that are no reply.
    Garbage,
    /// The right thing, when nobody waits for it any more.
    Late,
    /// This, and goes on as if nothing had been.
    Say(&'static str),
}

/// How late [`Deed::Late`] is.
pub const LATE: Duration = Duration::from_secs(3);

/// How it behaves.
#[derive(Clone, Copy, Debug)]
pub struct Script {
    pub security: Security,
    pub shown: Shown,
    /// Does this deed, that many times.
    pub deed: Option<(Phase, Deed, usize)>,
    /// What it offers besides STARTTLS and AUTH.
    pub offers: &'static str,
    /// Ends a session after so many letters, without a word.
    pub letters_per_session: usize,
}

impl Script {
    pub fn good(security: Security) -> Self {
        Self {
            security,
            shown: Shown::Right,
            deed: None,
            offers: "8BITMIME",
            letters_per_session: usize::MAX,
        }
    }

    /// Once does the deed, then is good for ever.
    pub fn once(security: Security, phase: Phase, deed: Deed) -> Self {
        Self { deed: Some((phase, deed, 1)), ..Self::good(security) }
    }

    pub fn always(security: Security, phase: Phase, deed: Deed) -> Self {
        Self { deed: Some((phase, deed, usize::MAX)), ..Self::good(security) }
    }
}

/// The server. It goes on in the test's runtime and ends with it.
pub struct Hostile {
    pub port: u16,
    inner: Arc<Inner>,
}

struct Inner {
    script: Script,
    acceptor: TlsAcceptor,
    done: AtomicUsize,
    connections: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
    plain: Mutex<Vec<u8>>,
    commands: Mutex<Vec<String>>,
    letters: Mutex<Vec<String>>,
}

impl Hostile {
    pub async fn start(script: Script, certificates: &Certificates) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let inner = Arc::new(Inner {
            script,
            acceptor: acceptor(certificates, script.shown),
            done: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
            plain: Mutex::default(),
            commands: Mutex::default(),
            letters: Mutex::default(),
        });
        let server = Arc::clone(&inner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = Arc::clone(&server);
                tokio::spawn(async move {
                    server.connections.fetch_add(1, Ordering::SeqCst);
                    let open = server.open.fetch_add(1, Ordering::SeqCst) + 1;
                    server.most_open.fetch_max(open, Ordering::SeqCst);
                    server.connection(stream).await;
                    server.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { port, inner }
    }

    pub fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::SeqCst)
    }

    /// The most connections that were open at a time.
    pub fn most_open(&self) -> usize {
        self.inner.most_open.load(Ordering::SeqCst)
    }

    pub fn open(&self) -> usize {
        self.inner.open.load(Ordering::SeqCst)
    }

    /// Every byte that came before TLS, whatever the connection.
    pub fn plain(&self) -> Vec<u8> {
        self.inner.plain.lock().unwrap().clone()
    }

    /// Every command, before and behind TLS.
    pub fn commands(&self) -> Vec<String> {
        self.inner.commands.lock().unwrap().clone()
    }

    /// Every letter up to its final dot, whether it was answered or not; dots unstuffed.
    pub fn letters(&self) -> Vec<String> {
        self.inner.letters.lock().unwrap().clone()
    }
}

/// A side of a conversation.
struct Line<S> {
    stream: S,
    unread: Vec<u8>,
    secured: bool,
}

/// The connection is over.
struct Over;

impl Inner {
    async fn connection(&self, stream: TcpStream) {
        let security = self.script.security;
        if security == Security::Wrapper {
            self.encrypted(stream, true).await;
            return;
        }
        let mut line = Line { stream, unread: Vec::new(), secured: false };
        if let Ok(true) = self.session(&mut line, true).await {
            self.encrypted(line.stream, false).await;
        }
    }

    async fn encrypted(&self, stream: TcpStream, greet: bool) {
        if self.turn(Phase::Handshake).is_some() {
            let mut line = Line { stream, unread: Vec::new(), secured: false };
            let _ = self.misbehave(&mut line, Phase::Handshake).await;
            return;
        }
        if let Ok(stream) = self.acceptor.accept(stream).await {
            let mut line = Line { stream, unread: Vec::new(), secured: true };
            let _ = self.session(&mut line, greet).await;
        }
    }

    /// The deed, if its moment is now.
    fn turn(&self, phase: Phase) -> Option<Deed> {
        let (at, deed, times) = self.script.deed?;
        (at == phase && self.done.load(Ordering::SeqCst) < times).then_some(deed)
    }

    /// Says `right`, unless now is the moment for something else.
    async fn answer<S>(&self, line: &mut Line<S>, phase: Phase, right: &str) -> Result<bool, Over>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match self.turn(phase) {
            None => {}
            Some(Deed::Late) => {
                self.done.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(LATE).await;
            }
            Some(_) => {
                self.misbehave(line, phase).await?;
                return Ok(false);
            }
        }
        line.say(right.as_bytes()).await?;
        Ok(true)
    }

    async fn misbehave<S>(&self, line: &mut Line<S>, phase: Phase) -> Result<(), Over>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(deed) = self.turn(phase) else { return Ok(()) };
        self.done.fetch_add(1, Ordering::SeqCst);
        match deed {
            Deed::Silence => while line.line(self).await.is_ok() {},
            // Late is an answer's affair; where there is none, it is too late.
            Deed::Close | Deed::Late => {}
            Deed::Drip => {
                for byte in b"250-a very long answer, ".iter().cycle() {
                    line.say(&[*byte]).await?;
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
            Deed::Endless => loop {
                line.say(&b"250-again and again\r\n".repeat(100)).await?;
            },
            Deed::HugeLine => loop {
                line.say(&[b'2'; 10_000]).await?;
            },
            Deed::Garbage => line.say(b"\x16\x03\xff\0\0\xfe\r\n\r\n\xff\xff{\"a\":1}\r\n").await?,
            Deed::Say(text) => {
                line.say(text.as_bytes()).await?;
                // With 421 it takes its leave.
                if !text.starts_with("421") {
                    return Ok(());
                }
            }
        }
        Err(Over)
    }

    /// One session; `true` if TLS is to begin on this stream.
    async fn session<S>(&self, line: &mut Line<S>, greet: bool) -> Result<bool, Over>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let starttls = self.script.security == Security::StartTls && !line.secured;
        if greet {
            self.answer(line, Phase::Banner, "220 hostile.example ESMTP\r\n").await?;
        }
        let mut letters = 0;
        loop {
            let command = line.line(self).await?;
            self.commands.lock().unwrap().push(command.clone());
            let word = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match word.as_str() {
                "EHLO" => {
                    let offers = if starttls { "STARTTLS" } else { "AUTH PLAIN LOGIN" };
                    let right =
                        format!("250-hostile.example\r\n250-{offers}\r\n250 {}\r\n", self.script.offers);
                    self.answer(line, Phase::Ehlo, &right).await?;
                }
                "STARTTLS" => {
                    if self.answer(line, Phase::StartTls, "220 go ahead\r\n").await? {
                        return Ok(true);
                    }
                }
                "AUTH" => {
                    self.answer(line, Phase::Auth, "235 2.7.0 welcome\r\n").await?;
                }
                "MAIL" => {
                    self.answer(line, Phase::Mail, "250 sender ok\r\n").await?;
                }
                "RCPT" => {
                    self.answer(line, Phase::Rcpt, "250 recipient ok\r\n").await?;
                }
                "DATA" => {
                    if !self.answer(line, Phase::Data, "354 go ahead\r\n").await? {
                        continue;
                    }
                    let letter = line.letter(self).await?;
                    self.letters.lock().unwrap().push(letter);
                    self.answer(line, Phase::Dot, "250 2.0.0 queued as 42\r\n").await?;
                    letters += 1;
                    if letters >= self.script.letters_per_session {
                        return Err(Over);
                    }
                }
                "QUIT" => {
                    line.say(b"221 bye\r\n").await?;
                    return Err(Over);
                }
                "RSET" | "NOOP" => line.say(b"250 ok\r\n").await?,
                _ => line.say(b"500 what?\r\n").await?,
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    async fn say(&mut self, bytes: &[u8]) -> Result<(), Over> {
        self.stream.write_all(bytes).await.map_err(|_| Over)?;
        self.stream.flush().await.map_err(|_| Over)
    }

    async fn line(&mut self, server: &Inner) -> Result<String, Over> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.unread.drain(..end + 2).collect::<Vec<u8>>();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            let mut chunk = [0; 4096];
            let read = self.stream.read(&mut chunk).await.map_err(|_| Over)?;
            if !self.secured {
                server.plain.lock().unwrap().extend_from_slice(&chunk[..read]);
            }
            if read == 0 {
                return Err(Over);
            }
            self.unread.extend_from_slice(&chunk[..read]);
        }
    }

    /// The lines up to the final dot.
    async fn letter(&mut self, server: &Inner) -> Result<String, Over> {
        let mut letter = String::new();
        loop {
            let line = self.line(server).await?;
            if line == "." {
                return Ok(letter);
            }
            letter.push_str(line.strip_prefix('.').unwrap_or(&line));
            letter.push_str("\r\n");
        }
    }
}

fn acceptor(certificates: &Certificates, shown: Shown) -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(certificates.certificate(shown)).unwrap();
    let key = PrivateKeyDer::from_pem_file(certificates.key(shown)).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.map(Result::unwrap).collect(), key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

//! From nothing to a session: look up, connect, greet, encrypt, greet again, log in.

use std::net::SocketAddr;

use lettre::transport::smtp::commands::{Ehlo, Starttls};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::client::TlsStream;

use super::session::{Offers, Session, Wire};
use super::talk::{Broken, Reply, Talk};
use super::{Security, Smtp, login, tls};

impl Smtp {
    /// Opens a session that is ready for a letter. What goes wrong is told in words.
    pub(super) async fn connect(&self, until: Instant) -> Result<Session, String> {
        let settings = &self.inner.settings;
        let patience = &settings.patience;
        let stream = self.dial(until.min(Instant::now() + patience.connect)).await?;
        let by = until.min(Instant::now() + patience.hello);
        let (mut talk, offers, secured): (Talk<Box<dyn Wire>>, _, _) = match settings.security {
            Security::PlainLoopback => {
                let mut talk = Talk::new(stream);
                greeting(&mut talk, by).await?;
                let offers = self.hello(&mut talk, by).await?;
                (rewrap(talk)?, offers, None)
            }
            Security::StartTls => {
                let mut talk = Talk::new(stream);
                greeting(&mut talk, by).await?;
                if !self.hello(&mut talk, by).await?.starttls {
                    return Err(
                        "it offers no STARTTLS; nothing was sent, because it would go in plain text".into()
                    );
                }
                done(talk.say(&Starttls.to_string(), by).await, "STARTTLS")?;
                let stream = talk.into_stream().map_err(|broken| format!("STARTTLS: {broken}"))?;
                let stream = self.encrypt(stream, by).await?;
                let secured = version(&stream);
                let mut talk = Talk::new(stream);
                // What was offered in plain text counts for nothing (RFC 3207, 4.2).
                let offers = self.hello(&mut talk, by).await?;
                (rewrap(talk)?, offers, Some(secured))
            }
            Security::Wrapper => {
                let stream = self.encrypt(stream, by).await?;
                let secured = version(&stream);
                let mut talk = Talk::new(stream);
                greeting(&mut talk, by).await?;
                let offers = self.hello(&mut talk, by).await?;
                (rewrap(talk)?, offers, Some(secured))
            }
        };
        if let Some((user, password)) = &settings.login {
            let by = until.min(Instant::now() + patience.login);
            login::log_in(&mut talk, &offers, user, password, by).await?;
        }
        Ok(Session::new(talk, offers, secured))
    }

    /// Connects to the first of the host's addresses that answers.
    async fn dial(&self, by: Instant) -> Result<TcpStream, String> {
        let settings = &self.inner.settings;
        let found = timeout_at(by, lookup_host((settings.host.as_str(), settings.port)))
            .await
            .map_err(|_| "its name could not be looked up in time".to_owned())?
            .map_err(|error| format!("its name could not be looked up: {error}"))?;
        let addresses: Vec<SocketAddr> = found.collect();
        if settings.security == Security::PlainLoopback
            && !addresses.iter().all(|address| address.ip().to_canonical().is_loopback())
        {
            return Err(
                "plain text is allowed only on this machine, and that is another one: use STARTTLS or TLS"
                    .into(),
            );
        }
        let mut why = "it has no address".to_owned();
        for (i, address) in addresses.iter().enumerate() {
            // Each address gets its share, so that one that swallows everything does not hide the others.
            let left = u32::try_from(addresses.len() - i).unwrap_or(u32::MAX);
            let share = by.saturating_duration_since(Instant::now()) / left;
            match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Commands are small, and each waits for its answer. If it can't be set, it is only slower.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => why = format!("{address}: {error}"),
                Err(_) => why = format!("{address}: no answer"),
            }
        }
        Err(format!("no connection to {why}"))
    }

    async fn encrypt(&self, stream: TcpStream, by: Instant) -> Result<TlsStream<TcpStream>, String> {
        let Some(connector) = &self.inner.tls else { return Err("TLS was not set up".into()) };
        let name = tls::name(&self.inner.settings.host)?;
        timeout_at(by, connector.connect(name, stream))
            .await
            .map_err(|_| format!("TLS: {}", Broken::Silent))?
            .map_err(|error| format!("TLS: {}", tls::words(&error)))
    }

    async fn hello<S: Wire>(&self, talk: &mut Talk<S>, by: Instant) -> Result<Offers, String> {
        let command = Ehlo::new(self.inner.hello.clone()).to_string();
        done(talk.say(&command, by).await, "EHLO").map(|reply| Offers::read(&reply))
    }
}

async fn greeting<S: Wire>(talk: &mut Talk<S>, by: Instant) -> Result<(), String> {
    done(talk.hear(by).await, "greeting").map(|_| ())
}

/// A reply of 2yz, or what was said instead.
fn done(reply: Result<Reply, Broken>, phase: &str) -> Result<Reply, String> {
    match reply {
        Ok(reply) if reply.is_done() => Ok(reply),
        Ok(reply) => Err(format!("{phase}: {}", reply.words())),
        Err(broken) => Err(format!("{phase}: {broken}")),
    }
}

fn rewrap<S: Wire + 'static>(talk: Talk<S>) -> Result<Talk<Box<dyn Wire>>, String> {
    let stream = talk.into_stream().map_err(|broken| format!("EHLO: {broken}"))?;
    Ok(Talk::new(Box::new(stream)))
}

fn version(stream: &TlsStream<TcpStream>) -> &'static str {
    use tokio_rustls::rustls::ProtocolVersion as V;
    match stream.get_ref().1.protocol_version() {
        Some(V::TLSv1_2) => "TLS 1.2",
        _ => "TLS 1.3",
    }
}

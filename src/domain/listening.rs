//! Where a gate listens: at an address, or at a socket in the file system. And whose word it believes.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ipnet::IpNet;

use super::network::{NetworkError, parse_network};

/// How a socket's place begins.
const SOCKET: &str = "unix:";
/// The system takes no longer path of a socket.
const PATH_MAX: usize = 107;

/// A place to listen at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ListenPlace {
    Address(SocketAddr),
    Socket(PathBuf),
}

/// Why a place was refused. Goes on after the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListenPlaceError {
    #[error(
        "write an address and a port, as 127.0.0.1:8100 or [::1]:8100, or a socket, as unix:/run/keyrack/gate.sock"
    )]
    Form,
    #[error("write the whole path of the socket, as unix:/run/keyrack/gate.sock")]
    Relative,
    #[error("the path of a socket has at most {PATH_MAX} bytes")]
    TooLong,
}

impl ListenPlace {
    /// Its path, if it is a socket.
    pub fn socket(&self) -> Option<&Path> {
        match self {
            Self::Address(_) => None,
            Self::Socket(path) => Some(path),
        }
    }
}

impl FromStr for ListenPlace {
    type Err = ListenPlaceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some(path) = text.strip_prefix(SOCKET) else {
            return text.parse().map(Self::Address).map_err(|_| ListenPlaceError::Form);
        };
        let odd = |part: &str| part.is_empty() || part == "." || part == "..";
        match path.strip_prefix('/') {
            Some(rest) if path.len() > PATH_MAX && !rest.is_empty() => Err(ListenPlaceError::TooLong),
            Some(rest) if !rest.split('/').any(odd) => Ok(Self::Socket(path.into())),
            _ => Err(ListenPlaceError::Relative),
        }
    }
}

impl fmt::Display for ListenPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Socket(path) => write!(f, "{SOCKET}{}", path.display()),
        }
    }
}

/// Proxies whose word is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Believed {
    Network(IpNet),
    /// Whoever comes by a socket: the file system says who can.
    Sockets,
}

/// What stands for [`Believed::Sockets`].
const SOCKETS: &str = "unix";

impl FromStr for Believed {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == SOCKETS { Ok(Self::Sockets) } else { parse_network(text).map(Self::Network) }
    }
}

impl fmt::Display for Believed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Sockets => f.write_str(SOCKETS),
        }
    }
}

/// The rights of a socket, as `chmod` takes them. Who may write to it may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display)]
#[display("{_0:04o}")]
pub struct SocketMode(u32);

/// The text is no such rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write the rights as 0660, for its owner and its group, or 0600 or 0666")]
pub struct SocketModeError;

impl SocketMode {
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl Default for SocketMode {
    fn default() -> Self {
        Self(0o660)
    }
}

impl FromStr for SocketMode {
    type Err = SocketModeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = (3..=4).contains(&text.len()) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        let mode = u32::from_str_radix(text, 8)
            .ok()
            .filter(|mode| digits && *mode <= 0o777 && mode & 0o600 == 0o600);
        mode.map(Self).ok_or(SocketModeError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_address_or_the_whole_path_of_a_socket() {
        for text in ["127.0.0.1:8100", "[::1]:0", "unix:/run/keyrack/gate.sock", "unix:/gate"] {
            assert_eq!(text.parse::<ListenPlace>().unwrap().to_string(), text);
        }
        let of = |text: &str| text.parse::<ListenPlace>().unwrap_err();
        for text in
            ["unix:", "unix:gate.sock", "unix:/", "unix://run/gate.sock", "unix:/run/../x", "unix:/run/"]
        {
            assert_eq!(of(text), ListenPlaceError::Relative, "{text}");
        }
        for text in ["", "8100", "localhost:80", "/run/gate.sock", "UNIX:/run/gate"] {
            assert_eq!(of(text), ListenPlaceError::Form, "{text}");
        }
        assert_eq!(of(&format!("unix:/{}", "a".repeat(107))), ListenPlaceError::TooLong);
        assert!(format!("unix:/{}", "a".repeat(106)).parse::<ListenPlace>().is_ok());
    }

    #[test]
    fn rights_are_octal_and_leave_the_owner_his() {
        for (text, bits) in [("0660", 0o660), ("600", 0o600), ("0777", 0o777)] {
            assert_eq!(text.parse::<SocketMode>().map(SocketMode::bits), Ok(bits));
        }
        assert_eq!(SocketMode::default().to_string(), "0660");
        for text in ["", "66", "0860", "+660", "06600", "4660", "0060", "rw-rw----"] {
            assert_eq!(text.parse::<SocketMode>(), Err(SocketModeError), "{text}");
        }
    }

    #[test]
    fn sockets_are_believed_by_their_word_alone() {
        assert_eq!("unix".parse(), Ok(Believed::Sockets));
        assert_eq!("10.0.0.0/8".parse::<Believed>().unwrap().to_string(), "10.0.0.0/8");
        assert!("unix:/run/gate.sock".parse::<Believed>().is_err());
    }
}

//! How long a mail server is waited for.

use std::time::Duration;

/// How long the server may take for each phase, its whole answer included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// To answer RSET on a connection that was idle; one that does not is replaced.
    pub check: Duration,
    /// To look up the name and to connect.
    pub connect: Duration,
    /// From the connection to the last EHLO, TLS included.
    pub hello: Duration,
    /// To log in.
    pub login: Duration,
    pub mail: Duration,
    pub rcpt: Duration,
    /// To answer DATA. The letter itself may take whatever is left without `dot`.
    pub data: Duration,
    /// With less than this left of the whole, the final dot is not sent; once it is, all that is left is waited for.
    pub dot: Duration,
    /// For all of it together.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            check: seconds(1),
            connect: seconds(4),
            hello: seconds(6),
            login: seconds(3),
            mail: seconds(2),
            rcpt: seconds(3),
            data: seconds(2),
            dot: seconds(8),
            whole: Duration::from_millis(29_500),
        }
    }
}

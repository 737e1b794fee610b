//! A connection that stays open: one request at a time over HTTP/1.1. Reads answers that say how long they are, as all
//! of ours do, and no others.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

const TIMEOUT: Duration = Duration::from_secs(30);
/// Longer answers are none of ours.
const MAX_BYTES: usize = 1 << 20;

/// An open connection.
pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Connection {
    /// Connects to `host:port`.
    pub(crate) fn open(to: &str) -> Result<Self> {
        let stream = TcpStream::connect(to).context("cannot connect")?;
        stream.set_nodelay(true).context("cannot set the connection up")?;
        stream
            .set_read_timeout(Some(TIMEOUT))
            .context("cannot set the connection up")?;
        Ok(Self {
            stream,
            host: to.to_owned(),
            buffer: Vec::with_capacity(4_096),
        })
    }

    /// Posts JSON and waits for the whole answer.
    pub(crate) fn post(&mut self, path: &str, (api_key, once): (&str, &str), body: &str) -> Result<Answer> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {api_key}\r\nIdempotency-Key: {once}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).context("cannot send")?;
        let (head, status, length) = loop {
            if let Some(found) = head_of(&self.buffer)? {
                break found;
            }
            self.read_more()?;
        };
        while self.buffer.len() < head + length {
            self.read_more()?;
        }
        let body = String::from_utf8_lossy(&self.buffer[head..head + length]).into_owned();
        self.buffer.drain(..head + length);
        Ok(Answer { status, body })
    }

    fn read_more(&mut self) -> Result<()> {
        let mut piece = [0; 4_096];
        let count = self.stream.read(&mut piece).context("cannot read the answer")?;
        if count == 0 {
            bail!("the connection ended before the answer did");
        }
        self.buffer.extend_from_slice(&piece[..count]);
        Ok(())
    }
}

/// Where the body begins, the status and the body's length, once the whole head is there.
fn head_of(buffer: &[u8]) -> Result<Option<(usize, u16, usize)>> {
    let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&buffer[..end]);
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let status = status.context("the answer has no status")?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    let length = length.context("the answer does not say how long it is")?;
    if length > MAX_BYTES {
        bail!("an answer of {length} bytes");
    }
    Ok(Some((end + 4, status, length)))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        assert_eq!(head_of(b"HTTP/1.1 201 Created\r\nContent-Length: 2").unwrap(), None);
        let whole = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(head_of(whole).unwrap(), Some((whole.len() - 2, 201, 2)));
        assert!(head_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(head_of(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n").is_err());
    }

    #[test]
    fn answers_follow_each_other_on_one_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut seen = Vec::new();
            for answer in ["{\"id\":1}", "{\"id\":22}"] {
                let mut piece = [0; 4_096];
                let count = stream.read(&mut piece).unwrap();
                seen.push(String::from_utf8_lossy(&piece[..count]).into_owned());
                // in two pieces, cut in the middle of the head
                stream.write_all(b"HTTP/1.1 201 Created\r\nConte").unwrap();
                stream.flush().unwrap();
                let rest = format!("nt-Length: {}\r\n\r\n{answer}", answer.len());
                stream.write_all(rest.as_bytes()).unwrap();
            }
            seen
        });
        let mut connection = Connection::open(&to).unwrap();
        for (once, body) in [("k1", "{\"id\":1}"), ("k2", "{\"id\":22}")] {
            let answer = connection.post("/api/orders", ("sk", once), "{}").unwrap();
            assert_eq!(
                answer,
                Answer {
                    status: 201,
                    body: body.to_owned()
                }
            );
        }
        let seen = server.join().unwrap();
        assert!(seen[0].contains("Idempotency-Key: k1\r\n") && seen[0].ends_with("\r\n\r\n{}"));
        assert!(seen[1].contains("Authorization: Bearer sk\r\n") && seen[1].contains("Idempotency-Key: k2\r\n"));
    }
}

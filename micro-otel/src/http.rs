//! How exports are sent: HTTP, blocking, from the threads that OpenTelemetry has for its batches.

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};

/// A small client, with TLS by the roots of Mozilla. Timeouts are the exporter's.
#[derive(Debug)]
pub(crate) struct Post(ureq::Agent);

/// How much of an answer is read: it is empty, or says what was refused.
const ANSWER: u64 = 64 * 1024;

impl Post {
    pub(crate) fn new(timeout: std::time::Duration) -> Self {
        let config = ureq::Agent::config_builder();
        // What is not a success is for the exporter to judge.
        let config = config.http_status_as_error(false).timeout_global(Some(timeout));
        Post(config.build().into())
    }
}

#[async_trait::async_trait]
impl HttpClient for Post {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let answer = self.0.run(Request::from_parts(parts, &body[..]))?;
        let (parts, mut body) = answer.into_parts();
        let body = body.with_config().limit(ANSWER).read_to_vec()?;
        Ok(Response::from_parts(parts, body.into()))
    }
}

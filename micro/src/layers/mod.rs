//! Middleware that services need and tower lacks. For what tower has, see [`tower`].
//!
//! A layer goes around all endpoints of a service by [`ServiceBuilder::layer`](crate::ServiceBuilder::layer), and around
//! all calls of a client by [`Client::layer`](crate::Client::layer).

mod breaker;
mod early;

pub use breaker::{CircuitBreaker, CircuitBreakerLayer, CircuitBreakerOptions, CircuitState};
pub use early::{EarlyAnswer, EarlyAnswerLayer, early_answer};

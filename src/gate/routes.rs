//! Which handler a request goes to.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Extension;
use axum::http::{Request, Response, StatusCode};
use axum::routing::{get, post};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch::Receiver;

use super::door::Door;
use super::{answer, auth, direct, health, leaks, openapi, watch};

/// The handlers behind one listener. Cheap to clone.
#[derive(Clone)]
pub struct Routes {
    /// Where proxies may ask. They ask for every request of everybody: these paths are compared here, without the
    /// router.
    proxies: Option<Arc<Door>>,
    others: TowerToHyperService<Router>,
}

impl Routes {
    /// The way in for requests; with the operators' endpoints where they have no address of their own.
    pub fn requests(door: &Arc<Door>, stop: &Receiver<bool>, operators: bool) -> Self {
        let router = Router::new()
            .route("/api/v1/me", get(direct::me))
            .route("/api/v1/watch", get(watch::watch))
            .route("/leaks/github", post(leaks::github))
            .route("/leaks/revoke", post(leaks::revoke))
            .route("/openapi.json", get(openapi::document))
            .fallback(nothing)
            .method_not_allowed_fallback(wrong_method)
            .layer(Extension(watch::Stop(stop.clone())))
            .with_state(Arc::clone(door))
            .merge(verdicts(door));
        let router = if operators { router.merge(operation(door)) } else { router };
        Self { proxies: Some(Arc::clone(door)), others: TowerToHyperService::new(router) }
    }

    /// The way in for operators alone, and for services that ask about keys.
    pub fn operators(door: &Arc<Door>) -> Self {
        let router = operation(door).merge(verdicts(door)).fallback(nothing);
        Self {
            proxies: None,
            others: TowerToHyperService::new(router.method_not_allowed_fallback(wrong_method)),
        }
    }

    /// Whether this is the operators' own way in.
    pub fn are_apart(&self) -> bool {
        self.proxies.is_none()
    }

    /// Answers a request. A proxy may ask with whatever method its client used.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        match (&self.proxies, request.uri().path()) {
            (Some(door), "/auth") => auth::forwarded(door, request).await,
            (Some(door), "/auth/nginx") => auth::nginx(door, request).await,
            (Some(door), "/auth/ingress-nginx") => auth::ingress(door, request).await,
            (Some(door), path) if path.starts_with("/auth/") => auth::below(door, request).await,
            _ => {
                // In a box: most requests never come here, and would carry the room for it about.
                let answer: Result<_, Infallible> = Box::pin(self.others.call(request)).await;
                let Ok(answer) = answer;
                answer
            }
        }
    }
}

fn operation(door: &Arc<Door>) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .with_state(Arc::clone(door))
}

fn verdicts(door: &Arc<Door>) -> Router {
    Router::new().route("/api/v1/verify", post(direct::verify)).with_state(Arc::clone(door))
}

async fn nothing() -> Response<Body> {
    answer::error(StatusCode::NOT_FOUND, "not_found", "There is nothing at this path.")
}

async fn wrong_method() -> Response<Body> {
    answer::error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This path takes another method.")
}

//! Middleware around the endpoints, with its types erased.

use micro_core::{Request, Response, Router, Status};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Layer, ServiceExt};

/// The endpoints of a service, as a layer gets them.
pub type Routes = BoxCloneSyncService<Request, Response, Status>;

type Wrap = Box<dyn FnOnce(Routes) -> Routes + Send>;

/// Layers to be put around the endpoints, innermost first.
#[derive(Default)]
pub(super) struct Layers(Vec<Wrap>);

impl Layers {
    pub(super) fn push<L>(&mut self, layer: L)
    where
        L: Layer<Routes> + Send + 'static,
        L::Service: tower::Service<Request, Response = Response> + Clone + Send + Sync + 'static,
        <L::Service as tower::Service<Request>>::Error: Into<BoxError> + 'static,
        <L::Service as tower::Service<Request>>::Future: Send + 'static,
    {
        self.0.push(Box::new(move |routes| {
            BoxCloneSyncService::new(layer.layer(routes).map_err(|error| Status::from(error.into())))
        }));
    }

    pub(super) fn wrap(self, router: Router) -> Routes {
        let routes = BoxCloneSyncService::new(router);
        self.0.into_iter().fold(routes, |routes, wrap| wrap(routes))
    }
}

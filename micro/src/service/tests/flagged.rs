//! Flags, by what they do to a service that runs.

use super::registration::Moody;
use super::*;
use crate::flags::{BackendFlags, try_parse};

fn flagged(args: &[&str]) -> ServiceBuilder {
    Service::try_from_args("caller", [&["caller"], args].concat()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn ttl_and_interval_reach_the_registry() {
    let moody = Arc::new(Moody::default());
    let builder = flagged(&["--register_ttl=4", "--register_interval=1500ms"]);
    let _service = builder.registry(moody.clone()).start().await.unwrap();
    tokio::time::sleep(Duration::from_millis(3100)).await;
    assert_eq!(*moody.registered.lock(), [Duration::from_secs(4); 3]);
}

#[tokio::test]
async fn the_selector_picks_the_nodes() {
    let world = World::default();
    let who = |id: &'static str| {
        let answer =
            move |_: Context, Json(()): Json<()>| async move { Ok::<_, Status>(Json(id.to_owned())) };
        world
            .service("greeter")
            .serve(Router::new().unary("Greeter.Who", answer))
            .start()
    };
    let _nodes = (who("a").await.unwrap(), who("b").await.unwrap());
    let caller = flagged(&["--selector=round_robin"])
        .transport(Arc::new(world.transport.clone()))
        .registry(Arc::new(world.registry.clone()))
        .start()
        .await
        .unwrap();
    let mut ids = Vec::new();
    for _ in 0..4 {
        let call = caller.client().unary("greeter", "Greeter.Who", Json(()));
        let Json(id): Json<String> = call.await.unwrap();
        ids.push(id);
    }
    assert!(
        ids[0] != ids[1] && ids[0] == ids[2] && ids[1] == ids[3],
        "{ids:?}"
    );
}

#[tokio::test]
async fn the_request_timeout_bounds_a_call() {
    let world = World::default();
    let never = |_: Context, Json(_): Json<String>| std::future::pending::<Result<Json<String>, Status>>();
    let router = Router::new().unary("Greeter.Hello", never);
    let _greeter = world.service("greeter").serve(router).start().await.unwrap();
    let caller = flagged(&["--client_request_timeout=20ms", "--client_retries=7"])
        .transport(Arc::new(world.transport.clone()))
        .registry(Arc::new(world.registry.clone()))
        .start()
        .await
        .unwrap();
    assert_eq!(
        call(&caller, "greeter").await.unwrap_err().code(),
        Code::DeadlineExceeded
    );
    assert_eq!(caller.client().options().retries, 7);
}

#[tokio::test]
async fn plugins_of_ones_own_are_opened_with_their_addresses() {
    let mut plugins = default_plugins();
    plugins
        .broker
        .register("mine", async |config: crate::PluginConfig| {
            assert_eq!(config.client_name.as_deref(), Some("greeter"));
            match &config.addresses[..] {
                [first, second] if (first.as_str(), second.as_str()) == ("a", "b") => {
                    Ok(Arc::new(MemoryBroker::new()) as Arc<dyn Broker>)
                }
                other => Err(Error::new(ErrorKind::InvalidArgument, format!("{other:?}"))),
            }
        });
    let args = ["greeter", "--broker=mine", "--broker-address=a,b"];
    let flags = try_parse::<Flags>("greeter", &plugins, args).unwrap();
    let builder = Service::builder("greeter").plugins(plugins).flags(flags);
    builder.start().await.unwrap().shutdown().await.unwrap();
}

#[tokio::test]
async fn a_program_that_serves_nothing_calls_and_has_no_flags_of_a_server() {
    let args = |args: &[&'static str]| try_parse::<BackendFlags>("caller", &default_plugins(), args.to_vec());
    let error = args(&["caller", "--server_name=x"]).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let world = [
        "caller",
        "--transport_address=flagged",
        "--registry_address=flagged",
    ];
    let backends = Backends::from_flags("caller", args(&world).unwrap())
        .await
        .unwrap();
    let builder = Service::try_from_args("greeter", world).unwrap().serve(greeter());
    let _greeter = builder.start().await.unwrap();
    let call = backends
        .client()
        .unary("greeter", "Greeter.Hello", Json("Ada".to_owned()));
    let Json(reply): Json<String> = call.await.unwrap();
    assert_eq!(reply, "Hello Ada");
}

//! Who is asked, in which order, and what an answer must look like.

use super::*;

#[tokio::test]
async fn the_first_endpoint_is_asked_while_it_answers() {
    let (a, b) = (
        Node::start(&[Reply::Number(1)]).await,
        Node::start(&[Reply::Number(2)]).await,
    );
    let list = list(&[&a, &b], &clock());
    for _ in 0..3 {
        assert_eq!(list.call(&request(), read).await.unwrap(), 1);
    }
    assert_eq!((a.hits(), b.hits()), (3, 0));
}

#[tokio::test]
async fn every_kind_of_failure_leads_to_the_next_endpoint() {
    let kinds = [
        Reply::Status(403),
        Reply::Status(404),
        Reply::Status(429),
        Reply::Status(500),
        Reply::Status(302),
        Reply::Status(204),
        Reply::Status(503),
        Reply::Text("{\"n\":"),
        Reply::Text("{}"),
        Reply::Text("<html>"),
        Reply::Text("{\"Error\":\"busy\"}"),
        Reply::Text(""),
        Reply::Truncated,
        Reply::Long(1_001),
    ];
    for kind in kinds {
        let (a, b) = (
            Node::start(std::slice::from_ref(&kind)).await,
            Node::start(&[Reply::Number(2)]).await,
        );
        let list = list(&[&a, &b], &clock());
        assert_eq!(list.call(&request(), read).await.unwrap(), 2, "{kind:?}");
        assert_eq!((a.hits(), b.hits()), (1, 1), "{kind:?}");
    }
}

#[tokio::test]
async fn a_slow_endpoint_is_left_after_its_time() {
    for kind in [Reply::Hang, Reply::HangInBody] {
        let (a, b) = (
            Node::start(std::slice::from_ref(&kind)).await,
            Node::start(&[Reply::Number(2)]).await,
        );
        let slow = EndpointConfig {
            timeout_ms: 50,
            ..config("a", &a.url)
        };
        let list = list_of(&[slow, config("b", &b.url)], &clock());
        let failure = list.attempts().next().unwrap().ask(&request(), read).await.unwrap_err();
        assert_eq!(failure, Failure::Timeout, "{kind:?}");
        assert!(!failure.nothing_was_sent());
        assert_eq!(list.call(&request(), read).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn a_body_is_read_up_to_its_bound_and_no_further() {
    let node = Node::start(&[Reply::Long(1_000), Reply::Long(1_001), Reply::Long(50_000_000)]).await;
    let list = list(&[&node], &clock());
    let length = |body: &[u8]| Ok(body.len());
    assert_eq!(list.call(&request(), length).await.unwrap(), 1_000);
    for _ in 0..2 {
        let endpoint = list.attempts().next().unwrap();
        assert_eq!(endpoint.ask(&request(), length).await, Err(Failure::TooLarge));
    }
}

#[tokio::test]
async fn a_refused_connection_means_that_nothing_was_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let b = Node::start(&[Reply::Number(2)]).await;
    let list = list_of(&[config("a", &url), config("b", &b.url)], &clock());
    let failure = list.attempts().next().unwrap().ask(&request(), read).await.unwrap_err();
    assert!(matches!(failure, Failure::Connect(_)), "{failure:?}");
    assert!(failure.nothing_was_sent());
    assert_eq!(list.call(&request(), read).await.unwrap(), 2);
}

#[tokio::test]
async fn a_call_tries_a_bounded_number_of_endpoints_each_once() {
    let bad = [Reply::Status(404)];
    let nodes = [
        Node::start(&bad).await,
        Node::start(&bad).await,
        Node::start(&bad).await,
        Node::start(&bad).await,
        Node::start(&[Reply::Number(5)]).await,
    ];
    let list = list(&nodes.each_ref(), &clock());
    let error = list.call(&request(), read).await.unwrap_err();
    assert_eq!(error.to_string(), "no endpoint of nile answered: d: HTTP status 404");
    assert_eq!(nodes.each_ref().map(Node::hits), [1, 1, 1, 1, 0]);
}

#[tokio::test]
async fn an_answer_without_use_is_told_from_no_answer() {
    let (a, b) = (
        Node::start(&[Reply::Status(500)]).await,
        Node::start(&[Reply::Text("{}")]).await,
    );
    let error = list(&[&a, &b], &clock()).call(&request(), read).await.unwrap_err();
    assert!(matches!(error, ChainError::Malformed { .. }));
    assert_eq!(error.to_string(), "unusable answer from nile: b: no n");
    let error = list(&[&b, &a], &clock()).call(&request(), read).await.unwrap_err();
    assert!(matches!(error, ChainError::Unavailable { .. }));
}

#[tokio::test]
async fn what_the_first_cannot_take_in_time_goes_to_the_next() {
    let (a, b) = (
        Node::start(&[Reply::Number(1)]).await,
        Node::start(&[Reply::Number(2)]).await,
    );
    let slow = EndpointConfig {
        requests_per_second: 1,
        ..config("a", &a.url)
    };
    let list = list_of(&[slow, config("b", &b.url)], &clock());
    let (question, mut sum) = (request(), 0);
    for answer in futures::future::join_all((0..10).map(|_| list.call(&question, read))).await {
        sum += answer.unwrap();
    }
    // In the two seconds that a call may wait, the first takes three at most.
    assert!((1..=4).contains(&a.hits()), "{}", a.hits());
    assert_eq!(a.hits() + b.hits(), 10);
    assert_eq!(sum, i64::try_from(a.hits() + 2 * b.hits()).unwrap());
    assert!(
        !list.endpoints[0].is_resting(),
        "our own limit says nothing about its health"
    );
}

#[tokio::test]
async fn solid_questions_go_to_the_solid_address_and_the_key_goes_along() {
    let (full, solid) = (
        Node::start(&[Reply::Number(1)]).await,
        Node::start(&[Reply::Number(2)]).await,
    );
    let config = EndpointConfig {
        solidity_url: Some(format!("{}/solid/", solid.url)),
        api_key: Some(ApiKey::new("key-1".to_owned())),
        ..config("a", &full.url)
    };
    let list = list_of(std::slice::from_ref(&config), &clock());
    let solid_request = Request {
        side: Side::Solid,
        path: "/walletsolidity/getnowblock",
        ..request()
    };
    assert_eq!(list.call(&request(), read).await.unwrap(), 1);
    assert_eq!(list.call(&solid_request, read).await.unwrap(), 2);
    assert_eq!(full.paths(), ["/wallet/getnowblock"]);
    assert_eq!(solid.paths(), ["/solid/walletsolidity/getnowblock"]);
    assert_eq!(full.header("tron-pro-api-key").unwrap(), "key-1");
    assert_eq!(solid.header("tron-pro-api-key").unwrap(), "key-1");
}

#[tokio::test]
async fn secrets_are_in_no_text() {
    let url = "http://127.0.0.1:1/token-in-path";
    let config = EndpointConfig {
        api_key: Some(ApiKey::new("key-1".to_owned())),
        ..config("a", url)
    };
    let list = list_of(std::slice::from_ref(&config), &clock());
    let error = list.call(&request(), read).await.unwrap_err();
    let shown = format!("{config:?} {list:?} {error:?} {error} {:?}", config.api_key);
    assert!(!shown.contains("token-in-path") && !shown.contains("key-1"), "{shown}");
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_refused() {
    let clock: Arc<dyn Clock> = clock();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let good = || config("a", "http://127.0.0.1:1");
    assert!(EndpointList::new("nile", &[good()], &clock).is_ok());
    let wrong = [
        vec![],
        vec![good(), good()],
        vec![config("a", "ftp://127.0.0.1")],
        vec![config("a", "127.0.0.1:8090")],
        vec![config("a", "http://127.0.0.1/?key=1")],
        vec![EndpointConfig {
            solidity_url: Some("nonsense".to_owned()),
            ..good()
        }],
        vec![EndpointConfig {
            api_key: Some(ApiKey::new("a\nb".to_owned())),
            ..good()
        }],
        vec![EndpointConfig {
            requests_per_second: 0,
            ..good()
        }],
        vec![EndpointConfig {
            timeout_ms: 0,
            ..good()
        }],
        vec![EndpointConfig {
            timeout_ms: 120_001,
            ..good()
        }],
    ];
    for configs in wrong {
        let error = EndpointList::new("nile", &configs, &clock).unwrap_err();
        assert!(!error.to_string().contains("a\nb"), "{error}");
    }
}

package main

import (
	"github.com/nats-io/nats.go"

	"go-micro.dev/v5/broker"
	natsbroker "go-micro.dev/v5/broker/nats"
	"go-micro.dev/v5/client"
	"go-micro.dev/v5/registry"
	natsregistry "go-micro.dev/v5/registry/nats"
	"go-micro.dev/v5/selector"
	"go-micro.dev/v5/server"
	"go-micro.dev/v5/transport"
	natstransport "go-micro.dev/v5/transport/nats"
)

// This file holds all in which the generations differ; the others differ in their imports only.

const generation = "v5.8.0"

func newTransport(url string) transport.Transport {
	return natstransport.NewTransport(transport.Addrs(url))
}

func newBroker(url string) broker.Broker {
	// Without options of its own, the broker forgets to reconnect as the others do.
	return natsbroker.NewNatsBroker(broker.Addrs(url), natsbroker.Options(nats.GetDefaultOptions()))
}

func newRegistry(url string) registry.Registry {
	return natsregistry.NewNatsRegistry(registry.Addrs(url))
}

func newClient(options ...client.Option) client.Client {
	return client.NewClient(options...)
}

func newServer(options ...server.Option) server.Server {
	return server.NewRPCServer(options...)
}

func newSelector(r registry.Registry) client.Option {
	return client.Selector(selector.NewSelector(selector.Registry(r)))
}

// A call is given up after its connection timeout, whatever its context says.
func connectionTimeout(o *client.CallOptions) {
	o.ConnectionTimeout = o.RequestTimeout
}

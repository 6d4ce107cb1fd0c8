package main

import (
	"github.com/nats-io/nats.go"

	natsbroker "github.com/micro/go-plugins/broker/nats/v2"
	natsregistry "github.com/micro/go-plugins/registry/nats/v2"
	natstransport "github.com/micro/go-plugins/transport/nats/v2"

	"github.com/micro/go-micro/v2/broker"
	natsoptions "github.com/micro/go-micro/v2/broker/nats"
	"github.com/micro/go-micro/v2/client"
	"github.com/micro/go-micro/v2/client/selector"
	"github.com/micro/go-micro/v2/registry"
	"github.com/micro/go-micro/v2/server"
	"github.com/micro/go-micro/v2/transport"
)

// This file holds all in which the generations differ; the others differ in their imports only.

const generation = "v2.9.1"

func newTransport(url string) transport.Transport {
	return natstransport.NewTransport(transport.Addrs(url))
}

func newBroker(url string) broker.Broker {
	// Without options of its own, the broker forgets to reconnect as the others do.
	return natsbroker.NewBroker(broker.Addrs(url), natsoptions.Options(nats.GetDefaultOptions()))
}

func newRegistry(url string) registry.Registry {
	return natsregistry.NewRegistry(registry.Addrs(url))
}

func newClient(options ...client.Option) client.Client {
	return client.NewClient(options...)
}

func newServer(options ...server.Option) server.Server {
	return server.NewServer(options...)
}

func newSelector(r registry.Registry) client.Option {
	return client.Selector(selector.NewSelector(selector.Registry(r)))
}

// This generation has no connection timeout: a call is given up with its context.
func connectionTimeout(*client.CallOptions) {}

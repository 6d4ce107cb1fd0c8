// A peer whose service and client are what protoc-gen-micro makes of gRPC's route guide. It understands the lines of
// ../README.md that are about the guide.
//
// The code of the package routeguide is generated when this is built; it is never written into this folder.
package main

import (
	"flag"
	"fmt"
	"os"

	"micro.example/interop/drive"
	"micro.example/interop/guide/routeguide"

	"go-micro.dev/v5/broker"
	natsbroker "go-micro.dev/v5/broker/nats"
	"go-micro.dev/v5/client"
	"go-micro.dev/v5/registry"
	natsregistry "go-micro.dev/v5/registry/nats"
	"go-micro.dev/v5/selector"
	"go-micro.dev/v5/transport"
	natstransport "go-micro.dev/v5/transport/nats"
)

type peer struct {
	*drive.Driver
	url      string
	registry registry.Registry
	clients  map[string]client.Client
}

func main() {
	url := flag.String("nats", "nats://127.0.0.1:4222", "the server to use")
	flag.Parse()
	p := &peer{
		Driver:   drive.New(answers()),
		url:      *url,
		registry: natsregistry.NewNatsRegistry(registry.Addrs(*url)),
		clients:  map[string]client.Client{},
	}
	// A generated client takes the content type of the client that it is given: the empty one stands for the default.
	for _, contentType := range []string{"", "application/json"} {
		p.clients[contentType] = p.newClient(contentType)
	}
	p.enterServe()
	p.enterCall()
	drive.On(p.Driver, "about", func(struct{}) (map[string]any, error) {
		return map[string]any{"generation": "v5.8.0, generated"}, nil
	})
	if err := p.Run(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// answers is where the driver writes. go-micro logs to standard output, which is not for its lines.
func answers() *os.File {
	out := os.Stdout
	os.Stdout = os.Stderr
	return out
}

func (p *peer) newClient(contentType string) client.Client {
	options := []client.Option{
		client.Transport(natstransport.NewTransport(transport.Addrs(p.url))),
		client.Broker(p.newBroker()),
		client.Registry(p.registry),
		client.Selector(selector.NewSelector(selector.Registry(p.registry))),
	}
	if contentType != "" {
		options = append(options, client.ContentType(contentType))
	}
	return client.NewClient(options...)
}

func (p *peer) newBroker() broker.Broker {
	return natsbroker.NewNatsBroker(broker.Addrs(p.url))
}

// guide is the generated client.
func (p *peer) guide(args callArgs) (routeguide.RouteGuideService, error) {
	c, known := p.clients[args.ContentType]
	if !known {
		return nil, fmt.Errorf("no client for %q", args.ContentType)
	}
	return routeguide.NewRouteGuideService(args.Service, c), nil
}

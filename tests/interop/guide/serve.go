package main

import (
	"errors"
	"time"

	"micro.example/interop/drive"
	"micro.example/interop/guide/routeguide"

	"go-micro.dev/v5/registry"
	natsregistry "go-micro.dev/v5/registry/nats"
	"go-micro.dev/v5/server"
	"go-micro.dev/v5/transport"
	natstransport "go-micro.dev/v5/transport/nats"
)

// How long a service may take until it is found.
const serveLimit = 10 * time.Second

type serveArgs struct {
	As       string                         `json:"as"`
	Name     string                         `json:"name"`
	Version  string                         `json:"version"`
	Features []message[*routeguide.Feature] `json:"features"`
}

func (p *peer) enterServe() {
	drive.On(p.Driver, "serve", p.serve)
}

// serve starts the guide; when it answers, it is registered.
func (p *peer) serve(args serveArgs) (map[string]any, error) {
	s := server.NewRPCServer(
		server.Name(args.Name),
		server.Version(args.Version),
		server.Transport(natstransport.NewTransport(transport.Addrs(p.url))),
		server.Broker(p.newBroker()),
		server.Registry(natsregistry.NewNatsRegistry(registry.Addrs(p.url))),
		server.RegisterTTL(90*time.Second),
		server.RegisterInterval(30*time.Second),
	)
	guide := &guide{notes: map[place][]*routeguide.RouteNote{}, recorded: func(summary *routeguide.RouteSummary) {
		p.Emit(args.As+".recorded", shown(summary))
	}}
	for _, feature := range args.Features {
		guide.features = append(guide.features, feature.it)
	}
	if err := routeguide.RegisterRouteGuideHandler(s, guide); err != nil {
		return nil, err
	}
	if err := s.Start(); err != nil {
		return nil, err
	}
	if err := p.untilFound(args.Name); err != nil {
		return nil, err
	}
	return map[string]any{"address": s.Options().Address, "id": s.Options().Name + "-" + s.Options().Id}, nil
}

// untilFound asks the registry, and then the service itself: go-micro says that it listens before the server knows.
func (p *peer) untilFound(name string) error {
	for limit := time.Now().Add(serveLimit); time.Now().Before(limit); {
		args := featureArgs{callArgs: callArgs{Service: name, TimeoutMS: 250}}
		args.Point.it = &routeguide.Point{}
		result, err := p.getFeature(args)
		if err != nil {
			return err
		}
		if result.Failed == nil {
			return nil
		}
	}
	return errors.New("the guide does not answer")
}

package main

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"micro.example/interop/drive"

	"go-micro.dev/v5/metadata"
	"go-micro.dev/v5/server"
)

// running is a service of this process.
type running struct {
	server server.Server
}

type serveArgs struct {
	As         string            `json:"as"`
	Name       string            `json:"name"`
	Version    string            `json:"version"`
	ID         string            `json:"id"`
	Address    string            `json:"address"`
	Metadata   map[string]string `json:"metadata"`
	IntervalMS int               `json:"interval_ms"`
	Topics     []topicArgs       `json:"topics"`
}

type topicArgs struct {
	Topic string `json:"topic"`
	Queue string `json:"queue"`
	Kind  string `json:"kind"`
}

func (p *peer) enterServe() {
	drive.On(p.Driver, "serve", p.serve)
	drive.On(p.Driver, "stop", func(args serveArgs) (any, error) {
		r, err := p.servers.take(args.As)
		if err != nil {
			return nil, err
		}
		return nil, r.server.Stop()
	})
}

// serve starts a service; when it answers, it is registered.
func (p *peer) serve(args serveArgs) (map[string]any, error) {
	s := newServer(p.serverOptions(args)...)
	handlers := []any{
		&Greeter{runs: map[string]int{}},
		&Raw{},
		&Pb{},
		&Shop{},
		&Talk{ended: func(how string) { p.Emit(args.As+".ended", how) }},
	}
	for _, handler := range handlers {
		if err := s.Handle(s.NewHandler(handler)); err != nil {
			return nil, err
		}
	}
	for _, topic := range args.Topics {
		if err := s.Subscribe(p.subscriber(s, args.As, topic)); err != nil {
			return nil, err
		}
	}
	if err := s.Start(); err != nil {
		return nil, err
	}
	p.servers.put(args.As, &running{server: s})
	if err := fenceBroker(s.Options().Broker); err != nil {
		return nil, err
	}
	address := s.Options().Address
	if err := p.fenceServer(args.Name, address); err != nil {
		return nil, err
	}
	return map[string]any{"address": address, "id": s.Options().Name + "-" + s.Options().Id}, nil
}

func (p *peer) serverOptions(args serveArgs) []server.Option {
	options := []server.Option{
		server.Name(args.Name),
		server.Transport(newTransport(p.url)),
		server.Broker(newBroker(p.url)),
		server.Registry(newRegistry(p.url)),
		server.RegisterTTL(90 * time.Second),
		server.RegisterInterval(30 * time.Second),
	}
	if args.Version != "" {
		options = append(options, server.Version(args.Version))
	}
	if args.ID != "" {
		options = append(options, server.Id(args.ID))
	}
	if args.Address != "" {
		options = append(options, server.Address(args.Address))
	}
	if args.Metadata != nil {
		options = append(options, server.Metadata(args.Metadata))
	}
	if args.IntervalMS > 0 {
		options = append(options, server.RegisterInterval(time.Duration(args.IntervalMS)*time.Millisecond))
	}
	return options
}

// subscriber tells of each event that was decoded for it.
func (p *peer) subscriber(s server.Server, as string, args topicArgs) server.Subscriber {
	options := []server.SubscriberOption{}
	if args.Queue != "" {
		options = append(options, server.SubscriberQueue(args.Queue))
	}
	told := func(ctx context.Context, body any) error {
		md, _ := metadata.FromContext(ctx)
		p.Emit(as+".event", map[string]any{"topic": args.Topic, "metadata": md, "body": body})
		return nil
	}
	if args.Kind == "pb" {
		return s.NewSubscriber(args.Topic, func(ctx context.Context, e *wrapperspb.StringValue) error {
			return told(ctx, e.Value)
		}, options...)
	}
	return s.NewSubscriber(args.Topic, func(ctx context.Context, e *HelloRequest) error {
		return told(ctx, e)
	}, options...)
}

// A go-micro service, with nothing about it that knows of Rust: `go-greeter`, until Ctrl-C.
package main

import (
	"context"
	"log"

	"go-micro.dev/v5"
	natsbroker "go-micro.dev/v5/broker/nats"
	natsregistry "go-micro.dev/v5/registry/nats"
	"go-micro.dev/v5/server"
	natstransport "go-micro.dev/v5/transport/nats"
)

type HelloRequest struct {
	Name string `json:"name"`
}

type HelloReply struct {
	Message string `json:"message"`
}

type CountRequest struct {
	To uint32 `json:"to"`
}

type Greeter struct{}

func (g *Greeter) Hello(ctx context.Context, req *HelloRequest, rsp *HelloReply) error {
	rsp.Message = "Hello, " + req.Name + ", from Go!"
	return nil
}

func (g *Greeter) Count(ctx context.Context, stream server.Stream) error {
	var req CountRequest
	if err := stream.Recv(&req); err != nil {
		return err
	}
	for n := uint32(1); n <= req.To; n++ {
		if err := stream.Send(n); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	service := micro.NewService(
		micro.Name("go-greeter"),
		micro.Transport(natstransport.NewTransport()),
		micro.Broker(natsbroker.NewNatsBroker()),
		micro.Registry(natsregistry.NewNatsRegistry()),
	)
	if err := micro.RegisterHandler(service.Server(), new(Greeter)); err != nil {
		log.Fatal(err)
	}
	if err := service.Run(); err != nil {
		log.Fatal(err)
	}
}

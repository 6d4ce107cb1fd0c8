// A go-micro client, with nothing about it that knows of Rust: it calls the greeter and tells whoever listens.
package main

import (
	"context"
	"fmt"
	"log"

	"go-micro.dev/v5/broker/nats"
	"go-micro.dev/v5/client"
	natsregistry "go-micro.dev/v5/registry/nats"
	"go-micro.dev/v5/selector"
	natstransport "go-micro.dev/v5/transport/nats"
)

type Hello struct {
	Name string `json:"name"`
}

type Reply struct {
	Message string `json:"message"`
}

func main() {
	registry, broker := natsregistry.NewNatsRegistry(), nats.NewNatsBroker()
	c := client.NewClient(
		client.Transport(natstransport.NewTransport()),
		client.Broker(broker),
		client.Registry(registry),
		client.Selector(selector.NewSelector(selector.Registry(registry))),
		client.ContentType("application/json"),
	)
	var reply Reply
	request := c.NewRequest("greeter", "Greeter.Hello", &Hello{Name: "Gopher"})
	if err := c.Call(context.Background(), request, &reply); err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Message)
	if err := c.Publish(context.Background(), c.NewMessage("greetings", &Hello{Name: "Gopher"})); err != nil {
		log.Fatal(err)
	}
	// What is on its way would end with the program.
	if err := broker.Disconnect(); err != nil {
		log.Fatal(err)
	}
}

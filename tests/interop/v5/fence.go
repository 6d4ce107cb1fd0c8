package main

import (
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"go-micro.dev/v5/broker"
)

// go-micro says that it listens before the server knows of it. Whoever asks at once would not be heard, and a test
// would fail now and then, so what a peer answers is fenced: it has happened at the server too.

const fenceLimit = 5 * time.Second

var fences atomic.Uint64

// fenceBroker waits until the server knows what this broker has subscribed to: what it subscribes to last, it hears.
func fenceBroker(b broker.Broker) error {
	topic := "fence." + strconv.FormatInt(time.Now().UnixNano(), 36) + "." + strconv.FormatUint(fences.Add(1), 36)
	heard := make(chan struct{}, 1)
	subscription, err := b.Subscribe(topic, func(broker.Event) error {
		heard <- struct{}{}
		return nil
	})
	if err != nil {
		return err
	}
	defer subscription.Unsubscribe()
	if err := b.Publish(topic, &broker.Message{Header: map[string]string{}}); err != nil {
		return err
	}
	select {
	case <-heard:
		return nil
	case <-time.After(fenceLimit):
		return errors.New("the broker does not hear itself")
	}
}

// fenceRegistry waits for a query of its own, which takes the registry a tenth of a second.
func (p *peer) fenceRegistry() {
	p.registry.GetService("fence")
}

// fenceServer calls the service until it is there, and looks for it until it is found.
func (p *peer) fenceServer(name, address string) error {
	hello := callArgs{Service: name, Endpoint: "Greeter.Hello", Body: []byte("{}"), Address: address, TimeoutMS: 250}
	for limit := time.Now().Add(fenceLimit); time.Now().Before(limit); {
		result, err := p.call(hello)
		if err != nil {
			return err
		}
		if result.Failed != nil {
			continue
		}
		if found, err := p.registry.GetService(name); err == nil && len(found) > 0 {
			return nil
		}
	}
	return errors.New("the service does not answer")
}

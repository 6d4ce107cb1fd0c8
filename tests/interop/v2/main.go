// A go-micro peer: a service and a client that are told what to do by lines on standard input.
//
// See ../README.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"

	"micro.example/interop/drive"

	"github.com/micro/go-micro/v2/broker"
	"github.com/micro/go-micro/v2/client"
	"github.com/micro/go-micro/v2/codec/json"
	"github.com/micro/go-micro/v2/registry"
)

// peer is one process of a fleet: what it calls with, what it serves, what it listens to.
type peer struct {
	*drive.Driver
	url      string
	client   client.Client
	broker   broker.Broker
	registry registry.Registry

	servers       named[*running]
	streams       named[*conversation]
	watchers      named[registry.Watcher]
	subscriptions named[broker.Subscriber]
	loads         named[*load]
	bench         bench
}

func newPeer(url string) (*peer, error) {
	p := &peer{
		Driver:   drive.New(answers()),
		url:      url,
		broker:   newBroker(url),
		registry: newRegistry(url),
	}
	if err := p.broker.Connect(); err != nil {
		return nil, err
	}
	p.client = newClient(
		client.Transport(newTransport(url)),
		client.Broker(p.broker),
		client.Registry(p.registry),
		newSelector(p.registry),
		client.ContentType("application/json"),
		// Known to this client alone, so that a server meets a content type that it does not know.
		client.Codec("application/x-unknown", json.NewCodec),
	)
	return p, nil
}

// answers is where the driver writes. go-micro logs to standard output, which is not for its lines.
func answers() *os.File {
	out := os.Stdout
	os.Stdout = os.Stderr
	return out
}

func main() {
	url := flag.String("nats", "nats://127.0.0.1:4222", "the server to use")
	flag.Parse()
	p, err := newPeer(*url)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	p.enterServe()
	p.enterCall()
	p.enterStream()
	p.enterRegistry()
	p.enterBroker()
	p.enterLoad()
	p.enterBench()
	drive.On(p.Driver, "about", func(struct{}) (map[string]any, error) {
		runtime.GC()
		return map[string]any{"generation": generation, "goroutines": runtime.NumGoroutine()}, nil
	})
	if err := p.Run(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

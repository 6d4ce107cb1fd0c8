package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"micro.example/interop/drive"

	"github.com/micro/go-micro/v2/server"
)

// bench is a service of this process that this process calls, to be measured beside ours: see ../../../benches.
type bench struct {
	once sync.Once
	err  error
	name string
}

// Bench is what it serves.
type Bench struct{}

// Order is what is sent and echoed, the same as on our side: about 128 bytes of JSON.
type Order struct {
	ID       uint64   `json:"id"`
	Customer string   `json:"customer"`
	Item     string   `json:"item"`
	Quantity uint32   `json:"quantity"`
	Cents    int64    `json:"cents"`
	Express  bool     `json:"express"`
	Tags     []string `json:"tags"`
}

type benchArgs struct {
	Callers int     `json:"callers"`
	Seconds float64 `json:"seconds"`
}

type benchResult struct {
	Calls   int     `json:"calls"`
	Seconds float64 `json:"seconds"`
	P50US   float64 `json:"p50_us"`
}

func (b *Bench) Echo(ctx context.Context, req *Order, rsp *Order) error {
	*rsp = *req
	return nil
}

func (p *peer) enterBench() {
	drive.On(p.Driver, "bench", func(args benchArgs) (benchResult, error) {
		p.bench.once.Do(func() { p.bench.err = p.openBench() })
		if p.bench.err != nil {
			return benchResult{}, p.bench.err
		}
		return p.measure(args)
	})
}

func (p *peer) openBench() error {
	p.bench.name = fmt.Sprintf("bench-%d", os.Getpid())
	s := newServer(
		server.Name(p.bench.name),
		server.Transport(newTransport(p.url)),
		server.Broker(newBroker(p.url)),
		server.Registry(newRegistry(p.url)),
	)
	if err := s.Handle(s.NewHandler(&Bench{})); err != nil {
		return err
	}
	if err := s.Start(); err != nil {
		return err
	}
	for limit := time.Now().Add(fenceLimit); time.Now().Before(limit); {
		if p.echo(0) == nil {
			return nil
		}
	}
	return p.echo(0)
}

// echo makes one call, of an order that is made anew, and checks that the answer is to it.
func (p *peer) echo(id uint64) error {
	order := &Order{id, "Ada Lovelace", "spare gear, 40 teeth", 12, 129_900, true, []string{"brass"}}
	var answer Order
	if err := p.client.Call(context.Background(), p.client.NewRequest(p.bench.name, "Bench.Echo", order), &answer); err != nil {
		return err
	}
	if answer.ID != id {
		return fmt.Errorf("order %d was answered with %d", id, answer.ID)
	}
	return nil
}

// measure lets callers make one call after the other for so long.
func (p *peer) measure(args benchArgs) (benchResult, error) {
	start := time.Now()
	end := start.Add(time.Duration(args.Seconds * float64(time.Second)))
	spans := make([][]time.Duration, args.Callers)
	failed := make([]error, args.Callers)
	var callers sync.WaitGroup
	for n := range args.Callers {
		callers.Add(1)
		go func() {
			defer callers.Done()
			for before := time.Now(); before.Before(end) && failed[n] == nil; {
				failed[n] = p.echo(uint64(n)<<32 + uint64(len(spans[n])))
				now := time.Now()
				spans[n] = append(spans[n], now.Sub(before))
				before = now
			}
		}()
	}
	callers.Wait()
	seconds := time.Since(start).Seconds()
	all := slices.Concat(spans...)
	slices.Sort(all)
	for _, err := range failed {
		if err != nil {
			return benchResult{}, err
		}
	}
	return benchResult{len(all), seconds, float64(all[len(all)/2].Nanoseconds()) / 1000}, nil
}

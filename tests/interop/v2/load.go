package main

import (
	"context"
	"sync"

	"micro.example/interop/drive"

	"github.com/micro/go-micro/v2/client"
	"github.com/micro/go-micro/v2/registry"
)

// load is a number of callers that greet without a pause, and what became of it, by node.
type load struct {
	stop   context.CancelFunc
	done   sync.WaitGroup
	lock   sync.Mutex
	Calls  int              `json:"calls"`
	Failed int              `json:"failed"`
	Nodes  map[string]*tell `json:"nodes"`
	Why    map[string]int   `json:"why"`
}

// tell is what became of the attempts on one node.
type tell struct {
	Attempts int `json:"attempts"`
	Failed   int `json:"failed"`
}

type loadArgs struct {
	As        string `json:"as"`
	Service   string `json:"service"`
	Callers   int    `json:"callers"`
	TimeoutMS int    `json:"timeout_ms"`
}

func (p *peer) enterLoad() {
	drive.On(p.Driver, "load", func(args loadArgs) (any, error) {
		p.loads.put(args.As, p.begin(args))
		return nil, nil
	})
	drive.On(p.Driver, "unload", func(args loadArgs) (*load, error) {
		l, err := p.loads.take(args.As)
		if err == nil {
			l.stop()
			l.done.Wait()
		}
		return l, err
	})
}

func (p *peer) begin(args loadArgs) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{stop: stop, Nodes: map[string]*tell{}, Why: map[string]int{}}
	options := append(callArgs{TimeoutMS: args.TimeoutMS}.options(), client.WithCallWrapper(l.watch))
	for range args.Callers {
		l.done.Add(1)
		go func() {
			defer l.done.Done()
			for ctx.Err() == nil {
				request := p.client.NewRequest(args.Service, "Greeter.Hello", &HelloRequest{Name: "John"})
				l.count(p.client.Call(context.Background(), request, &HelloReply{}, options...))
			}
		}()
	}
	return l
}

func (l *load) count(err error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.Calls++
	if err != nil {
		l.Failed++
		l.Why[err.Error()]++
	}
}

// watch counts each attempt for the node that it went to.
func (l *load) watch(next client.CallFunc) client.CallFunc {
	return func(ctx context.Context, node *registry.Node, req client.Request, rsp any, opts client.CallOptions) error {
		err := next(ctx, node, req, rsp, opts)
		l.lock.Lock()
		defer l.lock.Unlock()
		t := l.Nodes[node.Id]
		if t == nil {
			t = &tell{}
			l.Nodes[node.Id] = t
		}
		t.Attempts++
		if err != nil {
			t.Failed++
		}
		return err
	}
}

package main

import (
	"time"

	"micro.example/interop/drive"

	"go-micro.dev/v5/registry"
)

type registerArgs struct {
	Service *registry.Service `json:"service"`
	TTLMS   int               `json:"ttl_ms"`
}

type nameArgs struct {
	Name string `json:"name"`
}

type watchArgs struct {
	As      string `json:"as"`
	Service string `json:"service"`
}

func (p *peer) enterRegistry() {
	drive.On(p.Driver, "register", func(args registerArgs) (any, error) {
		ttl := time.Duration(args.TTLMS) * time.Millisecond
		return nil, p.registry.Register(args.Service, registry.RegisterTTL(ttl))
	})
	drive.On(p.Driver, "deregister", func(args registerArgs) (any, error) {
		return nil, p.registry.Deregister(args.Service)
	})
	drive.On(p.Driver, "get", func(args nameArgs) ([]*registry.Service, error) {
		return p.registry.GetService(args.Name)
	})
	drive.On(p.Driver, "list", func(struct{}) ([]*registry.Service, error) {
		return p.registry.ListServices()
	})
	drive.On(p.Driver, "watch", p.watch)
	drive.On(p.Driver, "unwatch", func(args watchArgs) (any, error) {
		watcher, err := p.watchers.take(args.As)
		if err != nil {
			return nil, err
		}
		watcher.Stop()
		return nil, nil
	})
}

// watch tells of each change as an event.
func (p *peer) watch(args watchArgs) (any, error) {
	watcher, err := p.registry.Watch(registry.WatchService(args.Service))
	if err != nil {
		return nil, err
	}
	p.watchers.put(args.As, watcher)
	go func() {
		for {
			change, err := watcher.Next()
			if err != nil {
				return
			}
			p.Emit(args.As, map[string]any{"action": change.Action, "service": change.Service})
		}
	}()
	p.fenceRegistry()
	return nil, nil
}

package main

import (
	"fmt"
	"sync"
)

// named keeps what one command began for another to go on with.
type named[T any] struct {
	lock   sync.Mutex
	things map[string]T
}

func (n *named[T]) put(name string, thing T) {
	n.lock.Lock()
	defer n.lock.Unlock()
	if n.things == nil {
		n.things = map[string]T{}
	}
	n.things[name] = thing
}

func (n *named[T]) get(name string) (T, error) {
	n.lock.Lock()
	defer n.lock.Unlock()
	thing, known := n.things[name]
	if !known {
		return thing, fmt.Errorf("nothing is called %q", name)
	}
	return thing, nil
}

func (n *named[T]) take(name string) (T, error) {
	thing, err := n.get(name)
	n.lock.Lock()
	defer n.lock.Unlock()
	delete(n.things, name)
	return thing, err
}

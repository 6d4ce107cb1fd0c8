package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"micro.example/interop/drive"

	"github.com/micro/go-micro/v2/client"
)

// conversation is an open stream, and what came on it. It is read only as far as was asked for, since a go-micro
// client that waits for a message gives up after a minute.
type conversation struct {
	kind     string
	stream   client.Stream
	wanted   chan struct{}
	asked    int
	received chan received
}

// received is one message, or the end.
type received struct {
	body any
	err  error
}

type openArgs struct {
	Stream string `json:"stream"`
	callArgs
}

type sendArgs struct {
	Stream string            `json:"stream"`
	Bodies []json.RawMessage `json:"bodies"`
}

type recvArgs struct {
	Stream    string `json:"stream"`
	Count     int    `json:"count"`
	TimeoutMS int    `json:"timeout_ms"`
}

type recvResult struct {
	Bodies []any    `json:"bodies"`
	Ended  bool     `json:"ended"`
	Failed *failure `json:"failed"`
}

type streamArgs struct {
	Stream string `json:"stream"`
}

func (p *peer) enterStream() {
	drive.On(p.Driver, "open", p.open)
	drive.On(p.Driver, "send", p.send)
	drive.On(p.Driver, "recv", p.recv)
	drive.On(p.Driver, "close", p.close)
}

func (p *peer) open(args openArgs) (*failure, error) {
	request, err := p.request(args.callArgs, client.StreamingRequest())
	if err != nil {
		return nil, err
	}
	stream, err := p.client.Stream(args.context(), request, args.options()...)
	if err != nil {
		return failed(err), nil
	}
	// Roomy enough that neither side of the reader ever waits for the other.
	c := &conversation{
		kind:     args.Kind,
		stream:   stream,
		wanted:   make(chan struct{}, 100_000),
		received: make(chan received, 100_000),
	}
	p.streams.put(args.Stream, c)
	go c.read()
	return nil, nil
}

func (c *conversation) read() {
	defer close(c.received)
	for range c.wanted {
		body := emptyBody(c.kind)
		err := c.stream.Recv(body)
		c.received <- received{body: shownBody(body), err: err}
		if err != nil {
			return
		}
	}
}

func (p *peer) send(args sendArgs) (*failure, error) {
	c, err := p.streams.get(args.Stream)
	if err != nil {
		return nil, err
	}
	for _, text := range args.Bodies {
		body, err := decodeBody(c.kind, text)
		if err != nil {
			return nil, err
		}
		if err := c.stream.Send(body); err != nil {
			return failed(err), nil
		}
	}
	return nil, nil
}

// recv waits for that many messages, or the end.
func (p *peer) recv(args recvArgs) (recvResult, error) {
	c, err := p.streams.get(args.Stream)
	if err != nil {
		return recvResult{}, err
	}
	result := recvResult{Bodies: []any{}}
	for ; c.asked < args.Count; c.asked++ {
		c.wanted <- struct{}{}
	}
	limit := time.After(time.Duration(args.TimeoutMS) * time.Millisecond)
	for len(result.Bodies) < args.Count {
		select {
		case r := <-c.received:
			c.asked--
			if r.err == nil && r.body != nil {
				result.Bodies = append(result.Bodies, r.body)
				continue
			}
			result.Ended = true
			if r.err != nil && r.err != io.EOF {
				result.Failed = failed(r.err)
			}
			return result, nil
		case <-limit:
			return result, fmt.Errorf("%d of %d messages came in time", len(result.Bodies), args.Count)
		}
	}
	return result, nil
}

func (p *peer) close(args streamArgs) (*failure, error) {
	c, err := p.streams.take(args.Stream)
	if err != nil {
		return nil, err
	}
	return failed(c.stream.Close()), nil
}

package main

import (
	"context"
	"encoding/json"
	"time"

	"micro.example/interop/drive"

	"github.com/micro/go-micro/v2/client"
	"github.com/micro/go-micro/v2/metadata"
)

type callArgs struct {
	Service     string            `json:"service"`
	Endpoint    string            `json:"endpoint"`
	ContentType string            `json:"content_type"`
	Kind        string            `json:"kind"`
	Body        json.RawMessage   `json:"body"`
	Metadata    map[string]string `json:"metadata"`
	Address     string            `json:"address"`
	TimeoutMS   int               `json:"timeout_ms"`
	Retries     int               `json:"retries"`
}

type callResult struct {
	Body   any      `json:"body"`
	Failed *failure `json:"failed"`
}

func (p *peer) enterCall() {
	drive.On(p.Driver, "call", p.call)
}

func (p *peer) call(args callArgs) (callResult, error) {
	request, err := p.request(args)
	if err != nil {
		return callResult{}, err
	}
	answer := emptyBody(args.Kind)
	err = p.client.Call(args.context(), request, answer, args.options()...)
	if err != nil {
		return callResult{Failed: failed(err)}, nil
	}
	return callResult{Body: shownBody(answer)}, nil
}

func (p *peer) request(args callArgs, options ...client.RequestOption) (client.Request, error) {
	body, err := decodeBody(args.Kind, args.Body)
	if err != nil {
		return nil, err
	}
	if args.ContentType != "" {
		options = append(options, client.WithContentType(args.ContentType))
	}
	return p.client.NewRequest(args.Service, args.Endpoint, body, options...), nil
}

func (args callArgs) context() context.Context {
	return metadata.NewContext(context.Background(), args.Metadata)
}

func (args callArgs) options() []client.CallOption {
	options := []client.CallOption{client.WithRetries(args.Retries)}
	if args.Address != "" {
		options = append(options, client.WithAddress(args.Address))
	}
	if args.TimeoutMS > 0 {
		timeout := time.Duration(args.TimeoutMS) * time.Millisecond
		options = append(options, client.WithRequestTimeout(timeout), connectionTimeout)
	}
	return options
}

package main

import (
	"context"
	"encoding/json"

	"micro.example/interop/drive"

	"github.com/micro/go-micro/v2/broker"
	"github.com/micro/go-micro/v2/client"
	"github.com/micro/go-micro/v2/metadata"
)

type publishArgs struct {
	Topic  string            `json:"topic"`
	Header map[string]string `json:"header"`
	Body   []byte            `json:"body"`
}

type typedArgs struct {
	Topic       string            `json:"topic"`
	ContentType string            `json:"content_type"`
	Kind        string            `json:"kind"`
	Body        json.RawMessage   `json:"body"`
	Metadata    map[string]string `json:"metadata"`
}

type subscribeArgs struct {
	As    string `json:"as"`
	Topic string `json:"topic"`
	Queue string `json:"queue"`
}

func (p *peer) enterBroker() {
	drive.On(p.Driver, "publish", func(args publishArgs) (any, error) {
		return nil, p.broker.Publish(args.Topic, &broker.Message{Header: args.Header, Body: args.Body})
	})
	drive.On(p.Driver, "publish_typed", p.publishTyped)
	drive.On(p.Driver, "subscribe", p.subscribe)
	drive.On(p.Driver, "unsubscribe", func(args subscribeArgs) (any, error) {
		subscription, err := p.subscriptions.take(args.As)
		if err != nil {
			return nil, err
		}
		return nil, subscription.Unsubscribe()
	})
}

func (p *peer) publishTyped(args typedArgs) (any, error) {
	body, err := decodeBody(args.Kind, args.Body)
	if err != nil {
		return nil, err
	}
	message := p.client.NewMessage(args.Topic, body, client.WithMessageContentType(args.ContentType))
	return nil, p.client.Publish(metadata.NewContext(context.Background(), args.Metadata), message)
}

// subscribe tells of each event that the broker hands out.
func (p *peer) subscribe(args subscribeArgs) (any, error) {
	options := []broker.SubscribeOption{}
	if args.Queue != "" {
		options = append(options, broker.Queue(args.Queue))
	}
	handler := func(e broker.Event) error {
		message := e.Message()
		p.Emit(args.As, map[string]any{"topic": e.Topic(), "header": message.Header, "body": message.Body})
		return nil
	}
	subscription, err := p.broker.Subscribe(args.Topic, handler, options...)
	if err != nil {
		return nil, err
	}
	p.subscriptions.put(args.As, subscription)
	return nil, fenceBroker(p.broker)
}

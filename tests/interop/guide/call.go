package main

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"micro.example/interop/drive"
	"micro.example/interop/guide/routeguide"

	"go-micro.dev/v5/client"
)

type callArgs struct {
	Service     string `json:"service"`
	ContentType string `json:"content_type"`
	TimeoutMS   int    `json:"timeout_ms"`
}

type featureArgs struct {
	callArgs
	Point message[*routeguide.Point] `json:"point"`
}

type listArgs struct {
	callArgs
	Rectangle message[*routeguide.Rectangle] `json:"rectangle"`
}

type recordArgs struct {
	callArgs
	Points []message[*routeguide.Point] `json:"points"`
}

type chatArgs struct {
	callArgs
	Notes []said `json:"notes"`
}

// said is a note, and how many answers are awaited before the next is written.
type said struct {
	Note    message[*routeguide.RouteNote] `json:"note"`
	Answers int                            `json:"answers"`
}

type callResult struct {
	Body   any      `json:"body"`
	Failed *failure `json:"failed"`
	// What a client stream of go-micro says when it is asked to end its requests alone.
	CloseSend string `json:"close_send,omitempty"`
}

type recvResult struct {
	Bodies []json.RawMessage `json:"bodies"`
	Ended  bool              `json:"ended"`
	Failed *failure          `json:"failed"`
}

func (p *peer) enterCall() {
	drive.On(p.Driver, "get_feature", p.getFeature)
	drive.On(p.Driver, "list_features", p.listFeatures)
	drive.On(p.Driver, "record_route", p.recordRoute)
	drive.On(p.Driver, "route_chat", p.routeChat)
}

func (args callArgs) options() []client.CallOption {
	options := []client.CallOption{client.WithRetries(0)}
	if args.TimeoutMS > 0 {
		options = append(options, client.WithRequestTimeout(time.Duration(args.TimeoutMS)*time.Millisecond))
	}
	return options
}

func (p *peer) getFeature(args featureArgs) (callResult, error) {
	guide, err := p.guide(args.callArgs)
	if err != nil {
		return callResult{}, err
	}
	feature, err := guide.GetFeature(context.Background(), args.Point.it, args.options()...)
	if err != nil {
		return callResult{Failed: failed(err)}, nil
	}
	return callResult{Body: shown(feature)}, nil
}

func (p *peer) listFeatures(args listArgs) (recvResult, error) {
	guide, err := p.guide(args.callArgs)
	if err != nil {
		return recvResult{}, err
	}
	features, err := guide.ListFeatures(context.Background(), args.Rectangle.it, args.options()...)
	if err != nil {
		return ended(nil, err), nil
	}
	defer features.Close()
	bodies := []json.RawMessage{}
	for {
		feature, err := features.Recv()
		if err != nil {
			return ended(bodies, err), nil
		}
		bodies = append(bodies, shown(feature))
	}
}

// recordRoute walks to the end. The generated client has no Recv for the summary, CloseSend fails, and Close, which
// alone tells the server that the route has ended, ends both ways: the answer cannot be read.
func (p *peer) recordRoute(args recordArgs) (callResult, error) {
	guide, err := p.guide(args.callArgs)
	if err != nil {
		return callResult{}, err
	}
	route, err := guide.RecordRoute(context.Background(), args.options()...)
	if err != nil {
		return callResult{Failed: failed(err)}, nil
	}
	for _, point := range args.Points {
		if err := route.Send(point.it); err != nil {
			return callResult{Failed: failed(err)}, nil
		}
	}
	result := callResult{}
	if err := route.CloseSend(); err != nil {
		result.CloseSend = err.Error()
	}
	if err := route.Close(); err != nil {
		return callResult{}, err
	}
	summary := &routeguide.RouteSummary{}
	if err := route.RecvMsg(summary); err != nil {
		result.Failed = failed(err)
		return result, nil
	}
	result.Body = shown(summary)
	return result, nil
}

func (p *peer) routeChat(args chatArgs) (recvResult, error) {
	guide, err := p.guide(args.callArgs)
	if err != nil {
		return recvResult{}, err
	}
	chat, err := guide.RouteChat(context.Background(), args.options()...)
	if err != nil {
		return ended(nil, err), nil
	}
	defer chat.Close()
	bodies := []json.RawMessage{}
	for _, said := range args.Notes {
		if err := chat.Send(said.Note.it); err != nil {
			return ended(bodies, err), nil
		}
		for range said.Answers {
			note, err := chat.Recv()
			if err != nil {
				return ended(bodies, err), nil
			}
			bodies = append(bodies, shown(note))
		}
	}
	return recvResult{Bodies: bodies}, nil
}

func ended(bodies []json.RawMessage, err error) recvResult {
	result := recvResult{Bodies: bodies, Ended: true}
	if err != io.EOF {
		result.Failed = failed(err)
	}
	return result
}

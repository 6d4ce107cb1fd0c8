package main

import (
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/micro/go-micro/v2/codec/bytes"
	"github.com/micro/go-micro/v2/errors"
)

// decodeBody makes the value that a client or a stream sends: any JSON, the text of a protobuf message, or raw
// bytes, which come as base64 and are sent as they are.
func decodeBody(kind string, body json.RawMessage) (any, error) {
	switch kind {
	case "", "json":
		return body, nil
	case "pb":
		var text string
		err := json.Unmarshal(body, &text)
		return &wrapperspb.StringValue{Value: text}, err
	case "raw":
		var data []byte
		err := json.Unmarshal(body, &data)
		return &bytes.Frame{Data: data}, err
	}
	return nil, fmt.Errorf("unknown kind of body %q", kind)
}

// emptyBody makes the value that an answer is decoded into.
func emptyBody(kind string) any {
	switch kind {
	case "pb":
		return &wrapperspb.StringValue{}
	case "raw":
		return &bytes.Frame{}
	}
	return &json.RawMessage{}
}

// shownBody is what the driver is told of an answer.
func shownBody(value any) any {
	switch value := value.(type) {
	case *wrapperspb.StringValue:
		return value.Value
	case *bytes.Frame:
		return value.Data
	case *json.RawMessage:
		if len(*value) > 0 {
			return value
		}
	}
	return nil
}

// failure is an error as a go-micro caller reads it.
type failure struct {
	ID     string `json:"id"`
	Code   int32  `json:"code"`
	Detail string `json:"detail"`
	Status string `json:"status"`
}

func failed(err error) *failure {
	if err == nil {
		return nil
	}
	e := errors.Parse(err.Error())
	return &failure{ID: e.Id, Code: e.Code, Detail: e.Detail, Status: e.Status}
}

package main

import (
	"encoding/json"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"go-micro.dev/v5/errors"
)

// message is a protobuf message in a line, in protobuf's own mapping to JSON.
type message[M proto.Message] struct{ it M }

func (m *message[M]) UnmarshalJSON(text []byte) error {
	m.it = m.it.ProtoReflect().New().Interface().(M)
	return protojson.Unmarshal(text, m.it)
}

func shown(m proto.Message) json.RawMessage {
	text, err := protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(m)
	if err != nil {
		panic(err)
	}
	return text
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

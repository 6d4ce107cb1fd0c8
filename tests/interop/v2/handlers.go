package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/micro/go-micro/v2/codec/bytes"
	"github.com/micro/go-micro/v2/errors"
	"github.com/micro/go-micro/v2/metadata"
)

// Greeter has a unary endpoint for everything that a unary call can meet.
type Greeter struct {
	lock sync.Mutex
	runs map[string]int
}

type HelloRequest struct {
	Name string `json:"name"`
}

type HelloReply struct {
	Msg string `json:"msg"`
}

type FailRequest struct {
	ID     string `json:"id"`
	Code   int32  `json:"code"`
	Detail string `json:"detail"`
}

type SleepRequest struct {
	MS  int    `json:"ms"`
	Key string `json:"key"`
}

type MetaReply struct {
	Metadata    map[string]string `json:"metadata"`
	RemainingMS int64             `json:"remaining_ms"`
}

type Count struct {
	Runs int `json:"runs"`
}

// Hello greets by name.
// @example {"name":"John"}
func (g *Greeter) Hello(ctx context.Context, req *HelloRequest, rsp *HelloReply) error {
	rsp.Msg = "Hello " + req.Name
	return nil
}

func (g *Greeter) Fail(ctx context.Context, req *FailRequest, rsp *HelloReply) error {
	return errors.New(req.ID, req.Detail, req.Code)
}

func (g *Greeter) Plain(ctx context.Context, req *HelloRequest, rsp *HelloReply) error {
	return fmt.Errorf("plain %s", req.Name)
}

func (g *Greeter) Panic(ctx context.Context, req *HelloRequest, rsp *HelloReply) error {
	panic("as asked")
}

// Sleep counts its runs by key, so that a call that was made twice shows.
func (g *Greeter) Sleep(ctx context.Context, req *SleepRequest, rsp *HelloReply) error {
	g.lock.Lock()
	g.runs[req.Key]++
	g.lock.Unlock()
	time.Sleep(time.Duration(req.MS) * time.Millisecond)
	rsp.Msg = "slept"
	return nil
}

func (g *Greeter) Runs(ctx context.Context, req *SleepRequest, rsp *Count) error {
	g.lock.Lock()
	defer g.lock.Unlock()
	rsp.Runs = g.runs[req.Key]
	return nil
}

// Meta says what came along with the call.
func (g *Greeter) Meta(ctx context.Context, req *HelloRequest, rsp *MetaReply) error {
	rsp.Metadata, _ = metadata.FromContext(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		rsp.RemainingMS = time.Until(deadline).Milliseconds()
	}
	return nil
}

// Big answers with as many letters as it is asked for.
func (g *Greeter) Big(ctx context.Context, req *Count, rsp *HelloReply) error {
	rsp.Msg = strings.Repeat("x", req.Runs)
	return nil
}

// Raw speaks bytes.
type Raw struct{}

func (r *Raw) Echo(ctx context.Context, req *bytes.Frame, rsp *bytes.Frame) error {
	rsp.Data = req.Data
	return nil
}

// Pb speaks protobuf.
type Pb struct{}

func (p *Pb) Hello(ctx context.Context, req *wrapperspb.StringValue, rsp *wrapperspb.StringValue) error {
	rsp.Value = "Hello " + req.Value
	return nil
}

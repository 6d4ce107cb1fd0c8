package main

import (
	"context"
	"io"

	"github.com/micro/go-micro/v2/errors"
	"github.com/micro/go-micro/v2/server"
)

// Talk has a stream that does what its messages say.
type Talk struct {
	ended func(how string)
}

// Line is a message of a stream: a command from the caller, or the answer to it.
type Line struct {
	Do   string `json:"do"`
	Text string `json:"text"`
	N    int    `json:"n"`
}

// Chat answers `echo` with one line, counts `quiet` without an answer, answers `many` with n lines, `end` ends the
// stream, `fail` fails it.
func (t *Talk) Chat(ctx context.Context, stream server.Stream) error {
	quiet := 0
	for {
		var line Line
		if err := stream.Recv(&line); err != nil {
			if err == io.EOF {
				t.ended("EOF")
				return nil
			}
			t.ended(err.Error())
			return err
		}
		switch line.Do {
		case "quiet":
			quiet++
		case "count":
			stream.Send(&Line{Do: "count", N: quiet})
		case "many":
			for n := range line.N {
				stream.Send(&Line{Do: "many", N: n})
			}
		case "end":
			return nil
		case "fail":
			return errors.New("talk", line.Text, int32(line.N))
		default:
			stream.Send(&line)
		}
	}
}

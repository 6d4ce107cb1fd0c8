// Package drive runs commands that come as JSON lines, and answers with JSON lines.
//
//	in   {"id":1,"do":"call","with":{…}}
//	out  {"id":1,"result":…}   or   {"id":1,"error":"…"}
//	out  {"event":"name","data":…}   whenever something happens that was asked for earlier
//
// Commands run side by side, so answers come in any order.
package drive

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

type command func(with json.RawMessage) (any, error)

// Driver knows the commands by name, and writes one line at a time.
type Driver struct {
	commands map[string]command
	lock     sync.Mutex
	out      *json.Encoder
}

type request struct {
	ID   uint64          `json:"id"`
	Do   string          `json:"do"`
	With json.RawMessage `json:"with"`
}

type answer struct {
	ID     uint64 `json:"id"`
	Result any    `json:"result"`
	Error  string `json:"error,omitempty"`
}

type event struct {
	Event string `json:"event"`
	Data  any    `json:"data"`
}

// New makes a driver that answers on out.
func New(out io.Writer) *Driver {
	return &Driver{commands: map[string]command{}, out: json.NewEncoder(out)}
}

// On enters a command: its arguments are decoded into an A, its result is encoded.
func On[A, R any](d *Driver, name string, run func(A) (R, error)) {
	d.commands[name] = func(with json.RawMessage) (any, error) {
		var args A
		if len(with) > 0 {
			if err := json.Unmarshal(with, &args); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		return run(args)
	}
}

// Emit tells of something that happened.
func (d *Driver) Emit(name string, data any) {
	d.write(event{Event: name, Data: data})
}

// Run serves commands until the input ends.
func (d *Driver) Run(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("not a command: %q: %w", line, err)
		}
		go d.serve(r)
	}
}

func (d *Driver) serve(r request) {
	run, known := d.commands[r.Do]
	if !known {
		d.write(answer{ID: r.ID, Error: "unknown command " + r.Do})
		return
	}
	result, err := run(r.With)
	if err != nil {
		d.write(answer{ID: r.ID, Error: err.Error()})
		return
	}
	d.write(answer{ID: r.ID, Result: result})
}

func (d *Driver) write(line any) {
	d.lock.Lock()
	defer d.lock.Unlock()
	if err := d.out.Encode(line); err != nil {
		d.out.Encode(answer{Error: err.Error()})
	}
}

package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"ocspcgi/lib/config"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/responder"
)

// Respond answers a request, and writes what -respout, -reqout and -text ask for.
// The error is one of these files, or of the request, where there is no answer.
func Respond(cfg *config.Config, read func() ([]byte, error), respond func(context.Context, []byte) *responder.Answer) (*responder.Answer, error) {
	request, err := read()
	if err != nil {
		return nil, err
	}
	answer := whatever(respond, request)
	return answer, errors.Join(
		show(cfg, request, answer.DER),
		writeFile("-reqout", cfg.ReqOut, request),
		writeFile("-respout", cfg.RespOut, answer.DER),
	)
}

// whatever answers a request, a panic with internalError.
func whatever(respond func(context.Context, []byte) *responder.Answer, request []byte) (answer *responder.Answer) {
	defer func() {
		if p := recover(); p != nil {
			answer = responder.Fault(fmt.Errorf("panic while answering: %v\n%s", p, debug.Stack()))
		}
	}()
	return respond(context.Background(), request)
}

// show is -text for one request.
func show(cfg *config.Config, request, response []byte) error {
	text, err := OpenText(cfg)
	if err != nil {
		return err
	}
	return errors.Join(text.Write(request, response), text.Close())
}

// readRequest reads what may be a request from the named file, or from stdin.
func readRequest(path string) ([]byte, error) {
	in := os.Stdin
	if path != "-" && path != "/dev/stdin" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("-reqin: %w", err)
		}
		defer f.Close()
		in = f
	}
	request, err := io.ReadAll(io.LimitReader(in, ocsphttp.MaxBody+1))
	if err != nil {
		return nil, fmt.Errorf("-reqin: %w", err)
	}
	return request, nil
}

// toStdout reports whether the file that a flag names is stdout.
func toStdout(path string) bool { return path == "-" || path == "/dev/stdout" }

// writeFile writes to the file that a flag names, if it names one.
func writeFile(flag, path string, data []byte) error {
	var err error
	switch {
	case path == "":
	case toStdout(path):
		_, err = os.Stdout.Write(data)
	default:
		err = os.WriteFile(path, data, 0o666)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	return nil
}

// Text is where requests and answers are shown as text.
type Text struct {
	out               *os.File
	request, response bool
}

// OpenText opens what -text, -req_text, -resp_text and -out ask for.
func OpenText(cfg *config.Config) (*Text, error) {
	t := &Text{request: cfg.Text || cfg.ReqText, response: cfg.Text || cfg.RespText}
	switch {
	case !t.Wanted():
	case cfg.Out == "":
		t.out = os.Stderr
	default:
		f, err := os.Create(cfg.Out)
		if err != nil {
			return nil, fmt.Errorf("-out: %w", err)
		}
		t.out = f
	}
	return t, nil
}

// Wanted reports whether anything is to be shown.
func (t *Text) Wanted() bool { return t.request || t.response }

// Write shows a request and its answer, in one write.
func (t *Text) Write(request, response []byte) error {
	if !t.Wanted() {
		return nil
	}
	var text strings.Builder
	if t.request {
		requestText(&text, request)
	}
	if t.response {
		responseText(&text, response)
	}
	_, err := io.WriteString(plain{t.out}, text.String())
	return err
}

// Close closes the file of -out.
func (t *Text) Close() error {
	if t.out == nil || t.out == os.Stderr {
		return nil
	}
	return t.out.Close()
}

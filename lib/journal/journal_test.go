package journal_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/journal"
	"ocspcgi/lib/ocsphttp"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
)

// lines returns what write has the log say, a map for each line.
func lines(t *testing.T, o journal.Options, write func(*journal.Journal)) []map[string]any {
	t.Helper()
	o.Path = filepath.Join(t.TempDir(), "log")
	o.Now = func() time.Time { return time.Date(2026, 11, 21, 13, 0, 0, 0, time.FixedZone("", 3600)) }
	j, err := journal.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	write(j)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]any
	for line := range strings.Lines(string(text)) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if fields["time"] != "2026-11-21T12:00:00Z" {
			t.Errorf("the time is %v", fields["time"])
		}
		out = append(out, fields)
	}
	return out
}

func record(answer *responder.Answer) *ocsphttp.Record {
	return &ocsphttp.Record{
		Request: &ocsphttp.Request{Transport: "fcgi", Method: []byte("POST"), RemoteAddr: []byte("192.0.2.1")},
		Status:  200, Answer: answer, Now: func() time.Time { return time.Time{}.Add(1234 * time.Microsecond) },
	}
}

var one = []responder.Cert{{Issuer: "CA \"1\"\n", Serial: "1000", Status: "revoked", Reason: "keyCompromise"}}

func TestRequest(t *testing.T) {
	for _, test := range []struct {
		name   string
		level  string
		remote bool
		answer *responder.Answer
		want   map[string]any // nil: no line; a nil value: not there
	}{
		{"signed", "info", true, &responder.Answer{Certs: one}, map[string]any{
			"level": "info", "via": "fcgi", "method": "POST", "http": 200.0, "remote": "192.0.2.1", "us": 1234.0,
			"issuer": "CA \"1\"\n", "serial": "1000", "status": "revoked", "reason": "keyCompromise", "how": "signed", "answer": "success", "error": nil}},
		{"kept", "info", false, &responder.Answer{Certs: one, Cached: true}, map[string]any{"how": "cached", "remote": nil}},
		{"refused", "info", true, &responder.Answer{Status: ocsp.Malformed, Err: errors.New("no")}, map[string]any{
			"level": "info", "how": "refused", "answer": "malformed", "error": "no", "issuer": nil, "certs": nil}},
		{"trouble is a warning", "warn", true, &responder.Answer{Status: ocsp.TryLater, Err: errors.New("torn")}, map[string]any{"level": "warn", "error": "torn"}},
		{"below the level", "warn", true, &responder.Answer{Certs: one}, nil},
		{"the page", "info", true, nil, map[string]any{"http": 200.0, "answer": nil}},
		{"several", "info", true, &responder.Answer{Certs: append(one, one...)}, map[string]any{"serial": nil}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := lines(t, journal.Options{Level: test.level, Remote: test.remote}, func(j *journal.Journal) { j.Request(record(test.answer)) })
			if test.want == nil {
				if len(got) != 0 {
					t.Errorf("logged %v", got)
				}
				return
			}
			if len(got) != 1 {
				t.Fatalf("%d lines", len(got))
			}
			for name, want := range test.want {
				if got[0][name] != want {
					t.Errorf("%s is %v, want %v", name, got[0][name], want)
				}
			}
			if test.name == "several" && len(got[0]["certs"].([]any)) != 2 {
				t.Errorf("certs is %v", got[0]["certs"])
			}
		})
	}
}

// No client makes lines longer than its share.
func TestRequestIsBounded(t *testing.T) {
	long := strings.Repeat("x", 1<<16)
	rec := record(&responder.Answer{Status: ocsp.Malformed, Err: errors.New(long)})
	rec.Request.Method, rec.Request.RemoteAddr = []byte(long), []byte(long)
	got := lines(t, journal.Options{Remote: true}, func(j *journal.Journal) { j.Request(rec) })
	for _, name := range []string{"method", "remote", "error"} {
		if text, ok := got[0][name].(string); !ok || !strings.HasPrefix(text, "xxx") || len(text) > 1100 {
			t.Errorf("%s has %d bytes", name, len(text))
		}
	}
}

func TestReload(t *testing.T) {
	report := &index.Report{Rows: 3, Count: 22, Err: errors.New("torn"), Faults: []index.Fault{{Line: 7, Text: "no date", Remedy: "write one"}}}
	got := lines(t, journal.Options{}, func(j *journal.Journal) {
		j.Reload(reload.Event{Where: "index.txt", Index: report})
		j.Reload(reload.Event{Where: "index.txt", Index: &index.Report{Rows: 4, Believed: true, Took: 3 * time.Second}})
		j.Reload(reload.Event{Where: "here", Err: errors.New("wrong key")})
		j.Reload(reload.Event{Where: "here", Reminder: "ocsp.pem ends soon"})
	})
	want := []map[string]any{
		{"level": "warn", "index": "index.txt", "line": 7.0, "message": "no date", "remedy": "write one"},
		{"level": "warn", "faults": 21.0},
		{"level": "error", "index": "index.txt", "rows": 3.0, "error": "torn", "seconds": nil},
		{"level": "info", "index": "index.txt", "rows": 4.0, "seconds": 3.0},
		{"level": "error", "where": "here", "error": "wrong key"},
		{"level": "warn", "where": "here", "message": "ocsp.pem ends soon"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines: %v", len(got), got)
	}
	for i := range want {
		for name, value := range want[i] {
			if got[i][name] != value {
				t.Errorf("line %d: %s is %v, want %v", i, name, got[i][name], value)
			}
		}
	}
}

func TestOpenRefusesAFileItCannotWrite(t *testing.T) {
	j, err := journal.Open(journal.Options{Path: filepath.Join(t.TempDir(), "no", "log"), Level: "disabled"})
	if err == nil || !strings.Contains(err.Error(), "-log") {
		t.Errorf("the error is %v", err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

// TestOpenWaitsForNoReader: a FIFO that nobody reads is no file to log to, which holds
// up nobody, and one that somebody reads is.
func TestOpenWaitsForNoReader(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	go func() {
		j, err := journal.Open(journal.Options{Path: fifo, Level: "disabled"})
		opened <- errors.Join(err, j.Close())
	}()
	select {
	case err := <-opened:
		if !errors.Is(err, syscall.ENXIO) || !strings.Contains(err.Error(), "a FIFO that nobody reads") {
			t.Errorf("the error is %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it waits for a reader")
	}
	reader, err := os.OpenFile(fifo, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	j, err := journal.Open(journal.Options{Path: fifo})
	if err != nil {
		t.Fatal(err)
	}
	j.Warn().Msg("read")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(reader); err != nil || !strings.Contains(string(text), `"message":"read"`) {
		t.Errorf("%q, %v", text, err)
	}
}

func TestRequestDoesNotAllocate(t *testing.T) {
	j, err := journal.Open(journal.Options{Path: os.DevNull, Level: "info", Remote: true})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	rec := record(&responder.Answer{Certs: one, Cached: true})
	if n := testing.AllocsPerRun(100, func() { j.Request(rec) }); n > 1 {
		t.Errorf("%v allocations a line", n)
	}
}

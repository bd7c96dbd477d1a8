package conformance_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ocspcgi/lib/servertest"
	"ocspcgi/lib/wire"
)

// lengthen makes the index long enough for places of its rows to be kept.
func (k *kit) lengthen(t testing.TB, rows int) {
	t.Helper()
	f, err := os.OpenFile(k.Index, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var text bytes.Buffer
	for i := range rows {
		fmt.Fprintf(&text, "V\t460101000000Z\t\t%032X\tunknown\t/C=XX/O=Example Company/CN=host-%d.example.com\n", int64(1)<<40+int64(i), i)
	}
	if _, err := f.Write(text.Bytes()); err != nil {
		t.Fatal(err)
	}
}

// added is the CertID of one of the first rows that lengthen has added.
func (k *kit) added(n int) []byte { return k.ca.id(1, 0, 0, 0, 0, byte(n)) }

// aboutAdded tells what is wrong with an answer about such a row, where so many of them
// were revoked before the process was started, and so many are by now or are about to be.
func (k *kit) aboutAdded(t *testing.T, n int, r *reply, before, revoked int) error {
	t.Helper()
	switch status := statusOf(t, r.body); {
	case status == "good" && n >= before:
		good := k.said(wire.Good, k.added(n), nil)
		return good.check(r, false)
	case status == "revoked" && n < revoked:
		gone := k.said(wire.Revoked, k.added(n), nil)
		return gone.check(r, false)
	case status == "try later":
		return later.check(r, false)
	default:
		return fmt.Errorf("row %d is %s; %d were revoked before the start, %d are now", n, status, before, revoked)
	}
}

// rested makes the index a file that was written a while ago.
func (k *kit) rested(t testing.TB) {
	t.Helper()
	if err := os.Chtimes(k.Index, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
}

// CGI processes are killed at any moment, above all while they write what others
// are to believe: whatever is left, the next one answers right, and no part of a
// table of places stays.
func TestKilledCGI(t *testing.T) {
	rounds := 80
	if testing.Short() {
		rounds = 20
	}
	plain := newKit(t)
	k, dir := plain.caching(t)
	k.lengthen(t, 20_000)
	der, _, good := k.question()
	answered := 0
	for i := range rounds {
		k.rested(t) // another state of the index, of which there are no places
		if i == rounds/2 {
			k.revokeInPlace(t)
			k.rested(t)
			good.said = []wire.CertStatus{wire.Revoked}
		}
		cmd := k.command(variables(len(der))...)
		var out bytes.Buffer
		cmd.Stdin, cmd.Stdout = bytes.NewReader(der), &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i%40) * time.Millisecond / 2) // any moment
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil && cmd.ProcessState.Exited() {
			t.Fatal(err)
		}
		if out.Len() > 0 { // one write
			answered++
			if err := good.check(parse(t, out.Bytes()), false); err != nil {
				t.Errorf("round %d, before the kill: %v", i, err)
			}
		}
		if err := good.check(k.cgi(t, der), false); err != nil {
			t.Fatalf("round %d, after the kill: %v", i, err)
		}
	}
	t.Attr("figures", fmt.Sprintf("%d processes killed, %d of them when they had answered", rounds, answered))
	for _, name := range names(t, dir) {
		if strings.HasSuffix(name, ".new") {
			t.Errorf("%s is left over", name)
		}
	}
}

// A FastCGI process is killed at any moment, while it starts and reads and while it is
// asked, and started again: on the same socket, with the same files. Whatever is
// answered whole is right, and nothing is good any more that was revoked before the start.
func TestKilledFastCGI(t *testing.T) {
	rounds := 24
	if testing.Short() {
		rounds = 6
	}
	k := newKit(t)
	k.lengthen(t, 20_000)
	k.rested(t)
	dir := servertest.Room(t)
	socket, pid, config := filepath.Join(dir, "s"), filepath.Join(dir, "pid"), filepath.Join(dir, "ocspcgi.toml")
	servertest.WriteFile(t, config, k.settings(k.Signer))

	var revoked, before atomic.Int64 // so many rows by now, or about to be, and before the start
	revoke := func() {
		t.Helper()
		serial := fmt.Sprintf("%032X", int64(1)<<40+revoked.Add(1)-1)
		rows := strings.Replace(servertest.ReadFile(t, k.Index), "V\t460101000000Z\t\t"+serial, "R\t460101000000Z\t260101000000Z\t"+serial, 1)
		servertest.WriteFile(t, k.Index, rows)
		k.rested(t)
	}
	launch := func() *exec.Cmd {
		t.Helper()
		before.Store(revoked.Load())
		cmd := exec.CommandContext(t.Context(), program, "-config", config, "-listen", "unix:"+socket, "-pid_file", pid)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	kill := func(cmd *exec.Cmd) {
		t.Helper()
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() {
			t.Fatalf("not killed: %v", err)
		}
	}

	var asking sync.WaitGroup
	var answered atomic.Int64
	stop := make(chan struct{})
	stopped := sync.OnceFunc(func() {
		close(stop)
		asking.Wait()
	})
	defer stopped()
	for range 2 {
		asking.Go(func() {
			r := servertest.Responder{Socket: socket}
			for n := 0; ; n = (n + 1) % rounds {
				select {
				case <-stop:
					return
				default:
				}
				conn, err := r.Dial()
				if err != nil {
					time.Sleep(time.Millisecond) // nobody listens
					continue
				}
				gone := int(before.Load())
				conn.Write(servertest.Records("POST", "/ocsp", request(list(k.added(n))), false))
				out, err := conn.Stdout()
				conn.Close()
				if err != nil {
					continue // not whole
				}
				answered.Add(1)
				if err := k.aboutAdded(t, n, parse(t, out), gone, int(revoked.Load())); err != nil {
					t.Error(err)
				}
			}
		})
	}

	s := &served{socket: socket}
	for round := range rounds {
		cmd, moment := launch(), time.Duration(round%12)*3*time.Millisecond // any
		time.Sleep(moment / 2)
		if round%3 == 0 {
			revoke() // while it starts
		}
		time.Sleep(moment / 2)
		kill(cmd)
		if round%3 == 1 {
			revoke() // while nobody is there
		}
		cmd = launch()
		wait(t, "the socket", func() error {
			if text := servertest.ReadFile(t, pid); text != fmt.Sprintln(cmd.Process.Pid) {
				return fmt.Errorf("the pid file says %q", text)
			}
			return reachable(socket)
		})
		n := int(revoked.Load())
		for _, first := range []want{k.said(wire.Revoked, k.added(n-1), nil), k.said(wire.Good, k.added(n), nil)} {
			if err := first.check(s.fastCGI(t, request(list(first.ids[0]))), false); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if round%3 == 2 {
			revoke() // while it is asked
		}
		time.Sleep(moment / 4)
		kill(cmd)
	}
	stopped()
	if answered.Load() == 0 {
		t.Error("nobody was answered meanwhile")
	}
	t.Attr("figures", fmt.Sprintf("killed and started again %d times, %d answers meanwhile", 2*rounds, answered.Load()))
}

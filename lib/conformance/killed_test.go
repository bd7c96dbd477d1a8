package conformance_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// A FastCGI process is killed while it is asked, and started again: on the same
// socket, with the same files.
func TestKilledFastCGI(t *testing.T) {
	k := newKit(t)
	der, _, good := k.question()
	dir := servertest.Room(t)
	socket, pid, config := filepath.Join(dir, "s"), filepath.Join(dir, "pid"), filepath.Join(dir, "ocspcgi.toml")
	servertest.WriteFile(t, config, k.settings(k.Signer))
	const rounds = 5
	for round := range rounds {
		cmd := exec.Command(program, "-config", config, "-listen", "unix:"+socket, "-pid_file", pid)
		var log bytes.Buffer
		cmd.Stderr = &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		s := &served{socket: socket}
		wait(t, "the socket", func() error {
			if text := servertest.ReadFile(t, pid); text != fmt.Sprintln(cmd.Process.Pid) {
				return fmt.Errorf("the pid file says %q", text)
			}
			return nil
		})
		wait(t, "nobody listens", func() error { return reachable(socket) })
		conn := s.connect(t)
		for range 1 + round {
			if err := good.check(conn.ask(t, der), false); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() {
			t.Fatalf("not killed: %v\n%s", err, &log)
		}
	}
	t.Attr("figures", fmt.Sprintf("killed and started again %d times", rounds))
}

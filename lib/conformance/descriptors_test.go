package conformance_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"ocspcgi/lib/servertest"
	"ocspcgi/lib/wire"
)

func readFull(t testing.TB, r io.Reader, p []byte) {
	t.Helper()
	if _, err := io.ReadFull(r, p); err != nil {
		t.Fatal(err)
	}
}

// limited is what starts a program with a limit of the shell's ulimit.
func limited(limit string) []string {
	return []string{"sh", "-c", "ulimit " + limit + ` && exec "$@"`, "sh"}
}

// take opens connections until the program has no descriptor for one more, and
// returns how to close them.
func take(t *testing.T, network, address string, n int) (release func()) {
	t.Helper()
	var all []net.Conn
	for range n {
		c, err := net.Dial(network, address)
		if errors.Is(err, syscall.EAGAIN) {
			break // the backlog is full
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	release = sync.OnceFunc(func() {
		for _, c := range all {
			c.Close()
		}
	})
	t.Cleanup(release)
	return release
}

// Without descriptors nobody new is answered, and whoever is connected goes on to
// be: what the index says meanwhile is never missed. It heals by itself.
func TestNoDescriptors(t *testing.T) {
	k := newKit(t)
	der, _, good := k.question()
	revoked := good
	revoked.said = []wire.CertStatus{wire.Revoked}
	k.served = startUnder(t, k.settings(k.Signer), limited("-n 40")...)
	conn := k.connect(t)
	if err := good.check(conn.ask(t, der), false); err != nil {
		t.Fatal(err)
	}
	t.Run("FastCGI", func(t *testing.T) {
		defer take(t, "unix", k.socket, 100)()
		k.logs(t, "accept on "+k.socket+", trying again: ")
		if err := good.check(conn.ask(t, der), false); err != nil {
			t.Errorf("who is connected: %v", err)
		}
	})
	k.becomes(t, "FastCGI afterwards", der, good)
	t.Run("HTTP", func(t *testing.T) {
		defer take(t, "tcp", k.address, 100)()
		k.logs(t, "accept on "+k.address+", trying again: ")
		k.revokeInPlace(t)
		wait(t, "revoked meanwhile", func() error {
			if status := statusOf(t, conn.ask(t, der).body); status == "good" {
				return errors.New(status)
			}
			return nil
		})
		for range 100 {
			if status := statusOf(t, conn.ask(t, der).body); status != "try later" && status != "revoked" {
				t.Fatalf("then %s", status)
			}
		}
	})
	k.becomes(t, "revoked, afterwards", der, revoked)
	if err := revoked.check(k.http(t, der), false); err != nil {
		t.Errorf("HTTP afterwards: %v", err)
	}
}

// Who signs for others waits for descriptors, too, and whoever asks meanwhile and has
// no connection yet is told to try later.
func TestSignerWithoutDescriptors(t *testing.T) {
	k := newKit(t)
	der, _, good := k.question()
	dir := servertest.Room(t)
	socket, log := filepath.Join(dir, "s"), filepath.Join(dir, "log")
	k.served = start(t, strings.Replace(k.settings(k.Signer), k.Signer.Key, "unix:"+socket, 1)) // nobody is there to connect to
	line := append(limited("-n 30"), program, "signer", "-rsigner", k.Signer.Cert, "-rkey", k.Signer.Key, "-listen", "unix:"+socket, "-log", log)
	signer := exec.Command(line[0], line[1:]...)
	if err := signer.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(signer.Process.Signal(syscall.SIGTERM), signer.Wait()); err != nil {
			t.Error(err)
		}
	})
	wait(t, "the first time", func() error { return good.check(k.cgi(t, der), false) })
	release := take(t, "unix", socket, 200) // who is let go after a while makes room for others of these
	(&served{log: log}).logs(t, "accept on "+socket+", trying again: ")
	var asking sync.WaitGroup
	for _, way := range over[1:] {
		asking.Go(func() {
			if err := later.check(way.post(k.served, t, der), false); err != nil {
				t.Errorf("%s meanwhile: %v", way.name, err)
			}
		})
	}
	asking.Wait()
	release()
	for _, way := range over[1:] {
		wait(t, way.name+" afterwards", func() error { return good.check(way.post(k.served, t, der), false) })
	}
}

// A CGI process that may open too few files ends without a byte, or with one answer
// that says no more than it could read.
func TestDescriptorsOfCGI(t *testing.T) {
	k := newKit(t)
	der, _, _ := k.question()
	said := map[string]int{}
	limits, nothing := 0, 0
	for n := 3; n < 14; n++ {
		limits++
		cmd := k.command(append(variables(len(der)), "PATH="+os.Getenv("PATH"))...)
		cmd.Path, cmd.Args = sh(t), append(limited(fmt.Sprint("-n ", n)), program)
		var out bytes.Buffer
		cmd.Stdin, cmd.Stdout = bytes.NewReader(der), &out
		err := cmd.Run()
		if out.Len() == 0 && err != nil {
			nothing++
			continue
		}
		said[statusOf(t, parse(t, out.Bytes()).body)]++
	}
	t.Attr("figures", fmt.Sprintf("%d limits: %d times good, %d nothing, else no status", limits, said["good"], nothing))
	delete(said, "internal error")
	delete(said, "try later")
	if said["good"] == 0 || len(said) > 1 {
		t.Errorf("%v, and good wanted", said)
	}
}

package reload_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
	"golang.org/x/sys/unix"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/wire"
)

// looking is a kit whose index, which has rested and is believed, is looked at often.
func looking(t *testing.T) *kept {
	t.Helper()
	c := pkitest.NewCompany(t)
	if err := os.Chtimes(c.Index, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err) // a young one is read once more
	}
	k := start(t, c, &reload.Keeper{
		Responder: &responder.Responder{CacheBytes: 1 << 20},
		Sources:   []reload.Source{source(c.CA, c.Signer)},
		Look:      100 * time.Millisecond,
	})
	k.wait(t, believed(true))
	return k
}

// revoker opens the index, for what is good to be revoked while nobody can.
func revoker(t *testing.T, k *kept) (revoke func()) {
	t.Helper()
	index, err := os.OpenFile(k.Index, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { index.Close() })
	return func() {
		t.Helper()
		if _, err := index.WriteString("R\t491231235959Z\t260101000000Z\t" + k.Good.Serial + "\tunknown\t/CN=x\n"); err != nil {
			t.Fatal(err)
		}
	}
}

// While the disk of an index hangs, which may say anything by now, only what was
// revoked is answered. That is found by opening the file: what a file server's stat
// says may be old. All is as it was when it goes on, also for who asked meanwhile.
func TestIndexOnDiskThatHangs(t *testing.T) {
	k := looking(t)
	is := func(when string, good, revoked ocsp.ResponseStatus) {
		t.Helper()
		for range 2 { // signed, and kept
			if got := k.ask(t, k.Good, "-no_nonce").Status; got != good {
				t.Errorf("%s: %v of what is good, want %v", when, got, good)
			}
			if got := k.ask(t, k.Revoked, "-no_nonce").Status; got != revoked {
				t.Errorf("%s: %v of what is revoked, want %v", when, got, revoked)
			}
		}
	}
	goOn := hang(t, k.Index, unix.FAN_OPEN_PERM)
	defer func() { goOn() }()
	k.wait(t, believed(false))
	is("while it hangs as it is", ocsp.TryLater, ocsp.Success)
	goOn()
	k.wait(t, believed(true))
	is("as it was", ocsp.Success, ocsp.Success)
	revoke := revoker(t, k)
	goOn = hang(t, k.Index, unix.FAN_OPEN_PERM)
	revoke()
	k.wait(t, believed(false))
	is("while it hangs and changes", ocsp.TryLater, ocsp.Success)
	if report := k.States()[0].Index; report.Believed || report.Err == nil {
		t.Errorf("the state while it hangs is %+v", report)
	}
	goOn()
	k.wait(t, believed(true))
	if got := k.status(t, k.Good); got != wire.Revoked {
		t.Errorf("%v when it goes on", got)
	}
}

// A disk may let a file be opened and hang where it is read.
func TestReadingThatHangs(t *testing.T) {
	k := looking(t)
	goOn := hang(t, k.Index, unix.FAN_ACCESS_PERM)
	defer goOn()
	revoke := revoker(t, k)
	revoke()
	k.wait(t, believed(false))
	if got := k.ask(t, k.Good, "-no_nonce").Status; got != ocsp.TryLater {
		t.Errorf("%v while it hangs", got)
	}
	goOn()
	k.wait(t, believed(true))
	if got := k.status(t, k.Good); got != wire.Revoked {
		t.Errorf("%v when it goes on", got)
	}
}

// While the disk of a large index hangs where it is read, which takes its turn, another
// large one is read, and is accepted as it is.
func TestLargeIndexDoesNotWaitForDiskThatHangs(t *testing.T) {
	c, other := pkitest.NewCompany(t), pkitest.NewCompany(t)
	large := rows(8_000)
	small := read(t, c.Index)
	for _, of := range []*pkitest.Company{c, other} {
		add(t, of.Index, large)
	}
	k := start(t, c, &reload.Keeper{
		Sources: []reload.Source{source(c.CA, c.Signer), source(other.CA, other.Signer)},
		Look:    100 * time.Millisecond,
	})
	of := func(c *pkitest.Company, believed bool) func(reload.Event) bool {
		return func(e reload.Event) bool {
			return e.Where == c.Index && e.Index != nil && e.Index.Believed == believed
		}
	}
	goOn := hang(t, other.Index, unix.FAN_ACCESS_PERM)
	defer goOn()
	add(t, other.Index, "V\t491231235959Z\t\tFFFE\tunknown\t/CN=x\n")
	k.wait(t, of(other, false))
	add(t, c.Index, "V\t491231235959Z\t\tFFFE\tunknown\t/CN=x\n")
	k.wait(t, of(c, true))
	write(t, c.Index, append(small, "R\t491231235959Z\t260101000000Z\tFFFF\tunknown\t/CN=x\n"...))
	k.wait(t, of(c, false))
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		k.Accept()
	}()
	k.wait(t, of(c, true))
	goOn()
	<-accepted
	k.wait(t, of(other, true))
}

// A disk that lets a file be opened again may go on to hang where it is read: until that is
// over, nobody knows what has been revoked meanwhile.
func TestDiskThatHangsOn(t *testing.T) {
	k := looking(t)
	revoke := revoker(t, k)
	letOpen := hang(t, k.Index, unix.FAN_OPEN_PERM)
	defer letOpen()
	k.wait(t, believed(false))
	revoke()
	letRead := hang(t, k.Index, unix.FAN_ACCESS_PERM)
	defer letRead()
	letOpen()
	for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); { // several looks
		if got := k.ask(t, k.Good, "-no_nonce").Status; got != ocsp.TryLater {
			t.Fatalf("%v while nobody can read what is new", got)
		}
	}
	letRead()
	k.wait(t, believed(true))
	if got := k.status(t, k.Good); got != wire.Revoked {
		t.Errorf("%v when it goes on", got)
	}
}

// An index that cannot be opened any more may revoke anything, though stat says that it is
// as it was: of a file server that fails it says so from memory.
func TestIndexThatIsNotOpened(t *testing.T) {
	k := looking(t)
	is := func(when string, good, revoked ocsp.ResponseStatus) {
		t.Helper()
		if got := k.ask(t, k.Good, "-no_nonce").Status; got != good {
			t.Errorf("%s: %v of what is good, want %v", when, got, good)
		}
		if got := k.ask(t, k.Revoked, "-no_nonce").Status; got != revoked {
			t.Errorf("%s: %v of what is revoked, want %v", when, got, revoked)
		}
	}
	allow := refuse(t, k.Index)
	defer allow()
	if e := k.wait(t, believed(false)); !strings.Contains(fmt.Sprint(e.Err), unix.EPERM.Error()) {
		t.Errorf("told %v", e.Err)
	}
	is("while it cannot be opened", ocsp.TryLater, ocsp.Success)
	allow()
	k.wait(t, believed(true))
	is("when it can again", ocsp.Success, ocsp.Success)
}

// hang keeps whoever opens a file waiting, or reads it, as a disk or a server may, until
// it goes on.
func hang(t *testing.T, path string, event uint64) (goOn func()) {
	fd := permit(t, path, event, 0)
	return sync.OnceFunc(func() { unix.Close(fd) })
}

// refuse has nobody open a file, until they are allowed to.
func refuse(t *testing.T, path string) (allow func()) {
	events := os.NewFile(uintptr(permit(t, path, unix.FAN_OPEN_PERM, unix.FAN_NONBLOCK)), "fanotify")
	var refusing sync.WaitGroup
	refusing.Go(func() {
		var event unix.FanotifyEventMetadata
		for binary.Read(events, binary.NativeEndian, &event) == nil {
			no := unix.FanotifyResponse{Fd: event.Fd, Response: unix.FAN_DENY}
			if err := errors.Join(binary.Write(events, binary.NativeEndian, no), unix.Close(int(event.Fd))); err != nil {
				t.Error(err)
			}
		}
	})
	return sync.OnceFunc(func() {
		events.Close()
		refusing.Wait()
	})
}

// permit is where one is asked who may open a file, or read it.
func permit(t *testing.T, path string, event uint64, flags uint) (fd int) {
	t.Helper()
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC|flags, unix.O_RDONLY)
	if err != nil {
		t.Skip("only root can have readers of a file wait: ", err)
	}
	if err := unix.FanotifyMark(fd, unix.FAN_MARK_ADD, event, unix.AT_FDCWD, path); err != nil {
		unix.Close(fd)
		t.Skip("the kernel does not have readers of a file wait: ", err)
	}
	return fd
}

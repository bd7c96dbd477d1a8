package main

import (
	"errors"
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ocspcgi/lib/pkitest"
)

// Told to read everything again while it reads for the first time, here for as long
// as its signer leaves it waiting, the program does not end.
func TestHangupWhileStarting(t *testing.T) {
	c := pkitest.NewCompany(t)
	hangs := filepath.Join(t.TempDir(), "hangs")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: hangs, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		defer l.Close() // all that come later are refused
		conn, err := l.AcceptUnix()
		if err == nil {
			err = hangUp(conn)
			conn.Close()
		}
		failed <- err
	}()
	p := start(t, "-index", c.Index, "-CA", c.CA.Cert, "-rsigner", c.Signer.Cert, "-rkey", "unix:"+hangs)
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	p.logged(t, "told to read everything again")
}

// hangUp sends SIGHUP to who is connected.
func hangUp(conn *net.UnixConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var peer *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) { peer, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	return syscall.Kill(int(peer.Pid), syscall.SIGHUP)
}

package command

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// peerOf returns the user who has connected to a unix socket.
func peerOf(c net.Conn) (uid int, err error) {
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var sockErr error
	err = raw.Control(func(fd uintptr) { cred, sockErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err != nil || sockErr != nil {
		return 0, errors.Join(err, sockErr)
	}
	return int(cred.Uid), nil
}

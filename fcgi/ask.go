package fcgi

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Ask asks an application one request as a web server does, in the role of
// responder, and returns what it writes to STDOUT: the header of CGI, and a body.
// STDERR is passed over. What is longer than limit is an error, and so is an end
// that is not REQUEST_COMPLETE. The connection is of no use afterwards. Ask waits
// as long as conn does: set its deadline.
func Ask(conn io.ReadWriter, variables [][2]string, body []byte, limit int) (stdout []byte, err error) {
	var params []byte
	for _, variable := range variables {
		params = appendPair(params, variable[0], variable[1])
	}
	out := appendRecord(nil, typeBeginRequest, 1, []byte{1: roleResponder, beginLen - 1: 0})
	out = appendStream(out, typeParams, params)
	out = appendStream(out, typeStdin, body)
	if _, err := conn.Write(out); err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	for {
		kind, content, err := readRecord(in)
		switch {
		case err != nil:
			return nil, err
		case kind == typeStdout:
			stdout = append(stdout, content...)
		case kind == typeEndRequest:
			return stdout, ended(content)
		}
		if len(stdout) > limit {
			return nil, fmt.Errorf("the answer is longer than %d bytes", limit)
		}
	}
}

// appendStream appends the records of a stream with the empty one that ends it.
func appendStream(dst []byte, kind uint8, content []byte) []byte {
	for len(content) > 0 {
		n := min(len(content), maxContent)
		dst = appendRecord(dst, kind, 1, content[:n])
		content = content[n:]
	}
	return appendRecord(dst, kind, 1, nil)
}

func readRecord(in *bufio.Reader) (kind uint8, content []byte, err error) {
	var header [headerLen]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		return 0, nil, cutOff(err)
	}
	if header[0] != version {
		return 0, nil, fmt.Errorf("no FastCGI 1: a record begins with %d", header[0])
	}
	size := int(binary.BigEndian.Uint16(header[4:]))
	content = make([]byte, size+int(header[6]))
	if _, err := io.ReadFull(in, content); err != nil {
		return 0, nil, cutOff(err)
	}
	return header[1], content[:size], nil
}

// cutOff names an end before END_REQUEST.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the connection ended before the answer did")
	}
	return err
}

// ended says why a request did not come to its end (§5.5).
func ended(content []byte) error {
	if len(content) < 5 || content[4] != statusRequestComplete {
		return fmt.Errorf("FastCGI: END_REQUEST % X: the request was refused", content)
	}
	return nil
}

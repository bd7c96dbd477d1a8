package signer

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
)

// What is said over the socket of a signer process, in version 1. Whoever asks
// connects, and sends a question whenever the one before is answered:
//
//	4 octets   length of what follows, big-endian, at most 256 KiB
//	1          version: 1
//	32         SHA-256 of the SubjectPublicKeyInfo of the key that is to sign
//	1          length of the AlgorithmIdentifier
//	n          AlgorithmIdentifier in DER, as it stands before the signature
//	the rest   tbsResponseData of an OCSP response in DER (RFC 6960 §4.2.1)
//
// and gets an answer:
//
//	4 octets   length of what follows, as above
//	1          version: 1
//	1          0: signed, 1: refused, 2: cannot be signed now
//	the rest   the octets of the signature, or why there is none, in UTF-8
//
// After a frame of another version or length the connection is closed.
const (
	frameVersion = 1
	maxFrame     = 256 << 10
)

// answerKind is the second octet of an answer.
type answerKind byte

const (
	answerSigned answerKind = iota
	answerRefused
	answerNotNow
)

// question is what a signer process is asked.
type question struct {
	key       [sha256.Size]byte
	algorithm []byte
	tbs       []byte
}

var errFrame = errors.New("not the protocol of ocspcgi signer")

// append appends the frame of the question.
func (q *question) append(to []byte) ([]byte, error) {
	size := 1 + len(q.key) + 1 + len(q.algorithm) + len(q.tbs)
	if size > maxFrame || len(q.algorithm) > 255 {
		return nil, fmt.Errorf("%d bytes to be signed; a signer process takes %d at most", len(q.tbs), maxFrame)
	}
	to = binary.BigEndian.AppendUint32(to, uint32(size))
	to = append(append(to, frameVersion), q.key[:]...)
	to = append(append(to, byte(len(q.algorithm))), q.algorithm...)
	return append(to, q.tbs...), nil
}

// parseQuestion reads the content of a question's frame, which it keeps.
func parseQuestion(content []byte) (*question, error) {
	var q question
	rest := content[min(1, len(content)):]
	if copy(q.key[:], rest) < len(q.key) {
		return nil, errFrame
	}
	rest = rest[len(q.key):]
	if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
		return nil, errFrame
	}
	end := 1 + int(rest[0])
	q.algorithm, q.tbs = rest[1:end], rest[end:]
	return &q, nil
}

// appendAnswer appends the frame of an answer.
func appendAnswer(to []byte, kind answerKind, content []byte) []byte {
	content = content[:min(len(content), maxFrame-2)]
	to = binary.BigEndian.AppendUint32(to, uint32(2+len(content)))
	return append(append(to, frameVersion, byte(kind)), content...)
}

// parseAnswer reads the content of an answer's frame.
func parseAnswer(content []byte) (signature []byte, err error) {
	if len(content) < 2 {
		return nil, errFrame
	}
	switch said := content[2:]; answerKind(content[1]) {
	case answerSigned:
		return said, nil
	case answerRefused:
		return nil, fmt.Errorf("refused: %s", printable(string(said)))
	case answerNotNow:
		return nil, fmt.Errorf("%w: %s", ErrAway, printable(string(said)))
	}
	return nil, errFrame
}

// readFrame reads the content of a frame, its version first.
func readFrame(r *bufio.Reader) ([]byte, error) {
	head, err := r.Peek(5)
	if err != nil {
		if len(head) > 0 && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	size := binary.BigEndian.Uint32(head)
	if size == 0 || size > maxFrame || head[4] != frameVersion {
		return nil, errFrame
	}
	if _, err := r.Discard(4); err != nil {
		return nil, err
	}
	content := slices.Grow([]byte(nil), int(min(size, 4<<10)))
	for len(content) < int(size) { // memory only for what has come
		n := min(int(size), max(2*len(content), 4<<10))
		at := len(content)
		content = slices.Grow(content, n-at)[:n]
		if _, err := io.ReadFull(r, content[at:]); err != nil {
			return nil, noEnd(err)
		}
	}
	return content, nil
}

// noEnd is err for a frame that has begun.
func noEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// talk is a connection that frames go over.
type talk struct {
	net.Conn
	in *bufio.Reader
}

func newTalk(c net.Conn) *talk { return &talk{c, bufio.NewReader(c)} }

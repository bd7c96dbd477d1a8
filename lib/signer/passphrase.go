package signer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/term"
)

// Passphrase answers with the pass phrase of the key in the named file. It is
// called only for keys that are encrypted, and again when they are read anew.
type Passphrase func(keyFile string) ([]byte, error)

// maxPhrase is openssl's limit for a line with a pass phrase.
const maxPhrase = 1024

// ParsePassIn reads openssl's pass phrase sources: pass:PHRASE, env:NAME,
// file:PATH (its first line), fd:N and stdin (one line, read when it is first
// wanted, and remembered: keys told the same descriptor share one Passphrase).
// An empty source asks on the terminal, once for each key, and is an error at
// once where there is none. The phrase is in no error.
func ParsePassIn(source string, env func(string) (string, bool)) (Passphrase, error) {
	kind, value, _ := strings.Cut(source, ":")
	switch {
	case source == "":
		return (&terminal{phrases: map[string][]byte{}}).ask, nil
	case source == "stdin":
		return fromDescriptor(0), nil
	case kind == "pass" && source != "pass":
		return func(string) ([]byte, error) { return []byte(value), nil }, nil
	case kind == "env" && value != "":
		return fromEnvironment(value, env), nil
	case kind == "file" && value != "":
		return func(string) ([]byte, error) { return fromFile(value) }, nil
	case kind == "fd":
		if fd, err := strconv.ParseUint(value, 10, 31); err == nil {
			return fromDescriptor(int(fd)), nil
		}
	}
	return nil, errors.New("-passin: give pass:PHRASE, env:NAME, file:PATH, fd:N or stdin")
}

func fromEnvironment(name string, env func(string) (string, bool)) Passphrase {
	return func(string) ([]byte, error) {
		phrase, ok := env(name)
		if !ok {
			return nil, fmt.Errorf("the key is encrypted, and %s of -passin env:%s is not in the environment", name, name)
		}
		return []byte(phrase), nil
	}
}

func fromFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the key is encrypted: -passin file: %w", err)
	}
	defer f.Close()
	return firstLine(f, "file:"+path)
}

func fromDescriptor(fd int) Passphrase {
	read := sync.OnceValues(func() ([]byte, error) { return firstLine(descriptor(fd), "fd:"+strconv.Itoa(fd)) })
	return func(string) ([]byte, error) { return read() }
}

// descriptor reads from an open file that it does not own: an os.File would
// close it in the end.
type descriptor int

func (fd descriptor) Read(p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), p)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return 0, err
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// firstLine takes byte by byte, to leave the following lines to whoever reads
// the descriptor next.
func firstLine(r io.Reader, source string) ([]byte, error) {
	var line []byte
	for b := make([]byte, 1); len(line) <= maxPhrase; line = append(line, b[0]) {
		n, err := r.Read(b)
		if n == 0 && err != nil && err != io.EOF {
			return nil, fmt.Errorf("the key is encrypted: -passin %s: %w", source, err)
		}
		if n == 0 && len(line) == 0 {
			return nil, fmt.Errorf("the key is encrypted, and -passin %s is empty", source)
		}
		if n == 0 || b[0] == '\n' {
			return bytes.TrimSuffix(line, []byte("\r")), nil
		}
	}
	return nil, fmt.Errorf("the key is encrypted, and the first line of -passin %s is longer than %d bytes", source, maxPhrase)
}

// terminal asks the person who started the program and remembers the answers,
// for nobody is there to be asked when a key is read again.
type terminal struct {
	mu      sync.Mutex
	phrases map[string][]byte
}

func (t *terminal) ask(keyFile string) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if phrase, ok := t.phrases[keyFile]; ok {
		return phrase, nil
	}
	phrase, err := askTerminal(keyFile)
	if err == nil {
		t.phrases[keyFile] = phrase
	}
	return phrase, err
}

// askTerminal needs a terminal at stdin or stderr: a web server that was
// started by hand passes its /dev/tty on to programs that must not use it.
func askTerminal(keyFile string) ([]byte, error) {
	if !term.IsTerminal(0) && !term.IsTerminal(2) {
		return nil, errors.New("the key is encrypted; give its pass phrase with -passin file:PATH")
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("the key is encrypted, and there is no terminal to ask on (%w); give its pass phrase with -passin file:PATH", err)
	}
	defer tty.Close()
	if _, err := fmt.Fprintf(tty, "Enter pass phrase for %s: ", keyFile); err != nil {
		return nil, err
	}
	phrase, err := term.ReadPassword(int(tty.Fd()))
	if _, werr := fmt.Fprintln(tty); err == nil {
		err = werr
	}
	return phrase, err
}

package journal

import (
	"errors"
	"fmt"
	"io"
	"log/syslog"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"
)

// outlet is where lines go, once it is open.
type outlet struct {
	options Options
	once    sync.Once
	to      zerolog.LevelWriter
	file    io.Closer // nil: nothing to close
	err     error     // of the file, in whose place stderr is
}

// WriteLevel implements [zerolog.LevelWriter].
func (w *outlet) WriteLevel(level zerolog.Level, line []byte) (int, error) {
	w.once.Do(func() {
		if w.open(); w.err != nil {
			fmt.Fprintln(os.Stderr, "ocspcgi: the log goes here instead:", w.err)
		}
	})
	if _, err := w.to.WriteLevel(level, Escaped(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// Write implements [io.Writer].
func (w *outlet) Write(line []byte) (int, error) { return w.WriteLevel(zerolog.NoLevel, line) }

func (w *outlet) open() {
	if path := w.options.Path; path != "" {
		f, err := w.openFile(path)
		if err == nil {
			w.to, w.file = zerolog.LevelWriterAdapter{Writer: f}, f
			return
		}
		w.err = fmt.Errorf("-log: %w", err)
	}
	w.to = zerolog.LevelWriterAdapter{Writer: os.Stderr}
	switch {
	case term.IsTerminal(int(os.Stderr.Fd())):
		w.to = zerolog.LevelWriterAdapter{Writer: console(os.Stderr, w.options.Color)}
	case leadsNowhere(os.Stderr):
		if system, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_INFO, "ocspcgi"); err == nil {
			w.to, w.file = zerolog.SyslogLevelWriter(system), system
		}
	}
}

// openFile opens the log's file. It does not wait: nobody may ever read a FIFO, and
// whoever asks waits for the answer.
func (w *outlet) openFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NONBLOCK, 0o640)
	switch {
	case errors.Is(err, syscall.ENXIO):
		return nil, fmt.Errorf("%w: a FIFO that nobody reads, or a socket; start its reader first, or name a file", err)
	case err == nil && w.options.Apart && same(f, os.Stdout):
		return nil, errors.Join(fmt.Errorf("%s: the answer goes there; name another file, or leave log out", path), f.Close())
	}
	return f, err
}

// same reports whether two files that are open are one.
func same(a, b *os.File) bool {
	one, err := a.Stat()
	if err != nil {
		return false
	}
	other, err := b.Stat()
	return err == nil && os.SameFile(one, other)
}

// console writes lines for people, in which colours are all that a terminal obeys.
func console(out io.Writer, color bool) zerolog.ConsoleWriter {
	return zerolog.ConsoleWriter{Out: colored{out}, TimeFormat: time.DateTime, NoColor: !color, FormatPrepare: plainly}
}

// plainly takes from a message what a terminal would obey; all else is quoted.
func plainly(fields map[string]any) error {
	if message, ok := fields[zerolog.MessageFieldName].(string); ok {
		fields[zerolog.MessageFieldName] = Plain(message)
	}
	return nil
}

func (w *outlet) close() error {
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}

// leadsNowhere reports whether f is closed, or /dev/null.
func leadsNowhere(f *os.File) bool {
	there, err := f.Stat()
	if err != nil {
		return true
	}
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(there, null)
}

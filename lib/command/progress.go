package command

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// Progress shows a person how much of a file has been read, on one line that is
// gone at the end. Its Show is safe for concurrent use.
type Progress struct {
	Out io.Writer        // a terminal
	Now func() time.Time // the clock; nil means time.Now

	mu    sync.Mutex
	path  string    // of the file that is being read
	since time.Time // when that began
	last  time.Time // when it was shown
	wide  int       // how much of the line is in use
}

const (
	patience  = time.Second            // what is faster is not shown
	repainted = 100 * time.Millisecond // between two looks of the line
)

// ProgressOn returns what shows progress on a terminal; nil where out is none.
func ProgressOn(out io.Writer) func(path string, read, size int64) {
	if f, ok := out.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return (&Progress{Out: out}).Show
}

// Show is told that so many bytes of size have been read.
func (p *Progress) Show(path string, read, size int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if path != p.path {
		p.path, p.since, p.last = path, now, time.Time{}
	}
	if read >= size {
		p.paint("")
		p.path = ""
		return
	}
	if now.Sub(p.since) >= patience && now.Sub(p.last) >= repainted {
		p.last = now
		p.paint(fmt.Sprintf("reading %s: %d %%", filepath.Base(path), 100*read/size))
	}
}

// paint puts text in the place of what the line has.
func (p *Progress) paint(text string) {
	if p.wide == 0 && text == "" {
		return
	}
	line := "\r" + text + strings.Repeat(" ", max(0, p.wide-len(text)))
	if text == "" {
		line += "\r"
	}
	p.wide = len(text)
	io.WriteString(p.Out, line)
}

func (p *Progress) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

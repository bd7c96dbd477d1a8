package index

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Two looks at one file: a revocation that either of them alone has seen, while the file
// was written, may be half of one row and half of another.
func TestTwoLooks(t *testing.T) {
	moved := finding{doubt: doubt("", reasonMoved)}
	revoked, valid := finding{entry: Entry{Status: Revoked}}, finding{entry: Entry{Status: Valid}}
	held := finding{entry: Entry{Status: Revoked, Reason: certificateHold}}
	holds := func(s stamp) look { return look{finding: moved, stamp: s, half: held} }
	one, other := stamp{mtime: 1}, stamp{mtime: 2}
	whole := func(f finding, s stamp) look { return look{finding: f, stamp: s} }
	written := func(s stamp) look { return look{finding: moved, stamp: s, half: revoked} }
	for name, c := range map[string]struct {
		first, next look
		want        rank
	}{
		"the same":                        {whole(valid, one), whole(valid, one), listed},
		"another state":                   {whole(valid, one), whole(valid, other), doubtful},
		"revoked in another state":        {whole(valid, one), whole(revoked, other), final},
		"revoked in both while written":   {written(one), written(other), final},
		"revoked in the first, written":   {written(one), whole(valid, other), doubtful},
		"revoked in the second, written":  {whole(valid, one), written(other), doubtful},
		"revoked in both, one is written": {written(one), whole(revoked, other), final},
		"on hold in both while written":   {holds(one), holds(other), held.rank()},
		"on hold in the first, written":   {holds(one), whole(valid, other), doubtful},
	} {
		if got := c.first.then(c.next, "").rank(); got != c.want {
			t.Errorf("%s: rank %d, want %d", name, got, c.want)
		}
	}
}

// A hold is released by the state of the index that says so, and no other: that may have
// forgotten something that this one has not.
func TestReleasedByAnotherState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.txt")
	const rest = "\t491119120000Z\t%s\t10\tunknown\t/CN=a\n"
	put := func(text string) (of stamp) {
		t.Helper()
		old := time.Now().Add(-time.Hour)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, old, old)); err != nil {
			t.Fatal(err)
		}
		of, err := stampOf(path)
		if err != nil {
			t.Fatal(err)
		}
		return of
	}
	put("R" + fmt.Sprintf(rest, "261119120000Z,certificateHold"))
	b := &Believed{Dir: t.TempDir()}
	if err := b.Renew(path, time.Now()); err != nil {
		t.Fatal(err)
	}
	of := put("V" + fmt.Sprintf(rest, ""))
	valid := finding{entry: Entry{Status: Valid}}
	for want, of := range map[rank]stamp{listed: of, doubtful: {ino: of.ino}} {
		if says, _ := b.holds(path, valid, []byte{0x10}, of, time.Now()); says.rank() != want {
			t.Errorf("rank %d, want %d", says.rank(), want)
		}
	}
}

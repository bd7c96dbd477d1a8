package truth_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ocspcgi/lib/wire"
)

// row is a row of index.txt, written and read here on its own: what the program
// reads is held against it.
type row struct {
	kind    byte // V, R or E
	expires time.Time
	revoked string // the column
	serial  string
	subject string
}

const utcTime = "060102150405Z"

func (r row) String() string {
	return fmt.Sprintf("%c\t%s\t%s\t%s\tunknown\t%s\n", r.kind, r.expires.UTC().Format(utcTime), r.revoked, r.serial, r.subject)
}

// claim is what the row says.
func (r row) claim(t testing.TB) claim {
	if r.kind != 'R' {
		return good
	}
	date, rest, _ := strings.Cut(r.revoked, ",")
	at, err := time.Parse(utcTime, date)
	if err != nil {
		t.Errorf("row of %s: %v", r.serial, err)
	}
	c := claim{status: wire.Revoked, revoked: at.Unix(), reason: -1}
	name, _, _ := strings.Cut(rest, ",")
	for reason, names := range reasons {
		for _, n := range names {
			if n == name {
				c.reason = reason
			}
		}
	}
	return c
}

// reasons are what openssl ca calls them.
var reasons = map[int][]string{
	1: {"keyCompromise", "keyTime"},
	2: {"CACompromise", "CAkeyTime"},
	3: {"affiliationChanged"},
	4: {"superseded"},
	5: {"cessationOfOperation"},
	6: {"certificateHold", "holdInstruction"},
}

// held tells whether the row may be valid again.
func (r row) held() bool {
	return strings.HasSuffix(r.revoked, ",certificateHold") || strings.Contains(r.revoked, ",holdInstruction,")
}

// expired tells whether the row may vanish: it has, or will have in a moment.
func (r row) expired() bool { return r.expires.Before(time.Now().Add(5 * time.Second)) }

// revocation is a column that openssl ca may write now.
func revocation(rng *rand.Rand, hold bool) string {
	now := time.Now().UTC()
	date := now.Format(utcTime)
	if hold {
		return date + []string{",certificateHold", ",holdInstruction,holdInstructionReject"}[rng.IntN(2)]
	}
	when := "," + now.Add(-time.Hour).Format("20060102150405Z")
	return date + []string{"", ",unspecified", ",keyCompromise", ",CACompromise", ",affiliationChanged", ",superseded",
		",cessationOfOperation", ",keyTime" + when, ",CAkeyTime" + when}[rng.IntN(9)]
}

// render writes rows, and tells where each one ends.
func render(rows []row) (data []byte, ends []int) {
	var b bytes.Buffer
	for _, r := range rows {
		b.WriteString(r.String())
		ends = append(ends, b.Len())
	}
	return b.Bytes(), ends
}

// read reads what openssl ca has written.
func read(t testing.TB, data []byte) (rows []row) {
	for line := range strings.Lines(string(data)) {
		cols := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cols) != 6 || len(cols[0]) != 1 {
			t.Fatalf("openssl wrote %q", line)
		}
		expires, err := time.Parse(utcTime, cols[1])
		if err != nil {
			t.Fatalf("openssl wrote %q: %v", line, err)
		}
		rows = append(rows, row{cols[0][0], expires, cols[2], cols[3], cols[5]})
	}
	return rows
}

// bySerial finds the row of each serial.
func bySerial(rows []row) map[string]row {
	m := map[string]row{}
	for _, r := range rows {
		m[r.serial] = r
	}
	return m
}

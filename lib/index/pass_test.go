package index

import (
	"bytes"
	"fmt"
	"testing"
)

// FuzzPass sees that the rows which pass goes over are sound and of another
// serial.
func FuzzPass(f *testing.F) {
	seeds := []string{
		"V\t271119120000Z\t\t10\tunknown\t/CN=a", "V\t271119120000Z\t\t1020\tunknown\t/CN=a", "R\t271119120000Z\t260101000000Z\t10\tunknown\t/CN=a",
		"V\t271119120000Z\t\t1\tunknown\t/CN=a", "V\t271119120000Z\t\tGG\tunknown\t/CN=a", "V\t27111912000Z\t\t10\tunknown\t/CN=a",
		"V\t271119120000Z\t\t10\tunknown\t/CN=a\tV\t271119120000Z", "V\t271119120000Z\t\t10\tunknown", "v\t271119120000Z\t\t10\tunknown\t/CN=a",
		"V\t271119120000Z\t\t-10\tunknown\t/CN=a", "V\t271119120000Z\t\t0010\tunknown\t/CN=a", "V\t271119120000Z\\\t\t10\tunknown\t/CN=a",
		"V\t271119120000Z\t\t10\\\tunknown\t/CN=a", "V\t271119120000Z\tx\t10\tunknown\t/CN=a", "", "#", "E\t271119120000Z\t\t10\tunknown\t/CN=a",
		"V\t271119120000Z\t\tabcdefABCDEF0123\tunknown\t/CN=a", "V\t271119120000Z\t\t" + "00" + "\tunknown\t/CN=a", "V\t271119120000Z\t\t\tunknown\t/CN=a",
	}
	if len(seeds) < 20 {
		f.Fatal("too few seeds")
	}
	for _, seed := range seeds {
		f.Add([]byte(seed), byte(0x10))
		f.Add([]byte(seed), byte(0x11))
	}
	f.Fuzz(func(t *testing.T, line []byte, last byte) {
		if bytes.ContainsAny(line, "\n\r\x00") || !plain(line, last) {
			return
		}
		var r row
		r.cut(line, true)
		if r.flaw != sound || r.key == nil || r.key[len(r.key)-1] == last {
			t.Errorf("%q passed for a serial in %02x: key %x, flaw %d", line, last, r.key, r.flaw)
		}
		if e, flaw := r.entry(nil); flaw != sound || e.Status != Valid {
			t.Errorf("%q passed, and is %v", line, e)
		}
	})
}

// TestPassLines sees that line numbers count the rows that were passed.
func TestPassLines(t *testing.T) {
	var text bytes.Buffer
	for i := range 100 {
		fmt.Fprintf(&text, "V\t271119120000Z\t\t%04X\tunknown\t/CN=%d\n", 0x1000+i, i)
	}
	b := block{text: text.Bytes()}
	b.pass([]byte{0x10, 0x20})
	if b.line != 0x20 || !bytes.Contains(b.text[:30], []byte("\t1020\t")) {
		t.Errorf("line %d, %q", b.line, b.text[:30])
	}
}

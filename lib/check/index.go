package check

import (
	"errors"
	"fmt"
	"os"

	"ocspcgi/lib/index"
	"ocspcgi/lib/signer"
)

// index checks the rows, and that none revokes a signer.
func (c *Checker) index(i *issuer) {
	live := i.index
	report := live.Reload(true)
	for _, f := range report.Faults {
		c.add(row{Level: warning, File: live.Path, Line: f.Line, Text: f.Text, Remedy: f.Remedy})
	}
	if more := report.Count - len(report.Faults); more > 0 {
		c.add(row{Level: warning, File: live.Path, Text: fmt.Sprintf("%d more faults", more)})
	}
	issued := c.folder(i)
	t, err := c.rowsOf(i, issued)
	if report.Err != nil {
		c.unbelieved(live.Path, report.Err)
	} else if err == nil {
		c.ok(live.Path, "%s", t.summary())
	}
	for _, s := range i.signers {
		c.standing(live, s)
	}
	c.backup(live)
	c.issued(i, issued)
}

// unbelieved says why an index is not believed, and what to do.
func (c *Checker) unbelieved(path string, why error) {
	c.say(fault, why.Error(), path)
	r := &c.rows[len(c.rows)-1]
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		r.Remedy = "name the index.txt of the CA; of a CA without certificates it is an empty file"
		if _, err := os.Stat(path + ".old"); err == nil {
			r.Remedy = "openssl ca broke off between two renames: mv " + path + ".new " + path + ", or cp " + path + ".old " + path
		}
		return
	}
	if text, err := os.ReadFile(path); err == nil && len(text) > 0 && text[len(text)-1] != '\n' {
		r.Text += "; every serial that is not revoked is answered tryLater"
		r.Remedy = "if nobody is writing it, copy it from the CA again, whole; a last row that is whole lacks only its end: echo >> " + path
	}
}

// standing checks that the index does not revoke a signer. Doubts about its row
// are among the faults of the index.
func (c *Checker) standing(live *index.Live, s *signer.Signer) {
	if entry, err := live.Lookup(serialOf(s.Certificate)); err == nil && entry.Status == index.Revoked {
		c.add(row{Level: fault, File: live.Path, Text: s.Path + " is revoked", Remedy: "issue a new signer"})
	}
}

// backup compares the index with the one that openssl ca kept before its last
// change: a revocation that is gone since was lost, unless it was a hold.
func (c *Checker) backup(live *index.Live) {
	const hold = 6
	old := live.Path + ".old"
	lost := crowd{c: c}
	err := index.Rows(old, func(r *index.Row) bool {
		if r.Status != index.Revoked || r.Reason == hold || r.Expires.Before(c.now()) {
			return true
		}
		entry, err := live.Lookup(r.Serial)
		switch {
		case errors.Is(err, index.ErrNotFound):
			lost.add(row{Level: warning, File: old, Line: r.Line, Text: fmt.Sprintf("serial %X was revoked, and %s does not have it", r.Serial, live.Path), Remedy: "copy the row back, unless it was taken out on purpose"})
		case err == nil && entry.Status != index.Revoked:
			lost.add(row{Level: warning, File: old, Line: r.Line, Text: fmt.Sprintf("serial %X was revoked, and %s says good", r.Serial, live.Path), Remedy: "copy the row back: what is revoked stays so"})
		}
		return true
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		c.add(row{Level: hint, File: old, Text: err.Error()})
	}
	lost.close()
}

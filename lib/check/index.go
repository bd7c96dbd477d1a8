package check

import (
	"errors"
	"fmt"

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
	if report.Err != nil {
		c.say(fault, report.Err.Error(), live.Path)
	} else {
		c.ok(live.Path, "%d rows", report.Rows)
	}
	for _, s := range i.signers {
		c.standing(live, s, report.Err == nil)
	}
}

// standing checks that the index does not revoke a signer.
func (c *Checker) standing(live *index.Live, s *signer.Signer, believed bool) {
	entry, err := live.Lookup(serialOf(s.Certificate))
	switch {
	case err == nil && entry.Status == index.Revoked:
		c.add(row{Level: fault, File: live.Path, Text: s.Path + " is revoked", Remedy: "issue a new signer"})
	case err != nil && !errors.Is(err, index.ErrNotFound) && believed:
		c.say(warning, err.Error(), live.Path)
	}
}

package reload

import (
	"bytes"
	"errors"
	"fmt"

	"ocspcgi/lib/index"
	"ocspcgi/lib/responder"
)

// maxPublic is how many rows a fault about a public CA's index lists.
const maxPublic = 5

// checkPublic tells which rows the rules for publicly trusted CAs forbid: a
// certificate may not be on hold (TLS Baseline Requirements §4.9.13), and a
// revoked CA certificate, which is what a root issues, says why (§7.2.2, §7.3).
func checkPublic(source Source, issuer *responder.Issuer, live *index.Live) error {
	if !source.Files.Public {
		return nil
	}
	const certificateHold = 6
	root := bytes.Equal(issuer.CA.RawSubject, issuer.CA.RawIssuer)
	var faults []error
	live.Revoked(func(serial []byte, line int, e index.Entry) bool {
		what := ""
		switch {
		case e.Reason == certificateHold:
			what = "is on hold, which no public CA may do; revoke or release it"
		case root && e.Reason < 0:
			what = "is a revoked CA certificate without a reason; write one that openssl ca knows"
		default:
			return true
		}
		faults = append(faults, fmt.Errorf("%s: profile public: %s:%d: serial %X %s", source.Files.Where, source.Index, line, serial, what))
		return len(faults) < maxPublic
	})
	return errors.Join(faults...)
}

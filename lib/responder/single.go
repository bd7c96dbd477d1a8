package responder

import (
	"encoding/asn1"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"ocspcgi/lib/index"
	"ocspcgi/lib/wire"
)

// holdReason is CRLReason certificateHold (RFC 5280 §5.3.1).
const holdReason = 6

// single turns a row into the SingleResponse that says it.
func (r *Responder) single(row *row, id *identity, produced time.Time) wire.Single {
	single := wire.Single{
		CertID:     row.id.Raw,
		Status:     wire.Unknown,
		Reason:     -1,
		ThisUpdate: produced.Add(-r.Backdate),
		NextUpdate: nextUpdate(produced, row.issuer.Lifetime, id.signer.Certificate.NotAfter, row.entry.Expires),
	}
	if r.Archive > 0 && row.found && hasExpired(row.entry, produced) {
		single.ArchiveCutoff = produced.Add(-r.Archive)
	}
	switch {
	case !row.found && r.Unassigned == Revoked:
		single.Status, single.RevokedAt, single.Reason = wire.Revoked, time.Unix(0, 0).UTC(), holdReason
	case !row.found:
	case row.entry.Status == index.Revoked:
		single.Status, single.Reason = wire.Revoked, int(row.entry.Reason)
		single.RevokedAt = earlier(row.entry.Revoked, produced)
		if !row.issuer.public {
			single.InvalidityDate, single.HoldInstruction = row.entry.Invalid, parseOID(row.entry.Hold)
		}
	default:
		single.Status = wire.Good
	}
	return single
}

// parseOID reads an OID in dots; what is none is left out.
func parseOID(dots string) asn1.ObjectIdentifier {
	var id asn1.ObjectIdentifier
	if dots == "" {
		return nil
	}
	for part := range strings.SplitSeq(dots, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil
		}
		id = append(id, n)
	}
	return id
}

// hasExpired reports whether a certificate's time is over, by its date or by
// what the index says.
func hasExpired(entry index.Entry, now time.Time) bool {
	return entry.Status == index.Expired || !entry.Expires.IsZero() && entry.Expires.Before(now)
}

// nextUpdate is when the answer ends: after lifetime, but neither past the
// signer's notAfter nor past that of the certificate asked about, unless that
// one has expired already (or is not known: zero).
func nextUpdate(produced time.Time, lifetime time.Duration, signerEnds, subjectEnds time.Time) time.Time {
	next := earlier(produced.Add(lifetime), signerEnds)
	if subjectEnds.After(produced) {
		next = earlier(next, subjectEnds)
	}
	return next.UTC()
}

// earlier returns the earlier of two times: no revocation lies in the future,
// for some clients take that as good.
func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// serialHex writes the content octets of a serial's INTEGER the way openssl
// does: an even number of capital digits, a minus before a negative one.
func serialHex(serial []byte) string {
	sign := ""
	if len(serial) > 0 && serial[0]&0x80 != 0 {
		sign, serial = "-", negate(serial)
	} else if len(serial) > 1 && serial[0] == 0 {
		serial = serial[1:]
	}
	const most = 40 // a longer one is no certificate's (RFC 5280 §4.1.2.2)
	if len(serial) > most {
		return sign + strings.ToUpper(hex.EncodeToString(serial[:most])) + "..."
	}
	return sign + strings.ToUpper(hex.EncodeToString(serial))
}

// negate returns the magnitude of a negative two's complement number.
func negate(serial []byte) []byte {
	out := make([]byte, len(serial))
	carry := 1
	for i := len(serial) - 1; i >= 0; i-- {
		carry += int(^serial[i])
		out[i], carry = byte(carry), carry>>8
	}
	for len(out) > 1 && out[0] == 0 {
		out = out[1:]
	}
	return out
}

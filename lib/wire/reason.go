package wire

import "strings"

// reasons are the names of CRLReason (RFC 5280 §5.3.1) as openssl ca has them.
// There is no 7.
var reasons = [...]string{"unspecified", "keyCompromise", "CACompromise", "affiliationChanged", "superseded",
	"cessationOfOperation", "certificateHold", "", "removeFromCRL", "privilegeWithdrawn", "AACompromise"}

// ReasonName names a CRLReason as openssl ca does; empty: there is no such reason.
func ReasonName(reason int) string {
	if reason < 0 || reason >= len(reasons) {
		return ""
	}
	return reasons[reason]
}

// ParseReason returns the CRLReason of that name, in any letter case.
func ParseReason(name string) (reason int, ok bool) {
	for reason, known := range reasons {
		if known != "" && strings.EqualFold(known, name) {
			return reason, true
		}
	}
	return 0, false
}

package command

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/verify"
	"ocspcgi/lib/wire"
)

// requestText prints an OCSPRequest for people (-text). What cannot be read is
// said to be so.
func requestText(w io.Writer, der []byte) {
	fmt.Fprintln(w, "OCSP request:")
	req, err := wire.ParseRequest(der)
	if err != nil {
		fmt.Fprintf(w, "    not readable: %v\n", err)
		return
	}
	for i := range req.CertIDs {
		certIDText(w, &req.CertIDs[i])
	}
	if req.Nonce != nil {
		fmt.Fprintf(w, "    Nonce: %s\n", nonceText(req.Nonce))
	}
	if len(req.Preferred) > 0 {
		fmt.Fprintf(w, "    Preferred Signature Algorithms: %s\n", strings.Join(viewRequest(req).Preferred, ", "))
	}
	if req.Signed {
		fmt.Fprintf(w, "    Signed: yes\n    Signature Algorithm: %s\n", algorithmName(req.SignatureAlgorithm))
	}
}

// responseText prints an OCSPResponse for people.
func responseText(w io.Writer, der []byte) {
	fmt.Fprintln(w, "OCSP response:")
	resp, err := wire.ParseResponse(der)
	if err != nil {
		fmt.Fprintf(w, "    not readable: %v\n", err)
		return
	}
	fmt.Fprintf(w, "    Status: %s (%d)\n", wire.StatusName(resp.Status), int(resp.Status))
	if resp.Status != ocsp.Success {
		return
	}
	fmt.Fprintf(w, "    Responder Id: %s\n    Produced At: %s\n", verify.Responder(&resp.Response), textTime(resp.ProducedAt))
	for i := range resp.Singles {
		singleText(w, &resp.Singles[i])
	}
	if len(resp.Nonce) > 0 {
		fmt.Fprintf(w, "    Nonce: %s\n", nonceText(resp.Nonce))
	}
	if resp.ExtendedRevoke {
		fmt.Fprintln(w, "    Extended Revoke: a serial number never issued is revoked")
	}
	fmt.Fprintf(w, "    Signature Algorithm: %s\n    Certificates: %d\n", algorithmName(resp.SignatureAlgorithm), len(resp.Certificates))
	for _, der := range resp.Certificates {
		cert := viewCertificate(der)
		fmt.Fprintf(w, "      %s\n        issued by %s, serial %s, to %s\n", cert.Subject, cert.Issuer, cert.Serial, textTime(cert.NotAfter))
	}
}

func singleText(w io.Writer, single *wire.Single) {
	id, err := wire.ParseCertID(single.CertID)
	if err != nil {
		fmt.Fprintf(w, "    Certificate ID not readable: %v\n", err)
	} else {
		certIDText(w, &id)
	}
	fmt.Fprintf(w, "    Cert Status: %v\n", single.Status)
	if single.Status == wire.Revoked {
		fmt.Fprintf(w, "    Revocation Time: %s\n", textTime(single.RevokedAt))
		if single.Reason >= 0 {
			fmt.Fprintf(w, "    Revocation Reason: %s\n", reasonText(single.Reason))
		}
	}
	fmt.Fprintf(w, "    This Update: %s\n", textTime(single.ThisUpdate))
	if !single.NextUpdate.IsZero() {
		fmt.Fprintf(w, "    Next Update: %s\n", textTime(single.NextUpdate))
	}
	if !single.ArchiveCutoff.IsZero() {
		fmt.Fprintf(w, "    Archive Cutoff: %s\n", textTime(single.ArchiveCutoff))
	}
	if !single.InvalidityDate.IsZero() {
		fmt.Fprintf(w, "    Invalidity Date: %s\n", textTime(single.InvalidityDate))
	}
	if len(single.HoldInstruction) > 0 {
		fmt.Fprintf(w, "    Hold Instruction: %s\n", single.HoldInstruction)
	}
}

func certIDText(w io.Writer, id *wire.CertID) {
	fmt.Fprintf(w, "    Certificate ID:\n      Hash Algorithm: %s\n      Issuer Name Hash: %s\n      Issuer Key Hash: %s\n      Serial Number: %s\n",
		hashName(id), upperHex(id.IssuerNameHash), upperHex(id.IssuerKeyHash), serialText(id.Serial))
}

func upperHex(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// textTime writes a time as openssl prints it.
func textTime(t time.Time) string { return t.UTC().Format("Jan _2 15:04:05 2006 GMT") }

package command

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/crypto/ocsp"

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
		fmt.Fprintf(w, "    Nonce: %s\n", upperHex(req.Nonce))
	}
	if req.Signed {
		fmt.Fprintln(w, "    Signed: yes")
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
	fmt.Fprintf(w, "    Status: %v (%d)\n", resp.Status, int(resp.Status))
	if resp.Status != ocsp.Success {
		return
	}
	responder := "key " + upperHex(resp.KeyHash[:])
	if resp.ByName != nil {
		responder = "name " + upperHex(resp.ByName)
	}
	fmt.Fprintf(w, "    Responder Id: %s\n    Produced At: %s\n", responder, textTime(resp.ProducedAt))
	for i := range resp.Singles {
		singleText(w, &resp.Singles[i])
	}
	if len(resp.Nonce) > 0 {
		fmt.Fprintf(w, "    Nonce: %s\n", upperHex(resp.Nonce))
	}
	fmt.Fprintf(w, "    Certificates: %d\n", len(resp.Certificates))
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
			fmt.Fprintf(w, "    Revocation Reason: %d\n", single.Reason)
		}
	}
	fmt.Fprintf(w, "    This Update: %s\n", textTime(single.ThisUpdate))
	if !single.NextUpdate.IsZero() {
		fmt.Fprintf(w, "    Next Update: %s\n", textTime(single.NextUpdate))
	}
}

func certIDText(w io.Writer, id *wire.CertID) {
	hash := "unknown"
	if id.Hash != 0 {
		hash = id.Hash.String()
	}
	fmt.Fprintf(w, "    Certificate ID:\n      Hash Algorithm: %s\n      Issuer Name Hash: %s\n      Issuer Key Hash: %s\n      Serial Number: %s\n",
		hash, upperHex(id.IssuerNameHash), upperHex(id.IssuerKeyHash), upperHex(id.Serial))
}

func upperHex(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// textTime writes a time as openssl prints it.
func textTime(t time.Time) string { return t.UTC().Format("Jan _2 15:04:05 2006 GMT") }

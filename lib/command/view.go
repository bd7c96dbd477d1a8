package command

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/verify"
	"ocspcgi/lib/wire"
)

// What -json prints. Octets are in hexadecimal, times as RFC 3339 has them.

type requestView struct {
	CertIDs   []certIDView `json:"certificates"`
	Nonce     string       `json:"nonce,omitempty"`
	Requestor string       `json:"requestor,omitempty"` // GeneralName
	Signed    bool         `json:"signed"`
	Algorithm string       `json:"signature_algorithm,omitempty"`
	Preferred []string     `json:"preferred_algorithms,omitempty"`
}

type certIDView struct {
	Serial   string `json:"serial"`
	Hash     string `json:"hash"`
	NameHash string `json:"issuer_name_hash"`
	KeyHash  string `json:"issuer_key_hash"`
}

type responseView struct {
	Status         string            `json:"response_status"`
	Code           int               `json:"response_code"`
	Responder      string            `json:"responder,omitempty"`
	ProducedAt     *time.Time        `json:"produced_at,omitempty"`
	Singles        []singleView      `json:"responses,omitempty"`
	Nonce          string            `json:"nonce,omitempty"`
	ExtendedRevoke bool              `json:"extended_revoke,omitempty"`
	Algorithm      string            `json:"signature_algorithm,omitempty"`
	Certificates   []certificateView `json:"certificates,omitempty"`
}

type singleView struct {
	certIDView
	Status          string     `json:"status"`
	RevokedAt       *time.Time `json:"revocation_time,omitempty"`
	Reason          string     `json:"revocation_reason,omitempty"`
	ThisUpdate      time.Time  `json:"this_update"`
	NextUpdate      *time.Time `json:"next_update,omitempty"`
	ArchiveCutoff   *time.Time `json:"archive_cutoff,omitempty"`
	InvalidityDate  *time.Time `json:"invalidity_date,omitempty"`
	HoldInstruction string     `json:"hold_instruction,omitempty"`
}

type certificateView struct {
	Subject  string    `json:"subject"`
	Issuer   string    `json:"issuer"`
	Serial   string    `json:"serial"`
	NotAfter time.Time `json:"not_after"`
}

func viewRequest(req *wire.Request) *requestView {
	v := &requestView{Nonce: nonceText(req.Nonce), Signed: req.Signed}
	for i := range req.CertIDs {
		v.CertIDs = append(v.CertIDs, viewCertID(&req.CertIDs[i]))
	}
	if req.RequestorName != nil {
		v.Requestor = upperHex(req.RequestorName)
	}
	if req.Signed {
		v.Algorithm = algorithmName(req.SignatureAlgorithm)
	}
	for _, algorithm := range req.Preferred {
		v.Preferred = append(v.Preferred, algorithmName(algorithm))
	}
	return v
}

func viewCertID(id *wire.CertID) certIDView {
	return certIDView{serialText(id.Serial), hashName(id), upperHex(id.IssuerNameHash), upperHex(id.IssuerKeyHash)}
}

func viewResponse(r *wire.OCSPResponse) *responseView {
	v := &responseView{Status: wire.StatusName(r.Status), Code: int(r.Status)}
	if r.Status != ocsp.Success {
		return v
	}
	v.Responder, v.ProducedAt, v.Nonce = verify.Responder(&r.Response), orNil(r.ProducedAt), nonceText(r.Nonce)
	v.ExtendedRevoke, v.Algorithm = r.ExtendedRevoke, algorithmName(r.SignatureAlgorithm)
	for i := range r.Singles {
		v.Singles = append(v.Singles, viewSingle(&r.Singles[i]))
	}
	for _, der := range r.Certificates {
		v.Certificates = append(v.Certificates, viewCertificate(der))
	}
	return v
}

func viewSingle(s *wire.Single) singleView {
	v := singleView{
		Status: s.Status.String(), RevokedAt: orNil(s.RevokedAt), ThisUpdate: s.ThisUpdate, NextUpdate: orNil(s.NextUpdate),
		ArchiveCutoff: orNil(s.ArchiveCutoff), InvalidityDate: orNil(s.InvalidityDate), HoldInstruction: s.HoldInstruction.String(),
	}
	if s.Status == wire.Revoked {
		v.Reason = reasonText(s.Reason)
	}
	if id, err := wire.ParseCertID(s.CertID); err == nil {
		v.certIDView = viewCertID(&id)
	}
	return v
}

func viewCertificate(der []byte) certificateView {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return certificateView{Subject: "cannot be read: " + err.Error()}
	}
	return certificateView{cert.Subject.String(), cert.Issuer.String(), fmt.Sprintf("%X", cert.SerialNumber), cert.NotAfter}
}

// serialText writes a serial number, which comes as the content of an INTEGER,
// as openssl does.
func serialText(content []byte) string {
	n := new(big.Int).SetBytes(content)
	if len(content) > 0 && content[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(content))))
	}
	sign := ""
	if n.Sign() < 0 {
		sign = "-"
	}
	digits := fmt.Sprintf("%X", n.Abs(n))
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	return sign + digits
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// nonceText is the octets of a nonce, without the OCTET STRING around them.
func nonceText(value []byte) string {
	var octets []byte
	if rest, err := asn1.Unmarshal(value, &octets); err != nil || len(rest) > 0 {
		octets = value
	}
	return upperHex(octets)
}

// reasonText names a reason; -1 has none.
func reasonText(reason int) string {
	if name := wire.ReasonName(reason); name != "" || reason < 0 {
		return name
	}
	return fmt.Sprintf("%d, which is no reason", reason)
}

func hashName(id *wire.CertID) string {
	if id.Hash == 0 {
		return "unknown"
	}
	return id.Hash.String()
}

// algorithmNames are the usual names of signature algorithms, by OID.
var algorithmNames = [...]struct{ oid, name string }{
	{"1.2.840.113549.1.1.5", "sha1WithRSAEncryption"},
	{"1.2.840.113549.1.1.10", "RSASSA-PSS"},
	{"1.2.840.113549.1.1.11", "sha256WithRSAEncryption"},
	{"1.2.840.113549.1.1.12", "sha384WithRSAEncryption"},
	{"1.2.840.113549.1.1.13", "sha512WithRSAEncryption"},
	{"1.2.840.10045.4.1", "ecdsa-with-SHA1"},
	{"1.2.840.10045.4.3.2", "ecdsa-with-SHA256"},
	{"1.2.840.10045.4.3.3", "ecdsa-with-SHA384"},
	{"1.2.840.10045.4.3.4", "ecdsa-with-SHA512"},
	{"1.3.101.112", "Ed25519"},
	{"1.3.101.113", "Ed448"},
	{"2.16.840.1.101.3.4.3.17", "ML-DSA-44"},
	{"2.16.840.1.101.3.4.3.18", "ML-DSA-65"},
	{"2.16.840.1.101.3.4.3.19", "ML-DSA-87"},
	{"1.3.6.1.5.5.7.6.40", "MLDSA44-ECDSA-P256-SHA256"},
	{"1.3.6.1.5.5.7.6.45", "MLDSA65-ECDSA-P256-SHA512"},
	{"1.3.6.1.5.5.7.6.46", "MLDSA65-ECDSA-P384-SHA512"},
	{"1.3.6.1.5.5.7.6.49", "MLDSA87-ECDSA-P384-SHA512"},
	{"1.3.6.1.5.5.7.6.54", "MLDSA87-ECDSA-P521-SHA512"},
}

// algorithmName names an AlgorithmIdentifier in DER.
func algorithmName(der []byte) string {
	var identifier struct {
		OID        asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(der, &identifier); err != nil {
		return upperHex(der)
	}
	oid := identifier.OID.String()
	for _, known := range algorithmNames {
		if known.oid == oid {
			return known.name
		}
	}
	return oid
}

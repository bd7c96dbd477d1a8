package command

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"ocspcgi/lib/signer"
	"ocspcgi/lib/verify"
	"ocspcgi/lib/wire"
)

const signUsage = `ocspcgi sign -serial HEX -status STATUS -ca FILE -cert FILE [-key FILE] [-out FILE]

signs one response by hand, without an index.txt. It is verified as a client does
before it is written.

  -serial HEX    serial number, as in index.txt
  -status S      good, revoked or unknown
  -revocation-time T    when it was revoked, as 2026-03-01T12:00:00Z; now without
  -revocation-reason R  keyCompromise, superseded …; none without
  -ca FILE       certificate of the CA, also within a chain (-CA)
  -cert FILE     certificate that signs: the CA's, or a delegated one (-rsigner)
  -key FILE      its key; without, it is in the file of -cert (-rkey)
  -passin SRC    pass phrase of the key: pass:PHRASE, env:NAME, file:PATH, fd:N, stdin
  -rmd NAME      digest of the signature; without, the one that belongs to the key
  -rsigopt N:V   rsa_padding_mode:pss signs with RSA-PSS
  -validity D    how long it may be believed, as 90s, 12h or 1h30m; 1h without
  -hash NAME     hash of the CertID: sha1 (default), sha256 …
  -nonce HEX     the nonce of the request that it answers
  -resp_name_id  name the signer by its subject, not by its key
  -resp_no_certs without the signer's certificate
  -out FILE      where to write it (-respout); stdout without
  -outform F     DER (default) or PEM
  -text          show it as text, on stderr (-resp_text)
  -json          show it as JSON, on stdout; needs -out FILE

  ocspcgi sign -serial 1003 -status revoked -revocation-reason keyCompromise \
    -ca ca.pem -cert ocsp.pem -key ocsp.key -out response.der
`

// statement is what is to be signed.
type statement struct {
	serial, status, at, reason string
	ca, cert, key, passin, rmd string
	validity, hash, nonce      string
	out, form                  string
	byName, noCerts, show      bool
	options                    []string // of the signature
}

func (s *Shell) sign(args []string) int {
	v := s.verb("sign", signUsage)
	st := &statement{validity: "1h", hash: "sha1"}
	v.text(&st.serial, "serial")
	v.text(&st.status, "status")
	v.text(&st.at, "revocation-time")
	v.text(&st.reason, "revocation-reason")
	v.text(&st.ca, "ca", "CA", "issuer")
	v.text(&st.cert, "cert", "rsigner")
	v.text(&st.key, "key", "rkey")
	v.text(&st.passin, "passin")
	v.text(&st.rmd, "rmd")
	v.text(&st.validity, "validity")
	v.text(&st.hash, "hash")
	v.text(&st.nonce, "nonce")
	v.text(&st.out, "out", "respout", "o")
	v.text(&st.form, "outform")
	v.toggle(&st.byName, "resp_name_id")
	v.toggle(&st.noCerts, "resp_no_certs")
	v.toggle(&st.show, "text", "resp_text")
	v.call(func(option string) error { st.options = append(st.options, option); return nil }, "rsigopt")
	return v.run(args, func() (int, error) { return 0, v.state(st) })
}

// state signs a statement, verifies it and writes it.
func (v *verb) state(st *statement) error {
	if err := errors.Join(v.nothing(), st.missing(v.json)); err != nil {
		return misuse{err}
	}
	single, err := st.single(v.now())
	if err != nil {
		return err
	}
	who, ca, err := v.whoSigns(st)
	if err != nil {
		return err
	}
	der, err := st.sign(single, who, ca, v.now())
	if err != nil {
		return err
	}
	if err := v.write(st.out, st.form, pemResponse, der); err != nil {
		return err
	}
	if st.show {
		responseText(plain{v.Stderr}, der)
	}
	if !v.json {
		return nil
	}
	resp, err := wire.ParseResponse(der)
	if err != nil {
		return err
	}
	return PrintJSON(v.Stdout, viewResponse(resp))
}

// missing tells what cannot be left out.
func (st *statement) missing(json bool) error {
	var faults []error
	for _, needed := range []struct{ value, what string }{
		{st.serial, "-serial HEX"}, {st.status, "-status good, revoked or unknown"}, {st.ca, "-ca FILE"}, {st.cert, "-cert FILE"},
	} {
		if needed.value == "" {
			faults = append(faults, errors.New("needs "+needed.what))
		}
	}
	if json && (st.out == "" || st.out == "-") {
		faults = append(faults, errors.New("-json is for stdout, and so is the response; name a file with -out"))
	}
	return errors.Join(faults...)
}

// single is what is said of the certificate; its CertID is left open.
func (st *statement) single(now time.Time) (*wire.Single, error) {
	s := &wire.Single{Reason: -1, ThisUpdate: now.Add(-5 * time.Minute)}
	validity, err := time.ParseDuration(st.validity)
	if err != nil || validity < time.Second {
		return nil, misused("-validity %q is no duration; write it like 90s, 12h or 1h30m", st.validity)
	}
	s.NextUpdate = now.Add(validity)
	switch strings.ToLower(st.status) {
	case "good":
		s.Status = wire.Good
	case "unknown":
		s.Status = wire.Unknown
	case "revoked":
		s.Status = wire.Revoked
		return s, st.revoked(s, now)
	default:
		return nil, misused("-status %q is none of good, revoked, unknown", st.status)
	}
	if st.at != "" || st.reason != "" {
		return nil, misused("-revocation-time and -revocation-reason go with -status revoked alone")
	}
	return s, nil
}

// revoked says when and why. A time to come is refused: some clients take such
// a certificate for good.
func (st *statement) revoked(s *wire.Single, now time.Time) error {
	s.RevokedAt = now
	if st.at != "" {
		at, err := time.Parse(time.RFC3339, st.at)
		switch {
		case err != nil:
			return misused("-revocation-time %q is no time; write it like 2026-03-01T12:00:00Z", st.at)
		case at.After(now):
			return misused("-revocation-time %s is still to come: some clients would take the certificate for good", st.at)
		}
		s.RevokedAt = at
	}
	if st.reason == "" {
		return nil
	}
	reason, known := wire.ParseReason(st.reason)
	if !known || wire.ReasonName(reason) == "removeFromCRL" {
		return misused("-revocation-reason %q is none of unspecified, keyCompromise, CACompromise, affiliationChanged, superseded, cessationOfOperation, certificateHold, privilegeWithdrawn, AACompromise", st.reason)
	}
	s.Reason = reason
	return nil
}

// whoSigns reads the key and the certificates, and checks that they may.
func (v *verb) whoSigns(st *statement) (*signer.Signer, *x509.Certificate, error) {
	phrase, err := signer.ParsePassIn(st.passin, v.lookupEnv)
	if err != nil {
		return nil, nil, misuse{err}
	}
	who, err := signer.Load(st.cert, st.key, phrase, signer.Options{Digest: st.rmd, SigOpts: st.options})
	if err != nil {
		return nil, nil, err
	}
	cas, err := signer.ReadCertificates(st.ca)
	if err != nil {
		return nil, nil, err
	}
	ca, err := signer.Issuer(cas, who)
	if err == nil {
		err = errors.Join(who.Check(ca), who.ValidAt(v.now()))
	}
	return who, ca, err
}

// sign makes the response, and verifies it.
func (st *statement) sign(single *wire.Single, who *signer.Signer, ca *x509.Certificate, now time.Time) ([]byte, error) {
	id, err := st.certID(ca)
	if err != nil {
		return nil, err
	}
	single.CertID = id.Raw
	if single.NextUpdate.After(who.Certificate.NotAfter) {
		single.NextUpdate = who.Certificate.NotAfter
	}
	r := &wire.Response{ProducedAt: now, Singles: []wire.Single{*single}}
	if st.byName {
		r.ByName = who.Certificate.RawSubject
	}
	if r.KeyHash, err = wire.KeyHash(who.Certificate.RawSubjectPublicKeyInfo); err != nil {
		return nil, err
	}
	if !st.noCerts {
		r.Certificates = [][]byte{who.Certificate.Raw}
	}
	if st.nonce != "" {
		if r.Nonce, err = parseNonce(st.nonce); err != nil {
			return nil, err
		}
	}
	der, err := r.Marshal(who.Sign)
	if err != nil {
		return nil, err
	}
	q := &verify.Question{Issuer: ca, Others: []*x509.Certificate{who.Certificate}, CertIDs: []wire.CertID{id}, Nonce: r.Nonce, Now: func() time.Time { return now }}
	return der, proved(q, der)
}

func (st *statement) certID(ca *x509.Certificate) (wire.CertID, error) {
	hash, known := digest(st.hash)
	if !known {
		return wire.CertID{}, misused("-hash %s: no CertID is made with it", st.hash)
	}
	serial, err := ParseSerial(st.serial)
	if err != nil {
		return wire.CertID{}, misuse{err}
	}
	of, err := identify(st.serial, hash, nil, ca, serial)
	return of.id, err
}

// proved looks at a response as who receives it does.
func proved(q *verify.Question, der []byte) error {
	resp, err := wire.ParseResponse(der)
	if err == nil {
		_, err = q.Check(resp)
	}
	if err != nil {
		return fmt.Errorf("what was signed is not to be believed, and not written: %w", err)
	}
	return nil
}

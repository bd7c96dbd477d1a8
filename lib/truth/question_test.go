package truth_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/wire"
)

// question is a request for the status of certificates of one CA.
type question struct {
	of      *authority
	serials []string
	ids     []wire.CertID
	nonce   []byte // as wire.Request has it; nil: none
	der     []byte
	get     bool // by GET; otherwise by POST
}

// reply is an HTTP answer, whatever way it came.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// question makes one up.
func (a *authority) question(rng *rand.Rand) (*question, error) {
	q := &question{of: a, get: rng.IntN(2) == 0}
	hash := []crypto.Hash{crypto.SHA1, crypto.SHA256}[rng.IntN(2)]
	n := 1
	if rng.IntN(8) == 0 {
		n = 3
	}
	for range n {
		serial := a.pick(rng)
		if slices.Contains(q.serials, serial) {
			continue // it may change between two looks
		}
		number, ok := new(big.Int).SetString(serial, 16)
		if !ok {
			return nil, fmt.Errorf("serial %s", serial)
		}
		id, err := a.names.CertID(hash, number)
		if err != nil {
			return nil, err
		}
		q.serials, q.ids = append(q.serials, serial), append(q.ids, id)
	}
	var err error
	if rng.IntN(3) == 0 {
		octets := make([]byte, 16)
		for i := range octets {
			octets[i] = byte(rng.Uint32())
		}
		if q.nonce, err = wire.NonceValue(octets); err != nil {
			return nil, err
		}
	}
	q.der, err = (&wire.Request{CertIDs: q.ids, Nonce: q.nonce}).Marshal(nil)
	return q, err
}

// exchange is a question with what came of it.
type exchange struct {
	*question
	*reply
	asked, answered time.Time
	medium          *medium
	floor           time.Time // produced at, of what was answered before this was asked
	unverified      bool      // its signature is not looked at
	says            []string  // of each certificate, as judge has found
}

// read reads the body, and tells what is wrong with the reply whatever it says.
func (x *exchange) read() (*wire.OCSPResponse, error) {
	if x.status != http.StatusOK || x.header.Get("Content-Type") != "application/ocsp-response" {
		return nil, fmt.Errorf("HTTP status %d, Content-Type %q: %.100q", x.status, x.header.Get("Content-Type"), x.body)
	}
	if length := x.header.Get("Content-Length"); length != strconv.Itoa(len(x.body)) {
		return nil, fmt.Errorf("Content-Length %q, body of %d bytes", length, len(x.body))
	}
	return wire.ParseResponse(x.body)
}

// judge tells what the answer says, and what is wrong with it.
func (x *exchange) judge() (says []string, err error) {
	resp, err := x.read()
	if err != nil {
		return []string{"nothing"}, err
	}
	if resp.Status != ocsp.Success {
		forgotten := func(serial string) bool { return x.medium.mayDoubt(x.of, serial, x.asked, x.answered) }
		if resp.Status != ocsp.TryLater || !x.of.work.excuses(x.asked, x.medium.grace) && !slices.ContainsFunc(x.serials, forgotten) {
			err = fmt.Errorf("%v, and nobody was at the index", resp.Status)
		}
		return []string{resp.Status.String()}, err
	}
	if len(resp.Singles) != len(x.ids) {
		return []string{"nothing"}, fmt.Errorf("%d statuses for %d certificates", len(resp.Singles), len(x.ids))
	}
	if !bytes.Equal(resp.Nonce, x.nonce) && len(resp.Nonce)+len(x.nonce) > 0 {
		err = fmt.Errorf("nonce %x, asked with %x", resp.Nonce, x.nonce)
	}
	for i := range resp.Singles {
		single := &resp.Singles[i]
		says = append(says, single.Status.String())
		for _, fault := range []error{err, x.truth(i, single, resp.ProducedAt), x.times(resp.ProducedAt, single), x.signature(i, single)} {
			if fault != nil {
				return says, fault
			}
		}
	}
	return says, nil
}

// truth holds a status against what may be said.
func (x *exchange) truth(i int, single *wire.Single, produced time.Time) error {
	serial := x.serials[i]
	if !bytes.Equal(single.CertID, x.ids[i].Raw) {
		return fmt.Errorf("CertID %x, asked for %x", single.CertID, x.ids[i].Raw)
	}
	said := claim{status: single.Status, reason: -1}
	if single.Status == wire.Revoked {
		said.revoked, said.reason = single.RevokedAt.Unix(), single.Reason
	}
	may := x.medium.may(x.of, serial, x.asked, x.answered)
	if !slices.ContainsFunc(may, func(c claim) bool {
		// No revocation is later than the answer, which was begun before it.
		c.revoked = min(c.revoked, produced.Unix())
		return c == said
	}) {
		return fmt.Errorf("%s is said to be %v, and may be said to be %v: asked %v ago, answered %v ago%s", serial, said, may,
			time.Since(x.asked).Round(time.Microsecond), time.Since(x.answered).Round(time.Microsecond), x.medium.history(x.of).tell(serial))
	}
	return nil
}

// times holds the times of an answer against each other and the clock.
func (x *exchange) times(produced time.Time, single *wire.Single) error {
	switch {
	case single.ThisUpdate.After(produced), produced.After(x.answered), !single.NextUpdate.After(produced):
		return fmt.Errorf("this update %v, produced at %v, next update %v, answered %v", single.ThisUpdate, produced, single.NextUpdate, x.answered)
	case !single.NextUpdate.After(x.asked):
		return fmt.Errorf("next update %v, asked %v", single.NextUpdate, x.asked)
	case x.nonce != nil && produced.Before(x.asked.Truncate(time.Second)):
		return fmt.Errorf("produced at %v with a nonce of %v", produced, x.asked)
	case produced.Before(x.floor):
		return fmt.Errorf("produced at %v, another one before at %v", produced, x.floor)
	}
	return nil
}

// signature has another reader than ours verify the answer.
func (x *exchange) signature(i int, single *wire.Single) error {
	if x.unverified {
		return nil
	}
	serial, _ := new(big.Int).SetString(x.serials[i], 16)
	resp, err := ocsp.ParseResponseForCert(x.body, &x509.Certificate{SerialNumber: serial}, x.of.Certificate)
	if err != nil {
		return err
	}
	status := map[wire.CertStatus]int{wire.Good: ocsp.Good, wire.Revoked: ocsp.Revoked, wire.Unknown: ocsp.Unknown}
	if resp.Status != status[single.Status] || resp.SerialNumber.Cmp(serial) != 0 {
		return fmt.Errorf("another reader has %d of %v", resp.Status, resp.SerialNumber)
	}
	return nil
}

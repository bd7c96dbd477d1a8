package responder

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/wire"
)

// Shared keeps answers for processes that come and go, by a hexadecimal name.
// Get returns fs.ErrNotExist for what is not there. Nothing that it gives is
// believed before it was checked.
type Shared interface {
	Get(name string) ([]byte, error)
	Put(name string, der []byte) error
}

// signShared gives an answer that another process has signed, if it is the one
// to give; else it signs, and shares that.
func (r *Responder) signShared(req *wire.Request, rows []row, id *identity, now time.Time) *Answer {
	name := sharedName(rows, id)
	der, err := r.Shared.Get(name)
	if err == nil {
		if answer := r.reuse(der, req, rows, id, now); answer != nil {
			return answer
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		r.logShared(err)
	}
	answer := r.sign(req, rows, id, now)
	if answer.Keepable() {
		if err := r.Shared.Put(name, answer.DER); err != nil {
			r.logShared(err)
		}
	}
	return answer
}

func (r *Responder) logShared(err error) {
	if r.LogShared != nil {
		r.LogShared(fmt.Errorf("cache: %w", err))
	}
}

// sharedName is what answers to that question by that signer are kept under.
func sharedName(rows []row, id *identity) string {
	hash := sha256.New()
	hash.Write(id.signer.Certificate.Raw)
	for i := range rows {
		hash.Write(rows[i].id.Raw)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// reuse returns an answer that was signed before, or nil if that is not what
// would be signed now: to the byte, but for the signature, what rows lead to at
// its producedAt, with a signature of id's key, and not to be renewed yet. So a
// file that is torn, old, or somebody's invention is nothing more than a file
// that is not there.
func (r *Responder) reuse(der []byte, req *wire.Request, rows []row, id *identity, now time.Time) *Answer {
	old, err := wire.ParseResponse(der)
	if err != nil || old.Status != ocsp.Success {
		return nil
	}
	again := r.response(req, rows, id, old.ProducedAt)
	out, err := again.Marshal(func([]byte) ([]byte, []byte, error) { return id.signer.Algorithm(), old.Signature, nil })
	if err != nil || !bytes.Equal(out, der) || !id.signer.Verifies(old.TBS, old.Signature) {
		return nil
	}
	k := kept{answer: Answer{DER: der, Status: ocsp.Success, Certs: describe(rows), Cached: true}, produced: old.ProducedAt}
	setTimes(&k.answer, rows, again.Singles, old.ProducedAt)
	if !k.answer.Keepable() || !k.current(now) {
		return nil
	}
	return &k.answer
}

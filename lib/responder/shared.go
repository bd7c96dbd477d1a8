package responder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/wire"
)

// Shared keeps records of signed answers for processes that come and go, each
// under the DER of the one CertID that was asked about. What it gives is
// believed: it must be what a process of the same settings, certificates and
// keys has put there. Get returns fs.ErrNotExist for anything else.
type Shared interface {
	Get(id []byte) (record []byte, err error)
	Put(id, record []byte) error
}

// shareable reports whether an answer to the request may be given to others who
// ask in the same words. What a client can vary at will is not shared, for it
// would fill whatever keeps it.
func (r *Responder) shareable(req *wire.Request) bool {
	return r.Shared != nil && len(req.CertIDs) == 1 && len(req.Preferred) == 0 && !r.own(req)
}

// own reports whether the answer is for who asks alone.
func (r *Responder) own(req *wire.Request) bool {
	return req.Nonce != nil && !r.IgnoreNonces || r.Requestors != nil
}

// Recall returns the answer that another process has signed, if that is the one
// to give: its renewal has not come, and the row behind it stands in the index
// as it did then. It needs no certificate and no key: it may be asked before
// Serve, with the indexes of the issuers in the order they will be served in.
// With nil, ask Respond.
func (r *Responder) Recall(ctx context.Context, der []byte, indexes []Index) *Answer {
	req, err := wire.ParseRequest(der)
	if err != nil || ctx.Err() != nil || !r.shareable(req) {
		return nil
	}
	id := &req.CertIDs[0]
	data, err := r.Shared.Get(id.Raw)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			r.logShared(err)
		}
		return nil
	}
	var rec record
	if !rec.unmarshal(data) || rec.issuer >= len(indexes) {
		r.logShared(errors.New("a record that cannot be read"))
		return nil
	}
	entry, err := indexes[rec.issuer].Lookup(id.Serial)
	if err != nil || entry != rec.entry {
		return nil
	}
	k := kept{produced: rec.produced, answer: Answer{
		DER: rec.der, Status: ocsp.Success, Cached: true,
		ThisUpdate: rec.thisUpdate, NextUpdate: rec.nextUpdate, Renewal: rec.renewal,
		Certs: []Cert{{Issuer: rec.name, Serial: serialHex(id.Serial), Status: said(entry, true)}},
	}}
	if !k.current(r.now()) {
		return nil
	}
	if entry.Status == index.Revoked {
		k.answer.Certs[0].Reason = wire.ReasonName(int(entry.Reason))
	}
	k.answer.setETag()
	return &k.answer
}

// share lets other processes have what was signed for rows.
func (r *Responder) share(s *served, answer *Answer, rows []row, now time.Time) {
	if !answer.Keepable() || !rows[0].found {
		return
	}
	rec := record{
		issuer: s.number(rows[0].issuer), name: rows[0].issuer.Name, entry: rows[0].entry, produced: now.Truncate(time.Second),
		thisUpdate: answer.ThisUpdate, nextUpdate: answer.NextUpdate, renewal: answer.Renewal, der: answer.DER,
	}
	data, err := rec.marshal()
	if err == nil {
		err = r.Shared.Put(rows[0].id.Raw, data)
	}
	if err != nil {
		r.logShared(err)
	}
}

func (r *Responder) logShared(err error) {
	if r.LogShared != nil {
		r.LogShared(fmt.Errorf("cache: %w", err))
	}
}

// record is what is kept of an answer, and of the row that it was made from.
type record struct {
	issuer int // by its number among those served
	name   string
	entry  index.Entry

	produced, thisUpdate, nextUpdate, renewal time.Time // in whole seconds

	der []byte
}

func (rec *record) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint16(uint16(rec.issuer))
	addText(&b, rec.name)
	b.AddUint8(byte(rec.entry.Status))
	b.AddUint8(byte(rec.entry.Reason))
	addText(&b, rec.entry.Hold)
	for _, t := range rec.times() {
		b.AddUint64(uint64(t.Unix()))
	}
	b.AddBytes(rec.der)
	return b.Bytes()
}

func (rec *record) unmarshal(data []byte) bool {
	s := cryptobyte.String(data)
	var issuer uint16
	var status, reason uint8
	if !s.ReadUint16(&issuer) || !readText(&s, &rec.name) ||
		!s.ReadUint8(&status) || !s.ReadUint8(&reason) || !readText(&s, &rec.entry.Hold) {
		return false
	}
	for _, t := range rec.times() {
		var seconds uint64
		if !s.ReadUint64(&seconds) {
			return false
		}
		if *t = time.Unix(int64(seconds), 0).UTC(); int64(seconds) == (time.Time{}).Unix() {
			*t = time.Time{}
		}
	}
	rec.issuer, rec.entry.Status, rec.entry.Reason, rec.der = int(issuer), index.Status(status), int8(reason), s
	return len(rec.der) > 0
}

// times are all times of a record, in the order in which they are written.
func (rec *record) times() []*time.Time {
	return []*time.Time{
		&rec.produced, &rec.thisUpdate, &rec.nextUpdate, &rec.renewal,
		&rec.entry.Expires, &rec.entry.Revoked, &rec.entry.Invalid,
	}
}

func addText(b *cryptobyte.Builder, text string) {
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
}

func readText(s *cryptobyte.String, text *string) bool {
	var octets cryptobyte.String
	ok := s.ReadUint16LengthPrefixed(&octets)
	*text = string(octets)
	return ok
}

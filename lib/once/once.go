// Package once answers the one request that a process was started for.
package once

import (
	"context"
	"errors"
	"sync"

	"ocspcgi/lib/config"
	"ocspcgi/lib/index"
	"ocspcgi/lib/journal"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/signer"
)

// Answerer answers from files that are read for the one request at hand.
type Answerer struct {
	responder *responder.Responder
	sources   []reload.Source
	indexes   []*index.File // of the sources
	open      func() error  // reads certificates and keys
}

// Answerer takes the settings, and reads no certificate yet.
func (p *Program) Answerer(cfg *config.Config, ask signer.Passphrase, log *journal.Journal) (*Answerer, error) {
	r, err := NewResponder(cfg)
	if err != nil {
		return nil, err
	}
	r.CacheBytes = 0 // nobody asks again
	r.LogKey = log.Key
	sources, err := p.Sources(cfg, ask, log)
	if err != nil {
		return nil, err
	}
	o := &Answerer{responder: r, sources: sources}
	for _, source := range sources {
		o.indexes = append(o.indexes, &index.File{Path: source.Index})
	}
	o.open = sync.OnceValue(o.serve)
	return o, nil
}

// serve makes the responder answer for the issuers.
func (o *Answerer) serve() error {
	var faults []error
	issuers := make([]*responder.Issuer, len(o.sources))
	for i, source := range o.sources {
		var err error
		issuers[i], err = responder.Open(source.Files, o.indexes[i])
		if err == nil {
			err = reload.Alone(issuers[i], source, issuers[:i], o.sources)
		}
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	o.responder.Serve(issuers...)
	return nil
}

// Respond answers a request, without certificates and keys where another
// process has shared its answer.
func (o *Answerer) Respond(ctx context.Context, der []byte) *responder.Answer {
	if o.responder.Shared != nil {
		indexes := make([]responder.Index, len(o.indexes))
		for i, file := range o.indexes {
			indexes[i] = file
		}
		if answer := o.responder.Recall(ctx, der, indexes); answer != nil {
			return answer
		}
	}
	if err := o.open(); err != nil {
		return responder.Fault(err)
	}
	return o.responder.Respond(ctx, der)
}

package once

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
	"time"

	"ocspcgi/lib/config"
	"ocspcgi/lib/index"
	"ocspcgi/lib/journal"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/signer"
	"ocspcgi/lib/store"
)

// errands are what is left to do when the answer is on its way.
type errands []errand

type errand struct {
	do        func() error
	otherwise string // what is to be said where it fails
}

func (e *errands) add(do func() error, otherwise string) { *e = append(*e, errand{do, otherwise}) }

// What is said where an errand fails.
const (
	notShared     = "answers are not shared"
	notRemembered = "what an index says is not remembered"
)

// run does them all.
func (e errands) run(log *journal.Journal) {
	for _, errand := range e {
		switch err := errand.do(); {
		case errors.As(err, new(*index.DoubtError)):
			log.Error().Err(err).Msg("index not believed: what was revoked stays so")
		case err != nil:
			log.Warn().Err(err).Msg(errand.otherwise)
		}
	}
}

// share has the answer kept in -cache for other processes, with where the rows of an
// index stand, and has theirs given.
func (o *Answerer) share(cfg *config.Config, version string, after *errands) error {
	secret, err := secretOf(cfg, o.sources, version)
	if err != nil {
		return err
	}
	dir := &store.Directory{Path: cfg.Cache, Keep: 2 * longest(cfg)}
	o.responder.Shared = &late{Sealed: store.Sealed{Directory: dir, Secret: secret}, after: after}
	for _, file := range o.indexes {
		name := sha256.Sum256(append(secret[:], file.Path...))
		file.Places = &index.Places{Path: dir.File(hex.EncodeToString(name[:])), Secret: secret}
		after.add(file.Place, notShared)
	}
	return nil
}

// remember has what an index says kept in -cache, and what it has said before told.
// What the answers come from besides is of no account: it is not to be forgotten when
// there are other signers or settings.
func (o *Answerer) remember(cfg *config.Config, after *errands) error {
	for i, file := range o.indexes {
		keys, err := signer.ReadPublicKeys(o.sources[i].Files.CA)
		if err != nil {
			return fmt.Errorf("%s: -CA: %w", o.sources[i].Files.Where, err)
		}
		slices.SortFunc(keys, bytes.Compare) // which of them is the CA's is of no account here
		file.Believed = &index.Believed{Dir: cfg.Cache, CA: sha256.Sum256(slices.Concat(keys...))}
		after.add(file.Remember, notRemembered)
	}
	return nil
}

// late keeps answers when they are on their way.
type late struct {
	store.Sealed
	after *errands
}

func (l *late) Put(name, value []byte) error {
	l.after.add(func() error { return l.Sealed.Put(name, value) }, notShared)
	return nil
}

// secretOf is what is shared is sealed with. All answers come from but the index is in
// it: with any change of settings, certificates or keys it is another one. Who can work
// it out can read the keys, and sign.
func secretOf(cfg *config.Config, sources []reload.Source, version string) (secret [sha256.Size]byte, err error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%+v\n", version, *cfg)
	for _, source := range sources {
		fmt.Fprintln(h, source.Index)
		for _, pair := range source.Files.Signers {
			if err := secretive(cmp.Or(pair.Key, pair.Certificate)); err != nil {
				return secret, err
			}
		}
		for _, path := range source.Files.Paths() {
			if err := addFile(h, path); err != nil {
				return secret, err
			}
		}
	}
	h.Sum(secret[:0])
	return secret, nil
}

func addFile(h io.Writer, path string) error {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // no FIFO holds it up
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprintln(h, path)
	const most = 1 << 20 // more is no file of certificates or keys
	_, err = io.CopyN(h, f, most)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return errors.Join(err, errors.New(path+": larger than 1 MiB"))
}

// secretive says why a key is no secret, if it is none.
func secretive(path string) error {
	const others = 0o004
	if signer.Elsewhere(path) {
		return errors.New("rkey is kept elsewhere, and so is no secret of this process to seal them with")
	}
	info, err := os.Stat(path)
	if err == nil && info.Mode()&others != 0 {
		err = fmt.Errorf("%s: everybody may read this key; chmod o-r", path)
	}
	return err
}

// longest is the longest that an answer lives.
func longest(cfg *config.Config) time.Duration {
	var most time.Duration
	for _, issuer := range cfg.Issuers {
		most = max(most, issuer.Lifetime)
	}
	return most
}

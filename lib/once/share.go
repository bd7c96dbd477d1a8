package once

import (
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
	"ocspcgi/lib/reload"
	"ocspcgi/lib/signer"
	"ocspcgi/lib/store"
)

// errands are what is left to do when the answer is on its way.
type errands []func() error

func (e *errands) add(do func() error) { *e = append(*e, do) }

// run does them all.
func (e errands) run() error {
	var faults []error
	for _, do := range e {
		faults = append(faults, do())
	}
	return errors.Join(faults...)
}

// share has the answer kept in -cache for other processes, with where the rows of an
// index stand and what it has said, and has theirs given.
func (o *Answerer) share(cfg *config.Config, version string, after *errands) error {
	secret, lasting, err := secrets(cfg, o.sources, version)
	if err != nil {
		return err
	}
	dir := &store.Directory{Path: cfg.Cache, Keep: 2 * longest(cfg)}
	o.responder.Shared = &late{Sealed: store.Sealed{Directory: dir, Secret: secret}, after: after}
	for _, file := range o.indexes {
		name := sha256.Sum256(append(secret[:], file.Path...))
		file.Places = &index.Places{Path: dir.File(hex.EncodeToString(name[:])), Secret: secret}
		file.Believed = &index.Believed{Dir: cfg.Cache, Secret: lasting}
		after.add(file.Remember)
	}
	return nil
}

// late keeps answers when they are on their way.
type late struct {
	store.Sealed
	after *errands
}

func (l *late) Put(name, value []byte) error {
	l.after.add(func() error { return l.Sealed.Put(name, value) })
	return nil
}

// secrets are what is shared is sealed with. All answers come from but the index is in
// the one: with any change of settings, certificates or keys it is another one. In the
// other are the keys alone: what it seals is not to be forgotten when all else is
// different. Who can work them out can read the keys, and sign.
func secrets(cfg *config.Config, sources []reload.Source, version string) (all, lasting [sha256.Size]byte, err error) {
	a, l := sha256.New(), sha256.New()
	fmt.Fprintf(a, "%s\n%+v\n", version, *cfg)
	for _, source := range sources {
		fmt.Fprintln(a, source.Index)
		var keys []string
		for _, pair := range source.Files.Signers {
			key := cmp.Or(pair.Key, pair.Certificate)
			if err := secretive(key); err != nil {
				return all, lasting, err
			}
			keys = append(keys, key)
		}
		for _, path := range source.Files.Paths() {
			h := io.Writer(a)
			if slices.Contains(keys, path) {
				h = io.MultiWriter(a, l)
			}
			if err := addFile(h, path); err != nil {
				return all, lasting, err
			}
		}
	}
	a.Sum(all[:0])
	l.Sum(lasting[:0])
	return all, lasting, nil
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
		return errors.New("rkey is kept elsewhere, and so is no secret of this process; leave cache out")
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

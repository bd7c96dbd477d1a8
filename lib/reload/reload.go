// Package reload keeps what is answered in step with its files.
package reload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"ocspcgi/lib/index"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/signer"
)

// Source names the files of one issuer.
type Source struct {
	Index string
	Files responder.Files
	// Find finds the files anew when one of Hints has changed; nil: they stay.
	// The index has to be the same. What was found last is read at once, but
	// only what was there at first is watched.
	Find  func() (responder.Files, error)
	Hints []string
}

// Event is one thing that was read, for the log. Either Index or Issuer is
// set, or neither where files are told of that could not be used, or where
// there is a Reminder.
type Event struct {
	Where  string            // the index's path, or where the issuer is configured
	Index  *index.Report     // an index was read
	Issuer *responder.Issuer // certificates and keys were read, and are used from now on
	Err    error             // why what was read is not used; what was used before stays

	Reminder string // a signer ends soon, or its key is away; Issuer is not set
}

// Keeper reads the files of a Responder's issuers, and reads them again when
// they have changed. The fields are set before Open; Open comes before the
// other methods, which are safe for concurrent use.
type Keeper struct {
	Responder *responder.Responder
	Sources   []Source
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Log is told of what was read, from one goroutine at a time, while Run runs a
	// moment later; nil: nobody is.
	Log func(Event)
	// Progress is told how many bytes of an index are read while it is, by
	// several goroutines at once; nil: nobody is.
	Progress func(path string, read, size int64)
	// Look is the time between two looks at the indexes' stamps, for a change
	// that left no other sign; 0 means 500 ms. Once none has succeeded for ten times
	// that, as on a disk that hangs, only what is revoked is answered, until what the
	// file revokes is read.
	Look time.Duration
	// Watch calls changed with all files at first, and then with those that have
	// changed, until ctx is done: the Run of a watch.Watcher.
	Watch func(ctx context.Context, files []string, changed func([]string)) error

	indexes map[string]*fresh // from Open on the same
	large   chan struct{}     // has something in it while a large index is read

	mu      sync.Mutex               // held while certificates and keys are read, which may take long
	issuers []*responder.Issuer      // as Sources
	minded  map[string]time.Duration // the last reminder of each signer, by its certificate
	pending map[int]string           // sources to be read again by themselves, with why

	telling sync.Mutex // guards what follows
	untold  []Event
	busy    bool // somebody tells Log
	running bool // Run does
	behind  sync.WaitGroup
}

// Open reads everything for the first time and lets the Responder serve it.
// The error names all settings that can never work; an index that cannot be
// read is none of them: its issuer answers tryLater until it can.
func (k *Keeper) Open() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.indexes, k.pending = map[string]*fresh{}, map[int]string{}
	k.large = make(chan struct{}, 1)
	k.issuers = make([]*responder.Issuer, len(k.Sources))
	var faults []error
	for i, source := range k.Sources {
		if k.indexes[source.Index] == nil {
			k.indexes[source.Index] = k.newIndex(source.Index)
		}
		issuer, err := k.open(source)
		if errors.Is(err, signer.ErrAway) {
			k.tell(Event{Where: source.Files.Where, Reminder: err.Error()})
			err = nil
		}
		if err == nil {
			err = Alone(issuer, source, k.issuers[:i], k.Sources)
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		k.issuers[i] = issuer
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	for _, idx := range k.indexes {
		idx.look() // before it is read: what takes its place meanwhile is another file
	}
	for _, idx := range k.indexes {
		k.readIndex(idx, true)
	}
	for i, source := range k.Sources {
		faults = append(faults, checkPublic(source, k.issuers[i], k.indexes[source.Index].Live))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	for _, idx := range k.indexes {
		idx.Foresee() // it may have changed while another one was read
	}
	k.Responder.Serve(k.issuers...)
	k.remind(true)
	return nil
}

func (k *Keeper) newIndex(path string) *fresh {
	idx := &fresh{Live: &index.Live{Path: path, Now: k.Now}, now: k.Now}
	if k.Progress != nil {
		idx.Progress = func(read, size int64) { k.Progress(path, read, size) }
	}
	if idx.now == nil {
		idx.now = time.Now
	}
	idx.read = func() { k.readIndex(idx, false) }
	return idx
}

// open reads a source's certificates and keys, and has each signer prove itself.
// With signer.ErrAway the issuer is there all the same, unproven.
func (k *Keeper) open(source Source) (*responder.Issuer, error) {
	issuer, err := responder.Open(source.Files, k.indexes[source.Index])
	if err != nil {
		return nil, err
	}
	if err := issuer.Prove(); err != nil {
		return issuer, fmt.Errorf("%s: %w", source.Files.Where, err)
	}
	return issuer, nil
}

// Alone reports an issuer that an earlier one is too: requests could not tell
// them apart.
func Alone(issuer *responder.Issuer, source Source, before []*responder.Issuer, sources []Source) error {
	for i, other := range before {
		if other != nil && other.SameKey(issuer) {
			return fmt.Errorf("%s: %s (%s) is the issuer of %s too; one CA key has one index: remove one of them",
				source.Files.Where, source.Files.CA, issuer.Name, sources[i].Files.Where)
		}
	}
	return nil
}

// Run watches the files until ctx is done. Where they cannot be watched, which is the
// error, indexes are looked at all the same.
func (k *Keeper) Run(ctx context.Context) error {
	k.tellBehind(true)
	defer k.tellBehind(false)
	var looking sync.WaitGroup
	for _, idx := range k.indexes {
		looking.Go(func() { k.often(ctx, func() { k.readIndex(idx, false) }) })
		looking.Go(func() { k.foresee(ctx, idx) })
	}
	looking.Go(func() { k.often(ctx, k.lookAtSigners) })
	err := k.Watch(ctx, k.files(), k.changed)
	if err != nil {
		k.tell(Event{Where: "files", Err: fmt.Errorf("only indexes are looked at: %w", err)})
	}
	looking.Wait()
	return err
}

func (k *Keeper) look() time.Duration { return cmp.Or(k.Look, 500*time.Millisecond) }

// often looks from time to time.
func (k *Keeper) often(ctx context.Context, look func()) {
	tick := time.NewTicker(k.look())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			look()
		}
	}
}

// Accept reads everything anew and takes an index as it is, even one that has
// forgotten rows: somebody has looked at it, and said so. Beside certificates and keys
// that cannot be used it may be another CA's: then it is looked at as after any change.
func (k *Keeper) Accept() {
	unfit := k.readIssuers()
	var reading sync.WaitGroup
	for path, idx := range k.indexes { // none of which waits for another one's disk
		reading.Go(func() { k.readIndex(idx, !unfit[path]) })
	}
	reading.Wait()
}

// readIssuers reads all certificates and keys, and tells beside which indexes there
// are such as cannot be used. A key that is away can be.
func (k *Keeper) readIssuers() (unfit map[string]bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	unfit = map[string]bool{}
	for i := range k.Sources {
		err := k.findFiles(i)
		if fault := k.readIssuer(i); !errors.Is(fault, signer.ErrAway) {
			err = errors.Join(err, fault)
		}
		if err == nil {
			continue
		}
		source := k.Sources[i]
		unfit[source.Index] = true
		k.tell(Event{Where: source.Files.Where, Err: fmt.Errorf("%s: not accepted as it is beside certificates and keys that are not used: %w", source.Index, err)})
	}
	return unfit
}

// changed reads again what one of files belongs to.
func (k *Keeper) changed(files []string) {
	for _, file := range files {
		if idx := k.indexes[file]; idx != nil {
			k.readIndex(idx, false)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	changed := func(path string) bool { return slices.Contains(files, path) }
	for i, source := range k.Sources {
		if slices.ContainsFunc(source.Hints, changed) {
			k.findFiles(i)
			k.readIssuer(i)
		} else if slices.ContainsFunc(source.Files.Paths(), changed) {
			k.readIssuer(i)
		}
	}
}

// findFiles finds the files of a source anew.
func (k *Keeper) findFiles(i int) error {
	source := &k.Sources[i]
	if source.Find == nil {
		return nil
	}
	files, err := source.Find()
	if err != nil {
		k.tell(Event{Where: source.Files.Where, Err: err})
		return err
	}
	source.Files = files
	return nil
}

// readIssuer reads the certificates and keys of a source, which take the place
// of those before only if they are whole, belong together and are of the same CA. The
// error says why they are not used.
func (k *Keeper) readIssuer(i int) error {
	source := k.Sources[i]
	next, err := k.open(source)
	if errors.Is(err, signer.ErrAway) && next.Equal(k.issuers[i]) {
		return err
	}
	if next != nil {
		others := slices.Clone(k.issuers)
		others[i] = nil
		// Whether the key is away is of no account to another CA.
		err = cmp.Or(Alone(next, source, others, k.Sources), same(next, source, k.issuers[i]), err)
	}
	if k.postpone(i, err); err != nil {
		return err
	}
	if next.Equal(k.issuers[i]) {
		return nil
	}
	issuers := slices.Clone(k.issuers)
	issuers[i] = next
	k.issuers = issuers
	k.Responder.Serve(issuers...)
	k.tell(Event{Where: source.Files.Where, Issuer: next})
	k.remind(true)
	return nil
}

// same reports an issuer that is another CA than the one before: the index that was
// read is not its own.
func same(issuer *responder.Issuer, source Source, before *responder.Issuer) error {
	if issuer.SameKey(before) {
		return nil
	}
	return fmt.Errorf("%s: %s is of another CA now, %s, with another name or key than %s, and so its index is another one too; if this is meant, restart to serve it",
		source.Files.Where, source.Files.CA, issuer.Name, before.Name)
}

// remind tells of signers that come to their end, once for each reminder that
// is due. Silent, it only remembers: who is told of an issuer looks at its
// signers' ends.
func (k *Keeper) remind(silent bool) {
	now := time.Now
	if k.Now != nil {
		now = k.Now
	}
	minded := map[string]time.Duration{}
	for i, issuer := range k.issuers {
		for _, s := range issuer.Signers() {
			key := string(s.Certificate.Raw)
			minded[key] = s.Reminder(now())
			if !silent && minded[key] != 0 && minded[key] != k.minded[key] {
				k.tell(Event{Where: k.Sources[i].Files.Where, Reminder: s.Path + ": " + s.Expiry(now()) + "; renew it"})
			}
		}
	}
	k.minded = minded
}

// files returns the names of all files, each once.
func (k *Keeper) files() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var files []string
	for _, source := range k.Sources {
		files = append(append(files, source.Index), source.Files.Paths()...)
		files = append(files, source.Hints...)
	}
	slices.Sort(files)
	return slices.Compact(files)
}

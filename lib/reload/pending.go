package reload

import "ocspcgi/lib/signer"

// lookAtSigners looks at what may change without a change of files.
func (k *Keeper) lookAtSigners() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.readPending()
	k.remind(false)
}

// postpone tells why a source is not used, which is nil where it is. One whose
// key is kept elsewhere is read again without a change of its files: whoever
// holds the key may get the new one a moment later.
func (k *Keeper) postpone(i int, err error) {
	if err == nil {
		delete(k.pending, i)
		return
	}
	if why, again := k.pending[i]; again && why == err.Error() {
		return
	}
	k.tell(Event{Where: k.Sources[i].Files.Where, Err: err})
	for _, pair := range k.Sources[i].Files.Signers {
		if signer.Elsewhere(pair.Key) {
			k.pending[i] = err.Error()
		}
	}
}

// readPending reads those sources again.
func (k *Keeper) readPending() {
	for i := range k.Sources {
		if _, again := k.pending[i]; again {
			k.readIssuer(i)
		}
	}
}

package reload

import (
	"ocspcgi/lib/index"
	"ocspcgi/lib/responder"
)

// State is what is answered from for one Source.
type State struct {
	Issuer *responder.Issuer
	Index  index.Report // what came of looking at the index last
}

// States returns the state of each of Sources. It waits for no file.
func (k *Keeper) States() []State {
	issuers := k.Responder.Issuers() // as Sources
	states := make([]State, len(issuers))
	for i, issuer := range issuers {
		states[i] = State{Issuer: issuer, Index: k.indexes[k.Sources[i].Index].Report()}
	}
	return states
}

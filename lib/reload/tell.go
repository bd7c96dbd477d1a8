package reload

// mostUntold is how many events wait for a log that hangs. More are left out.
const mostUntold = 1000

// tell has Log told of an event. Until Run it is when tell returns; then it is told
// behind the back of whoever reads: a log that hangs keeps no file from being read.
func (k *Keeper) tell(e Event) {
	k.telling.Lock()
	defer k.telling.Unlock()
	if len(k.untold) < mostUntold {
		k.untold = append(k.untold, e)
	}
	switch {
	case k.busy:
	case k.running:
		k.busy = true
		k.behind.Go(func() {
			k.telling.Lock()
			defer k.telling.Unlock()
			k.tellAll()
		})
	default:
		k.tellAll()
	}
}

// tellAll tells all that is untold. It is called with telling held, which others may
// have while Log is told.
func (k *Keeper) tellAll() {
	k.busy = true
	defer func() { k.busy = false }()
	for len(k.untold) > 0 {
		e := k.untold[0]
		k.untold = k.untold[1:]
		k.log(e)
	}
}

func (k *Keeper) log(e Event) {
	k.telling.Unlock()
	defer k.telling.Lock()
	if k.Log != nil {
		k.Log(e)
	}
}

// tellBehind says whether events are told behind the back of who reads. When they
// are no more, it waits until all are told.
func (k *Keeper) tellBehind(behind bool) {
	k.telling.Lock()
	k.running = behind
	k.telling.Unlock()
	if !behind {
		k.behind.Wait()
	}
}

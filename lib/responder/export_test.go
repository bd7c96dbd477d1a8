package responder

// Renewed waits for the answers that are being renewed.
func (r *Responder) Renewed() { r.background.Wait() }

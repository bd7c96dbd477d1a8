package responder

// Renewed waits for the answers that are being renewed.
func (r *Responder) Renewed() { r.background.Wait() }

// Rewritten reads a record and writes it again.
func Rewritten(data []byte) (again []byte, ok bool) {
	var rec record
	if !rec.unmarshal(data) {
		return nil, false
	}
	again, err := rec.marshal()
	return again, err == nil
}

package reload_test

import (
	"os"
	"path/filepath"
	"testing"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
)

// While certificates and keys take long to be read, as with a signer process that
// hangs, an index is read all the same, also one that was written in place: nobody
// has to ask for it.
func TestIndexDoesNotWaitForKeys(t *testing.T) {
	c := pkitest.NewCompany(t)
	hint := filepath.Join(t.TempDir(), "active")
	write(t, hint, nil)
	slow := source(c.CA, c.Signer)
	slow.Hints = []string{hint}
	reading, read := make(chan struct{}), make(chan struct{})
	slow.Find = func() (responder.Files, error) { // once the watch has begun
		reading <- struct{}{}
		<-read
		return source(c.CA, c.Signer).Files, nil
	}
	k := keepAlso(t, c, slow)
	defer close(read)
	<-reading
	go func() {
		for range reading { // what is told of later
		}
	}()
	before := k.wait(t, func(e reload.Event) bool { return e.Index != nil }).Index.Rows
	index, err := os.OpenFile(c.Index, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	if _, err := index.WriteString("R\t491231235959Z\t260101000000Z\tFFFF\tunknown\t/CN=x\n"); err != nil {
		t.Fatal(err)
	}
	k.wait(t, func(e reload.Event) bool { return e.Index != nil && e.Index.Believed && e.Index.Rows == before+1 })
}

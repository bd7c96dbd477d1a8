package command_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/command"
	"ocspcgi/lib/config"
	"ocspcgi/lib/responder"
)

// Whatever happens on the way to it, there is an answer in the file.
func TestRespondSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "answer")
	answer, err := command.Respond(&config.Config{RespOut: path},
		func() ([]byte, error) { return []byte("a request"), nil },
		func(context.Context, []byte) *responder.Answer { panic("no such row") })
	if err != nil || answer.Status != ocsp.InternalError || !strings.Contains(answer.Err.Error(), "no such row") {
		t.Fatalf("%v, %+v", err, answer)
	}
	if der, err := os.ReadFile(path); err != nil || !bytes.Equal(der, ocsp.InternalErrorErrorResponse) {
		t.Errorf("%x, %v", der, err)
	}
}

package responder_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/index"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/store"
	"ocspcgi/lib/wire"
)

// inFiles makes a responder share its answers in a directory.
func inFiles(t *testing.T, path string) func(*responder.Responder, *responder.Files) {
	return func(r *responder.Responder, _ *responder.Files) {
		r.CacheBytes, r.Shared = 0, &store.Sealed{Directory: &store.Directory{Path: path}, Secret: [32]byte{1}}
		r.LogShared = func(err error) { t.Error(err) }
	}
}

func TestSharedAnswers(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, inFiles(t, dir))
	live := b.Issuers()[0].Index.(*index.Live)
	request := b.request(t, b.Good, "-no_nonce")
	first, _ := b.ask(t, request, ocsp.Success)
	second, _ := b.ask(t, request, ocsp.Success)
	if first.Cached || !second.Cached || !bytes.Equal(first.DER, second.DER) || first.ETag != second.ETag || first.Renewal != second.Renewal {
		t.Fatalf("RSP-38: the second answer is another one (cached: %v, %v)", first.Cached, second.Cached)
	}
	t.Run("any byte that is wrong", func(t *testing.T) {
		file := onlyFile(t, dir)
		whole := read(t, file)
		for i := range whole {
			broken := bytes.Clone(whole)
			broken[i] ^= 0x01
			write(t, file, broken)
			if a, _ := b.ask(t, request, ocsp.Success); a.Cached {
				t.Fatalf("believed with byte %d changed", i)
			}
		}
		for i := 0; i < len(whole); i += 7 {
			write(t, file, whole[:i])
			if a, _ := b.ask(t, request, ocsp.Success); a.Cached {
				t.Fatalf("believed when cut at %d", i)
			}
		}
		write(t, file, whole)
		if a, _ := b.ask(t, request, ocsp.Success); !a.Cached {
			t.Error("not believed when it is whole")
		}
	})
	t.Run("another one's answer", func(t *testing.T) {
		b.ask(t, b.request(t, b.Company.Revoked, "-no_nonce"), ocsp.Success)
		files := allFiles(t, dir)
		swap := [2][]byte{read(t, files[0]), read(t, files[1])}
		write(t, files[0], swap[1])
		write(t, files[1], swap[0])
		if a, resp := b.ask(t, request, ocsp.Success); a.Cached || resp.Singles[0].Status != wire.Good {
			t.Error("believed")
		}
	})
	t.Run("after its renewal", func(t *testing.T) {
		b.ask(t, request, ocsp.Success)
		b.now = b.now.Add(lifetime / 2)
		if a, _ := b.ask(t, request, ocsp.Success); a.Cached {
			t.Error("believed")
		}
	})
	t.Run("the row has changed", func(t *testing.T) {
		b.Revoke(b.Good, "superseded")
		if report := live.Reload(false); report.Err != nil {
			t.Fatal(report.Err)
		}
		if _, resp := b.ask(t, request, ocsp.Success); resp.Singles[0].Status != wire.Revoked {
			t.Errorf("still %v", resp.Singles[0].Status)
		}
	})
	t.Run("never with a nonce", func(t *testing.T) {
		request := b.request(t, b.Good)
		b.ask(t, request, ocsp.Success)
		if a, _ := b.ask(t, request, ocsp.Success); a.Cached {
			t.Error("kept")
		}
	})
}

// A directory that nothing can be put into costs a line in the log.
func TestSharedNowhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	var said []error
	b := newBench(t, func(r *responder.Responder, _ *responder.Files) {
		r.CacheBytes, r.Shared = 0, &store.Sealed{Directory: &store.Directory{Path: file}}
		r.LogShared = func(err error) { said = append(said, err) }
	})
	b.ask(t, b.request(t, b.Good, "-no_nonce"), ocsp.Success)
	if len(said) == 0 || !strings.Contains(said[0].Error(), file) {
		t.Errorf("the log says %v", said)
	}
}

func onlyFile(t *testing.T, dir string) string {
	t.Helper()
	files := allFiles(t, dir)
	if len(files) != 1 {
		t.Fatalf("%d files", len(files))
	}
	return files[0]
}

func allFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// What clients vary at will would fill the directory.
func TestSharedSparingly(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, inFiles(t, dir))
	for _, request := range [][]byte{
		b.request(t, b.Good), // a nonce
		b.request(t, nil, "-no_nonce", "-serial", "0x7777"),    // unknown
		b.request(t, b.Good, "-no_nonce", "-serial", "0x7777"), // several
	} {
		b.ask(t, request, ocsp.Success)
	}
	if files := allFiles(t, dir); len(files) > 0 {
		t.Errorf("%d answers are kept", len(files))
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

package servertest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ocspcgi/lib/pkitest"
)

// OpenSSL asks with the real openssl ocsp, which sends a nonce by POST over
// HTTP/1.0, and has it verify what comes back.
func (s *Site) OpenSSL(t *testing.T) {
	for _, row := range []struct {
		leaf *pkitest.Leaf
		want []string
	}{
		{s.Good, []string{": good\n", "This Update:", "Next Update:"}},
		{s.Revoked, []string{": revoked\n", "Reason: keyCompromise", "Revocation Time:"}},
		{s.Unknown, []string{": unknown\n"}},
	} {
		t.Run("3.14 3.15 openssl"+strings.TrimRight(row.want[0], "\n"), func(t *testing.T) {
			out := pkitest.Ask(t, s.URL, s.CA, row.leaf, "-nonce")
			for _, want := range row.want {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
			if strings.Contains(out, "WARNING") {
				t.Errorf("nonce not echoed:\n%s", out)
			}
		})
	}
}

// Life follows a certificate that says itself where its status is to be had,
// from when it is issued to when openssl ca revokes it while the responder runs.
// Once revoked it may be good for as long as within; 0 means that the next answer
// says it (a new certificate is in no such hurry, but for 0). Name is that of the
// certificate.
func (s *Site) Life(t *testing.T, within time.Duration, name string) {
	leaf := s.Issue(name, pkitest.Extension("authorityInfoAccess", "OCSP;URI:"+s.URL))
	url := strings.TrimSpace(pkitest.OpenSSL(t, "x509", "-in", leaf.Cert, "-noout", "-ocsp_uri"))
	s.becomes(t, leaf, "200 good", 10*within, "200 unknown", "200 try later")
	if out := pkitest.Ask(t, url, s.CA, leaf); !strings.Contains(out, ": good\n") {
		t.Errorf("0.1: not good:\n%s", out)
	}
	s.Revoke(leaf, "superseded")
	s.becomes(t, leaf, "200 revoked", within, "200 good", "200 try later")
	out := pkitest.Ask(t, url, s.CA, leaf)
	if !strings.Contains(out, ": revoked\n") || !strings.Contains(out, "Reason: superseded") {
		t.Errorf("0.6: not revoked:\n%s", out)
	}
}

// becomes asks until the answer is want. Until then it may be one of before.
func (s *Site) becomes(t testing.TB, leaf *pkitest.Leaf, want string, within time.Duration, before ...string) {
	t.Helper()
	for deadline := time.Now().Add(within); ; {
		asked := time.Now()
		got := s.Get(t, leaf)
		switch {
		case got == want:
			return
		case asked.After(deadline) || !slices.Contains(before, got):
			t.Fatalf("%s: %s, want %s", leaf.Cert, got, want)
		}
	}
}

// Crowd asks from many sides at once.
func (s *Site) Crowd(t *testing.T) {
	const clients, requests = 20, 2
	get := Probe{Method: "GET", Path: "/" + escaped(s.request(t, s.Slashes)), Want: "200 good"}
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			for range requests {
				if faults := s.Faults(get, nil); len(faults) > 0 {
					t.Error(faults)
				}
			}
		})
	}
	group.Wait()
}

// Rounds issues and revokes certificates one after the other, each asked for
// when it has been issued and when it has been revoked, by CGI: no answer may
// be another. Another client asks for a revoked certificate all the while: it
// may be told to come back, but nothing else than revoked.
func (s *Site) Rounds(t *testing.T, n int) {
	var group sync.WaitGroup
	stop := make(chan struct{})
	asked := 0
	group.Go(func() {
		revoked := Probe{Method: "GET", Path: "/" + escaped(s.request(t, s.Revoked))}
		for {
			select {
			case <-stop:
				return
			default:
			}
			reply, err := s.send(revoked)
			if err != nil {
				t.Error(err)
				return
			}
			asked++
			if got := s.outcome(reply, s.Revoked); got != "200 revoked" && got != "200 try later" {
				t.Errorf("a revoked certificate is %s", got)
			}
		}
	})
	defer func() {
		close(stop)
		group.Wait()
		if asked == 0 {
			t.Error("nobody asked meanwhile")
		}
	}()
	for i := range n {
		leaf := s.Issue(fmt.Sprint("round-", i))
		s.becomes(t, leaf, "200 good", 0)
		s.Revoke(leaf)
		s.becomes(t, leaf, "200 revoked", 0)
	}
}

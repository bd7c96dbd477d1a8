package truth_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ocspcgi/lib/servertest"
)

var (
	program string // built once, by TestMain

	lasting = flag.Duration("for", short(), "how long TestTruth lasts; make truth T=30m")
	seed    = flag.Uint64("seed", 0, "of what the CAs do; 0: another one each time")
	many    = flag.Int("rows", 40, "how many rows each CA begins with")
)

func TestMain(m *testing.M) { os.Exit(servertest.Main(m, &program)) }

// short is how long it takes until each way to ask has had each answer. A CGI process
// with the race detector takes a second to end.
func short() time.Duration {
	if servertest.Raced {
		return 40 * time.Second
	}
	return 10 * time.Second
}

// second is when a responder that stays has to know of a change.
const second = time.Second

// TestTruth has several CAs at work while clients ask by CGI, FastCGI and HTTP.
// No answer may be wrong.
func TestTruth(t *testing.T) {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("make truth T=%v SEED=%d ROWS=%d does the same again", *lasting, s, *many)
	hup := &accepting{}
	w := &world{seed: s}
	for i, beginning := range beginnings {
		a := newAuthority(t, s+uint64(i), *many, hup)
		a.beginning = beginning
		w.cas = append(w.cas, a)
	}
	w.media = media(t, w.cas, hup)
	w.live(t, *lasting, func() bool { return false })
	t.Log("\n" + w.tally.String())
	t.Attr("figures", fmt.Sprintf("%v of %d CAs at work: %d answers checked, %d wrong", *lasting, len(w.cas), w.tally.answers, w.tally.wrong))
	for _, fault := range w.tally.faults {
		t.Error(fault)
	}
	if w.tally.wrong > 0 {
		t.Errorf("%d answers are wrong", w.tally.wrong)
	}
	for _, m := range w.media {
		for _, status := range []string{"good", "revoked", "unknown"} {
			if w.tally.counts[m.name][status] == 0 {
				t.Errorf("%s: nothing was %s", m.name, status)
			}
		}
	}
}

// media starts the servers, and returns all ways to ask them.
func media(t *testing.T, cas []*authority, hup *accepting) []*medium {
	t.Helper()
	r := servertest.Around(t, program, cas[0].Company)
	settle(t, r.Config, cas, "")
	stays := servertest.FreeAddress(t)
	p := r.Listen(t, stays)
	nginx := web(t, servertest.Nginx, r, "../../nginx/path.conf")
	plain := web(t, servertest.Apache("event"), r, "../../apache/cgi-path.conf")
	sharing := *r
	sharing.Config = filepath.Join(r.Dir, "sharing.toml")
	cache := filepath.Join(r.Dir, "cache")
	servertest.Mkdir(t, cache)
	settle(t, sharing.Config, cas, fmt.Sprintf("cache = %q\n", cache))
	hup.signal = func() error { return errors.Join(p.Reload(), unlearn(cache)) }
	shared := web(t, servertest.Apache("prefork"), &sharing, "../../apache/cgi-path.conf")
	stay := &produced{last: map[string]time.Time{}}
	each := func() *produced { return &produced{last: map[string]time.Time{}} }
	return []*medium{
		{name: "CGI, Apache event", ask: byHTTP(plain), produced: each()},
		{name: "CGI, Apache prefork, answers shared", ask: byHTTP(shared), believes: true, produced: each(), backward: 2 * second},
		{name: "FastCGI, nginx", memory: true, grace: second, ask: byHTTP(nginx), produced: stay},
		{name: "FastCGI, at the socket", memory: true, grace: second, ask: bySocket(r), produced: stay},
		{name: "HTTP", memory: true, grace: second, ask: byHTTP("http://" + stays), produced: stay},
		{name: "HTTP, another client", memory: true, grace: second, ask: byHTTP("http://" + stays), produced: stay},
	}
}

// unlearn removes what CGI processes believe, when none is about to write it again.
func unlearn(cache string) error {
	locks, err := filepath.Glob(filepath.Join(cache, "believed-*.lock"))
	for _, name := range locks {
		lock, openErr := os.Open(name)
		if openErr != nil {
			return openErr
		}
		err = errors.Join(err, unix.Flock(int(lock.Fd()), unix.LOCK_EX))
		if fault := os.Remove(strings.TrimSuffix(name, ".lock")); !errors.Is(fault, fs.ErrNotExist) {
			err = errors.Join(err, fault)
		}
		err = errors.Join(err, lock.Close())
	}
	return err
}

// settle writes the settings to answer for all CAs.
func settle(t *testing.T, path string, cas []*authority, more string) {
	t.Helper()
	text := "log_level = \"warn\"\n" + more
	for _, a := range cas {
		servertest.Own(t, a.Signer.Key)
		text += fmt.Sprintf("[[issuer]]\nCA = %q\nindex = %q\nrsigner = %q\nrkey = %q\n", a.Cert, a.Index, a.Signer.Cert, a.Signer.Key)
	}
	servertest.WriteFile(t, path, text)
}

// web starts a web server with a snippet, and returns the URL of the responder.
func web(t *testing.T, start servertest.Web, r *servertest.Responder, snippet string) string {
	t.Helper()
	address := servertest.FreeAddress(t)
	if _, err := start(t, address, r.Snippet(t, snippet, address)); err != nil {
		t.Fatal(err)
	}
	return "http://" + address + "/ocsp"
}

// byHTTP asks an HTTP server.
func byHTTP(site string) func(q *question) (*reply, error) { return byClient(newClient(), site) }

func newClient() *http.Client {
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableCompression: true}}
}

func byClient(client *http.Client, site string) func(q *question) (*reply, error) {
	return func(q *question) (*reply, error) {
		var resp *http.Response
		var err error
		if q.get {
			resp, err = client.Get(site + "/" + url.PathEscape(base64.StdEncoding.EncodeToString(q.der)))
		} else {
			resp, err = client.Post(site, "application/ocsp-request", bytes.NewReader(q.der))
		}
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return &reply{resp.StatusCode, resp.Header, body}, err
	}
}

// bySocket asks the FastCGI socket.
func bySocket(r *servertest.Responder) func(q *question) (*reply, error) {
	return func(q *question) (*reply, error) {
		out, err := r.Ask("POST", "/ocsp", q.der)
		if err != nil {
			return nil, err
		}
		return parse(out)
	}
}

// parse reads what an application has written to STDOUT.
func parse(out []byte) (*reply, error) {
	// With this line in front it is an answer as net/http reads it.
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader("HTTP/1.1 200 OK\r\n"+string(out))), nil)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	status := resp.StatusCode
	if said := resp.Header.Get("Status"); said != "" && !strings.HasPrefix(said, "200") {
		status = 0
	}
	return &reply{status, resp.Header, body}, err
}

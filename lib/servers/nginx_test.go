package servers_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
	"ocspcgi/lib/servertest"
)

// changed starts nginx-cache.conf with other words in the place of some.
func changed(t *testing.T, r *servertest.Responder, words map[string]string) *kept {
	t.Helper()
	f := caches[0]
	f.web = func(t testing.TB, address, text string) (*servertest.Process, error) {
		return servertest.Nginx(t, address, edited(t, text, words))
	}
	return f.keeping(t, r)
}

// Without one part of the key somebody gets the answer to another request.
func TestKeyOfNginxCache(t *testing.T) {
	r := servertest.NewResponder(t, program)
	asking := func(method string, leaf *pkitest.Leaf, want string) servertest.Probe {
		p := probe(method, leaf, padded(t, r, leaf, 0))
		p.Want = want
		return p
	}
	head := asking("GET", r.Good, "200 empty")
	head.Method = "HEAD"
	text := asking("POST", r.Good, "415 page")
	text.Header = map[string]string{"Content-Type": "text/plain"}
	for _, row := range []struct {
		part, rest  string
		first, then servertest.Probe
	}{
		{`"$request_method `, `"`, head, asking("GET", r.Good, "200 good")},
		{`$request_uri `, ``, asking("GET", r.Good, "200 good"), asking("GET", r.Revoked, "200 revoked")},
		{`$content_type `, ``, asking("POST", r.Good, "200 good"), text},
		{` $request_body"`, `"`, asking("POST", r.Good, "200 good"), asking("POST", r.Revoked, "200 revoked")},
	} {
		t.Run(row.part, func(t *testing.T) {
			for _, whole := range []bool{true, false} {
				words := map[string]string{row.part: row.rest}
				if whole {
					words = nil
				}
				k := changed(t, r, words)
				for _, fault := range k.Faults(row.first, nil) {
					t.Error(fault)
				}
				if faults := k.Faults(row.then, nil); (len(faults) == 0) != whole {
					t.Errorf("whole: %v: %v", whole, faults)
				}
			}
		})
	}
}

// A body in many small chunks needs more room than its length says: nginx may
// put it into a file, where it is not in the key.
func TestBodiesInFiles(t *testing.T) {
	r := servertest.NewResponder(t, program)
	const bypass, noCache = "fastcgi_cache_bypass $request_body_file;", "fastcgi_no_cache $request_body_file;"
	for _, row := range []struct {
		drop []string
		safe bool
	}{
		{nil, true},
		{[]string{"client_body_buffer_size 64k;"}, true},
		{[]string{bypass, noCache}, false},
		{[]string{bypass, noCache, "client_body_buffer_size 64k;"}, false},
	} {
		t.Run(fmt.Sprint("without ", row.drop), func(t *testing.T) {
			words := map[string]string{}
			for _, line := range row.drop {
				words[line] = ""
			}
			k := changed(t, r, words)
			wrong := 0
			for _, n := range paddings {
				for _, chunk := range []int{16, 1000} {
					for _, leaf := range []*pkitest.Leaf{r.Good, r.Revoked, r.Unknown} {
						answer := k.chunks(t, padded(t, r, leaf, n), chunk)
						if _, err := ocsp.ParseResponseForCert(answer, leaf.Certificate, r.Certificate); err != nil {
							wrong++
						}
					}
				}
			}
			if (wrong == 0) != row.safe {
				t.Errorf("%d wrong answers", wrong)
			}
		})
	}
}

// A POST is answered from what is kept, if the whole of it fits into the key.
func TestPostsAreKept(t *testing.T) {
	r := servertest.NewResponder(t, program)
	k := changed(t, r, nil)
	for size, want := range map[int]int{0: 1, 5000: 1, 20000: 3} {
		before := k.asked(t)
		p := probe("POST", r.Good, padded(t, r, r.Good, size))
		p.Want = "200 good"
		for range 3 {
			for _, fault := range k.Faults(p, nil) {
				t.Error(fault)
			}
		}
		if n := k.asked(t) - before; n != want {
			t.Errorf("%d bytes: the program was asked %d times, want %d", size, n, want)
		}
	}
}

// What is refused for its length is answered by nobody's answer, and nothing is
// kept of it.
func TestLongBodies(t *testing.T) {
	r := servertest.NewResponder(t, program)
	k := changed(t, r, nil)
	before := k.asked(t)
	for _, leaf := range []*pkitest.Leaf{r.Good, r.Revoked} {
		p := probe("POST", leaf, padded(t, r, leaf, 70<<10))
		p.Want = "413 server"
		for range 2 {
			for _, fault := range k.Faults(p, nil) {
				t.Error(fault)
			}
		}
	}
	if n := k.asked(t) - before; n != 0 {
		t.Errorf("the program was asked %d times", n)
	}
	k.apart(t, "POST")
}

// chunks posts a body in chunks of that many bytes and returns the answer.
func (k *kept) chunks(t *testing.T, body []byte, size int) []byte {
	t.Helper()
	u, err := url.Parse(k.URL)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"+
		"Content-Type: application/ocsp-request\r\nTransfer-Encoding: chunked\r\n\r\n", u.Path, u.Host)
	for part := range slices.Chunk(body, size) {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(part), part)
	}
	b.WriteString("0\r\n\r\n")
	if _, err := b.WriteTo(c); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%d: %v", resp.StatusCode, err)
	}
	return answer
}

package servertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"ocspcgi/lib/pkitest"
)

// Site is a responder where a web server shows it.
type Site struct {
	*Responder
	URL string // as certificates have it
}

// Reply is what came back for a request.
type Reply struct {
	*http.Response
	DER []byte // the body
}

// client sends what it is told and takes what it gets; each request has a
// connection of its own unless it is told to keep it.
func client(configure func(*http.Transport)) *http.Client {
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true, ExpectContinueTimeout: patience}
	if configure != nil {
		configure(transport)
	}
	return &http.Client{
		Transport:     transport,
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// send sends a probe and reads the whole reply.
func (s *Site) send(p Probe) (*Reply, error) {
	var body io.Reader
	if p.Body != nil {
		body = bytes.NewReader(p.Body)
	}
	if p.Chunked {
		body = io.MultiReader(body) // whose length nobody can tell
	}
	req, err := http.NewRequestWithContext(context.Background(), p.Method, s.URL+p.Path, body)
	if err != nil {
		return nil, err
	}
	for name, value := range p.Header {
		req.Header.Set(name, value)
	}
	c := client(func(transport *http.Transport) {
		if p.Absolute {
			transport.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse("http://" + req.URL.Host) }
		}
	})
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	der, err := io.ReadAll(resp.Body)
	return &Reply{resp, der}, err
}

// Reply sends a probe, whatever it is answered with.
func (s *Site) Reply(t testing.TB, p Probe) *Reply {
	t.Helper()
	reply, err := s.send(p)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// Get asks for the status of a certificate and returns it, as outcome does.
func (s *Site) Get(t testing.TB, leaf *pkitest.Leaf) string {
	t.Helper()
	reply, err := s.send(Probe{Method: "GET", Path: "/" + escaped(s.request(t, leaf))})
	if err != nil {
		t.Fatal(err)
	}
	return s.outcome(reply, leaf)
}

// request is the DER of a request without a nonce.
func (s *Site) request(t testing.TB, leaf *pkitest.Leaf) []byte {
	t.Helper()
	der, err := ocsp.CreateRequest(leaf.Certificate, s.Certificate, nil)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// outcome is the HTTP status of a reply with what it is: the status of leaf,
// signed for the CA; the name of an OCSP error; the page; empty; or server,
// which is what the web server has made without asking the program.
func (s *Site) outcome(reply *Reply, leaf *pkitest.Leaf) string {
	return fmt.Sprint(reply.StatusCode, " ", s.kind(reply, leaf))
}

func (s *Site) kind(reply *Reply, leaf *pkitest.Leaf) string {
	switch contentType := reply.Header.Get("Content-Type"); {
	case len(reply.DER) == 0 && (contentType == "" || reply.Request.Method == "HEAD"):
		return "empty"
	case contentType == "application/ocsp-response":
		answer, err := ocsp.ParseResponseForCert(reply.DER, leaf.Certificate, s.Certificate)
		var refusal ocsp.ResponseError
		switch {
		case errors.As(err, &refusal):
			return refusal.Status.String()
		case err != nil:
			return err.Error()
		}
		return statusName(answer)
	case strings.Contains(string(reply.DER), "<h1>OCSP responder</h1>"):
		return "page"
	}
	return "server"
}

func statusName(answer *ocsp.Response) string {
	switch answer.Status {
	case ocsp.Good:
		return "good"
	case ocsp.Revoked:
		return "revoked"
	case ocsp.Unknown:
		return "unknown"
	}
	return fmt.Sprint("status ", answer.Status)
}

// flaws is what is wrong with a reply of the program whatever it says.
func flaws(reply *Reply) (faults []string) {
	length := int64(len(reply.DER))
	switch {
	case reply.StatusCode == http.StatusNotModified:
	case len(reply.TransferEncoding) > 0, reply.ContentLength < 0:
		faults = append(faults, "HTTP-22: no Content-Length")
	case reply.ContentLength != length && reply.Request.Method != "HEAD":
		faults = append(faults, fmt.Sprint("HTTP-22: Content-Length ", reply.ContentLength, ", body of ", length))
	}
	dates := reply.Header.Values("Date")
	if len(dates) != 1 {
		faults = append(faults, fmt.Sprint("CGI-09: Date ", dates))
	} else if date, err := http.ParseTime(dates[0]); err != nil || time.Since(date).Abs() > time.Minute {
		faults = append(faults, "CGI-09: Date "+dates[0])
	}
	for _, name := range []string{"Set-Cookie", "Status", "Location"} {
		if reply.Header.Get(name) != "" {
			faults = append(faults, name+" "+reply.Header.Get(name))
		}
	}
	return faults
}

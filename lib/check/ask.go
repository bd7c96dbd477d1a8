package check

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// patience is how long a responder has for one answer.
const patience = 10 * time.Second

// maxReply is the size in bytes of the largest answer that is read.
const maxReply = 1 << 20

// query is one request, byte for byte as a client would write it: net/http
// would change some of them.
type query struct {
	method  string
	path    string // behind the URL's own
	version string // "1.0"; empty: 1.1
	header  []string
	body    []byte
	chunked bool
}

// reply is what came back, as it was on the wire.
type reply struct {
	status  int
	header  http.Header
	length  string // Content-Length as it came; empty: none
	chunked bool
	body    []byte
	behind  int // bytes that came after the body
}

// server says of what kind it is: the first word of its name, in lower case.
func (r *reply) server() string {
	name, _, _ := strings.Cut(strings.ToLower(r.header.Get("Server")), "/")
	name, _, _ = strings.Cut(name, " ")
	return name
}

// target is the URL of a responder.
type target struct {
	*url.URL
}

func parseTarget(text string) (*target, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, err
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("%q is no URL of a responder; write http://HOST[:PORT][/PATH]", text)
	}
	return &target{u}, nil
}

// dial connects to the server of the URL, until ctx is over.
func (t *target) dial(ctx context.Context) (net.Conn, error) {
	port := t.Port()
	if port == "" {
		port = t.Scheme
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(t.Hostname(), port))
	if err != nil || t.Scheme == "http" {
		return conn, err
	}
	// Whose certificate it is does not matter: the answers are signed.
	return tls.Client(conn, &tls.Config{ServerName: t.Hostname(), InsecureSkipVerify: true}), nil
}

// ask sends a request on a connection of its own, and reads what comes back.
func (t *target) ask(q *query) (*reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := t.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	sent := make(chan error, 1)
	go func() { // a server may answer before it has read all
		_, err := conn.Write(t.text(q))
		sent <- err
	}()
	r, err := readReply(bufio.NewReader(conn), q.method)
	if err == nil {
		return r, nil
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("no answer within %v", patience)
	}
	conn.Close()
	if failed := <-sent; failed != nil {
		err = failed
	}
	return nil, err
}

// text is the request on the wire.
func (t *target) text(q *query) []byte {
	var b bytes.Buffer
	version := q.version
	if version == "" {
		version = "1.1"
	}
	path := t.EscapedPath() + q.path
	if path == "" {
		path = "/"
	}
	fmt.Fprintf(&b, "%s %s HTTP/%s\r\nHost: %s\r\n", q.method, path, version, t.Host)
	for _, line := range q.header {
		b.WriteString(line + "\r\n")
	}
	if version == "1.1" {
		b.WriteString("Connection: close\r\n")
	}
	switch {
	case q.chunked:
		fmt.Fprintf(&b, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(q.body), q.body)
	case q.method == "POST":
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(q.body), q.body)
	default:
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

func readReply(in *bufio.Reader, method string) (*reply, error) {
	resp, err := http.ReadResponse(in, &http.Request{Method: method})
	for err == nil && resp.StatusCode == http.StatusContinue {
		resp, err = http.ReadResponse(in, &http.Request{Method: method})
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return nil, fmt.Errorf("the answer breaks off after %d bytes: %w", len(body), err)
	}
	return &reply{
		status:  resp.StatusCode,
		header:  resp.Header,
		length:  resp.Header.Get("Content-Length"),
		chunked: len(resp.TransferEncoding) > 0,
		body:    body,
		behind:  in.Buffered(),
	}, nil
}
